"""Keep a table's stream: a record for each change of an item, on disk one by one, for a day.

"All data in DynamoDB Streams is subject to a 24-hour lifetime", and what is older "is susceptible to trimming (removal)
at any moment": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
They are hours in which the account is up: what happened before a weekend is still there for a function after it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import StreamRecord, StreamShard, Table

from ..account.arn import Arn
from ..engine import clock
from ..storage import journal
from . import item_rows
from .consumed_capacity import item_size

KIND = "stream record"
#: What makes up the size of a record, of which AWS's own example (26 bytes) is the sum.
_SIZED = ("Keys", "NewImage", "OldImage")
#: How long a record can be read, and how much longer it may stay: many are removed at once, and the state saved then.
#: Seconds of the account's uptime.
LIFETIME, SLACK = 24 * 3600.0, 3600.0
#: Where a row has the account's uptime when its record was written; the record itself tells the time of day.
_WRITTEN = "written"


class Shard(StreamShard):
    """moto's only shard of a stream. The lock of the service must be held while it is used.

    starting_sequence_number: the number of its oldest record, or of the next one when it has none.
    """

    #: Attributes that a snapshot leaves out, and what makes them anew: records have rows, and who watches comes again.
    MADE_ANEW: ClassVar[dict[str, Callable[[], Any]]] = {"items": list, "_watchers": tuple}

    _watchers: tuple[Callable[[], object], ...] = ()
    open = True  # until the stream is disabled
    # The table's may be those of another stream later. In an account of before they are the shard's own.
    label: str | None = None
    view = ""

    def __init__(self, account_id: str, table: Table) -> None:
        super().__init__(account_id, table)
        self._first_sequence_number = self.starting_sequence_number
        self.label = table.latest_stream_label
        self.view = (table.stream_specification or {})["StreamViewType"]

    @property
    def arn(self) -> str:
        """The ARN of the stream."""
        return f"{self.table.table_arn}/stream/{self.label or self.table.latest_stream_label}"

    @property
    def next_sequence_number(self) -> int:
        return self.starting_sequence_number + len(self.items)

    def to_json(self) -> dict[str, Any]:
        """Describe the shard: its beginning is where it began, whatever of it is still there."""
        numbers = {"StartingSequenceNumber": str(self._first_sequence_number)}
        if not self.open:
            last = max(self.next_sequence_number - 1, self._first_sequence_number)
            numbers["EndingSequenceNumber"] = str(last)
        return {**super().to_json(), "SequenceNumberRange": numbers}

    def add(self, old: Item | None, new: Item | None) -> None:
        """Write what has become of an item. moto asks for it at once; of a larger call it is known when that ends.

        "If you perform a PutItem or UpdateItem operation that does not change any data in an item, DynamoDB Streams
        does not write a stream record": https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
        """
        if item_rows.under_way() is not None or not self.open or _same(old, new):
            return
        self.trim()
        number = self.next_sequence_number
        view = self.view or (self.table.stream_specification or {})["StreamViewType"]
        kept = StreamRecord(self.table, view, _event_name(old, new), old, new, number)
        kept.record["awsRegion"] = self.table.region_name  # moto says us-east-1 everywhere
        kept.record["eventVersion"] = "1.1"
        written = kept.record["dynamodb"]
        written["Keys"] = _keys(self.table, old or new)
        written["ApproximateCreationDateTime"] = _now()
        written["SizeBytes"] = sum(item_size(written[part]) for part in _SIZED if part in written)
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

    def restore(self, records: list[dict[str, Any]]) -> None:
        """Have the records of an earlier server, the oldest first."""
        for record in records:
            kept: StreamRecord = object.__new__(StreamRecord)
            # One that an earlier release has kept counts from now.
            kept.written = record.pop(_WRITTEN, clock.uptime())  # type: ignore[attr-defined]  # our own attribute
            kept.record = record
            self.items.append(kept)
        if records:
            self.starting_sequence_number = int(records[0]["dynamodb"]["SequenceNumber"])

    # Who follows it

    def watch(self, watcher: Callable[[], object]) -> None:
        """Have `watcher` called when there is a new record: something quick."""
        if watcher not in self._watchers:
            self._watchers = (*self._watchers, watcher)

    def unwatch(self, watcher: Callable[[], object]) -> None:
        self._watchers = tuple(each for each in self._watchers if each != watcher)

    def hand_on(self) -> None:
        """Tell those who follow the stream that there is something new."""
        for watcher in self._watchers:
            watcher()

    def records_from(self, begin: int, count: int) -> tuple[int, list[tuple[dict[str, Any], float]]]:
        """Return up to `count` records from the one with the number `begin` on, or from the oldest that is left.

        With each, the account's uptime when it was written, and before them the number of the first.
        """
        self.trim()
        begin = max(begin, self.starting_sequence_number)
        start = begin - self.starting_sequence_number
        return begin, [(kept.record, _written(kept)) for kept in self.items[start : start + count]]


def delete_all(table: Table) -> None:
    """Delete the rows of the streams of a table that is no more."""
    for shard in table.shards():  # type: ignore[attr-defined]  # all are ours
        journal.delete_all(KIND, shard.arn)


def restore(backend_of: Any) -> None:
    """Put all records into their streams. `backend_of`: region -> moto's backend."""
    assert journal.store is not None
    records: dict[str, list[dict[str, Any]]] = {}
    for owner, _, value in journal.store.rows(KIND):
        records.setdefault(owner, []).append(pickle.loads(value))
    for owner, of_stream in records.items():
        arn = Arn.parse(owner)
        table = backend_of(arn.region).tables.get(arn.resource_id.partition("/")[0])
        shard = table and table.shard_of(owner)
        if shard is not None:
            shard.restore(of_stream)


def _keys(table: Table, item: Item | None) -> dict[str, Any]:
    """Return an item's key as it was given. moto writes one of bytes in base64, and then once more."""
    attributes = item.to_json()["Attributes"] if item is not None else {}
    return {name: attributes[name] for name in table.table_key_attrs}


def _same(old: Item | None, new: Item | None) -> bool:
    return old is not None and new is not None and old.attrs == new.attrs


def _event_name(old: Item | None, new: Item | None) -> str:
    if old is None:
        return "INSERT"
    return "REMOVE" if new is None else "MODIFY"


def _now() -> datetime:
    return clock.utc().replace(tzinfo=None)  # moto's are all so


def _written(kept: StreamRecord) -> float:
    written: float = kept.written  # type: ignore[attr-defined]  # our own attribute
    return written
