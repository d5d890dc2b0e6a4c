"""Patterns for log events of columns with spaces between: `[ip, user, ..., status = 4*, bytes > 1000]`.

A column in the event may be in double quotes or in brackets, and has spaces then.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import re

from .comparisons import comparison
from .errors import InvalidPattern
from .tokens import COMPARING, LITERALS, Condition, Tokens, condition

_COLUMN = re.compile(r'"([^"]*)"|\[([^\]]*)\]|(\S+)')
_NAME = re.compile(r"\w+")
_PIECE = re.compile(r'"(?:\\.|[^"\\])*"|%(?:\\.|[^%\\])+%|.', re.DOTALL)
#: Stands for any number of columns, in one place at most.
REST = "..."


class Columns:
    """A pattern for log events of columns. text: with its brackets. Raises InvalidPattern."""

    def __init__(self, text: str) -> None:
        if not text.endswith("]"):
            raise InvalidPattern("If a filter pattern starts with '[' it must end with ']'")
        columns = _split(text[1:-1])
        if columns.count(REST) > 1:
            raise InvalidPattern
        before = columns.index(REST) if REST in columns else len(columns)
        self._first = [_column(each) for each in columns[:before]]
        self._last = [_column(each) for each in columns[before + 1 :]]
        self._more = REST in columns

    def matches(self, message: str) -> bool:
        found = self._found(message)
        return found is not None and all(holds(text) for _, holds, text in found)

    def value(self, message: str, selector: str) -> str | None:
        """Return what stands in the column that `$name` names; None if there is no such column."""
        return next((text for name, _, text in self._found(message) or () if f"${name}" == selector), None)

    def _found(self, message: str) -> list[tuple[str, Condition, str]] | None:
        """Return each column's name and condition with its text; None for a message of another number of columns."""
        found = [double or bracketed or bare for double, bracketed, bare in _COLUMN.findall(message)]
        least = len(self._first) + len(self._last)
        if len(found) < least or not self._more and len(found) > least:
            return None
        texts = found[: len(self._first)] + found[len(found) - len(self._last) :]
        return [(name, holds, text) for (name, holds), text in zip(self._first + self._last, texts, strict=True)]


def _split(text: str) -> list[str]:
    """Split at commas that are neither in quotes nor in a regular expression."""
    columns = [""]
    for piece in _PIECE.findall(text):
        if piece == ",":
            columns.append("")
        else:
            columns[-1] += piece
    return [column.strip() for column in columns]


def _column(text: str) -> tuple[str, Condition]:
    """Return a column's name, and what it is compared with, if it is; all comparisons are of this column."""
    tokens = Tokens(text)
    name = tokens.first("word")
    if _NAME.fullmatch(text):
        return text, lambda value: True

    def simple(tokens: Tokens) -> Condition:
        found = tokens.take("word")
        if found != name or not _NAME.fullmatch(found):
            raise InvalidPattern
        sign = tokens.take("sign")
        if sign not in COMPARING:
            raise InvalidPattern
        return comparison(sign, tokens.take(*LITERALS))

    return name, condition(tokens, simple)
