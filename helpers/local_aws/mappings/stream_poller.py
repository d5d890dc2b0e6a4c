"""Read a table's stream for a function, in order, from a position that is kept on disk.

Records are gathered, handed over in strands (see `strands`), and the position moves on when they are done or discarded.
After a crash all that was not done is handed over again, and its attempts are counted anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from ..account.service_table import service_lock
from ..cloudwatch import metrics
from ..dynamodb.stream import LIFETIME, Shard
from ..engine import clock
from ..execution.invocation import Outcome
from . import answers, discarded, filters, positions, records, sources
from .mapping import CALL_FAILED, OK, EventSourceMapping
from .poller import Poller, Target, pause
from .strands import Change, Part, Strand, spread

#: Records that are read at once.
_PAGE = 1000


class StreamPoller(Poller):
    """Reads one stream for one function. position: the number of the next record to read."""

    def __init__(
        self, mapping: EventSourceMapping, find_target: Callable[[], Target | None], position: int | None = None
    ) -> None:
        super().__init__(mapping, find_target)
        self._shard: Shard | None = None  # that which is watched
        self._next = self._begin_at(position)
        self._kept = -1  # the position on disk
        self._gathered: list[Change] = []
        self._since = 0.0  # clock.monotonic() when the first of these was read
        self._strands: list[Strand] = []
        self._keep(self._next)

    def _begin_at(self, position: int | None) -> int:
        """Return where to begin: StartingPosition's place, unless there is a position from before.

        AWS may miss with LATEST what is written while the mapping is being created; here it is everything after the
        answer to CreateEventSourceMapping.
        """
        if position is not None:
            return position
        shard = sources.shard(self.mapping.source_arn)
        if shard is None or self.mapping.settings["StartingPosition"] == "TRIM_HORIZON":
            return 0
        with service_lock("dynamodb"):
            return shard.next_sequence_number

    def close(self) -> None:
        if self._shard is not None:
            self._shard.unwatch(self.wake)
        positions.delete(self.mapping.region, self.mapping.uuid)

    def step(self) -> None:
        shard = sources.shard(self.mapping.source_arn)
        target = self._readable(shard is not None)
        if shard is None or target is None:
            return
        if self._shard is not shard:
            self._shard = shard
            shard.watch(self.wake)
        while self._strands or self._gather(shard):
            for strand in self._strands:
                self._go_on(strand, target)
            self._strands = [strand for strand in self._strands if strand.parts]
            self._keep(min((strand.first_number() for strand in self._strands), default=self._next))
            if self._strands:
                return  # who is done, or the time, wakes it

    def _gather(self, shard: Shard) -> bool:
        """Read on; True when there is a batch to hand over."""
        size, factor = self.mapping.batch_size, self.mapping.settings["ParallelizationFactor"]
        while len(self._gathered) < size * factor:
            count = min(_PAGE, size * factor - len(self._gathered))
            with service_lock("dynamodb"):
                first, found = shard.records_from(self._next, count)
            if not found:
                break
            if not self._gathered:
                self._since = clock.monotonic()
            self._take(found)
            self._next = first + len(found)
        if not self._gathered:
            self._keep(self._next)
            return False
        left = self._since + self.mapping.window - clock.monotonic()
        if left > 0 and len(self._gathered) < size * factor:
            self._wake_in(left)
            return False
        self._strands = spread(self._gathered, factor, size)
        self._gathered = []
        return True

    def _take(self, found: list[tuple[dict[str, Any], float]]) -> None:
        patterns = self.mapping.patterns
        for kept, written in found:
            text = records.text_of(records.of_change(kept, self.mapping.source_arn))
            if not patterns or filters.matches(patterns, records.as_read(text)):
                self._gathered.append(Change.of(kept, written, text))

    def _go_on(self, strand: Strand, target: Target) -> None:
        """Begin what a strand's first part needs."""
        while strand.parts and not strand.busy:
            part = strand.parts[0]
            if not self._discard_old(strand, part):
                continue
            left = part.not_before - clock.monotonic()
            if left > 0:
                self._wake_in(left)
                return
            payload = records.event(change.text for change in part.changes)
            strand.busy = True
            if self._begin(target, payload, partial(self._done, strand, part)):
                age = max(0.0, clock.uptime() - part.changes[-1].written) * 1000
                metrics.record("AWS/Lambda", {"FunctionName": target.function_name}, {"IteratorAge": age})
            else:
                strand.busy = False
                part.not_before = clock.monotonic() + pause(1)

    def _done(self, strand: Strand, part: Part, outcome: Outcome) -> None:
        strand.busy = False
        failed: set[str] | None = None
        if outcome.error_type is None:
            numbers = {str(change.number) for change in part.changes}
            failed = answers.failed_items(outcome.payload, numbers) if self.mapping.reports_failures else set()
        if failed is not None and not failed:
            strand.parts.popleft()
        else:
            self._failed(strand, part, outcome, failed or set())
        self._note(OK if failed is not None else CALL_FAILED)
        self._turn()

    def _failed(self, strand: Strand, part: Part, outcome: Outcome, failed: set[str]) -> None:
        """Have a part tried again, from its first failed record on or in two halves, or discard it."""
        if failed:
            strand.checkpoint(part, map(int, failed))
        elif self.mapping.settings["BisectBatchOnFunctionError"] and len(part.changes) > 1:
            strand.bisect(part)
            part.not_before = clock.monotonic() + pause(1)
            return
        part.attempts += 1
        most = self.mapping.settings["MaximumRetryAttempts"]
        if 0 <= most < part.attempts:
            discarded.report(self.mapping, self._find_target(), part, discarded.RETRIES, outcome)
            strand.parts.popleft()
        else:
            part.not_before = clock.monotonic() + pause(part.attempts)

    def _discard_old(self, strand: Strand, part: Part) -> bool:
        """Discard the records that are too old; returns whether any are left."""
        oldest = clock.uptime() - self._lifetime()
        fresh = [change for change in part.changes if change.written >= oldest]
        if len(fresh) == len(part.changes):
            return True
        old = Part([change for change in part.changes if change.written < oldest], part.attempts)
        discarded.report(self.mapping, self._find_target(), old, discarded.AGE, None)
        part.changes = fresh
        if not fresh:
            strand.parts.popleft()
        return bool(fresh)

    def _lifetime(self) -> float:
        """Return how old a record may be, in seconds of uptime. A configured age is shortened as waits are."""
        age = self.mapping.settings["MaximumRecordAgeInSeconds"]
        limit = clock.scaled(age) if age > 0 and clock.scale() else math.inf
        return min(LIFETIME, limit)

    def _keep(self, position: int) -> None:
        if position != self._kept:
            self._kept = position
            positions.put(self.mapping.region, self.mapping.uuid, position)
