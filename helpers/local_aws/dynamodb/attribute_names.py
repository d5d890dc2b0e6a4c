"""Refuse an item with an attribute without a name, as AWS does; moto's DynamoDB stores one.

"Attribute names must be at least one character long", and what stands inside a map is an attribute too (a nested one):
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

import functools
from typing import Any

from moto.dynamodb import responses
from moto.dynamodb.exceptions import MockValidationException

_MESSAGE = "One or more parameter values were invalid: Empty attribute name"


def install() -> None:
    """Make moto look for names where PutItem, BatchWriteItem and TransactWriteItems look at an item's keys."""
    by_moto = responses.validate_put_has_empty_keys

    @functools.wraps(by_moto)
    def validate(field_updates: dict[str, Any], *args: Any, **settings: Any) -> None:
        if _lacks_a_name(field_updates):
            raise MockValidationException(_MESSAGE)
        by_moto(field_updates, *args, **settings)

    responses.validate_put_has_empty_keys = validate


def _lacks_a_name(attributes: dict[str, dict[str, Any]]) -> bool:
    return "" in attributes or any(map(_lacks_a_name_inside, attributes.values()))


def _lacks_a_name_inside(value: dict[str, Any]) -> bool:
    for kind, content in value.items():
        if kind == "M" and _lacks_a_name(content):
            return True
        if kind == "L" and any(map(_lacks_a_name_inside, content)):
            return True
    return False
