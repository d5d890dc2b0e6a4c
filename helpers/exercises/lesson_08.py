"""Check lesson 8: where orders end that fail, what a parked message holds, and one that was brought back."""

import json
from collections.abc import Callable
from typing import Any

import boto3

from helpers.exercises.tools import call, event, found, matches
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide

# --- 08-1: six situations ---

PLACES = STORED, DLQ, FAILURES, NOWHERE = ["stored", "dlq", "failures", "nowhere"]
FATES = {  # situation: (place, runs, the question about the place, the question about the runs)
    "A": (
        FAILURES,
        3,
        "A: who has the order when it fails, EventBridge or Lambda? Each of them has a net of its own.",
        "A: Lambda does not know that trying again is in vain. How often does it try in all?",
    ),
    "B": (
        DLQ,
        0,
        "B: who fails here, at what, and is a missing permission something that is worth another try?",
        "B: can a function run for an event that it never gets?",
    ),
    "C": (
        STORED,
        3,
        "C: at which seconds are the tries, and from which second on does writing work?",
        "C: put the seconds of the tries beside the 90 of the fault. Each try is a run, the failed ones too.",
    ),
    "D": (
        FAILURES,
        0,
        "D: EventBridge hands the event over without trouble. Who is left with it, and is there anything to wait for?",
        "D: reserved concurrency is the number of invocations that may run. How many is that?",
    ),
    "E": (
        STORED,
        1,
        "E: a function that is busy has not failed. How long does Lambda keep an event for which there is no room?",
        "E: is an event that waits for room a run that failed?",
    ),
    "F": (
        NOWHERE,
        0,
        "F: nets catch what falls on the way. Has this event set out on it? Ask the rule's pattern.",
        "F: who would invoke the function for an event that no rule wants?",
    ),
}


@exercise("08-1", takes=dict)
def where_it_ends(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(FATES):
        return wrong("Keep the six situations in the dict, and give each a pair.")
    for letter, (place, runs, about_place, about_runs) in FATES.items():
        answer = prediction[letter]
        if (
            not isinstance(answer, (tuple, list))
            or len(answer) != 2
            or answer[0] not in PLACES
            or type(answer[1]) is not int
        ):
            return wrong(f"{letter}: give it a pair: one of {', '.join(PLACES)}, and a whole number.")
        if answer[0] != place:
            return wrong(about_place, see="dead-letter-queue" if place == DLQ else "on-failure-destination")
        if answer[1] != runs:
            return wrong(about_runs, see="retry")
    return correct("You know who has an order at each moment, and so who will try again and where it will wait.")


# --- 08-2: two kinds of parked messages ---


def _parked(number: int, amount: object) -> dict[str, Any]:
    return event({"body": {"OrderId": f"S-{number:04}", "Item": "mug", "Amount": amount}}, detail_type="OrderPlaced")


def parked_by_eventbridge(given: dict[str, Any], code: str) -> dict[str, Any]:
    """Return a message as EventBridge parks it: the event, and the reason in an attribute."""
    attributes = {"ERROR_CODE": code, "RULE_ARN": "arn:aws:events:us-east-1:123456789012:rule/sample-rule"}
    message_attributes = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    return {"MessageId": "1", "ReceiptHandle": "h", "Body": json.dumps(given), "MessageAttributes": message_attributes}


def parked_by_lambda(given: dict[str, Any], condition: str, tries: int) -> dict[str, Any]:
    """Return a message as Lambda parks it: a record with the event in it, and no attributes of its own."""
    context = {"requestId": "r", "functionArn": "f", "condition": condition, "approximateInvokeCount": tries}
    record = {"version": "1.0", "timestamp": "2026-11-23T09:30:00Z", "requestContext": context, "requestPayload": given}
    record |= {"responseContext": {"statusCode": 200}, "responsePayload": {"errorType": "InvalidOrder"}}
    return {"MessageId": "2", "ReceiptHandle": "h", "Body": json.dumps(record)}


MESSAGES = [  # (message, event, reason)
    (parked_by_lambda(_parked(1, "12,90"), "RetriesExhausted", 3), _parked(1, "12,90"), "RetriesExhausted"),
    (parked_by_eventbridge(_parked(2, 12.9), "NO_PERMISSIONS"), _parked(2, 12.9), "NO_PERMISSIONS"),
    (parked_by_lambda(_parked(3, 5), "ZeroReservedConcurrency", 0), _parked(3, 5), "ZeroReservedConcurrency"),
    (parked_by_eventbridge(_parked(4, 99), "NO_RESOURCE"), _parked(4, 99), "NO_RESOURCE"),
]


@exercise("08-2", takes=Callable)
def unpacked(function: Callable[..., Any]) -> Verdict:
    for message, expected, reason in MESSAGES:
        answer = call(function, json.loads(json.dumps(message)))
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:
            return wrong("Your function must return two things: the event and the reason.")
        if ... in answer:
            return not_attempted()
        if problem := _about_event(answer[0], expected):
            return wrong(problem, see="envelope")
        if not isinstance(answer[1], str):
            return wrong("The reason is not a text. An attribute of a message has a type and a value: which is it?")
        if answer[1] != reason:
            return wrong(
                "The event is right, and the reason is something else. Where does each of the two services write it?",
                see="on-failure-destination",
            )
    return correct("One program for both queues: it knows what is an event and what is a report about one.")


def _about_event(answer: object, expected: dict[str, Any]) -> str:
    """Say what is wrong with what was taken for the event; empty if nothing is."""
    if answer == expected:
        return ""
    if isinstance(answer, str):
        return "Your function returns the event as a text. What does the handler want to look things up in?"
    if isinstance(answer, dict) and "requestPayload" in answer:
        return "That is Lambda's record. The function would get an envelope in an envelope: where is the event?"
    if answer in (expected["detail"], expected["detail"]["body"]):
        return "That is only a part of the event. The handler expects it as EventBridge delivers it, in its envelope."
    return "What your function returns is not the event that was parked."


# --- 08-3: an event out of the dead-letter queue ---

RULE, DESK, PARKED, SOURCE, ORDER = "exercise-desk-rule", "exercise-desk", "exercise-desk-dlq", "vip_desk", "VIP-1"
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


@exercise("08-3", takes=dict)
def brought_back(parked: dict[str, Any]) -> Verdict:
    rule = found(boto3.client("events"), "describe_rule", Name=RULE)
    if not rule:
        return wrong(f"There is no rule {RULE} on the default bus: nothing of the desk could be delivered.", see="rule")
    desk, dlq = _queue(DESK), _queue(PARKED)
    if not desk or not dlq:
        return wrong(f"There is no queue {DESK if not desk else PARKED} yet.")
    return (
        _about_way(rule, desk, dlq)
        or _about_message(parked, rule["Arn"])
        or _about_queues(desk, dlq, json.loads(parked["Body"])["id"])
        or correct("Lost, found, mended and brought back: the very event, and nobody had to send anything twice.")
    )


def _queue(name: str) -> dict[str, Any] | None:
    """URL and attributes of a queue, or None."""
    sqs = boto3.client("sqs")
    if not (answer := found(sqs, "get_queue_url", QueueName=name)):
        return None
    url = answer["QueueUrl"]
    attributes: dict[str, Any] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes | {"QueueUrl": url}


def _about_way(rule: dict[str, Any], desk: dict[str, Any], dlq: dict[str, Any]) -> Verdict | None:
    """Judge the rule, its target and who may send to the desk's queue."""
    if not matches(rule.get("EventPattern") or "{}", event({"body": {"OrderId": ORDER}}, SOURCE, "OrderPlaced")):
        return wrong("The rule does not match the VIP desk's orders. Which field says who sends?", see="event-pattern")
    targets = boto3.client("events").list_targets_by_rule(Rule=RULE)["Targets"]
    nets = [target.get("DeadLetterConfig", {}).get("Arn") for target in targets if target["Arn"] == desk["QueueArn"]]
    if not nets:
        return wrong("The rule does not hand its events to the desk's queue.", see="target")
    if dlq["QueueArn"] not in nets:
        return wrong("The target has no net, so what cannot be delivered is gone.", see="dead-letter-queue")
    if not _may_send(desk, rule["Arn"]):
        return wrong(
            "The cause is still there: the next order of the desk would be parked, too. Who may send to its queue?",
            see="resource-based-policy",
        )
    if _may_send(desk, f"{rule['Arn']}-2"):
        return wrong(
            "The desk's queue lets in more than this rule. How does its policy tell one rule from another?",
            see="resource-based-policy",
        )
    return None


def _may_send(queue: dict[str, Any], rule_arn: str) -> bool:
    if not queue.get("Policy"):
        return False
    context = {"aws:sourcearn": rule_arn, "aws:sourceaccount": rule_arn.split(":")[4]}
    request = AccessRequest("sqs:SendMessage", queue["QueueArn"], ("Service", "events.amazonaws.com"), context)
    return decide([Policy(json.loads(queue["Policy"]))], request) is Decision.ALLOW


def _about_message(parked: dict[str, Any], rule_arn: str) -> Verdict | None:
    """Whether the message is the one that EventBridge has parked for this rule."""
    try:
        body = json.loads(parked["Body"])
        order, event_id = body["detail"]["body"]["OrderId"], body["id"]
    except (KeyError, TypeError, ValueError):
        return wrong("parked is not the message as receive_message returned it, with an event of the desk as its body.")
    if body.get("source") != SOURCE or order != ORDER or not isinstance(event_id, str):
        return wrong(f"The parked event is not the desk's order {ORDER}.", see="source")
    attributes = parked.get("MessageAttributes")
    if not attributes:
        return wrong(
            "The message does not say why it was parked, and by which rule. With which parameter does SQS hand out "
            "attributes, and were they there at all?",
            see="dead-letter-queue",
        )
    if attributes.get("RULE_ARN", {}).get("StringValue") != rule_arn:
        return wrong("Another rule has parked this message.", see="dead-letter-queue")
    return None


def _about_queues(desk: dict[str, Any], dlq: dict[str, Any], event_id: str) -> Verdict | None:
    """Whether the desk has the parked event, and the dead-letter queue has it no longer."""
    asked = {"MaxNumberOfMessages": 10, "VisibilityTimeout": 0, "WaitTimeSeconds": 1}
    answer = boto3.client("sqs").receive_message(QueueUrl=desk["QueueUrl"], **asked)
    ids = [_id(message["Body"]) for message in answer.get("Messages", [])]
    waiting = sum(int(dlq[name]) for name in COUNTS)
    if event_id not in ids:
        if ids:
            return wrong(
                "The desk has got another event than the one that was parked. Is it a second order, or the first "
                "one under a new id? Nobody could tell.",
                see="redrive",
            )
        if waiting:
            return wrong("The event is still parked, and the desk's queue is empty.", see="redrive")
        return wrong("The event is in neither queue. In which order does one take out and put in?", see="redrive")
    if waiting:
        return wrong("The desk has its event, and it is parked as well. What would the next redrive do?", see="redrive")
    return None


def _id(text: str) -> object:
    try:
        return json.loads(text)["id"]
    except (KeyError, TypeError, ValueError):
        return None
