"""Keep DynamoDB's items on disk: a row for each, and for each item of a backup. What one call changes is kept together.

All of it is kept when the call succeeds, nothing when not. What is remembered of a table are the items that the call
touches, as they were before: what moto copies instead, for a transaction that may fail, is the table as a whole. Rows
and stream records are made at the end, of what has become of the items; so nothing of a call that fails, or that a kill
interrupts, is on disk.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol

from moto.dynamodb.models import Backup
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from ..account.arn import Arn
from ..engine import executor
from ..storage import journal

KIND, BACKUP = "item", "backup item"

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


def put(table: Table, item: Item) -> None:
    """Have an item's row say what it is now."""
    if journal.store is not None:
        journal.put(KIND, table.table_arn, key_name(item.hash_key, item.range_key), _text(item))


def delete(table: Table, hash_key: DynamoType, range_key: RangeKey) -> None:
    """Delete the row of an item that is no more."""
    if journal.store is not None:
        journal.delete(KIND, table.table_arn, key_name(hash_key, range_key))


def delete_all(table: Table) -> None:
    """Delete the rows of a table that is no more."""
    journal.delete_all(KIND, table.table_arn)


def put_backup(backup: Backup) -> None:
    """Keep the items of a new backup."""
    for item in backup.table.all_items():
        journal.put(BACKUP, backup.arn, key_name(item.hash_key, item.range_key), _text(item))


def delete_backup(backup: Backup) -> None:
    """Delete the rows of a backup that is no more."""
    journal.delete_all(BACKUP, backup.arn)


def restore(backend_of: Any) -> None:
    """Put all items into their tables, and into backups. `backend_of`: region -> moto's backend."""
    _restore(KIND, lambda arn: backend_of(arn.region).tables.get(arn.resource_id))
    _restore(BACKUP, lambda arn: getattr(backend_of(arn.region).backups.get(str(arn)), "table", None))


def _restore(kind: str, table_of: Callable[[Arn], Any]) -> None:
    assert journal.store is not None
    tables: dict[str, Any] = {}
    for owner, _, value in journal.store.rows(kind):
        if owner not in tables:
            tables[owner] = table_of(Arn.parse(owner))
        if tables[owner] is not None:
            tables[owner].store(_item(tables[owner], json.loads(value)))


def _item(table: Any, attributes: dict[str, Any]) -> Item:
    """As Item's constructor does, without measuring what was measured when the item came."""
    item: Item = object.__new__(Item)
    item.attrs = LimitedSizeDict({name: DynamoType(value) for name, value in attributes.items()})
    item.hash_key, item.range_key = table.key_of(attributes)
    return item


def key_name(hash_key: DynamoType, range_key: RangeKey) -> str:
    """Return the name of an item's row: the same for all ways to write its key."""
    return _name(hash_key) if range_key is None else f"{_name(hash_key)}\n{_name(range_key)}"


def _text(item: Item) -> bytes:
    return json.dumps(item.to_json()["Attributes"], default=_plain).encode()


def _plain(value: Any) -> Any:
    """Return as plain data what expressions leave in moto's items beside texts, lists and dictionaries."""
    if isinstance(value, DynamoType):
        return value.to_regular_json()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else sorted(value)


def _name(value: DynamoType) -> str:
    """Return the same text for all ways to write a number."""
    text = str(value.value)
    if value.type == "N":
        text = str(Decimal(text).normalize())
    return f"{value.type}{len(text)} {text}"
