"""Find what a PartiQL statement can be about. moto shows its parser every item of every table, for each statement.

An INSERT is about no item that is there; what names a whole key is about one at the most; everything else is about
the tables that it names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing import partiql

_EQUATION = r"""\s*"?([\w.-]+)"?\s*=\s*('[^']*'|\?)\s*"""
#: A condition that is equations alone, all of which must hold: others are left to moto.
_EQUATIONS = re.compile(rf"{_EQUATION}(?:AND{_EQUATION})*;?\s*", re.IGNORECASE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WHERE = re.compile(r"\sWHERE\s", re.IGNORECASE)


class Part:
    """A table as a statement sees it: with some of its items."""

    def __init__(self, table: Any, items: list[Item]) -> None:
        self._table, self._items = table, items

    def all_items(self) -> list[Item]:
        return self._items

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)


def parts(statement: str, parameters: list[dict[str, Any]], tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the tables what the statement can be about. All of them, when it is one that moto does not know."""
    try:
        named = partiql.get_query_metadata(statement).get_table_names()
    except Exception:  # its parser fails in many ways: moto says how
        return dict(tables)
    found = {name: tables[name] for name in (each.partition(".")[0].strip('"') for each in named) if name in tables}
    return {name: Part(table, _items(statement, parameters, table)) for name, table in found.items()}


def _items(statement: str, parameters: list[dict[str, Any]], table: Any) -> list[Item]:
    if statement.lower().startswith("insert"):
        return []
    wanted = dict(_equations(statement, parameters or []))
    if not all(name in wanted for name in table.table_key_attrs):
        return table.all_items()
    item = table.get_item(*(DynamoType(wanted[name]) for name in table.table_key_attrs))
    return [] if item is None else [item]


def _equations(statement: str, parameters: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names and values of a statement's condition, when it is nothing but equations."""
    before, *after = _WHERE.split(statement)
    if len(after) != 1 or not _EQUATIONS.fullmatch(after[0]):
        return
    given = iter(parameters[_QUOTED.sub("", before).count("?") :])
    for name, text in re.findall(_EQUATION, after[0]):
        value = next(given, None) if text == "?" else {"S": text[1:-1]}
        if value is not None:
            yield name, value
