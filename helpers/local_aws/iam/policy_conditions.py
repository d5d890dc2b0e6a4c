"""Test the Condition element of a policy: its operators, and how several values are compared with several.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

import operator as compare
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any

from ..account.arn import Arn
from .policy_text import Context, Text, arn_parts

Test = Callable[[str, Context], bool]

_OPERATOR = re.compile(r"(?:(?P<many>ForAllValues|ForAnyValue):)?(?P<name>[A-Za-z]+?)(?P<if_exists>IfExists)?")


class Condition:
    """One condition key, its operator and its values: any is enough; a negated operator excludes them all.

    understood: False for an operator that AWS does not have.
    """

    __slots__ = ("understood", "_key", "_tests", "_negated", "_if_exists", "_null", "_many")

    def __init__(self, operator: str, key: str, values: list[Any], variables: bool) -> None:
        match = _OPERATOR.fullmatch(operator)
        name = match["name"] if match else ""
        self._key = key.lower()
        self._null = name == "Null"
        self._many = match["many"] if match else None
        self._if_exists = bool(match and match["if_exists"])
        self._negated, make_test = _OPERATORS.get(name, (False, None))
        self.understood = make_test is not None
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        self._tests = [make_test(text, variables) for text in texts] if make_test else []

    def is_met(self, context: Context) -> bool:
        value = context.get(self._key)
        if self._null:  # "true" asks that the key is absent
            return any(test("true" if value is None else "false", context) for test in self._tests)
        values = () if value is None else (value,) if isinstance(value, str) else value
        if self._many == "ForAllValues":
            return all(self._holds(value, context) for value in values)
        if not values:  # a negated operator holds for an absent key, any other one does not
            return self._if_exists or (self._negated and self._many is None)
        one_is_enough = not self._negated or self._many is not None
        return (any if one_is_enough else all)(self._holds(value, context) for value in values)

    def _holds(self, value: str, context: Context) -> bool:
        return any(test(value, context) for test in self._tests) is not self._negated


def _text(text: str, variables: bool, **how: bool) -> Test:
    return Text(text, variables=variables, **how).match


def _arn(pattern: str, variables: bool) -> Test:
    """Each of an ARN's six parts is matched on its own: no wildcard reaches over a colon between them."""
    parts = arn_parts(pattern)
    if len(parts) < 6:
        return Text(pattern, variables=variables).match if pattern == "*" else _never
    texts = [Text(part, variables=variables) for part in parts]

    def test(value: str, context: Context) -> bool:
        found = Arn.find(value)
        return found is not None and all(
            text.match(part, context) for text, part in zip(texts, found.parts, strict=True)
        )

    return test


def _never(value: str, context: Context) -> bool:
    return False


def _compared(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[str, bool], Test]:
    """Return an operator whose texts mean something else: numbers, dates, networks. What is none equals nothing."""

    def make_test(text: str, variables: bool) -> Test:
        try:
            expected = read(text)
        except ValueError:
            return _never

        def test(value: str, context: Context) -> bool:
            try:
                return holds(read(value), expected)
            except (ValueError, TypeError):
                return False

        return test

    return make_test


def _moment(text: str) -> float:
    """Return a date in ISO 8601, or seconds since the epoch, as seconds. Raises ValueError."""
    if re.fullmatch(r"\d{5,}(\.\d+)?", text):
        return float(text)
    text = re.sub(r"^(\d{4})(-\d\d)?$", lambda m: f"{m[1]}{m[2] or '-01'}-01", text)
    moment = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ip_make_test(text: str, variables: bool) -> Test:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return _never

    def test(value: str, context: Context) -> bool:
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return test


_equals = partial(_text, wildcards=False)
_equals_ignore_case = partial(_text, wildcards=False, ignore_case=True)
_number, _date = partial(_compared, float), partial(_compared, _moment)

#: Operator: (whether it is negated, how a text becomes a test). ArnEquals and ArnLike behave the same.
_OPERATORS: dict[str, tuple[bool, Callable[[str, bool], Test]]] = {
    "Null": (False, _equals_ignore_case),
    "StringEquals": (False, _equals),
    "StringNotEquals": (True, _equals),
    "StringEqualsIgnoreCase": (False, _equals_ignore_case),
    "StringNotEqualsIgnoreCase": (True, _equals_ignore_case),
    "StringLike": (False, _text),
    "StringNotLike": (True, _text),
    "ArnEquals": (False, _arn),
    "ArnLike": (False, _arn),
    "ArnNotEquals": (True, _arn),
    "ArnNotLike": (True, _arn),
    "Bool": (False, _equals_ignore_case),
    "BinaryEquals": (False, _equals),
    "IpAddress": (False, _ip_make_test),
    "NotIpAddress": (True, _ip_make_test),
    **{
        f"{kind}{name}": (name == "NotEquals", of_kind(holds))
        for kind, of_kind in (("Numeric", _number), ("Date", _date))
        for name, holds in {
            "Equals": compare.eq,
            "NotEquals": compare.eq,
            "LessThan": compare.lt,
            "LessThanEquals": compare.le,
            "GreaterThan": compare.gt,
            "GreaterThanEquals": compare.ge,
        }.items()
    },
}
