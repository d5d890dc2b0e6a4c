"""Check the shapes of the properties that are taken apart here; all others go to their service, which checks them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

#: Lists of objects: property -> the keys that each must have, as text where it is a name.
_OBJECT_LISTS = {
    "GlobalSecondaryIndexes": ("IndexName",),
    "Policies": ("PolicyName", "PolicyDocument"),
    "Tags": ("Key", "Value"),
    "Targets": ("Id", "Arn"),
}
_TEXT_KEYS = {"IndexName", "PolicyName", "Key", "Id", "Arn"}
_TEXT_LISTS = {"Groups", "ManagedPolicyArns", "Queues", "Roles", "Users"}
_OBJECTS = {
    "Code", "PointInTimeRecoverySpecification", "SSESpecification", "StreamSpecification", "TimeToLiveSpecification",
}  # fmt: skip
_TEXTS = {
    "ArchiveName", "EventBusName", "FunctionName", "LogGroupName", "ManagedPolicyName", "Name", "PolicyName",
    "Qualifier", "QueueName", "RoleName", "TableName",
}  # fmt: skip
#: As CloudFormation calls the types of JSON.
_JSON_TYPES = {
    bool: "Boolean", dict: "JSONObject", float: "Number", int: "Integer", list: "JSONArray", str: "String",
    type(None): "Null",
}  # fmt: skip


def problems(properties: Mapping[str, Any]) -> Iterator[str]:
    """Yield what has a wrong shape, in CloudFormation's words: "#/Targets: expected type: JSONArray, found: String"."""
    for name, value in properties.items():
        place = f"#/{name}"
        if name in _OBJECT_LISTS:
            yield from _list(place, value, dict)
            for number, each in enumerate(value) if isinstance(value, list) else ():
                if isinstance(each, dict):
                    yield from _keys(f"{place}/{number}", each, _OBJECT_LISTS[name])
        elif name in _TEXT_LISTS:
            yield from _list(place, value, str)
        elif name in _OBJECTS:
            yield from _type(place, value, dict)
        elif name in _TEXTS and isinstance(value, (dict, list, type(None))):  # a number is taken as text
            yield from _type(place, value, str)


def _list(place: str, value: Any, kind: type) -> Iterator[str]:
    yield from _type(place, value, list)
    for number, each in enumerate(value) if isinstance(value, list) else ():
        yield from _type(f"{place}/{number}", each, kind)


def _keys(place: str, value: Mapping[str, Any], needed: tuple[str, ...]) -> Iterator[str]:
    for key in needed:
        if key not in value:
            yield f"{place}: required key [{key}] not found"
        elif key in _TEXT_KEYS and isinstance(value[key], (dict, list, type(None))):
            yield from _type(f"{place}/{key}", value[key], str)


def _type(place: str, value: Any, kind: type) -> Iterator[str]:
    if not isinstance(value, kind):
        yield f"{place}: expected type: {_JSON_TYPES[kind]}, found: {_JSON_TYPES.get(type(value), 'String')}"
