"""Hold together what one call changes in DynamoDB's tables: all of it is kept when the call succeeds, nothing when not.

What is remembered of a table are the items that the call touches, as they were before: what moto copies instead, for a
transaction that may fail, is the table as a whole. Rows and stream records are made at the end, of what has become of
the items; so nothing of a call that fails, or that a kill interrupts, is on disk.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from moto.dynamodb.models.dynamo_type import DynamoType, Item

from ..engine import executor
from ..storage import journal

RangeKey = DynamoType | None


class Changing(Protocol):
    """A table whose items can be put back, or kept as they are now."""

    def get_item(self, hash_key: DynamoType, range_key: RangeKey) -> Item | None: ...

    def put_back(self, hash_key: DynamoType, range_key: RangeKey, item: Item | None) -> None:
        """Store the item as if nothing had happened; None: there was none."""

    def keep(self, hash_key: DynamoType, range_key: RangeKey, before: Item | None) -> None:
        """Have the row and the stream say what has become of the item."""

    def hand_on(self) -> None:
        """Tell those who wait for what is in the stream."""


class Changes:
    """The items that a call has touched so far."""

    def __init__(self) -> None:
        self._before: dict[tuple[Any, DynamoType, RangeKey], Item | None] = {}

    def touch(self, table: Changing, hash_key: DynamoType, range_key: RangeKey, before: Item | None) -> None:
        """Remember what an item was (None: not there) before it changes for the first time."""
        self._before.setdefault((table, hash_key, range_key), before)

    def touch_copy(self, table: Changing, hash_key: DynamoType, range_key: RangeKey) -> None:
        """Remember a copy of an item that may change in its place."""
        self.touch(table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key)))

    def take_back(self) -> None:
        for (table, hash_key, range_key), before in self._before.items():
            table.put_back(hash_key, range_key, before)

    def keep(self) -> None:
        with journal.together():
            for (table, hash_key, range_key), before in self._before.items():
                table.keep(hash_key, range_key, before)
        for table in {table for table, _, _ in self._before}:
            table.hand_on()


class _Call(executor.local):
    changes: Changes | None = None  # of the call under way in this thread; nothing waits in the middle of one


_call = _Call()


def under_way() -> Changes | None:
    """Return the changes of the call under way, or None when each change is one by itself."""
    return _call.changes


@contextmanager
def together() -> Iterator[Changes]:
    """Hold all changes together that are made within. Within another one, they are part of that.

    The lock of the service must be held.
    """
    if _call.changes is not None:
        yield _call.changes
        return
    changes = _call.changes = Changes()
    try:
        yield changes
    except BaseException:
        _call.changes = None
        changes.take_back()
        raise
    _call.changes = None
    changes.keep()
