"""Read a field of a cron expression that is made of values, ranges and steps."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PART = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\d+))?", re.ASCII)


class InvalidField(ValueError):
    """A field of the expression has a value that it may not have."""


@dataclass(frozen=True)
class Field:
    """The values that a field may have, from `least` to `most`, and their names from the least on."""

    least: int
    most: int
    names: tuple[str, ...] = ()
    steps: bool = True

    def read(self, text: str) -> tuple[int, ...]:
        """Return the values that the text names, in order. Raises InvalidField."""
        chosen: set[int] = set()
        for part in text.split(","):
            chosen.update(self._values(part))
        return tuple(sorted(chosen))

    def value(self, text: str) -> int:
        """Return the one value that the text names. Raises InvalidField."""
        if text.upper() in self.names:
            return self.least + self.names.index(text.upper())
        if not text.isascii() or not text.isdigit() or not self.least <= int(text) <= self.most:
            raise InvalidField(f"{text!r} is not from {self.least} to {self.most}")
        return int(text)

    def _values(self, part: str) -> list[int]:
        match = _PART.fullmatch(part)
        if match is None or match["first"] == "*" and match["last"]:
            raise InvalidField(f"{part!r} cannot be read")
        step = self._step(part, match["step"])
        if match["first"] == "*":
            return [*range(self.least, self.most + 1, step)]
        first = self.value(match["first"])
        if match["last"]:
            return self._range(first, self.value(match["last"]), step)
        return [*range(first, self.most + 1, step)] if match["step"] else [first]

    def _step(self, part: str, text: str | None) -> int:
        if text is None:
            return 1
        if not self.steps or not 0 < int(text) <= self.most:
            raise InvalidField(f"{part!r} has a step that it may not have")
        return int(text)

    def _range(self, first: int, last: int, step: int) -> list[int]:
        """Return a range, which may go over the end: mon-sun does, as SUN is 1."""
        if last < first:
            last += self.most - self.least + 1
        return [
            (value - self.least) % (self.most - self.least + 1) + self.least for value in range(first, last + 1, step)
        ]
