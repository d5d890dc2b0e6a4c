"""Find what a template's values refer to, and the order in which that lets the resources be made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from .errors import Refused

PSEUDO_PARAMETERS = {
    "AWS::AccountId", "AWS::NoValue", "AWS::NotificationARNs", "AWS::Partition", "AWS::Region", "AWS::StackId",
    "AWS::StackName", "AWS::URLSuffix",
}  # fmt: skip
#: ${Name}, ${Name.Attribute}, and ${!Literal}, which stands for itself without the exclamation mark.
SUBSTITUTION = re.compile(r"\$\{([^}]*)\}")


class Reference(NamedTuple):
    """A mention of `name`; `attribute` is None for a Ref."""

    function: str
    name: str
    attribute: str | None


def references(value: Any, chosen: Callable[[str], bool] | None = None) -> Iterator[Reference]:
    """Yield all references in a value. With `chosen` (condition -> holds it?), only those in the branch that counts."""
    if isinstance(value, list):
        for each in value:
            yield from references(each, chosen)
    elif isinstance(value, dict):
        if len(value) == 1:
            [(function, argument)] = value.items()
            if function in ("Ref", "Fn::GetAtt", "Fn::Sub"):
                yield from _of_function(function, argument, chosen)
                return
            if function == "Fn::If" and chosen and isinstance(argument, list) and len(argument) == 3:
                yield from references(argument[1 if chosen(argument[0]) else 2], chosen)
                return
        for each in value.values():
            yield from references(each, chosen)


def _of_function(function: str, argument: Any, chosen: Callable[[str], bool] | None) -> Iterator[Reference]:
    if function == "Ref":
        if not isinstance(argument, str):
            raise Refused("Template error: every Ref object must have a single String value.")
        yield Reference("Ref", argument, None)
    elif function == "Fn::GetAtt":
        yield Reference(function, *attribute_of(argument))
    else:
        text, variables = sub_arguments(argument)
        yield from references(variables, chosen)
        for name in substitutions(text):
            if name not in variables:
                name, _, attribute = name.partition(".")
                yield Reference(function, name, attribute or None)


def attribute_of(argument: Any) -> tuple[str, str]:
    """Return the two parts of Fn::GetAtt, given as a list or as text with a dot. Raises Refused."""
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(part, str) for part in parts):
        raise Refused(
            "Template error: every Fn::GetAtt object requires two non-empty parameters, "
            "the resource name and the resource attribute"
        )
    return parts[0], parts[1]


def sub_arguments(argument: Any) -> tuple[str, dict[str, Any]]:
    """Return the text of Fn::Sub and the variables that it brings along. Raises Refused."""
    text, variables = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    if not isinstance(text, str) or not isinstance(variables, dict):
        raise Refused(
            "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. "
            "Specify a string as first argument, and an optional second argument to specify a mapping of values to "
            "replace in the string"
        )
    return text, variables


def substitutions(text: str) -> Iterator[str]:
    """Yield the names between ${ and } in a text of Fn::Sub."""
    for match in SUBSTITUTION.finditer(text):
        if not match[1].startswith("!"):
            yield match[1].strip()


def order(dependencies: Mapping[str, set[str]]) -> list[str]:
    """Return the names, each after all that it depends on, else in the given order. Raises Refused for a circle."""
    waiting = dict(dependencies)
    done: list[str] = []
    while waiting:
        ready = next((name for name, needs in waiting.items() if not needs - set(done)), None)
        if ready is None:
            raise Refused(f"Circular dependency between resources: [{', '.join(_circle(waiting))}]")
        done.append(ready)
        del waiting[ready]
    return done


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    """Without those that only depend on the circle."""
    names = set(waiting)
    while True:
        needed = names & set().union(*(waiting[name] for name in names))
        if needed == names:
            return sorted(names)
        names = needed
