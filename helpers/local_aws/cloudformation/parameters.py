"""Take the parameters of a template: what was given, checked against what the template says about them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .errors import Refused
from .template import Template

_LISTS = {"CommaDelimitedList", "List<Number>"}
_TYPES = {"String", "Number"} | _LISTS
MASK = "****"


def take(template: Template, given: list[dict[str, Any]], previous: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each parameter: given, from the stack as it was, or the template's default. Raises Refused."""
    declared = template.block("Parameters")
    unknown = [each["ParameterKey"] for each in given if each.get("ParameterKey") not in declared]
    if unknown:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    by_name = {each["ParameterKey"]: each for each in given}
    taken, missing = {}, []
    for name, rules in declared.items():
        value = _value(by_name.get(name), rules, previous.get(name))
        if value is None:
            missing.append(name)
        else:
            _check(name, value, rules)
            taken[name] = value
    if missing:
        raise Refused(f"Parameters: [{', '.join(missing)}] must have values")
    return taken


def _value(given: dict[str, Any] | None, rules: Mapping[str, Any], previous: str | None) -> str | None:
    if given and given.get("UsePreviousValue"):
        return previous
    if given and given.get("ParameterValue") is not None:
        return given["ParameterValue"]
    default = rules.get("Default")
    return default if default is None or isinstance(default, str) else _text(default)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check(name: str, value: str, rules: Mapping[str, Any]) -> None:
    kind = rules.get("Type")
    if kind not in _TYPES:
        known = ", ".join(sorted(_TYPES))
        raise Refused(f"Template format error: Unrecognized parameter type: {kind}. (The embedded AWS knows: {known}.)")
    for each in value.split(",") if kind in _LISTS else [value]:
        problem = _problem(each.strip() if kind in _LISTS else each, rules, kind)
        if problem and rules.get("ConstraintDescription"):
            raise Refused(f"Parameter {name} failed to satisfy constraint: {rules['ConstraintDescription']}")
        if problem:
            raise Refused(f"Parameter '{name}' must {problem}")


def _problem(value: str, rules: Mapping[str, Any], kind: str) -> str | None:
    if "AllowedValues" in rules and value not in [_text(each) for each in rules["AllowedValues"]]:
        return "be one of AllowedValues"
    if "Number" in kind:
        return _number_problem(value, rules)
    if "AllowedPattern" in rules and not re.fullmatch(rules["AllowedPattern"], value):
        return f"match pattern {rules['AllowedPattern']}"
    if len(value) < int(rules.get("MinLength", 0)):
        return f"contain at least {rules['MinLength']} characters"
    if len(value) > int(rules.get("MaxLength", len(value))):
        return f"contain at most {rules['MaxLength']} characters"
    return None


def _number_problem(value: str, rules: Mapping[str, Any]) -> str | None:
    try:
        number = float(value)
    except ValueError:
        return "be a number"
    if number < float(rules.get("MinValue", number)):
        return f"be a number not less than {rules['MinValue']}"
    if number > float(rules.get("MaxValue", number)):
        return f"be a number not greater than {rules['MaxValue']}"
    return None


def as_values(template: Template, taken: Mapping[str, str]) -> dict[str, Any]:
    """Return what Ref gives for each parameter: text, or a list for the list types."""
    declared = template.block("Parameters")
    return {
        name: [each.strip() for each in text.split(",")] if declared[name]["Type"] in _LISTS else text
        for name, text in taken.items()
    }


def described(template: Template, taken: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the parameters as DescribeStacks shows them: what is NoEcho is masked."""
    hidden = {name for name, rules in template.block("Parameters").items() if _text(rules.get("NoEcho", "")) == "true"}
    return [{"ParameterKey": name, "ParameterValue": MASK if name in hidden else text} for name, text in taken.items()]
