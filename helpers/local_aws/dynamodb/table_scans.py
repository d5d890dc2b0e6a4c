"""Read a large table page by page: the items stay sorted between two pages.

moto sorts the whole table for every page of a Scan and walks through all items before it, so that reading a table
costs the square of its size. Here the order is kept until an item is put or deleted, and a page begins where it
begins: a table of 100,000 items is read in half a minute and not in a day.
"""

from __future__ import annotations

import functools
import threading
from bisect import bisect_right
from typing import Any
from weakref import WeakKeyDictionary

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table


class _Order:
    """A table's items as a Scan finds them, and their keys, which Python compares quickly."""

    def __init__(self, items: list[Item]) -> None:
        pairs = sorted(((_key(item.hash_key, item.range_key), item) for item in items), key=lambda pair: pair[0])
        self.keys = [key for key, _ in pairs]
        self.items = [item for _, item in pairs]

    def after(self, start: tuple[Any, ...]) -> list[Item]:
        return self.items[bisect_right(self.keys, start) :]


class _Page(threading.local):
    start: dict[str, Any] | None = None  # the key after which the page begins that is being read


_orders: WeakKeyDictionary[Table, _Order] = WeakKeyDictionary()
_page = _Page()
_scan, _put_item, _delete_item = Table.scan, Table.put_item, Table.delete_item


def install() -> None:
    """Make moto's tables keep their order. The lock of the service must be held while a table is used."""
    Table.scan, Table.all_items = _paged_scan, _all_items  # type: ignore[assignment]  # called by position alone
    Table.put_item, Table.delete_item = _changing(_put_item), _changing(_delete_item)


def _changing(call: Any) -> Any:
    @functools.wraps(call)
    def changing(table: Table, *args: Any, **settings: Any) -> Any:
        try:
            return call(table, *args, **settings)
        finally:
            _orders.pop(table, None)

    return changing


def _paged_scan(
    table: Table,
    filters: Any,
    limit: int,
    exclusive_start_key: dict[str, Any] | None,
    filter_expression: Any = None,
    index_name: str | None = None,
    *args: Any,
    **settings: Any,
) -> Any:
    _page.start = None if index_name else exclusive_start_key
    try:
        return _scan(table, filters, limit, exclusive_start_key, filter_expression, index_name, *args, **settings)  # type: ignore[arg-type]  # no key to start after
    finally:
        _page.start = None


def _all_items(table: Table) -> list[Item]:
    order = _orders.get(table)
    if order is None:
        stored = table.items.values()
        items: list[Any] = (
            [item for group in stored for item in group.values()] if table.range_key_attr else list(stored)
        )
        order = _orders[table] = _Order(items)
    if _page.start is None:
        return list(order.items)
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name]
    return order.after(_key(*(DynamoType(_page.start[name]) for name in names)))


def _key(hash_key: DynamoType, range_key: DynamoType | None = None) -> tuple[Any, ...]:
    return (hash_key.cast_value, range_key.cast_value) if range_key is not None else (hash_key.cast_value,)
