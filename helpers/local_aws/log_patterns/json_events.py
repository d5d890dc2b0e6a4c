"""Patterns for log events that are JSON: `{ $.outcome = "invalid" && $.body.Amount > 50 }`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
What no page says is decided here: a comparison with something that is not there is false, `!=` as well.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .comparisons import comparison, quoted
from .errors import InvalidPattern
from .tokens import COMPARING, LITERALS, Condition, Tokens, condition

_STEP = re.compile(r"\.([\w-]+)|\.?\[(?:(\d+)|(\*)|(\"(?:\\.|[^\"\\])*\")|'([^']*)')\]")
_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}
Step = str | int | None  # a name, a place in a list, or any place in a list


class JsonEvents:
    """A pattern for log events that are JSON. text: with its braces. Raises InvalidPattern."""

    def __init__(self, text: str) -> None:
        if not text.endswith("}"):
            raise InvalidPattern("If a filter pattern starts with '{' it must end with '}'")
        self._holds = condition(Tokens(text[1:-1]), _simple)

    def matches(self, message: str) -> bool:
        event = _event(message)
        return event is not None and self._holds(event)

    def value(self, message: str, selector: str) -> Any:
        """Return what a selector such as `$.body.Amount` names in the message, None if nothing or more than a value."""
        tokens = Tokens(selector)
        found = _found(_event(message), _steps(tokens.take("selector")))
        return found[0] if found and not isinstance(found[0], (dict, list)) else None


def _event(message: str) -> dict[str, Any] | list[Any] | None:
    try:
        event = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, (dict, list)) else None


def _simple(tokens: Tokens) -> Condition:
    steps = _steps(tokens.take("selector"))
    if tokens.took("NOT"):
        if not tokens.took("EXISTS"):
            raise InvalidPattern
        return lambda event: not _found(event, steps)
    if tokens.took("EXISTS"):
        return lambda event: bool(_found(event, steps))
    if tokens.took("IS"):
        word = tokens.take("word").upper()
        if word not in _WORDS:
            raise InvalidPattern
        return lambda event: any(value is _WORDS[word] for value in _found(event, steps))
    sign = tokens.take("sign")
    if sign not in COMPARING:
        raise InvalidPattern
    test = comparison(sign, tokens.take(*LITERALS))
    return lambda event: any(test(value) for value in _found(event, steps) if not isinstance(value, (dict, list)))


def _steps(selector: str) -> list[Step]:
    """Return the way that a selector goes from the top of the event."""
    if selector == "$":
        raise InvalidPattern
    steps: list[Step] = []
    for name, place, anywhere, double, single in _STEP.findall(selector):
        steps.append(name or (int(place) if place else None if anywhere else quoted(double) if double else single))
    return steps


def _found(event: Any, steps: list[Step]) -> list[Any]:
    """Return the values to which the steps lead: one or none, or more where a step says any place."""
    values = [event]
    for step in steps:
        values = [inner for value in values for inner in _inside(value, step)]
    return values


def _inside(value: Any, step: Step) -> list[Any]:
    if step is None:
        return value if isinstance(value, list) else []
    if isinstance(step, int):
        return value[step : step + 1] if isinstance(value, list) else []
    return [value[step]] if isinstance(value, dict) and step in value else []
