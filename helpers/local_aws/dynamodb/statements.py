"""Find what a PartiQL statement can be about. moto shows its parser every item of every table, for each statement.

It sees the one table that IAM was asked about, and no other. An INSERT is about no item that is there; what names a
whole key is about one at the most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.parsing import partiql

from ..iam.partiql import NotParsed, Statement, parse

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


def read(text: str) -> Statement:
    """Return a statement that moto reads as it was read here.

    Raises MockValidationException for what is none, and NotImplementedError for what moto reads otherwise.
    """
    try:
        found = parse(text)
    except NotParsed as error:
        raise MockValidationException(str(error)) from None
    wanted = found.table if found.index is None else f"{found.table}.{found.index}"
    try:
        named = [each.strip('"') for each in partiql.get_query_metadata(found.text).get_table_names()]
    except Exception:  # its parser fails in many ways
        named = []
    if named != [wanted]:
        raise NotImplementedError("this statement of PartiQL.")
    return found


def refused(error: Exception) -> Exception:
    """Return what is to be raised for a failure of moto's: its parser fails in many ways at what it does not know."""
    if type(error).__name__ == "ParserException":
        return MockValidationException(str(error.message))  # type: ignore[attr-defined]  # it has one
    unknown = (AssertionError, AttributeError, LookupError, StopIteration, TypeError)
    return NotImplementedError("this statement of PartiQL.") if isinstance(error, unknown) else error


def parts(statement: Statement, parameters: list[dict[str, Any]], tables: Mapping[str, Any]) -> dict[str, Any]:
    """Return of the tables what the statement can be about: the one that it names, or none."""
    table = tables.get(statement.table)
    return {} if table is None else {statement.table: Part(table, _items(statement.text, parameters, table))}


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
