"""The regular expressions of filter patterns, between percent signs: %[Oo]rder-\\d{4}%.

They have no groups, so they are walked with a set of places in them, one character after the other. That takes time in
proportion to the text, whatever the expression is; Python's `re` may take for ever, and all other requests wait then.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/regex-expressions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .errors import InvalidPattern

_ALLOWED = re.compile(r"[A-Za-z0-9:_#=@/;,\-^$?\[\]{}|\\*+. ]*")
_ATOM = re.compile(r"\\x[0-9A-Fa-f]{2}|\\[^xA-Za-z0-9]|\\[dDsSwW]|\[\^?(?:\\.|[^\]\\])+\]|[^\\\[\]{}*+?^$|]")
_QUANTIFIER = re.compile(r"[*+?]|\{(\d+)(?:(,)(\d*))?\}")
#: Ours: what a quantifier may ask for at most.
_MOST = 1000


@dataclass
class _Sequence:
    """Characters one after the other; bit n of `optional` and `repeats` speaks of the nth atom."""

    atoms: list[re.Pattern[str]] = field(default_factory=list)
    optional: int = 0
    repeats: int = 0
    at_start: bool = False
    at_end: bool = False
    _known: dict[str, int] = field(default_factory=dict)

    def add(self, atom: re.Pattern[str], *, optional: bool = False, repeats: bool = False) -> None:
        bit = 1 << len(self.atoms)
        self.atoms.append(atom)
        self.optional |= bit if optional else 0
        self.repeats |= bit if repeats else 0

    def is_in(self, text: str) -> bool:
        begun, end = self._reached(1), 1 << len(self.atoms)
        places = begun
        for character in text:
            if places & end and not self.at_end:
                return True
            found = places & self._matching(character)
            places = self._reached(found << 1 | found & self.repeats)
            if not self.at_start:
                places |= begun
        return bool(places & end)

    def _matching(self, character: str) -> int:
        """Return the atoms that this character matches, a bit for each."""
        if character not in self._known:
            bits = (1 << number for number, atom in enumerate(self.atoms) if atom.fullmatch(character))
            self._known[character] = sum(bits)
        return self._known[character]

    def _reached(self, places: int) -> int:
        """Return the places with those behind atoms that may be left out."""
        while (further := places | (places & self.optional) << 1) != places:
            places = further
        return places


class Regex:
    """A regular expression; `text` is what stands between the percent signs. Raises InvalidPattern."""

    def __init__(self, text: str) -> None:
        if not text or not _ALLOWED.fullmatch(text):
            raise InvalidPattern(f"Invalid character(s) in term '%{text}%'")
        self._sequences = [_read(part) for part in _alternatives(text)]

    def is_in(self, text: str) -> bool:
        """Return whether some part of the text matches."""
        return any(sequence.is_in(text) for sequence in self._sequences)


def _alternatives(text: str) -> Iterator[str]:
    """Split at each | that stands for itself neither by a backslash nor in brackets."""
    part = ""
    for piece in re.findall(r"\\.|\[(?:\\.|[^\]\\])*\]?|.|\\", text):
        if piece == "|":
            yield part
            part = ""
        else:
            part += piece
    yield part


def _read(text: str) -> _Sequence:
    sequence = _Sequence()
    if text.startswith("^"):
        sequence.at_start, text = True, text[1:]
    if text.endswith("$") and not text.endswith("\\$"):
        sequence.at_end, text = True, text[:-1]
    position = 0
    while position < len(text):
        atom = _ATOM.match(text, position)
        if atom is None:
            raise InvalidPattern
        position = atom.end()
        quantifier = _QUANTIFIER.match(text, position)
        _add(sequence, _compiled(atom[0]), quantifier)
        position = quantifier.end() if quantifier else position
    return sequence


def _compiled(atom: str) -> re.Pattern[str]:
    try:
        return re.compile(atom, re.ASCII | re.DOTALL)
    except re.error as error:  # [z-a]
        raise InvalidPattern from error


def _add(sequence: _Sequence, atom: re.Pattern[str], quantifier: re.Match[str] | None) -> None:
    least, most = _times(quantifier)
    if most is not None and most < least or max(least, most or 0) > _MOST:
        raise InvalidPattern
    for _ in range(least if most is not None else max(0, least - 1)):
        sequence.add(atom)
    if most is None:
        sequence.add(atom, optional=not least, repeats=True)
    for _ in range((most or least) - least):
        sequence.add(atom, optional=True)


def _times(quantifier: re.Match[str] | None) -> tuple[int, int | None]:
    """Return how often the atom must come at least, and how often it may; None for any number of times."""
    sign = quantifier[0] if quantifier else "{1}"
    if sign in ("*", "+", "?"):
        return int(sign == "+"), 1 if sign == "?" else None
    if quantifier is None:
        return 1, 1
    least = int(quantifier[1])
    if not quantifier[2]:
        return least, least
    return least, int(quantifier[3]) if quantifier[3] else None
