"""Work out once what moto's DynamoDB works out anew for each item. The results are the same.

Pinned, as moto is, to 5.2.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.core.parse import BaseJSONParser
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table
from moto.dynamodb.models.utilities import bytesize

#: Bytes of an item that moto accepts; see its LimitedSizeDict.
MAX_ITEM = 405_000

#: DynamoDB's types whose content stands in a request as it is; all others are decoded, or have others inside.
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})

_structure_by_moto: Callable[..., Any] = BaseJSONParser._parse_structure  # noqa: SLF001  one step of moto's parser is replaced
_length_by_moto = Table.__len__


def install() -> None:
    """Make moto's DynamoDB read, keep and count items this way."""
    BaseJSONParser._parse_structure = _parse_structure  # noqa: SLF001
    Item.__init__ = _make_item
    Table.__len__ = _length


def _parse_structure(self: BaseJSONParser, shape: Any, value: Any) -> Any:
    """moto asks each value of an item for all ten types that it may have; most say at once which one it is."""
    if shape.name == "AttributeValue" and isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _PLAIN and content is not None:
            return self.MAP_TYPE({kind: content})
    return _structure_by_moto(self, shape, value)


def _make_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """moto measures all attributes anew with each one that is added; once, at the end, says the same."""
    self.hash_key, self.range_key = hash_key, range_key
    self.attrs = LimitedSizeDict()
    size = 0
    for name, value in attrs.items():
        attribute = DynamoType(value)
        dict.__setitem__(self.attrs, name, attribute)
        size += bytesize(name) + attribute.size()
    if size > MAX_ITEM:
        raise ItemSizeTooLarge


def _length(self: Table) -> int:
    """moto counts the items one by one, and DescribeTable tells their number."""
    return _length_by_moto(self) if self.has_range_key else len(self.items)
