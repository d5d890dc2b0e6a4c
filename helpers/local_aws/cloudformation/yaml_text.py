"""Read a template's text, JSON or YAML, with YAML's short forms of the functions: !Ref, !Sub, !GetAtt …"""

from __future__ import annotations

import json
from typing import Any

import yaml

from .errors import Refused, invalid_template

_FUNCTIONS = {
    "And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "If", "ImportValue", "Join", "Length", "Not", "Or",
    "Select", "Split", "Sub", "ToJsonString", "Transform",
}  # fmt: skip


def parse(text: str) -> Any:
    """Return the content of a template. Raises Refused with the line and column of a mistake."""
    if text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            place = f"(line {error.lineno}, column {error.colno})"
            raise invalid_template(f"JSON not well-formed. {place}") from error
    try:
        return yaml.load(text, _Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise invalid_template(f"YAML not well-formed.{place}") from error
    except yaml.YAMLError as error:
        raise invalid_template("YAML not well-formed.") from error


class _Loader(yaml.SafeLoader):
    """YAML's plain types, without dates: 2010-09-09 is the name of a version."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        name = key if isinstance(key, str) else key_node.value
        if name in result:
            raise yaml.constructor.ConstructorError(None, None, f"duplicate key {name}", key_node.start_mark)
        result[name] = loader.construct_object(value_node, deep=True)
    return result


def _function(loader: _Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = _mapping(loader, node)
    if name in ("Ref", "Condition"):
        return {name: value}
    if name == "GetAtt":
        return {"Fn::GetAtt": value.split(".", 1) if isinstance(value, str) else value}
    if name not in _FUNCTIONS:
        raise Refused(f"Template format error: YAML not well-formed. Unknown tag !{name}")
    return {f"Fn::{name}": value}


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_multi_constructor("!", _function)
