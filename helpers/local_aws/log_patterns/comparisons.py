"""Compare a value of a log event with what a filter pattern says: `= 4*`, `>= 1000`, `!= "EU"`, `= %^A-\\d%`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

from .errors import InvalidPattern
from .regex import Regex

#: What a value of a log event is asked. Numbers are numbers where the event is JSON, texts where it is not.
Test = Callable[[Any], bool]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BARE = re.compile(r"[\w.*:/@+\-]+")
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def comparison(sign: str, literal: str) -> Test:
    """Return the test. literal: as it is written, quoted, bare, or between percent signs. Raises InvalidPattern."""
    if sign in _ORDERS:
        return _order(_ORDERS[sign], literal)
    equals = _equality(literal)
    return equals if sign == "=" else lambda value: not equals(value)


def quoted(literal: str) -> str:
    """Return what stands in double quotes, in which a backslash takes a quote or itself."""
    return re.sub(r"\\([\"\\])", r"\1", literal[1:-1])


def text_of(value: Any) -> str | None:
    """Return a value as a text to compare; None for what has none."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, (str, int, float)) else None


def _order(holds: Callable[[float, float], bool], literal: str) -> Test:
    if not _NUMBER.fullmatch(literal):
        raise InvalidPattern
    limit = float(literal)

    def test(value: Any) -> bool:
        number = _number(value)
        return number is not None and holds(number, limit)

    return test


def _equality(literal: str) -> Test:
    if literal.startswith("%"):
        regex = Regex(literal[1:-1])
        return lambda value: (text := text_of(value)) is not None and regex.is_in(text)
    if literal.startswith('"'):
        return _text(quoted(literal))
    if not _BARE.fullmatch(literal):
        raise InvalidPattern(f"Invalid character(s) in term '{literal}'")
    if _NUMBER.fullmatch(literal):
        wanted = float(literal)
        return lambda value: _number(value) == wanted
    return _text(literal)


def _text(wanted: str) -> Test:
    """Return the test of a text in which a star stands for any text, of any length."""
    first, *others = wanted.split("*")
    if not others:
        return lambda value: text_of(value) == wanted
    *middle, last = others

    def test(value: Any) -> bool:
        text = text_of(value)
        if text is None or len(text) < len(first) + len(last) or not text.startswith(first):
            return False
        position = len(first)
        for part in middle:
            position = text.find(part, position)
            if position < 0:
                return False
            position += len(part)
        return text.endswith(last) and position <= len(text) - len(last)

    return test


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:  # JSON has whole numbers of any size
        return math.inf if value > 0 else -math.inf
