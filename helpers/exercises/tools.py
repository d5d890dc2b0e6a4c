"""Do what several checkers need: run a learner's function, ask the account, match events with a pattern."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError

from helpers.exercises.verdicts import EarlyVerdict, not_attempted, summarize, wrong

_NOT_FOUND = ("NoSuchEntity", "NotFound", "NonExistent", "DoesNotExist")


def call(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what the learner's function returns. Raises EarlyVerdict for a gap or an exception in it."""
    try:
        value = function(*arguments)
    except Exception as error:  # whatever the learner's code raises
        raise EarlyVerdict(wrong(f"Your function raises {summarize(error)}.")) from error
    if value is ...:
        raise EarlyVerdict(not_attempted())
    return value


def found(client: Any, operation: str, **arguments: Any) -> dict[str, Any] | None:
    """Return the answer of one call, or None when AWS says that the resource does not exist.

    Raises botocore's errors for everything else.
    """
    try:
        answer: dict[str, Any] = getattr(client, operation)(**arguments)
        return answer
    except ClientError as error:
        if any(word in error.response["Error"]["Code"] for word in _NOT_FOUND):
            return None
        raise


def event(
    detail: Mapping[str, Any], source: str = "microservice_x", detail_type: str = "microservice_x_test_event"
) -> dict[str, Any]:
    """Return an event in EventBridge's envelope, as rules see it."""
    return {
        "version": "0",
        "id": "11111111-2222-3333-4444-555555555555",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-11-23T09:30:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": dict(detail),
    }


def matches(pattern: str | Mapping[str, Any], given: Mapping[str, Any]) -> bool:
    """Return whether EventBridge would match the event with the pattern.

    Raises EarlyVerdict, in EventBridge's words, for a malformed pattern.
    """
    text = pattern if isinstance(pattern, str) else json.dumps(pattern)
    try:
        answer = boto3.client("events").test_event_pattern(EventPattern=text, Event=json.dumps(given))
    except ClientError as error:
        if error.response["Error"]["Code"] != "InvalidEventPatternException":
            raise
        message = " ".join(error.response["Error"]["Message"].split())
        raise EarlyVerdict(wrong(f"EventBridge refuses the pattern: {message}", see="event-pattern")) from error
    return bool(answer["Result"])
