"""Compute what a DynamoDB call costs as AWS does: moto answers ReturnConsumedCapacity with a constant.

A read is charged for what DynamoDB looked at, before any filter or projection: that is why a scan is dear.
Sizes and units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.responses import DynamoHandler

from ..engine import executor

READ_UNIT, WRITE_UNIT = 4096, 1024  # bytes

AttributeMap = dict[str, dict[str, Any]]  # {"Amount": {"N": "65.5"}}


#: Computes a call's units, given what was stored before under the key of the item that it puts.
Units = Callable[[DynamoHandler, AttributeMap], float]


class _Measurement(executor.local):
    """Bytes that the current call has looked at; counted only when the caller asked what it costs."""

    asked = False
    size = 0


_measurement = _Measurement()


@contextmanager
def measured() -> Iterator[None]:
    """Have what is read within counted."""
    _measurement.asked, _measurement.size = True, 0
    try:
        yield
    finally:
        _measurement.asked = False


def asked() -> bool:
    """Return whether the current call wants to know what it costs."""
    return _measurement.asked


def note(items: Iterable[Item]) -> None:
    """Tell what the current call has looked at."""
    _measurement.size = sum(item_size(item.to_json()["Attributes"]) for item in items)


def item_size(attributes: AttributeMap) -> int:
    """Return the bytes of an item, names included."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def _value_size(value: dict[str, Any]) -> int:
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return _number_size(content)
    if kind == "B":
        return len(content) if isinstance(content, bytes) else len(content) * 3 // 4  # some are in base64
    if kind in ("SS", "NS", "BS"):
        return sum(_value_size({kind[0]: each}) for each in content)
    if kind == "L":
        return 3 + sum(1 + _value_size(each) for each in content)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _value_size(each) for name, each in content.items())
    return 1  # BOOL and NULL


def _number_size(text: str) -> int:
    """One byte for two significant digits, and one more; a sign takes another."""
    number = Decimal(text).normalize().as_tuple()
    return math.ceil(len(number.digits) / 2) + 1 + number.sign


def _read_units(handler: DynamoHandler, size: int) -> float:
    """Half a unit for each 4 KB, a whole one for a strongly consistent read; never less than one 4 KB's worth."""
    blocks = max(1, math.ceil(size / READ_UNIT))
    return float(blocks) if handler.body.get("ConsistentRead") else blocks / 2


def read(handler: DynamoHandler, before: AttributeMap) -> float:
    """Return the units of a query or scan: of all that it has looked at."""
    return _read_units(handler, _measurement.size)


def get(handler: DynamoHandler, before: AttributeMap) -> float:
    """Return the units of a get: of the whole item."""
    return _read_units(handler, item_size(stored(handler)))


def put(handler: DynamoHandler, before: AttributeMap) -> float:
    """Return the units of a put: the larger of the old item and the new one counts."""
    size = max(item_size(before), item_size(handler.body["Item"]))
    return float(max(1, math.ceil(size / WRITE_UNIT)))


def stored(handler: DynamoHandler) -> AttributeMap:
    """Return the item, whole, that the call's key names; empty when there is none."""
    backend, name = handler.dynamodb_backend, handler.body["TableName"]
    given = handler.body.get("Key") or handler.body["Item"]
    names = backend.get_table(name).table_key_attrs
    if not all(each in given for each in names):
        return {}
    item = backend.get_item(name, {each: given[each] for each in names}, None)
    return item.to_json()["Attributes"] if item else {}


def unfiltered_scan(args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of moto's scan for all that it looks at, whatever it leaves out of the answer."""
    table, _filters, *rest = args
    return (table, {}, *rest), {**settings, "filter_expression": None, "projection_expression": None}


def unfiltered_query(args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of moto's query for all that its key condition selects."""
    *rest, _projection = args
    kept = ("index_name", "consistent_read", "hash_key_conditions", "range_key_conditions")
    plain = {name: settings[name] for name in kept if name in settings}
    return (*rest, None), {**plain, "expr_names": {}, "expr_values": {}, "filter_expression": None}
