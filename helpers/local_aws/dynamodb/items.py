"""Take in an item that a request brings: read it, refuse what AWS refuses, make moto's item of it.

moto does so too, with more work: each value is asked for all ten types that it may have, and an item is measured anew
with each attribute.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.parse import JSONParser
from moto.dynamodb.exceptions import ItemSizeTooLarge, MockValidationException
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize

#: DynamoDB's types whose content stands in a request as it is; all others are decoded, or have others inside.
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})
#: Bytes of an item that moto accepts; see its LimitedSizeDict.
MAX_ITEM = 405_000

_KINDS = frozenset({*_PLAIN, "B", "SS", "NS", "BS", "M", "L"})

_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = _EMPTY.replace("is empty", "has more than one datatypes set")
_MESSAGE = "One or more parameter values were invalid: Empty attribute name"


class ItemParser(JSONParser):
    """moto's, but that a request's body is read already, and most values say at once which type they have.

    A value has exactly one type, wherever it stands in a request; moto fails without one, and stores one of several.
    """

    def _parse_body_as_json(self, body_contents: dict[str, Any]) -> dict[str, Any]:
        return body_contents

    def _parse_structure(self, shape: Any, value: Any) -> Any:
        if shape.name == "AttributeValue" and isinstance(value, dict):
            given = [kind for kind, content in value.items() if kind in _KINDS and content is not None]
            if len(given) != 1:
                raise MockValidationException(_SEVERAL if given else _EMPTY)
            if given[0] in _PLAIN:
                return self.MAP_TYPE({given[0]: value[given[0]]})
        return super()._parse_structure(shape, value)  # type: ignore[no-untyped-call]  # moto's parsers have no annotations


def checked(by_moto: Callable[..., None]) -> Callable[..., None]:
    """Refuse an item with an attribute without a name, as AWS does; moto's DynamoDB stores one.

    This looks where moto looks at an item's keys: in PutItem, BatchWriteItem and TransactWriteItems. "Attribute names
    must be at least one character long", and what stands inside a map is an attribute too (a nested one):
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    """

    @functools.wraps(by_moto)
    def validate(field_updates: dict[str, Any], *args: Any, **settings: Any) -> None:
        if _lacks_a_name(field_updates):
            raise MockValidationException(_MESSAGE)
        by_moto(field_updates, *args, **settings)

    return validate


def _lacks_a_name(attributes: dict[str, dict[str, Any]]) -> bool:
    return "" in attributes or _one_lacks_a_name(attributes.values())


def _one_lacks_a_name(values: Iterable[dict[str, Any]]) -> bool:
    for value in values:
        for kind, content in value.items():
            if (kind == "M" and _lacks_a_name(content)) or (kind == "L" and _one_lacks_a_name(content)):
                return True
    return False


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
