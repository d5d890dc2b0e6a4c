"""Make the tests that an event pattern applies to one value of an event.

A test is a function from a value (str, int, Decimal, bool or None) to bool. Values that are compared as they
are, without an operator, are not tests: a FieldTest holds them as sets.

How EventBridge compares, https://github.com/aws/event-ruler and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from decimal import ROUND_DOWN, Context, Decimal, InvalidOperation
from typing import Any

Test = Callable[[Any], bool]

#: Numbers are compared from -5e9 to 5e9, to six digits after the point.
MAX_NUMBER = 5_000_000_000
_SIX_DIGITS = Context(prec=60, rounding=ROUND_DOWN)
_IP_V4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+")
_IP_V6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def comparable(number: int | Decimal | float) -> int | None:
    """Return a number in millionths, cut off after six digits; None when it is out of range."""
    if isinstance(number, float):
        number = Decimal(repr(number))
    if not -MAX_NUMBER <= number <= MAX_NUMBER:
        return None
    if isinstance(number, int):
        return number * 1_000_000
    return int(_SIX_DIGITS.multiply(number, 1_000_000))


def parse_number(text: str) -> Decimal:
    """Return a JSON number, exactly; infinite when its exponent is beyond Decimal."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def exists(value: Any) -> bool:
    return True


def prefix(start: str) -> Test:
    return lambda value: type(value) is str and value.startswith(start)


def suffix(end: str) -> Test:
    return lambda value: type(value) is str and value.endswith(end)


def prefix_ignoring_case(start: str) -> Test:
    start = start.lower()
    return lambda value: type(value) is str and value.lower().startswith(start)


def suffix_ignoring_case(end: str) -> Test:
    end = end.lower()
    return lambda value: type(value) is str and value.lower().endswith(end)


def equals_ignoring_case(texts: Iterable[str]) -> Test:
    lowered = frozenset(text.lower() for text in texts)
    return lambda value: type(value) is str and value.lower() in lowered


def wildcard(parts: list[str]) -> Test:
    """Return a test for texts with these literals between asterisks; each is searched once, from left to right."""
    if len(parts) == 1:
        return lambda value: value == parts[0] and type(value) is str
    first, *middle, last = parts

    def matches(value: Any) -> bool:
        if type(value) is not str or not value.startswith(first):
            return False
        position, end = len(first), len(value) - len(last)
        for part in middle:
            position = value.find(part, position, end) + len(part)
            if position < len(part):
                return False
        return position <= end and value.endswith(last)

    return matches


def numeric(bottom: int | None, open_bottom: bool, top: int | None, open_top: bool) -> Test:
    """Return a test for numbers within bounds in millionths; None is no bound."""

    def matches(value: Any) -> bool:
        if not is_number(value):
            return False
        number = comparable(value)
        if number is None:
            return False
        if bottom is not None and (number < bottom or (open_bottom and number == bottom)):
            return False
        return top is None or number < top or (not open_top and number == top)

    return matches


def anything_but(test: Test) -> Test:
    """Return a test for any value that does not pass `test`, whatever its type; only an absent field fails."""
    return lambda value: not test(value)


def any_of(tests: Iterable[Test]) -> Test:
    tests = tuple(tests)
    return lambda value: any(test(value) for test in tests)


def one_of(values: Iterable[str]) -> Test:
    texts = frozenset(values)
    return lambda value: type(value) is str and value in texts


def one_of_numbers(values: Iterable[int]) -> Test:
    """Return a test for the numbers in `values`, in millionths."""
    numbers = frozenset(values)
    return lambda value: is_number(value) and comparable(value) in numbers


def is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal, float)) and type(value) is not bool


def same_address(text: str) -> Test | None:
    """Return a test for the same IP address in any notation; None when `text` is not an address."""
    address = parse_address(text)
    return None if address is None else _addresses(address, address)


def cidr(first: bytes, mask_bits: int) -> Test:
    """Return a test for addresses from `first` to the end of its block; as on AWS, `first` is not rounded down."""
    host_bits = len(first) * 8 - mask_bits
    last = int.from_bytes(first, "big") | ((1 << host_bits) - 1)
    return _addresses(first, last.to_bytes(len(first), "big"))


def parse_address(text: str) -> bytes | None:
    """Return the 4 or 16 bytes of an IP address, or None. Leading zeros of a number do not make it octal."""
    try:
        if _IP_V4.fullmatch(text):
            return bytes(map(int, text.split(".")))
        if _IP_V6.fullmatch(text):
            address = ipaddress.IPv6Address(text)
            return (address.ipv4_mapped or address).packed
    except ValueError:  # not an address after all, for example 10.0.0.256
        pass
    return None


def looks_like_address(text: str) -> bool:
    return bool(_IP_V4.fullmatch(text) or _IP_V6.fullmatch(text))


def _addresses(first: bytes, last: bytes) -> Test:
    def matches(value: Any) -> bool:
        if type(value) is not str:
            return False
        address = parse_address(value)
        return address is not None and len(address) == len(first) and first <= address <= last

    return matches
