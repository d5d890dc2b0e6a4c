"""Turn the text of an event pattern into alternatives of field tests, and refuse what EventBridge refuses.

A pattern without `$or` is one alternative: all its fields must match. Each `$or` multiplies the alternatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import values
from .complexity import check_complexity
from .operators import OperatorReader
from .reader import END, InvalidEventPattern, PatternReader
from .values import Test

#: "EventBridge returns an error if you try to use an event pattern that results in over 1000 rule
#: combinations", that is the number of members of each $or multiplied:
#: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
MAX_ALTERNATIVES = 1000

#: Names that cannot be fields inside $or: operators, and what the matcher keeps for later ones.
_RESERVED_IN_OR = frozenset(
    {"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric"}
    | {"cidr", "html", "=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case"}
    | {"date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"}
    | {"ip-address-in-range", "ip-address-not-in-range"}
)
_WORDS = {None: "null", True: "true", False: "false"}


@dataclass(frozen=True)
class FieldTest:
    """What one field must be: one of some values, or pass one of `tests`.

    The values are `strings`, `numbers` (in millionths) and `others`: true, false, null, and numbers out of
    the comparable range, as texts. `absent` accepts a field that is not there.
    """

    strings: frozenset[str]
    numbers: frozenset[int]
    others: frozenset[str]
    tests: tuple[Test, ...]
    absent: bool

    def accepts(self, value: Any) -> bool:
        if type(value) is str:
            if value in self.strings:
                return True
        elif value is None or value is True or value is False:
            if _WORDS[value] in self.others:
                return True
        elif self.numbers or self.others:
            number = values.comparable(value)
            if (str(value) in self.others) if number is None else (number in self.numbers):
                return True
        return bool(self.tests) and any(test(value) for test in self.tests)


#: The fields of one alternative: dotted path -> test. A dot inside a name counts as a step, as in
#: EventBridge.
Alternative = dict[str, FieldTest]


def compile_alternatives(text: str) -> list[Alternative]:
    """Return the alternatives of a pattern. Raises InvalidEventPattern."""
    compiler = _Compiler(text)
    try:
        alternatives = compiler.compile()
    except RecursionError:
        raise InvalidEventPattern("The pattern is nested too deeply") from None
    check_complexity(compiler.wildcards.values())
    return alternatives


class _Compiler:
    def __init__(self, text: str) -> None:
        self.reader = PatternReader(text)
        self.operators = OperatorReader(self.reader)
        self.wildcards: dict[str, list[str]] = {}  # by path, of all alternatives
        self._path: list[str] = []

    def compile(self) -> list[Alternative]:
        if self.reader.next() != "{":
            self.reader.fail("Filter is not an object")
        alternatives = self._object([{}], in_or=False)
        while self.reader.next() != END:  # the reader refuses whatever follows
            pass
        return alternatives

    def _object(self, alternatives: list[Alternative], *, in_or: bool) -> list[Alternative]:
        """Add the fields of the object that has just begun to each of `alternatives`."""
        reader, empty = self.reader, True
        while reader.next() != "}":
            empty, name = False, reader.name
            if name == "$or":
                alternatives = self._or(alternatives)
                continue
            if in_or and name in _RESERVED_IN_OR:
                reader.fail(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
            self._path.append(name)
            kind = reader.next()
            if kind == "{":
                alternatives = self._object(alternatives, in_or=in_or)
            elif kind == "[":
                path = ".".join(self._path)
                test = self._field(path)
                for alternative in alternatives:
                    alternative[path] = test  # of several tests for one field the last counts
            else:
                reader.fail(f'"{name}" must be an object or an array')
            self._path.pop()
        if empty:
            reader.fail("Empty objects are not allowed")
        return alternatives

    def _or(self, alternatives: list[Alternative]) -> list[Alternative]:
        reader, choices = self.reader, 0
        result: list[Alternative] = []
        if reader.next() != "[":
            reader.fail("It must be an Array followed with $or.")
        while reader.next() != "]":
            if reader.kind != "{":
                reader.fail("Only JSON object is allowed in array of $or relationship.")
            choices += 1
            result += self._object([dict(alternative) for alternative in alternatives], in_or=True)
            if len(result) > MAX_ALTERNATIVES:
                raise InvalidEventPattern(f"The $or in it make more than {MAX_ALTERNATIVES} rule combinations")
        if choices < 2:
            reader.fail("There must have at least 2 Objects in $or relationship.")
        return result

    def _field(self, path: str) -> FieldTest:
        """Read the array of values and operators of one field."""
        reader = self.reader
        strings: set[str] = set()
        numbers: set[int] = set()
        others: set[str] = set()
        found: list[Test | None] = []
        while (kind := reader.next()) != "]":
            if kind == "{":
                found.append(self.operators.read())
            elif kind == "string":
                strings.add(reader.text)
                found += filter(None, [values.same_address(reader.text)])
            elif kind == "number":
                number = values.comparable(values.parse_number(reader.text))
                others.add(_canonical(reader.text)) if number is None else numbers.add(number)
            elif kind in ("true", "false", "null"):
                others.add(kind)
            else:
                reader.fail("Match value must be String, number, true, false, or null")
        if not (strings or numbers or others or found):
            reader.fail("Empty arrays are not allowed")
        self.wildcards.setdefault(path, []).extend(self.operators.wildcards)
        self.operators.wildcards = []
        passed = tuple(test for test in found if test is not None)
        return FieldTest(frozenset(strings), frozenset(numbers), frozenset(others), passed, None in found)


def _canonical(number: str) -> str:
    """Return a number's text as `str` gives it for the number of an event."""
    return number if number.lstrip("-").isdigit() else str(values.parse_number(number))
