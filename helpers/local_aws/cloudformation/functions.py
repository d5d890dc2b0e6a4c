"""Evaluate the intrinsic functions: a template's values once everything that they refer to is known.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from .errors import Refused
from .references import SUBSTITUTION, attribute_of, sub_arguments


class _NoValue:
    """AWS::NoValue: the property that has it is not there."""


NO_VALUE = _NoValue()


class Values:
    """Evaluates a template's values.

    `names` are parameters and pseudo parameters; `resource(name, attribute)` tells about a resource (attribute None:
    what Ref gives); `imported(name)` gives the value of an export of another stack.
    """

    def __init__(
        self,
        content: Mapping[str, Any],
        names: Mapping[str, Any],
        resource: Callable[[str, str | None], Any],
        imported: Callable[[str], str],
    ) -> None:
        self._mappings = content.get("Mappings") or {}
        self._conditions = content.get("Conditions") or {}
        self._names, self._resource, self._imported = names, resource, imported
        self._evaluating: list[str] = []

    def holds(self, condition: str) -> bool:
        """Return whether this condition of the template is true. Raises Refused."""
        if condition not in self._conditions:
            raise Refused(f"Template error: unresolved condition dependency {condition}")
        if condition in self._evaluating:
            raise Refused(f"Template error: Circular dependency between conditions: {self._evaluating}")
        self._evaluating.append(condition)
        try:
            return self._truth(self._conditions[condition])
        finally:
            self._evaluating.pop()

    def wanted(self, entry: Mapping[str, Any]) -> bool:
        """Return whether a resource or an output with this `Condition`, or none, is part of the stack."""
        return "Condition" not in entry or self.holds(entry["Condition"])

    def of(self, value: Any) -> Any:
        """Return the value with all functions replaced by what they give. Raises Refused."""
        if isinstance(value, list):
            return [each for each in map(self.of, value) if each is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(name, argument)] = value.items()
            function = _FUNCTIONS.get(name)
            if function is not None:
                return function(self, argument)
            if name.startswith("Fn::"):
                raise Refused(f"Template error: the embedded AWS does not know the function {name}.")
        resolved = {name: self.of(each) for name, each in value.items()}
        return {name: each for name, each in resolved.items() if each is not NO_VALUE}

    def _truth(self, value: Any) -> bool:
        if isinstance(value, dict) and len(value) == 1 and isinstance(value.get("Condition"), str):
            return self.holds(value["Condition"])
        result = self.of(value)
        if isinstance(result, str) and result in ("true", "false"):
            return result == "true"
        if not isinstance(result, bool):
            raise Refused(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions"
            )
        return result

    def _list(self, argument: Any, length: range, wanted: str) -> list[Any]:
        if not isinstance(argument, list) or len(argument) not in length:
            raise Refused(f"Template error: {wanted}")
        return argument

    def ref(self, name: Any) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self._names[name] if name in self._names else self._resource(name, None)

    def get_att(self, argument: Any) -> Any:
        name, attribute = attribute_of(argument)
        return self._resource(name, attribute)

    def sub(self, argument: Any) -> str:
        text, variables = sub_arguments(argument)

        def replace(match: re.Match[str]) -> str:
            name = match[1].strip()
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in variables:
                return as_text(self.of(variables[name]))
            return as_text(self.get_att(name) if "." in name else self.ref(name))

        return SUBSTITUTION.sub(replace, text)

    def join(self, argument: Any) -> str:
        wanted = (
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
            "joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )
        delimiter, parts = self._list(argument, range(2, 3), wanted)
        parts = self.of(parts)
        if not isinstance(parts, list) or not isinstance(delimiter, str):
            raise Refused(f"Template error: {wanted}")
        return delimiter.join(as_text(part) for part in parts)

    def select(self, argument: Any) -> Any:
        wanted = "Fn::Select requires a list argument with two elements: an integer index and a list"
        index, values = (self.of(each) for each in self._list(argument, range(2, 3), wanted))
        if not isinstance(values, list) or not str(index).isdigit():
            raise Refused(f"Template error: {wanted}")
        if int(index) >= len(values):
            raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
        return values[int(index)]

    def split(self, argument: Any) -> list[str]:
        wanted = (
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split "
            "or a function that returns a string to be split."
        )
        delimiter, text = (self.of(each) for each in self._list(argument, range(2, 3), wanted))
        if not isinstance(delimiter, str) or not delimiter or not isinstance(text, str):
            raise Refused(f"Template error: {wanted}")
        return text.split(delimiter)

    def if_(self, argument: Any) -> Any:
        wanted = "Fn::If requires a list argument with the first element being a condition"
        condition, yes, no = self._list(argument, range(3, 4), wanted)
        return self.of(yes if self.holds(condition) else no)

    def equals(self, argument: Any) -> bool:
        wanted = "every Fn::Equals object requires a list of 2 string parameters."
        left, right = (self.of(each) for each in self._list(argument, range(2, 3), wanted))
        return as_text(left) == as_text(right)

    def and_(self, argument: Any) -> bool:
        wanted = "every Fn::And object requires a list of at least 2 and at most 10 boolean parameters."
        return all(self._truth(each) for each in self._list(argument, range(2, 11), wanted))

    def or_(self, argument: Any) -> bool:
        wanted = "every Fn::Or object requires a list of at least 2 and at most 10 boolean parameters."
        return any(self._truth(each) for each in self._list(argument, range(2, 11), wanted))

    def not_(self, argument: Any) -> bool:
        wanted = "every Fn::Not object requires one boolean parameter."
        return not self._truth(self._list(argument, range(1, 2), wanted)[0])

    def find_in_map(self, argument: Any) -> Any:
        wanted = (
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for "
            "return value"
        )
        name, first, second = (as_text(self.of(each)) for each in self._list(argument, range(3, 4), wanted))
        try:
            return self._mappings[name][first][second]
        except (KeyError, TypeError):
            raise Refused(f"Template error: Unable to get mapping for {name}::{first}::{second}") from None

    def base64(self, argument: Any) -> str:
        return base64.b64encode(as_text(self.of(argument)).encode()).decode()

    def import_value(self, argument: Any) -> str:
        return self._imported(as_text(self.of(argument)))


_FUNCTIONS: dict[str, Callable[[Values, Any], Any]] = {
    "Ref": Values.ref,
    "Fn::GetAtt": Values.get_att,
    "Fn::Sub": Values.sub,
    "Fn::Join": Values.join,
    "Fn::Select": Values.select,
    "Fn::Split": Values.split,
    "Fn::If": Values.if_,
    "Fn::Equals": Values.equals,
    "Fn::And": Values.and_,
    "Fn::Or": Values.or_,
    "Fn::Not": Values.not_,
    "Fn::FindInMap": Values.find_in_map,
    "Fn::Base64": Values.base64,
    "Fn::ImportValue": Values.import_value,
}


def as_text(value: Any) -> str:
    """Return a value where text is wanted: numbers and truth values as in JSON. Raises Refused for a list or map."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, dict)) or value is NO_VALUE:
        raise Refused("Template error: a list or map stands where a string is wanted.")
    return str(value)
