"""Make moto's items with less work, and the same result."""

from __future__ import annotations

from typing import Any

from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize

#: Bytes of an item that moto accepts; see its LimitedSizeDict.
MAX_ITEM = 405_000


def make_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
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
