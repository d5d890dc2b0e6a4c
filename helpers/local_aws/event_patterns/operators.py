"""Read the operators of an event pattern: {"prefix": "a"}, {"numeric": [">", 0]}, {"anything-but": {...}} …

Each function reads from the token after the operator's name to the operator's closing brace and returns its
test. What is refused, with which message and at which place, is what EventBridge does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

from . import values
from .reader import InvalidEventPattern, PatternReader
from .values import Test

#: More digits than this are as much too many as these; Python refuses to read numbers of thousands of digits.
MAX_MASK_DIGITS = 20
_INTEGER = re.compile(r"[+-]?[0-9]+")


class OperatorReader:
    """Reads operators; `wildcards` gathers the wildcard texts that it meets, for the complexity limit."""

    def __init__(self, reader: PatternReader) -> None:
        self.reader = reader
        self.wildcards: list[str] = []

    def read(self) -> Test | None:
        """Read one operator, from its name on; None is {"exists": false}. Raises InvalidEventPattern."""
        reader = self.reader
        if reader.next() != "name":
            reader.fail("Match expression name not found")
        read = self._BY_NAME.get(reader.name)
        if read is None:
            reader.fail(f"Unrecognized match type {reader.name}")
        return read(self)

    def _string(self, operator: str) -> str:
        if self.reader.next() != "string":
            self.reader.fail(f"{operator} match pattern must be a string")
        return self.reader.text

    def _end(self, message: str = "Only one key allowed in match expression") -> None:
        if self.reader.next() != "}":
            self.reader.fail(message)

    def _exactly(self) -> Test:
        text = self._string("exact")
        self._end()
        return values.one_of([text])

    def _equals_ignore_case(self) -> Test:
        text = self._string("equals-ignore-case")
        self._end()
        return values.equals_ignoring_case([text])

    def _prefix(self) -> Test:
        return self._affix("prefix", values.prefix, values.prefix_ignoring_case)

    def _suffix(self) -> Test:
        return self._affix("suffix", values.suffix, values.suffix_ignoring_case)

    def _affix(self, name: str, plain: Callable[[str], Test], ignoring_case: Callable[[str], Test]) -> Test:
        reader = self.reader
        if reader.next() == "{":
            if reader.next() != "name":
                reader.fail(f"{name.capitalize()} expression name not found")
            if reader.name != "equals-ignore-case":
                reader.fail(f"Unsupported {name} pattern: {reader.name}")
            test = ignoring_case(self._string("equals-ignore-case"))
            self._end()
        elif reader.kind == "string":
            test = plain(reader.text)
        else:
            reader.fail(f"{name} match pattern must be a string")
        self._end()
        return test

    def _wildcard(self) -> Test:
        test = self._wildcard_test(self._string("wildcard"))
        self._end()
        return test

    def _wildcard_test(self, text: str) -> Test:
        try:
            parts = split_wildcard(text)
        except ValueError as error:
            self.reader.fail(str(error))
        self.wildcards.append(text)
        return values.wildcard(parts)

    def _exists(self) -> Test | None:
        kind = self.reader.next()
        if kind not in ("true", "false"):
            self.reader.fail("exists match pattern must be either true or false.")
        self._end()
        return values.exists if kind == "true" else None

    def _cidr(self) -> Test:
        test = _cidr_test(self._string("prefix"))  # sic: AWS speaks of a prefix here
        self._end()
        return test

    def _numeric(self) -> Test:
        reader = self.reader
        if reader.next() != "[":
            reader.fail("Value of numeric must be an array.")
        if reader.next() != "string":
            reader.fail(f"Invalid member in numeric match: {reader.kind if reader.kind in '[]{}' else reader.text}")
        operator = reader.text
        if operator not in ("=", ">=", ">", "<=", "<"):
            reader.fail(f"Unrecognized numeric range operator: {operator}")
        number = self._number("equals" if operator == "=" else operator)
        second = None
        if reader.next() != "]":
            if operator not in (">", ">="):
                reader.fail("Too many elements in numeric expression")
            second = self._upper_bound()
        test = self._range(operator, number, second)
        self._end("Too many elements in numeric expression")
        return test

    def _number(self, operator: str) -> str:
        if self.reader.next() != "number":
            self.reader.fail(f"Value of {operator} must be numeric")
        return self.reader.text

    def _upper_bound(self) -> tuple[str, str]:
        reader = self.reader
        if reader.kind != "string":
            reader.fail(f"Bad value in numeric range: {reader.kind if reader.kind in '[]{}' else reader.text}")
        operator = reader.text
        if operator not in ("<", "<="):
            reader.fail(f"Bad numeric range operator: {operator}")
        number = self._number(operator)
        if reader.next() != "]":
            reader.fail("Too many terms in numeric range expression")
        return operator, number

    def _range(self, operator: str, number: str, upper: tuple[str, str] | None) -> Test:
        bound = self._comparable(number)
        if operator == "=":
            return values.one_of_numbers([bound])
        if operator.startswith("<"):
            return values.numeric(None, False, bound, operator == "<")
        if upper is None:
            return values.numeric(bound, operator == ">", None, False)
        top = self._comparable(upper[1])
        if bound >= top:
            self.reader.fail("Bottom must be less than top")
        return values.numeric(bound, operator == ">", top, upper[0] == "<")

    def _comparable(self, number: str) -> int:
        value = values.comparable(values.parse_number(number))
        if value is None:
            self.reader.fail("Value must be between -5.0E9 and 5.0E9, inclusive")
        return value

    def _anything_but(self) -> Test:
        reader = self.reader
        kind, operator = reader.next(), ""
        if kind == "{":
            if reader.next() != "name":
                reader.fail("Anything-But expression name not found")
            operator = reader.name
            if operator not in _REFUSALS_IN_ANYTHING_BUT:
                reader.fail(f"Unsupported anything-but pattern: {operator}")
            kind = reader.next()
        if kind not in ("[", "string", "number"):
            reader.fail("Value of anything-but must be an array or single string/number value.")
        test = self._anything_but_texts(operator) if operator else self._anything_but_values()
        for _ in range(2 if operator else 1):
            self._end("Too many elements in numeric expression")  # sic
        return values.anything_but(test)

    def _anything_but_values(self) -> Test:
        reader = self.reader
        if reader.kind == "string":
            return values.one_of([reader.text])
        if reader.kind == "number":
            return values.one_of_numbers([self._comparable(reader.text)])
        texts: list[str] = []
        numbers: list[int] = []
        while (kind := reader.next()) != "]":
            if kind == "string":
                texts.append(reader.text)
            elif kind == "number":
                numbers.append(self._comparable(reader.text))
            else:
                reader.fail("Inside anything but list, start|null|boolean is not supported.", times=2)
        if bool(texts) == bool(numbers):
            reader.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
        return values.one_of(texts) if texts else values.one_of_numbers(numbers)

    def _anything_but_texts(self, operator: str) -> Test:
        reader = self.reader
        if reader.kind == "[":
            texts = []
            while reader.next() != "]":
                texts.append(self._anything_but_text(operator, times=2))
        else:
            texts = [self._anything_but_text(operator, times=1)]
        if operator == "equals-ignore-case":
            return values.equals_ignoring_case(texts)
        test = {"prefix": values.prefix, "suffix": values.suffix, "wildcard": self._wildcard_test}[operator]
        return values.any_of(map(test, texts))

    def _anything_but_text(self, operator: str, times: int) -> str:
        reader = self.reader
        if reader.kind != "string":
            reader.fail(_REFUSALS_IN_ANYTHING_BUT[operator], times=times)
        if not reader.text and operator in ("prefix", "suffix"):
            reader.fail("Null prefix/suffix not allowed", times=times)
        return reader.text

    _BY_NAME: ClassVar[dict[str, Callable[[OperatorReader], Test | None]]] = {
        "exactly": _exactly,
        "prefix": _prefix,
        "suffix": _suffix,
        "equals-ignore-case": _equals_ignore_case,
        "wildcard": _wildcard,
        "anything-but": _anything_but,
        "numeric": _numeric,
        "cidr": _cidr,
        "exists": _exists,
    }


def split_wildcard(text: str) -> list[str]:
    """Return the literals between the asterisks of `text`, unescaped. Raises ValueError with AWS's message.

    AWS counts positions in UTF-8 bytes, and in a text that begins with a quote.
    """
    parts, part = [], ""
    rest = iter(range(len(text)))
    for index in rest:
        character, following = text[index], text[index + 1 : index + 2]
        if character == "*":
            if following == "*":
                raise ValueError(f"Consecutive wildcard characters at pos {_position(text, index)}")
            parts.append(part)
            part = ""
        elif character == "\\":
            if following not in ("*", "\\"):
                raise ValueError(f"Invalid escape character at pos {_position(text, index)}")
            part += following
            next(rest)
        else:
            part += character
    return [*parts, part]


def _position(text: str, index: int) -> int:
    return len(text[:index].encode("utf-8", "replace")) + 1


def _cidr_test(text: str) -> Test:
    """Refusals of a CIDR come without a place."""
    halves = text.split("/")
    if len(halves) != 2 or not halves[1]:
        raise InvalidEventPattern("Malformed CIDR, one '/' required")
    if not _INTEGER.fullmatch(halves[1]):
        raise InvalidEventPattern("Malformed CIDR, mask bits must be an integer")
    bits = int(halves[1][:MAX_MASK_DIGITS])
    if bits < 0:
        raise InvalidEventPattern("Malformed CIDR, mask bits must not be negative")
    address = values.parse_address(halves[0])
    if address is None:
        kind = "Invalid" if values.looks_like_address(halves[0]) else "Nonstandard"
        raise InvalidEventPattern(f"{kind} IP address: {halves[0]}")
    most = len(address) * 8
    if bits >= most:
        raise InvalidEventPattern(f"IPv{4 if most == 32 else 6} mask bits must be < {most}")
    return values.cidr(address, bits)


#: What anything-but can be combined with, and what is said when that is not given texts.
_REFUSALS_IN_ANYTHING_BUT = {
    "equals-ignore-case": "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    "prefix": "prefix/suffix match pattern must be a string",
    "suffix": "prefix/suffix match pattern must be a string",
    "wildcard": "wildcard match pattern must be a string",
}
