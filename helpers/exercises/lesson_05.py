"""Check lesson 5: what a request promises, what is to be sent again, and a delivery that came twice."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3

from helpers.exercises.tools import call, found
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.microservice_x import orders

# --- 05-1: five entries of which two are not JSON, then all five again ---

IS_JSON = [True, False, True, False, True]
SENT, ACCEPTED = len(IS_JSON), IS_JSON.count(True)
FAILED, INVOCATIONS, STORED = SENT - ACCEPTED, ACCEPTED + SENT, SENT  # nobody takes an accepted event back
NAMES = ["FailedEntryCount", "invocations", "orders"]


@exercise("05-1", takes=dict)
def second_request(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the three names in the dict, and give each a number.")
    if any(type(number) is not int for number in prediction.values()):
        return wrong("Each of the three predictions is a whole number.")
    failed, invocations, stored = (prediction[name] for name in NAMES)
    if failed != FAILED:
        return wrong(_about_failed(failed), see="batch")
    if invocations != INVOCATIONS:
        return wrong(_about_invocations(invocations), see="invocation")
    if stored != STORED:
        return wrong(_about_stored(stored), see="idempotent")
    return correct("What was accepted the first time has been delivered twice, and only the key kept the table right.")


def _about_failed(number: int) -> str:
    match number:
        case 0:
            return "Status 200 speaks of the request as a whole. Does EventBridge take a Detail that is not JSON?"
        case 1:
            return "FailedEntryCount is a count of entries, not a sign that something in the batch has failed."
        case _ if number == SENT:
            return (
                "A batch does not fail as a whole. What became of the good entries beside a bad one when you tried it?"
            )
    return "FailedEntryCount: how many of the details are not JSON?"


def _about_invocations(number: int) -> str:
    match number:
        case 2:  # as many as requests
            return "The function is not invoked once for a request. What is a batch, once it has reached the bus?"
        case _ if number == ACCEPTED:
            return "Those are the first request's. What does the bus do with an entry that it has accepted before?"
        case _ if number == SENT:
            return (
                "That is one for each order. Were the good entries of the first request taken back, "
                "and does anybody on the way recognise an order that comes again?"
            )
        case _ if number == 2 * SENT:
            return "An entry that is not accepted never becomes an event. Whom could it invoke?"
    return "Invocations: count, request by request, the entries that become events."


def _about_stored(number: int) -> str:
    match number:
        case _ if number == INVOCATIONS:
            return "Those are the deliveries. Where does put_item put an order whose key is there already?"
        case _ if number == ACCEPTED:
            return "Those are in the table after the first request. Which ones does the next one bring?"
    return "Orders: how many different keys have been stored when both requests are through?"


# --- 05-2: what the results of a request ask for ---

NOTHING, AGAIN, MEND = STEPS = "nothing", "send again", "mend"
CODES = {  # of https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
    None: NOTHING,
    "ThrottlingException": AGAIN,
    "InternalFailure": AGAIN,
    "MalformedDetail": MEND,
    "NotAuthorizedForSourceException": MEND,
}
REQUESTS: list[list[str | None]] = [  # the error code of each entry, None for one that is accepted
    [None, None, None],
    [None, "ThrottlingException", "MalformedDetail", "InternalFailure", None, "NotAuthorizedForSourceException", None],
]
CONFUSED = {  # what it should be: {what the function says: the question}
    NOTHING: {
        AGAIN: "You repeat an order that the bus has accepted: that makes a duplicate. How do you know a failed entry?",
        MEND: "There is nothing to mend about an order whose entry has an event id.",
    },
    AGAIN: {
        NOTHING: "An order that was not accepted is forgotten. Does the bus keep what it has refused?",
        MEND: "You want an order mended that is right as it is. AWS names two codes that pass; do you know both?",
    },
    MEND: {
        NOTHING: "An order that can never be accepted is dropped without a word. Who hears of it, if not the sender?",
        AGAIN: "Some entries fail every time, however often they go out. What do their codes say?",
    },
}


@exercise("05-2", takes=Callable)
def next_steps(function: Callable[..., Any]) -> Verdict:
    for codes in REQUESTS:
        batch = orders(len(codes))
        answer = call(function, batch, _answer(codes))
        wanted = {order["OrderId"]: CODES[code] for order, code in zip(batch, codes, strict=True)}
        if answer != wanted:
            return _difference(answer, wanted)
    return correct("A batch that failed in part is sorted out: nobody is left behind, and nobody goes twice.")


def _answer(codes: list[str | None]) -> dict[str, Any]:
    """Return the answer of PutEvents for entries that failed with these codes."""
    results = [
        {"ErrorCode": code, "ErrorMessage": "…"} if code else {"EventId": f"{position:08}-0000-4000-8000-000000000000"}
        for position, code in enumerate(codes)
    ]
    return {"FailedEntryCount": len(codes) - codes.count(None), "Entries": results}


def _difference(answer: object, wanted: dict[str, str]) -> Verdict:
    if not isinstance(answer, dict):
        return wrong("Your function must return a dict: a step for each OrderId.")
    if any(step is ... for step in answer.values()):
        return not_attempted()
    if set(answer) - set(wanted):
        return wrong("The dict has keys that are not OrderIds of the batch. An answer holds event ids: whose are they?")
    if set(wanted) - set(answer):
        return wrong("Orders of the batch are missing from the dict: the accepted ones belong there, too.")
    if any(step not in STEPS for step in answer.values()):
        return wrong("Your function uses other words for the steps than the three of the task.")
    if sorted(answer.values()) == sorted(wanted.values()):
        return wrong(
            "The steps are right, but with the wrong orders. What connects a result with its entry?", see="batch"
        )
    order_id = next(each for each in wanted if answer[each] != wanted[each])
    return wrong(CONFUSED[wanted[order_id]][answer[order_id]], see="batch")


# --- 05-3: one event, delivered twice ---

ORDER_ID, FUNCTION, RULE = "E-0001", "sample-function", "sample-rule"
FIELDS = ("eventId", "requestId", "orderId", "outcome")
LEAST_LINES = 2


@exercise("05-3", takes=((list, int),))
def delivered_twice(evidence: list[Any] | int) -> Verdict:
    if isinstance(evidence, int):
        return wrong(
            "A count of items proves nothing: after one delivery or two, the table looks the same. "
            "Where does every delivery leave a trace of its own?",
            see="idempotent",
        )
    lines = [line for each in evidence if (line := _line(each)) is not None]
    if not lines or len(lines) < len(evidence):
        return wrong(
            "Evidence is what the function writes each time it runs: its lines of JSON, as dicts, with all fields.",
            see="at-least-once",
        )
    proved = "One event id, two request ids, one place in the table: a duplicate looks like this, and so does its cure."
    return _about_lines(lines) or _leftovers() or correct(proved)


def _line(each: Any) -> dict[str, Any] | None:
    """Return the fields of a log line, given as a dict, as its JSON text or as CloudWatch Logs wraps it."""
    try:
        each = each.get("message", each) if isinstance(each, dict) else each
        each = json.loads(each) if isinstance(each, str) else each
        return {name: each[name] for name in FIELDS}
    except (ValueError, KeyError, TypeError):
        return None


def _about_lines(lines: list[dict[str, Any]]) -> Verdict | None:
    """Say what is wrong with the evidence, or None."""
    if len(lines) < LEAST_LINES:
        return wrong("One line is one delivery. If another is on its way, wait for it first.", see="at-least-once")
    logged = [line for event_id in {str(line["eventId"]) for line in lines} for line in _logged(event_id)]
    if any(line not in logged for line in lines):
        return wrong("The function's log has no such lines. Read them from there.")
    requests: dict[str, set[Any]] = {}
    for line in lines:
        requests.setdefault(line["eventId"], set()).add(line["requestId"])
    if all(len(ids) < LEAST_LINES for ids in requests.values()):
        if len(requests) == 1:
            return wrong(
                "Your lines have the same request id. How many invocations does one stand for?", see="invocation"
            )
        return wrong(
            "Each line has an event id of its own: the sender has sent twice, and each event was delivered once. "
            "How can one event arrive twice?",
            see="at-least-once",
        )
    if {(line["orderId"], line["outcome"]) for line in lines} != {(ORDER_ID, "stored")}:
        return wrong("An event was delivered twice, but its order is not the task's, or has not been stored.")
    return None


def _logged(event_id: str) -> Iterator[dict[str, Any]]:
    """Yield the lines that the function has logged about an event."""
    logs = boto3.client("logs")
    asked = {"logGroupName": f"/aws/lambda/{FUNCTION}", "filterPattern": f'"{event_id}"'}
    if re.fullmatch(r"[\w-]+", event_id) and found(logs, "filter_log_events", **asked):
        for page in logs.get_paginator("filter_log_events").paginate(**asked):
            yield from filter(None, map(_line, page["events"]))


def _leftovers() -> Verdict | None:
    """Say what of the experiment would disturb the rest of the lesson, or None."""
    match _targets():
        case []:
            return wrong("The evidence is there, but no rule has your function for a target now: no order will arrive.")
        case [target] if target.startswith("exercise-"):
            return wrong(
                "The evidence is there, but you have removed the target of lesson 4 and kept the other.", see="target"
            )
        case [_, _, *_]:
            return wrong(
                "The evidence is there, and so is what made it: every event still arrives twice. "
                "Remove the second target in the same cell.",
                see="target",
            )
    dynamodb, key = boto3.client("dynamodb"), {"OrderId": {"S": ORDER_ID}}
    answer = found(dynamodb, "get_item", TableName="sample-table", Key=key, ConsistentRead=True)
    if answer and "Item" in answer:
        return wrong(
            "The evidence is there. But a test order has no place in the revenue, and it is still in the table."
        )
    return None


def _targets() -> list[str]:
    """Return the ids of the targets that are the function, of the lesson's rule and of rules made for exercises."""
    events = boto3.client("events")
    function = found(boto3.client("lambda"), "get_function_configuration", FunctionName=FUNCTION)
    rules = [RULE, *(rule["Name"] for rule in events.list_rules(NamePrefix="exercise-")["Rules"])]
    answers = [found(events, "list_targets_by_rule", Rule=rule) for rule in rules]
    return [
        target["Id"]
        for answer in answers
        for target in (answer["Targets"] if answer else [])
        if function and target["Arn"] == function["FunctionArn"]
    ]
