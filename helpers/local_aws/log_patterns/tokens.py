"""Take a filter pattern apart, and read what is joined by `&&`, `||` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .errors import InvalidPattern

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"(?:\\.|[^"\\])*")
      | (?P<regex>%(?:\\.|[^%\\])+%)
      | (?P<selector>\$(?:\.[\w-]+|\.?\[(?:\d+|\*|"(?:\\.|[^"\\])*"|'[^']*')\])*)
      | (?P<sign><=|>=|!=|=|<|>|&&|\|\||[()])
      | (?P<word>[^\s()=!<>&|"%]+)
    )""",
    re.VERBOSE,
)
#: What may be compared, on the right of a sign.
LITERALS = ("quoted", "regex", "word")
COMPARING = ("=", "!=", "<", "<=", ">", ">=")
#: Parentheses inside one another (decided: AWS names no limit): each takes some of the stack, here and with each event.
DEEPEST = 20
Condition = Callable[[Any], bool]


class Tokens:
    """The parts of a pattern: pairs of a kind (a group's name above) and a text. Raises InvalidPattern."""

    def __init__(self, text: str) -> None:
        self._parts: list[tuple[str, str]] = []
        position, text = 0, text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise InvalidPattern
            self._parts.append((match.lastgroup or "", match[match.lastgroup or 0]))
            position = match.end()
        self._next = 0
        self.depth = 0
        if sum(kind == "regex" for kind, _ in self._parts) > 2:  # AWS's quota for these forms
            raise InvalidPattern

    def peek(self) -> tuple[str, str]:
        """Return the next part; ("", "") at the end."""
        return self._parts[self._next] if self._next < len(self._parts) else ("", "")

    def first(self, kind: str) -> str:
        """Return the text of the first part of a kind, or ""."""
        return next((text for found, text in self._parts if found == kind), "")

    def take(self, *kinds: str) -> str:
        """Return the text of the next part, which must be of one of these kinds. Raises InvalidPattern."""
        kind, text = self.peek()
        if kind not in kinds:
            raise InvalidPattern
        self._next += 1
        return text

    def took(self, text: str) -> bool:
        """Take the next part if it is this sign, or this word in any case of letters; return whether it was."""
        kind, found = self.peek()
        if kind not in ("sign", "word") or found.upper() != text:
            return False
        self._next += 1
        return True


def condition(tokens: Tokens, simple: Callable[[Tokens], Condition]) -> Condition:
    """Read to the end: what `simple` reads, joined by && and ||, of which && holds closer. Raises InvalidPattern."""
    whole = _either(tokens, simple)
    if tokens.peek() != ("", ""):
        raise InvalidPattern
    return whole


def _either(tokens: Tokens, simple: Callable[[Tokens], Condition]) -> Condition:
    options = [_both(tokens, simple)]
    while tokens.took("||"):
        options.append(_both(tokens, simple))
    return lambda value: any(option(value) for option in options)


def _both(tokens: Tokens, simple: Callable[[Tokens], Condition]) -> Condition:
    parts = [_one(tokens, simple)]
    while tokens.took("&&"):
        parts.append(_one(tokens, simple))
    return lambda value: all(part(value) for part in parts)


def _one(tokens: Tokens, simple: Callable[[Tokens], Condition]) -> Condition:
    if not tokens.took("("):
        return simple(tokens)
    tokens.depth += 1
    if tokens.depth > DEEPEST:
        raise InvalidPattern
    inner = _either(tokens, simple)
    if not tokens.took(")"):
        raise InvalidPattern
    tokens.depth -= 1
    return inner
