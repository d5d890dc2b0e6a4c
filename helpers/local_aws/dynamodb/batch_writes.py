"""Look through a BatchWriteItem as a whole before anything of it is stored: one request that is wrong refuses all.

What AWS refuses "the entire batch write operation" for:
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

from . import item_rows
from .table import Table

#: How many puts and deletes one call may bring, all tables together.
MOST = 25

_TOO_MANY = "Too many items requested for the BatchWriteItem call"
_NOT_ONE = "A WriteRequest must have either a PutRequest or a DeleteRequest"
_TWICE = "Provided list of item keys contains duplicates"
_OTHER_KEY = "The provided key element does not match the schema"


def check(backend: Any, tables: dict[str, list[dict[str, Any]]]) -> None:
    """Refuse what AWS refuses, but for an item's own mistakes. Raises moto's exceptions."""
    if sum(map(len, tables.values())) > MOST:
        raise MockValidationException(_TOO_MANY)
    keys = list(_keys(backend, tables))
    if len(set(keys)) < len(keys):
        raise MockValidationException(_TWICE)


def _keys(backend: Any, tables: dict[str, list[dict[str, Any]]]) -> Iterator[tuple[str, str]]:
    """Yield what is written: table and key. Raises MockValidationException for what names none."""
    for name, requests in tables.items():
        table: Table = backend.get_table(name)
        kinds = dict(zip(table.table_key_attrs, (table.hash_key_type, table.range_key_type), strict=False))
        for request in requests:
            if len(request) != 1:
                raise MockValidationException(_NOT_ONE)
            ((kind, what),) = request.items()
            given = what["Key" if kind == "DeleteRequest" else "Item"]
            types = {attribute: next(iter(given[attribute]), "") for attribute in kinds if attribute in given}
            if kind == "DeleteRequest" and (types != kinds or len(given) != len(kinds)):
                raise MockValidationException(_OTHER_KEY)
            if types == kinds:  # moto says what is wrong with another item
                yield table.table_arn, item_rows.key_name(*table.key_of(given))
