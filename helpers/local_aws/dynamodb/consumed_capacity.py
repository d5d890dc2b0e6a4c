"""Compute what a DynamoDB call costs as AWS does: moto answers ReturnConsumedCapacity with a constant.

A read is charged for what DynamoDB looked at, before any filter or projection: that is why a scan is dear.
Sizes and units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.responses import DynamoHandler

READ_UNIT, WRITE_UNIT = 4096, 1024  # bytes

AttributeMap = dict[str, dict[str, Any]]  # {"Amount": {"N": "65.5"}}


class _Measurement(threading.local):
    """Bytes that the current call has looked at; counted only when the caller asked what it costs."""

    asked = False
    size = 0


_measurement = _Measurement()


def install() -> None:
    """Make moto's DynamoDB compute the consumed capacity of GetItem, PutItem, Query and Scan."""
    DynamoDBBackend.scan = _measured(DynamoDBBackend.scan, _unfiltered_scan)
    DynamoDBBackend.query = _measured(DynamoDBBackend.query, _unfiltered_query)
    for name, units in (("scan", _read), ("query", _read), ("get_item", _get), ("put_item", _put)):
        setattr(DynamoHandler, name, _charged(getattr(DynamoHandler, name), units))


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
        return len(content) * 3 // 4  # it is in base64 here
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


def _charged(
    call: Callable[[DynamoHandler], Any], units: Callable[[DynamoHandler, dict[str, Any]], float]
) -> Callable[[DynamoHandler], Any]:
    """Return the call, with the capacity in its answer computed by `units` where the caller asked for it."""

    @functools.wraps(call)
    def charged(handler: DynamoHandler) -> Any:
        _measurement.asked = handler.body.get("ReturnConsumedCapacity", "NONE") != "NONE"
        _measurement.size = 0
        try:
            before = _stored(handler) if _measurement.asked and "Item" in handler.body else {}
            answer = call(handler)
            capacity = answer.result.get("ConsumedCapacity") if _measurement.asked else None
            if capacity:
                capacity["CapacityUnits"] = units(handler, before)
                if "Table" in capacity:
                    capacity["Table"] = {"CapacityUnits": capacity["CapacityUnits"]}
            return answer
        finally:
            _measurement.asked = False

    return charged


def _read_units(handler: DynamoHandler, size: int) -> float:
    """Half a unit for each 4 KB, a whole one for a strongly consistent read; never less than one 4 KB's worth."""
    blocks = max(1, math.ceil(size / READ_UNIT))
    return float(blocks) if handler.body.get("ConsistentRead") else blocks / 2


def _read(handler: DynamoHandler, before: AttributeMap) -> float:
    return _read_units(handler, _measurement.size)


def _get(handler: DynamoHandler, before: AttributeMap) -> float:
    return _read_units(handler, item_size(_stored(handler)))


def _put(handler: DynamoHandler, before: AttributeMap) -> float:
    """Return the units of a put: the larger of the old item and the new one counts."""
    size = max(item_size(before), item_size(handler.body["Item"]))
    return float(max(1, math.ceil(size / WRITE_UNIT)))


def _stored(handler: DynamoHandler) -> AttributeMap:
    """Return the item, whole, that the call's key names; empty when there is none."""
    backend, name = handler.dynamodb_backend, handler.body["TableName"]
    given = handler.body.get("Key") or handler.body["Item"]
    names = backend.get_table(name).table_key_attrs
    if not all(each in given for each in names):
        return {}
    item = backend.get_item(name, {each: given[each] for each in names}, None)
    return item.to_json()["Attributes"] if item else {}


def _measured(
    call: Callable[..., Any], unfiltered: Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]
) -> Callable[..., Any]:
    """Return the backend's call; when the caller asked for the cost, what it looks at is read again, unfiltered."""

    @functools.wraps(call)
    def measured(backend: DynamoDBBackend, *args: Any, **settings: Any) -> Any:
        answer = call(backend, *args, **settings)
        if _measurement.asked:
            args, settings = unfiltered(args, settings)
            items: Iterable[Any] = call(backend, *args, **settings)[0]
            _measurement.size = sum(item_size(item.to_json()["Attributes"]) for item in items)
        return answer

    return measured


def _unfiltered_scan(args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    table, _filters, *rest = args
    return (table, {}, *rest), {**settings, "filter_expression": None, "projection_expression": None}


def _unfiltered_query(args: tuple[Any, ...], settings: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    *rest, _projection = args
    kept = ("index_name", "consistent_read", "hash_key_conditions", "range_key_conditions")
    plain = {name: settings[name] for name in kept if name in settings}
    return (*rest, None), {**plain, "expr_names": {}, "expr_values": {}, "filter_expression": None}
