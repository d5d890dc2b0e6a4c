"""Keep the records that a stream's poller has taken, in parts that are invoked one after the other, until all are done.

A strand is what must stay in order: all of a shard, or with a ParallelizationFactor the items whose keys fall into the
same one of so many classes. What becomes of a part that fails: https://docs.aws.amazon.com/lambda/latest/dg/
services-dynamodb-errors.html and .../dg/services-ddb-batchfailurereporting.html
"""

from __future__ import annotations

import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from . import records


@dataclass(frozen=True, slots=True)
class Change:
    """A record of a stream. number: its sequence number; made: when (seconds since the epoch); text: of the event.

    written: the account's uptime then, by which it grows old.
    """

    number: int
    made: float
    written: float
    key: int
    text: str

    @classmethod
    def of(cls, kept: dict[str, Any], written: float, text: str) -> Change:
        change = kept["dynamodb"]
        key = zlib.crc32(json.dumps(change["Keys"], sort_keys=True, default=str).encode())
        made = (
            change["ApproximateCreationDateTime"].replace(tzinfo=UTC).timestamp()
        )  # moto's times say not that they are
        return cls(int(change["SequenceNumber"]), made, written, key, text)


@dataclass(eq=False)
class Part:
    """Records of one invocation. attempts: those that have failed; not_before: clock.monotonic() of the next."""

    changes: list[Change]
    attempts: int = 0
    not_before: float = 0.0


class Strand:
    """Parts in their order. busy: the first is being invoked."""

    def __init__(self, changes: list[Change], size: int) -> None:
        self.parts = deque(Part(each) for each in _cut(changes, size))
        self.busy = False

    def checkpoint(self, part: Part, failed: Iterable[int]) -> None:
        """Go on from the first record that failed; those before it are done. failed: sequence numbers."""
        first = min(failed)
        part.changes = [change for change in part.changes if change.number >= first]

    def bisect(self, part: Part) -> None:
        """Make two parts of one: neither has used up an attempt by that."""
        middle = len(part.changes) // 2
        rest = Part(part.changes[middle:], part.attempts)
        part.changes = part.changes[:middle]
        self.parts.insert(1, rest)

    def first_number(self) -> int:
        """Return the sequence number of the first record that is not done."""
        return self.parts[0].changes[0].number


def spread(changes: list[Change], factor: int, size: int) -> list[Strand]:
    """Make strands: at most `factor`, in parts of at most `size` records."""
    classes: dict[int, list[Change]] = {}
    for change in changes:
        classes.setdefault(change.key % factor, []).append(change)
    return [Strand(each, size) for each in classes.values()]


def _cut(changes: list[Change], size: int) -> Iterator[list[Change]]:
    left = changes
    while left:
        part = left[:size]
        part = part[: records.fitting(len(change.text.encode()) for change in part)]
        yield part
        left = left[len(part) :]
