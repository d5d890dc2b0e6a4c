"""Keep DynamoDB's items on disk: a row for each, and for each item of a backup."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from moto.dynamodb.models import Backup
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from ..account.arn import Arn
from ..storage import journal

KIND, BACKUP = "item", "backup item"


def put(table: Table, item: Item) -> None:
    """Have an item's row say what it is now."""
    if journal.store is not None:
        journal.put(KIND, table.table_arn, _key(item.hash_key, item.range_key), _text(item))


def delete(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> None:
    """Delete the row of an item that is no more."""
    if journal.store is not None:
        journal.delete(KIND, table.table_arn, _key(hash_key, range_key))


def delete_all(table: Table) -> None:
    """Delete the rows of a table that is no more."""
    journal.delete_all(KIND, table.table_arn)


def put_backup(backup: Backup) -> None:
    """Keep the items of a new backup."""
    for item in backup.table.all_items():
        journal.put(BACKUP, backup.arn, _key(item.hash_key, item.range_key), _text(item))


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


def _key(hash_key: DynamoType, range_key: DynamoType | None) -> str:
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
