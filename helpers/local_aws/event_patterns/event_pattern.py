"""Match events with event patterns: whether an event is one that a rule asks for.

The same matcher routes events and answers TestEventPattern. Syntax and messages are EventBridge's
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html), and so is what happens
inside arrays: fields of objects in an array must match in one and the same element.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from .compiler import FieldTest, compile_alternatives
from .reader import InvalidEventPattern

__all__ = ["EventPattern", "EventView", "InvalidEventPattern", "compile_pattern"]

#: Where a value stands in arrays: (array, index) from the outermost in. A value that is itself an element of
#: an array has no place in that array: it does not bind the elements that other fields may match in.
Place = tuple[tuple[int, int], ...]

#: Places looked at to find elements of arrays that match together, about two seconds' worth. An event of 1 MB has
#: some 100,000 places.
MAX_STEPS = 2_000_000


@functools.lru_cache(maxsize=1024)
def compile_pattern(text: str) -> EventPattern:
    """Return the pattern of a JSON text. Raises InvalidEventPattern."""
    return EventPattern(text)


class EventPattern:
    """A compiled event pattern: immutable, safe to use in several threads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.alternatives = compile_alternatives(text)
        # EventBridge takes the fields in the order of their paths, which matters for {"exists": false}.
        self._ordered = [sorted(alternative.items()) for alternative in self.alternatives]

    def matches(self, event: dict[str, Any]) -> bool:
        """Return whether the pattern matches a parsed event, whose numbers may be int, Decimal or float."""
        return self.matches_view(EventView(event))

    def matches_view(self, event: EventView) -> bool:
        """Return the same for an event that many patterns look at."""
        return any(_fields_match(fields, event) for fields in self._ordered)

    def required(self, field: str) -> frozenset[str] | None:
        """Return the strings one of which a top-level field must have; None when the pattern does not say so."""
        required: set[str] = set()
        for alternative in self.alternatives:
            test = alternative.get(field)
            if test is None or test.absent or test.tests or test.numbers or test.others:
                return None
            required |= test.strings
        return frozenset(required)


class EventView:
    """An event as patterns see it: the values at a path, looked up once for all patterns."""

    __slots__ = ("event", "_values")

    def __init__(self, event: dict[str, Any]) -> None:
        self.event = event
        self._values: dict[str, list[tuple[Any, Place]]] = {}

    def values(self, path: str) -> list[tuple[Any, Place]]:
        """Return the leaf values at a dotted path with their places in arrays."""
        found = self._values.get(path)
        if found is None:
            found = self._values[path] = _find(self.event, _steps(path))
        return found


@functools.lru_cache(maxsize=4096)
def _steps(path: str) -> list[list[tuple[str, int]]]:
    """For each step of a path the names that lead on, and how far: a name in an event may contain dots."""
    names = path.split(".")
    ends = range(1, len(names) + 1)
    return [[(".".join(names[start:end]), end) for end in ends if end > start] for start in range(len(names))]


def _find(event: dict[str, Any], steps: list[list[tuple[str, int]]]) -> list[tuple[Any, Place]]:
    found: list[tuple[Any, Place]] = []
    last = len(steps)
    pending: list[tuple[Any, int, Place]] = [(event, 0, ())]
    while pending:
        node, step, where = pending.pop()
        if type(node) is dict:
            if step < last:
                for name, end in steps[step]:
                    if name in node:
                        pending.append((node[name], end, where))
        elif type(node) is list:
            for index, element in enumerate(node):
                nested = type(element) is dict or type(element) is list
                pending.append((element, step, (*where, (id(node), index)) if nested else where))
        elif step == last:
            found.append((node, where))
    return found


class _Found(NamedTuple):
    """Of one field: where a value passes its test and, if it may be absent, where there is a value at all."""

    passed: set[Place]
    there: set[Place] | None


def _fields_match(fields: list[tuple[str, FieldTest]], event: EventView) -> bool:
    """Whether one element can be chosen from each array such that all fields match in those elements."""
    found: list[_Found] = []
    in_arrays = False
    for path, test in fields:
        values = event.values(path)
        passed = {where for value, where in values if test.accepts(value)}
        if not passed and not test.absent:
            return False
        in_arrays = in_arrays or any(where for _, where in values)
        found.append(_Found(passed, {where for _, where in values} if test.absent else None))
    if in_arrays:
        return _consistent(found)
    return all(passed or not there for passed, there in found)  # each field stands for itself


def _consistent(found: list[_Found]) -> bool:
    """Choose elements field after field, keeping all choices that are still possible.

    A choice is a set of (array, index). Arrays that no later field is in are dropped from it, so that there
    are never more choices than elements that matter. (Names with dots can put a field into several arrays at once.
    Then there may be more than any matcher can look at: it looks at MAX_STEPS places, and takes the rest for no match.)
    """
    choices: set[Place] = {()}
    steps = itertools.count()
    for (passed, there), later in zip(found, _arrays_of_later_fields(found), strict=True):
        passed_at, there_at = _places(passed), _places(there or ())
        following: set[Place] = set()
        for choice in choices:
            chosen = dict(choice)
            for where in _agreeing(passed_at, chosen):
                if next(steps) > MAX_STEPS:
                    return False
                following.add(_kept({**chosen, **dict(where)}, later))
            if there is not None and next(_agreeing(there_at, chosen), None) is None:
                following.add(_kept(chosen, later))
        if not following:
            return False
        choices = following
    return True


def _arrays_of_later_fields(found: list[_Found]) -> list[frozenset[int]]:
    """For each field the arrays that any field after it is in."""
    arrays: list[frozenset[int]] = [frozenset()]
    for passed, there in reversed(found[1:]):
        own = {array for where in itertools.chain(passed, there or ()) for array, _ in where}
        arrays.append(arrays[-1] if own <= arrays[-1] else arrays[-1] | own)
    return arrays[::-1]


def _kept(chosen: dict[int, int], arrays: frozenset[int]) -> Place:
    return tuple(sorted(item for item in chosen.items() if item[0] in arrays))


class _Places:
    """Places as a tree: array -> index -> the places in that element. `ends`: one of them is here."""

    __slots__ = ("arrays", "ends")

    def __init__(self) -> None:
        self.arrays: dict[int, dict[int, _Places]] = {}
        self.ends = False


def _places(places: Iterable[Place]) -> _Places:
    root = _Places()
    for where in places:
        node = root
        for array, index in where:
            elements = node.arrays.setdefault(array, {})
            node = elements.get(index) or elements.setdefault(index, _Places())
        node.ends = True
    return root


def _agreeing(root: _Places, chosen: dict[int, int]) -> Iterator[Place]:
    """Yield the places that agree with what is chosen: of an array with a chosen element, those in that element."""
    pending: list[tuple[_Places, Place]] = [(root, ())]
    while pending:
        node, where = pending.pop()
        if node.ends:
            yield where
        for array, elements in node.arrays.items():
            if array in chosen:
                if chosen[array] in elements:
                    pending.append((elements[chosen[array]], (*where, (array, chosen[array]))))
            else:
                pending += ((inner, (*where, (array, index))) for index, inner in elements.items())
