"""Leave out of JSON what is no member of its operation's input, as AWS does.

What nobody has described is neither judged by IAM nor read by a service: both see the same. What a model says of
values of DynamoDB's kind, which may hold one another, is the service's own to look at, and left as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Protocol

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape


class _Filter(Protocol):
    def known(self, value: Any) -> Any:
        """Return the value without what is no member; itself when there is nothing to leave out."""


class _Structure:
    def __init__(self, shape: StructureShape, made: dict[str, _Filter | None], some: Any = None) -> None:
        given = shape.members if some is None else some  # those of its members that may be there
        members = {each.serialization.get("name", name): each for name, each in given.items()}
        self._members = frozenset(members)
        filters = {name: _filter(each, made) for name, each in members.items()}
        self._inside = {name: each for name, each in filters.items() if each is not None}

    def known(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        given = value if value.keys() <= self._members else {k: v for k, v in value.items() if k in self._members}
        for name, inside in self._inside.items():
            if name in given:
                known = inside.known(given[name])
                if known is not given[name]:
                    given = {**given, name: known}
        return given


class _List:
    def __init__(self, member: _Filter) -> None:
        self._member = member

    def known(self, value: Any) -> Any:
        if not isinstance(value, list):
            return value
        found = [self._member.known(each) for each in value]
        return value if all(new is old for new, old in zip(found, value, strict=True)) else found


class _Map:
    def __init__(self, value: _Filter) -> None:
        self._value = value

    def known(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        found = {name: self._value.known(each) for name, each in value.items()}
        return value if all(found[name] is each for name, each in value.items()) else found


def _filter(shape: Shape, made: dict[str, _Filter | None]) -> _Filter | None:
    """Return what looks at a value of this shape; None when there is nothing to look at. made: by shapes' names."""
    if shape.name not in made:
        made[shape.name] = _new_filter(shape, made)
    return made[shape.name]


def _new_filter(shape: Shape, made: dict[str, _Filter | None]) -> _Filter | None:
    if isinstance(shape, StructureShape):
        return None if shape.is_document_type or _holds_itself(shape) else _Structure(shape, made)
    if isinstance(shape, ListShape):
        member = _filter(shape.member, made)
        return _List(member) if member is not None else None
    if isinstance(shape, MapShape):
        value = _filter(shape.value, made)
        return _Map(value) if value is not None else None
    return None


def _holds_itself(shape: StructureShape) -> bool:
    waiting, seen = list(_inside(shape)), set[str]()
    while waiting:
        each = waiting.pop()
        if each.name == shape.name:
            return True
        if each.name not in seen:
            seen.add(each.name)
            waiting += _inside(each)
    return False


def _inside(shape: Shape) -> list[Shape]:
    if isinstance(shape, StructureShape):
        return list(shape.members.values())
    if isinstance(shape, ListShape):
        return [shape.member]
    return [shape.value] if isinstance(shape, MapShape) else []


class _Nothing:
    """The input of an operation that has none."""

    def known(self, value: Any) -> Any:
        return {} if value else value


@lru_cache(maxsize=1024)
def _of_operation(operation: OperationModel) -> _Filter | None:
    return _filter(operation.input_shape, {}) if operation.input_shape is not None else _Nothing()


def known(operation: OperationModel | None, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that an operation has; itself, the same object, when that is all of them.

    An operation that nobody knows is left with what it was given.
    """
    found = _of_operation(operation) if operation is not None else None
    return found.known(parameters) if found is not None else parameters


def of_body(operation: OperationModel) -> _Filter | None:
    """Return what looks at the JSON body of a REST operation; None when it is not JSON, or anything may be in it."""
    shape = operation.input_shape
    if operation.service_model.protocol != "rest-json" or not isinstance(shape, StructureShape):
        return None
    payload = shape.serialization.get("payload")
    if payload is not None:
        return _filter(shape.members[payload], {})
    return _Structure(shape, {}, {n: each for n, each in shape.members.items() if "location" not in each.serialization})
