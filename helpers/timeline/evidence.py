"""Collect what an event has left behind in the account: matching rules, log lines, the item (for queues see parked).

Everything is read with plain boto3, as the lessons do it. Nothing is changed, and no message is taken out of
a queue.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import boto3

from helpers.account import function_log, health
from helpers.account.answers import Answers
from helpers.account.state import FUNCTION, TABLE
from helpers.account.troubles import sentence
from helpers.exercises.tools import found, matches
from helpers.timeline.parked import queue_name

RETRIES = 2  # Lambda's own, where nobody has set another number
Line = tuple[int, dict[str, Any]]  # of a log: when, in milliseconds, and its JSON


@dataclass(frozen=True)
class Rule:
    """An enabled rule of the bus. `matches` is None when the event's content is not known; `differs` names the
    fields of the pattern because of which it does not match.
    """

    name: str
    arn: str
    targets: tuple[str, ...]  # ARNs
    matches: bool | None = None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attempt:
    """One run of a function for the event. The outcome is what the function has logged: None when it has ended
    without a word, "running" when it has not ended. `cut_off`: of one without a word, how its environment ended it.
    """

    outcome: str | None
    order_id: str | None = None
    reason: str = ""
    cut_off: str = ""


@dataclass(frozen=True)
class Invocation:
    """The attempts that share a request id, first to last. The id is empty when the function does not log it."""

    request_id: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Function:
    """A function: the table that it is known to write to, how often it is tried again, and the queue for what
    failed.
    """

    name: str
    table: str | None
    retries: int
    failure_queue: str | None


def event_of(entry: dict[str, Any], event_id: str, rule_arn: str) -> dict[str, Any]:
    """Return the event that PutEvents makes of an entry, for the account and region of the rule."""
    _, _, _, region, account, _ = rule_arn.split(":", 5)
    moment = entry.get("Time") or datetime.fromtimestamp(time.time(), UTC)
    return {
        "version": "0",
        "id": event_id,
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": entry.get("Resources", []),
        "detail": json.loads(entry["Detail"]),
    }


def rules_of(bus: str) -> list[Rule]:
    """Return the bus's enabled rules with an event pattern, by name; not those that AWS manages, for an archive say."""
    client = boto3.client("events")
    pages = client.get_paginator("list_rules").paginate(EventBusName=bus)
    rules = [rule for page in pages for rule in page["Rules"]]
    wanted = [
        rule for rule in rules
        if rule.get("EventPattern") and rule["State"] != "DISABLED" and not rule.get("ManagedBy")
    ]  # fmt: skip
    return [
        Rule(rule["Name"], rule["Arn"], tuple(target["Arn"] for target in _targets(client, rule["Name"], bus)))
        for rule in sorted(wanted, key=lambda rule: rule["Name"])
    ]


def with_match(rule: Rule, bus: str, event: dict[str, Any]) -> Rule:
    """Return the rule, and whether it matches the event: AWS's own answer."""
    answer = boto3.client("events").describe_rule(Name=rule.name, EventBusName=bus)
    pattern = json.loads(answer["EventPattern"])
    if matches(pattern, event):
        return replace(rule, matches=True)
    differs = tuple(field for field, wanted in pattern.items() if not matches({field: wanted}, event))
    return replace(rule, matches=False, differs=differs)


def function_of(arn: str) -> Function:
    """Return what is known of the function with this ARN. One that is gone has left at most its log."""
    client, name = boto3.client("lambda"), arn.split(":")[6]
    settings = found(client, "get_function_configuration", FunctionName=name) or {}
    retry = found(client, "get_function_event_invoke_config", FunctionName=name) or {}
    destination = retry.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    queue = destination or settings.get("DeadLetterConfig", {}).get("TargetArn")
    table = settings.get("Environment", {}).get("Variables", {}).get("TABLE_NAME")
    table = table or (TABLE if name == FUNCTION else None)  # the handler's own default
    return Function(name, table, retry.get("MaximumRetryAttempts", RETRIES), queue_name(queue))


def dead_letter_queues(bus: str, rules: Iterable[Rule]) -> list[str]:
    """Return the names of the queues for what could not be delivered to the rules' targets, sorted."""
    client = boto3.client("events")
    targets = [target for rule in rules for target in _targets(client, rule.name, bus)]
    names = {queue_name(target.get("DeadLetterConfig", {}).get("Arn")) for target in targets}
    return sorted(name for name in names if name)


def invocations_of(function: str, event_id: str, request_ids: Iterable[str] = ()) -> list[Invocation]:
    """Return the function's invocations for the event, first to last, from its log.

    `request_ids` are invocations that are known from elsewhere: they may have logged nothing about the event.
    """
    ids = dict.fromkeys([*(_request_id(line) for _, line in _outcome_lines(function, event_id)), *request_ids])
    marks = {request_id: _log_lines(function, request_id) if request_id else [] for request_id in ids}
    lines = _outcome_lines(
        function, event_id
    )  # once more: every attempt whose END is among the marks has logged by now
    own = {request_id: [line for line in lines if _request_id(line[1]) == request_id] for request_id in ids}
    return [Invocation(request_id, _attempts(marks[request_id], own[request_id])) for request_id in ids]


def why_not_running(function: str) -> str:
    """Return why the function does not run now, in a sentence without its end; "" when nothing says so."""
    found = [*health.does_not_run(Answers(boto3.client), function)]
    return sentence(found[0]).replace(FUNCTION, function) if found else ""


def is_stored(table: str, order_id: str) -> bool:
    """Return whether the table holds the order now."""
    if not order_id.isascii() and any("\ud800" <= letter <= "\udfff" for letter in order_id):
        return False  # half of a surrogate pair is no text, and in no table
    key = {"OrderId": {"S": order_id}}
    answer = found(boto3.client("dynamodb"), "get_item", TableName=table, Key=key, ConsistentRead=True)
    return "Item" in (answer or {})


def _targets(client: Any, rule: str, bus: str) -> list[dict[str, Any]]:
    pages = client.get_paginator("list_targets_by_rule").paginate(Rule=rule, EventBusName=bus)
    return [target for page in pages for target in page["Targets"]]


def _log_lines(function: str, text: str) -> list[Line]:
    """Return the function's log messages with this text, first to last; START and END as {"START": …}."""
    client = boto3.client("logs")
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=f"/aws/lambda/{function}", filterPattern=f'"{text}"'
    )
    try:
        messages = [message for page in pages for message in page["events"]]
    except client.exceptions.ResourceNotFoundException:
        return []
    lines = [(message["timestamp"], _parse_line(message["message"])) for message in messages]
    return sorted(lines, key=lambda line: line[0])


def _parse_line(message: str) -> dict[str, Any]:
    word, _, rest = message.partition(" ")
    if word in ("START", "END"):
        return {word: rest.strip()}
    if failure := function_log.failure_in(message):
        return {"FAILURE": failure}
    try:
        line = json.loads(message)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _request_id(line: dict[str, Any]) -> str:
    return str(line.get("requestId", ""))


def _outcome_lines(function: str, event_id: str) -> list[Line]:
    """Return what the function has logged about the event: if like the handler, one JSON line an attempt."""
    return [line for line in _log_lines(function, event_id) if line[1].get("eventId") == event_id]


def _attempts(marks: list[Line], lines: list[Line]) -> tuple[Attempt, ...]:
    """Return an attempt for each START, with what was logged until the next; a log may lack STARTs for a moment."""
    starts = [when for when, line in marks if "START" in line]
    ended = sum("END" in line for _, line in marks)
    if len(starts) <= len(lines):
        return tuple(_attempt(line) for _, line in lines)
    attempts = []
    for number, start in enumerate(starts, start=1):
        until = starts[number] if number < len(starts) else float("inf")
        line = next((line for when, line in lines if start <= when < until), None)
        failures = [line["FAILURE"] for when, line in marks if "FAILURE" in line and start <= when <= until]
        silent = _silent(failures[0] if failures else "") if number <= ended else Attempt("running")
        attempts.append(_attempt(line) if line else silent)
    return tuple(attempts)


def _silent(failure: str) -> Attempt:
    """Return an attempt that has ended without a word, as its environment's own lines tell of it."""
    labels = {"timed out": "timed out", "OutOfMemory": "out of memory", "ExitError": "has exited"}
    label = next((label for word, label in labels.items() if word in failure), "did not start")
    return Attempt(None, reason=failure, cut_off=label if failure else "")


def _attempt(line: dict[str, Any]) -> Attempt:
    return Attempt(str(line.get("outcome", "logged")), line.get("orderId"), str(line.get("reason", "")))
