"""Keep a table's stream: a record for each change of an item, on disk one by one, for a day.

"All data in DynamoDB Streams is subject to a 24-hour lifetime", and what is older "is susceptible to trimming (removal)
at any moment": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
They are hours in which the account is up: what happened before a weekend is still there for a function after it.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from moto.awslambda.utils import get_backend
from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..engine import clock, executor
from ..storage import journal
from . import item_rows

KIND, POSITION = "stream record", "stream position"
#: How long a record can be read, and how much longer it may stay: many are removed at once, and the state saved then.
#: Seconds of the account's uptime.
LIFETIME, SLACK = 24 * 3600.0, 3600.0
#: Where a row has the account's uptime when its record was written; the record itself tells the time of day.
_WRITTEN = "written"

#: How large the records of one invocation may be together: Lambda takes 6 MB, of which each needs some more.
#: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html#invocation-eventsourcemapping-batching
BATCH_BYTES = 5_000_000

_lanes = executor.Lanes("DynamoDB stream")


class Shard(StreamShard):
    """moto's only shard of a stream. The lock of the service must be held while it is used.

    starting_sequence_number: the number of its oldest record, or of the next one when it has none.
    """

    #: Attributes that a snapshot leaves out, and what makes them anew: they have rows.
    MADE_ANEW: ClassVar[dict[str, Callable[[], Any]]] = {"items": list, "_positions": dict}

    def __init__(self, account_id: str, table: Table) -> None:
        super().__init__(account_id, table)
        self._first_sequence_number = self.starting_sequence_number
        self._positions: dict[str, int] = {}  # by function: the number of the next record that it is to have

    @property
    def arn(self) -> str:
        """The ARN of the stream."""
        return f"{self.table.table_arn}/stream/{self.table.latest_stream_label}"

    @property
    def next_sequence_number(self) -> int:
        return self.starting_sequence_number + len(self.items)

    def to_json(self) -> dict[str, Any]:
        """Describe the shard: its beginning is where it began, whatever of it is still there."""
        numbers = {"StartingSequenceNumber": str(self._first_sequence_number)}
        return {**super().to_json(), "SequenceNumberRange": numbers}

    def add(self, old: Item | None, new: Item | None) -> None:
        """Write what has become of an item. moto asks for it at once; of a larger call it is known when that ends."""
        specification = self.table.stream_specification or {}
        if item_rows.under_way() is not None or not specification.get("StreamEnabled"):
            return
        self.trim()
        number, view = self.next_sequence_number, specification["StreamViewType"]
        kept = StreamRecord(self.table, view, _event_name(old, new), old, new, number)
        kept.record["awsRegion"] = self.table.region_name  # moto says us-east-1 everywhere
        kept.record["dynamodb"]["ApproximateCreationDateTime"] = _now()
        kept.written = clock.uptime()  # type: ignore[attr-defined]  # our own attribute
        self.items.append(kept)
        row = pickle.dumps(kept.record | {_WRITTEN: _written(kept)}, 5)
        journal.put(KIND, self.arn, str(number), row, new=True)

    def get(self, start: int, quantity: int) -> list[dict[str, Any]]:
        """Return so many records from the one with the number `start` on."""
        self.trim()
        if start < self.starting_sequence_number:
            # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
            message = "The operation attempted to read past the oldest stream record in a shard."
            raise JsonRESTError("TrimmedDataAccessException", message)
        return super().get(start, quantity)

    def trim(self) -> None:
        """Remove what is older than a day, when something has been for an hour."""
        horizon = clock.uptime() - LIFETIME
        if not self.items or _written(self.items[0]) > horizon - SLACK:
            return
        count = sum(_written(each) <= horizon for each in self.items)
        for number in range(self.starting_sequence_number, self.starting_sequence_number + count):
            journal.delete(KIND, self.arn, str(number))
        del self.items[:count]
        self.starting_sequence_number += count
        journal.changed("dynamodb", self.table.region_name)  # from where to count, when no record is left

    def restore(self, records: list[dict[str, Any]], positions: dict[str, int]) -> None:
        """Have the records of an earlier server, the oldest first."""
        for record in records:
            kept: StreamRecord = object.__new__(StreamRecord)
            # One that an earlier release has kept counts from now.
            kept.written = record.pop(_WRITTEN, clock.uptime())  # type: ignore[attr-defined]  # our own attribute
            kept.record = record
            self.items.append(kept)
        if records:
            self.starting_sequence_number = int(records[0]["dynamodb"]["SequenceNumber"])
        self._positions = positions

    # Functions that it feeds

    def hand_on(self) -> None:
        """Have the functions called that wait for records. Each of them gets them in order, beside everything else."""
        for function, mapping in tuple(self.table.lambda_event_source_mappings.items()):
            self._send(function, mapping)

    def _send(self, function: str, mapping: Any) -> None:
        _lanes.send((self.arn, function), lambda: self._deliver(function, mapping))

    def _deliver(self, function: str, mapping: Any) -> None:
        """Invoke a function with a batch that it has not had. What it has failed with it has had; see moto."""
        with service_lock("dynamodb"):
            begin = max(self._positions.get(function, 0), self.starting_sequence_number)
            records = self._batch(begin, mapping.batch_size)
            region = self.table.region_name
        if not records:  # an earlier job has taken them along
            return
        following = begin + len(records)
        if get_backend(self.account_id, region).send_dynamodb_items(function, records, mapping.event_source_arn):
            with service_lock("dynamodb"):
                self._positions[function] = following
                journal.put(POSITION, self.arn, function, str(following).encode())
                more = following < self.next_sequence_number
            if more:
                self._send(function, mapping)

    def _batch(self, begin: int, count: int) -> list[StreamRecord]:
        """Return so many records from the one with the number `begin` on, fewer when they are large; at least one."""
        start = begin - self.starting_sequence_number
        records = self.items[start : start + count]
        sizes = itertools.accumulate(each.record["dynamodb"]["SizeBytes"] for each in records)
        return records[: max(1, sum(size <= BATCH_BYTES for size in sizes))]


def delete_all(table: Table) -> None:
    """Delete the rows of the stream of a table that is no more."""
    if isinstance(table.stream_shard, Shard):
        for kind in (KIND, POSITION):
            journal.delete_all(kind, table.stream_shard.arn)


def restore(backend_of: Any) -> None:
    """Put all records into their streams. `backend_of`: region -> moto's backend."""
    assert journal.store is not None
    records: dict[str, list[dict[str, Any]]] = {}
    positions: dict[str, dict[str, int]] = {}
    for owner, _, value in journal.store.rows(KIND):
        records.setdefault(owner, []).append(pickle.loads(value))
    for owner, function, value in journal.store.rows(POSITION):
        positions.setdefault(owner, {})[str(function)] = int(value)
    for owner in records | positions:
        arn = Arn.parse(owner)
        table = backend_of(arn.region).tables.get(arn.resource_id.partition("/")[0])
        shard = table and table.stream_shard
        if shard is not None and shard.arn == owner:
            shard.restore(records.get(owner, []), positions.get(owner, {}))


def _event_name(old: Item | None, new: Item | None) -> str:
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


def _now() -> datetime:
    return clock.utc().replace(tzinfo=None)  # moto's are all so


def _written(kept: StreamRecord) -> float:
    written: float = kept.written  # type: ignore[attr-defined]  # our own attribute
    return written
