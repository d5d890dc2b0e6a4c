"""Match a text with wildcards, * for any text and ? for any character, in steps that the two lengths bound.

As a regular expression `*a*a*a*b` takes exponentially many before it fails, and holds up the whole server meanwhile.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any


class Wildcard(enum.Enum):
    ONE = "?"
    MANY = "*"


_WILDCARDS = {each.value: each for each in Wildcard}
_ANYTHING = (Wildcard.MANY,)


def tokens(text: str) -> list[str | Wildcard]:
    """Return the characters of `text`, wildcards among them as such."""
    return [_WILDCARDS.get(character, character) for character in text]


class Glob:
    """A pattern of characters and wildcards. What stands before and after all wildcards is compared as a whole."""

    __slots__ = ("_head", "_middle", "_tail")

    def __init__(self, pattern: Sequence[str | Wildcard]) -> None:
        places = [place for place, token in enumerate(pattern) if isinstance(token, Wildcard)]
        begin, end = (places[0], places[-1] + 1) if places else (len(pattern), len(pattern))
        self._head, self._tail = "".join(map(str, pattern[:begin])), "".join(map(str, pattern[end:]))
        self._middle = tuple(pattern[begin:end])

    def match(self, text: str) -> bool:
        begin, end = len(self._head), len(text) - len(self._tail)
        return (
            begin <= end
            and text.startswith(self._head)
            and text.endswith(self._tail)
            and (self._middle == _ANYTHING or matches(self._middle, text[begin:end]))
        )


def matches(pattern: Sequence[Any], text: Sequence[Any]) -> bool:
    """Return whether all of `text` is what `pattern` says.

    On a difference the last star takes one more character, and what follows it is compared anew. The stars before keep
    what they have: should a match exist, one exists with the fewest characters for each. So there are at most as many
    comparisons as both lengths have as their product.
    """
    place = at = 0
    star, taken = -1, 0  # where the last star is in the pattern, and up to where it reaches in the text
    while at < len(text):
        token = pattern[place] if place < len(pattern) else None
        if token is Wildcard.MANY:
            star, taken = place, at
            place += 1
        elif token is Wildcard.ONE or token == text[at]:
            place, at = place + 1, at + 1
        elif star >= 0:
            taken += 1
            place, at = star + 1, taken
        else:
            return False
    return all(token is Wildcard.MANY for token in pattern[place:])
