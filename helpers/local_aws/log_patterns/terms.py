"""Patterns for log events of any form: `stored -test`, `?ERROR ?WARN`, `"not authorized"`, `%order-\\d+%`.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-unstructured-log-events.html
"""

from __future__ import annotations

import re
from collections.abc import Callable

from .comparisons import quoted
from .errors import InvalidPattern
from .regex import Regex

_TERM = re.compile(r'\s*([?-]?)("(?:\\.|[^"\\])*"|%(?:\\.|[^%\\])+%|[^\s"]\S*)(?=\s|$)')
_WORD = re.compile(r"\w+")
Match = Callable[[str], bool]


class Terms:
    """A pattern for log events of any form. Raises InvalidPattern."""

    def __init__(self, text: str) -> None:
        self._all_of: list[Match] = []
        self._none_of: list[Match] = []
        self._any_of: list[Match] = []
        kinds = {"": self._all_of, "-": self._none_of, "?": self._any_of}
        position, text = 0, text.rstrip()
        while position < len(text):
            term = _TERM.match(text, position)
            if term is None:
                raise InvalidPattern
            kinds[term[1]].append(_contains(term[2]))
            position = term.end()

    def matches(self, message: str) -> bool:
        if not all(each(message) for each in self._all_of) or any(each(message) for each in self._none_of):
            return False
        # Beside terms that must or must not be there, those with a question mark do not count.
        if self._all_of or self._none_of or not self._any_of:
            return True
        return any(each(message) for each in self._any_of)

    def value(self, message: str, selector: str) -> None:
        """Return None: nothing in such an event has a name."""


def _contains(term: str) -> Match:
    if term.startswith("%") and len(term) > 1:
        return Regex(term[1:-1]).is_in
    wanted = quoted(term) if term.startswith('"') else term
    if not wanted or not term.startswith('"') and not _WORD.fullmatch(term):
        raise InvalidPattern(f"Invalid character(s) in term '{term}'")
    return lambda message: wanted in message
