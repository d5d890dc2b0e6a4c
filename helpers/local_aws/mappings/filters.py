"""Choose the records that a mapping's filters let through.

A record is for the function when it matches one of the patterns: https://docs.aws.amazon.com/lambda/latest/dg/
invocation-eventfiltering.html. A message's body is looked into when it is a JSON object, and then a pattern for plain
text does not match it, nor one for JSON a body that is none: .../dg/with-sqs-filtering.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ..event_patterns.event_pattern import EventPattern


def matches(patterns: Iterable[EventPattern], record: dict[str, Any]) -> bool:
    """Return whether a record of a stream matches one of the patterns."""
    return any(pattern.matches(record) for pattern in patterns)


def message_matches(patterns: Iterable[EventPattern], record: dict[str, Any]) -> bool:
    """Return whether a queue's record matches one of the patterns."""
    body = _object(record["body"])
    seen = record if body is None else {**record, "body": body}
    return any(pattern.matches(seen) for pattern in patterns if _form_of_body(pattern.text) in (None, body is not None))


def _object(text: str) -> dict[str, Any] | None:
    """Return the JSON object that a text is; None for any other text."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@lru_cache(maxsize=1024)
def _form_of_body(pattern: str) -> bool | None:
    """Return whether a pattern asks for a body that is a JSON object; None when it does not ask for a body."""
    body = json.loads(pattern).get("body")
    return None if body is None else isinstance(body, dict)
