"""Refuse an item with an attribute without a name, as AWS does; moto's DynamoDB stores one.

"Attribute names must be at least one character long", and what stands inside a map is an attribute too (a nested one):
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.dynamodb.exceptions import MockValidationException

_MESSAGE = "One or more parameter values were invalid: Empty attribute name"


def checked(by_moto: Callable[..., None]) -> Callable[..., None]:
    """Look for names where moto looks at an item's keys: in PutItem, BatchWriteItem and TransactWriteItems."""

    @functools.wraps(by_moto)
    def validate(field_updates: dict[str, Any], *args: Any, **settings: Any) -> None:
        if _lacks_a_name(field_updates):
            raise MockValidationException(_MESSAGE)
        by_moto(field_updates, *args, **settings)

    return validate


def _lacks_a_name(attributes: dict[str, dict[str, Any]]) -> bool:
    return "" in attributes or any(map(_lacks_a_name_inside, attributes.values()))


def _lacks_a_name_inside(value: dict[str, Any]) -> bool:
    for kind, content in value.items():
        if kind == "M" and _lacks_a_name(content):
            return True
        if kind == "L" and any(map(_lacks_a_name_inside, content)):
            return True
    return False
