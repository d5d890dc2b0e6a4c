"""Keep DynamoDB's items on disk: a row for each, put and deleted where moto's tables change.

All ways lead through a table's put_item and delete_item and through UpdateItem, which changes an item in place. A
transaction that fails leaves a table as it was before; its rows are put back to that.
"""

from __future__ import annotations

import base64
import functools
import json
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from ..account.arn import Arn
from ..storage import journal

KIND = "item"


class _Touched(threading.local):
    """The keys that the transaction under way in this thread has changed; None outside of one."""

    keys: list[tuple[str, DynamoType, DynamoType | None]] | None = None


_touched = _Touched()


def install() -> None:
    """Make moto's tables journal their items."""
    for owner, name, journalled in _JOURNALLED:
        by_moto = getattr(owner, name)
        setattr(owner, name, functools.wraps(by_moto)(journalled(by_moto)))


def _put_item(put: Any) -> Any:
    def put_item(self: Table, *args: Any, **settings: Any) -> Item:
        item = put(self, *args, **settings)
        _keep(self, item.hash_key, item.range_key, item)
        return item

    return put_item


def _delete_item(delete: Any) -> Any:
    def delete_item(self: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        item = delete(self, hash_key, range_key)
        if item is not None:
            _keep(self, hash_key, range_key, None)
        return item

    return delete_item


def _update_item(update: Any) -> Any:
    def update_item(self: DynamoDBBackend, table_name: str, *args: Any, **settings: Any) -> Item:
        item = update(self, table_name, *args, **settings)
        _keep(self.get_table(table_name), item.hash_key, item.range_key, item)
        return item

    return update_item


def _transact_write_items(transact: Any) -> Any:
    def transact_write_items(self: DynamoDBBackend, *args: Any) -> None:
        _touched.keys = []
        try:
            transact(self, *args)
        except Exception:
            changed, _touched.keys = _touched.keys, None
            for name, hash_key, range_key in changed:
                table = self.get_table(name)
                _keep(table, hash_key, range_key, table.get_item(hash_key, range_key))
            raise
        finally:
            _touched.keys = None

    return transact_write_items


def _delete_table(drop: Any) -> Any:
    def delete_table(self: DynamoDBBackend, name: str) -> Table:
        table = drop(self, name)
        journal.delete_all(KIND, table.table_arn)
        return table

    return delete_table


def _restore_table(restore_table: Any) -> Any:
    def restored(self: DynamoDBBackend, *args: Any, **settings: Any) -> Table:
        table = restore_table(self, *args, **settings)
        for item in list(table.all_items()):
            _keep(table, item.hash_key, item.range_key, item)
        return table

    return restored


#: moto's methods that change items, and what makes each one journal them.
_JOURNALLED: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (Table, "put_item", _put_item),
    (Table, "delete_item", _delete_item),
    (DynamoDBBackend, "update_item", _update_item),
    (DynamoDBBackend, "transact_write_items", _transact_write_items),
    (DynamoDBBackend, "delete_table", _delete_table),
    (DynamoDBBackend, "restore_table_from_backup", _restore_table),
    (DynamoDBBackend, "restore_table_to_point_in_time", _restore_table),
)


def restore(backend_of: Any) -> None:
    """Put all items into their tables. `backend_of`: region -> moto's backend."""
    assert journal.store is not None
    tables: dict[str, Table | None] = {}
    for arn, _, value in journal.store.rows(KIND):
        if arn not in tables:
            table_arn = Arn.parse(arn)
            tables[arn] = backend_of(table_arn.region).tables.get(table_arn.resource_id)
        table = tables[arn]
        if table is not None:
            _insert(table, json.loads(value))


def _insert(table: Table, attributes: dict[str, Any]) -> None:
    """As Item's constructor does, without measuring what was measured when the item came."""
    item: Any = Item.__new__(Item)
    item.attrs = LimitedSizeDict({name: DynamoType(value) for name, value in attributes.items()})
    item.hash_key = DynamoType(attributes[table.hash_key_attr])
    item.range_key = DynamoType(attributes[table.range_key_attr]) if table.range_key_attr else None
    if item.range_key:
        table.items[item.hash_key][item.range_key] = item
    else:
        table.items[item.hash_key] = item


def _keep(table: Table, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None) -> None:
    if journal.store is None:
        return
    if _touched.keys is not None:
        _touched.keys.append((table.name, hash_key, range_key))
    if table.stream_shard is not None:  # what is in the stream belongs to the table's own state
        journal.changed("dynamodb", table.region_name)
    key = _name(hash_key) if range_key is None else f"{_name(hash_key)}\n{_name(range_key)}"
    if item is None:
        journal.delete(KIND, table.table_arn, key)
    else:
        journal.put(KIND, table.table_arn, key, _text(item).encode())


def _text(item: Item) -> str:
    return json.dumps(item.to_json()["Attributes"], default=_plain)


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
