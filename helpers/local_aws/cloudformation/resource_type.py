"""Define what a type of resource can do: be made, changed and deleted through its service's own API."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import property_shapes
from .errors import ResourceFailure, already_exists
from .services import Services

_RANDOM = string.ascii_letters + string.digits
Properties = dict[str, Any]


@dataclass
class Work:
    """What a resource type is given to work on one resource: who it is for, and the account's services."""

    services: Services
    account_id: str
    stack_id: str
    stack_name: str
    stack_tags: Mapping[str, str]
    former_stack_tags: Mapping[str, str]  # those that the resource has from the stack as it was
    logical_id: str

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.services.call(service, operation, **parameters)

    def call_if_there(self, service: str, operation: str, **parameters: Any) -> dict[str, Any] | None:
        return self.services.call_if_there(service, operation, **parameters)

    def name(self, longest: int, ending: str = "") -> str:
        """Make up a name for a resource that the template gives none: stack-resource-RANDOM."""
        random = "".join(secrets.choice(_RANDOM) for _ in range(12))
        room = longest - len(random) - len(ending) - 1
        front = f"{self.stack_name}-{self.logical_id}"
        if len(front) > room:
            half = (room - 1) // 2
            front = f"{self.stack_name[:half]}-{self.logical_id[: room - 1 - len(self.stack_name[:half])]}"
        return f"{front}-{random}{ending}"

    def tags(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """Return the resource's own tags, the stack's, and those by which CloudFormation marks what it has made."""
        own = {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}
        marks = {"stack-name": self.stack_name, "stack-id": self.stack_id, "logical-id": self.logical_id}
        return {**self.stack_tags, **own, **{f"aws:cloudformation:{name}": value for name, value in marks.items()}}

    def owns(self, tags: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None) -> bool:
        """Return whether these tags say that something was made for this resource of this stack."""
        found = dict(tags) if isinstance(tags, Mapping) else {tag["Key"]: tag["Value"] for tag in tags or []}
        marks = (found.get("aws:cloudformation:stack-id"), found.get("aws:cloudformation:logical-id"))
        return marks == (self.stack_id, self.logical_id)

    def tags_gone(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
        """Return the keys of tags that an update takes away."""
        own = {tag["Key"] for tag in old.get("Tags") or []}
        return sorted({*own, *self.former_stack_tags} - set(self.tags(new)))

    def tag_list(self, properties: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"Key": key, "Value": value} for key, value in self.tags(properties).items()]


class ResourceType:
    """One type of resource. A subclass says what it accepts, and does the work.

    A resource is made in four steps, so that a process that begins after the death of another can go on at any of
    them: `plan` says under which name, `make` makes it by one call, `find` tells whether there is what `make` was to
    make, and `finish` does the rest, as often as it is asked to.
    """

    name: str
    #: Property -> needed? What is not here is refused.
    properties: Mapping[str, bool]
    #: Properties whose change needs another resource in the place of this one.
    create_only: frozenset[str] = frozenset()
    #: The property by which the template may choose the physical id.
    named_by: str | None = None
    #: The longest name that is made up where the template chooses none.
    longest_name = 64
    attributes: frozenset[str] = frozenset()
    #: Does it take tags, and so the stack's?
    takes_tags = False
    #: Does nothing mark whose it is? Then a name that somebody has is refused.
    unmarked = False

    def check(self, logical_id: str, properties: Mapping[str, Any]) -> None:
        """Raise ResourceFailure for what the type does not know or lacks."""
        problems = [f"#: required key [{name}] not found" for name, needed in self.properties.items()
                    if needed and name not in properties]  # fmt: skip
        problems += [
            f"#: extraneous key [{name}] is not permitted" for name in properties if name not in self.properties
        ]
        problems += property_shapes.problems(properties)
        if problems:
            raise ResourceFailure(
                f"Properties validation failed for resource {logical_id} with message:\n[{', '.join(problems)}]"
            )

    def plan(self, work: Work, properties: Properties) -> str:
        """Return the name that it will have. Raises ResourceFailure for an unmarked one that somebody has."""
        name = self.planned_name(work, properties)
        if self.unmarked and self.find(work, name, properties):
            raise already_exists(self.name, name)
        return name

    def planned_name(self, work: Work, properties: Properties) -> str:
        """Return the name that the template gives, or one that is made up."""
        return (self.named_by and properties.get(self.named_by)) or work.name(self.longest_name)

    def make(self, work: Work, name: str, properties: Properties) -> str:
        """Make it under the name that was planned, by one call, and return its physical id."""
        raise NotImplementedError

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        """Return the physical id of what `make` has made; None where there is none, or it is somebody else's."""
        raise NotImplementedError

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        """Do what is left after `make`, whatever of it is done already, and return its attributes."""
        raise NotImplementedError

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        """Change it in place, whatever of it is done already, and return its attributes."""
        raise NotImplementedError

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        """Delete it; that it is not there is no error."""
        raise NotImplementedError

    def ref(self, physical_id: str) -> str:
        """Return what Ref gives for the resource."""
        return physical_id

    def needs_replacement(self, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
        return any(old.get(name) != new.get(name) for name in self.create_only)


def allowed(required: Iterable[str] = (), optional: Iterable[str] = ()) -> dict[str, bool]:
    """Return the properties of a type: {property: whether it is needed}."""
    return {**dict.fromkeys(optional, False), **dict.fromkeys(required, True)}


def pick(properties: Mapping[str, Any], *names: str) -> Properties:
    """Return some of the properties: those whose API parameters have the same names."""
    return {name: properties[name] for name in names if name in properties}


def json_text(value: Any) -> str | None:
    """Return a document as the APIs take it. A template has it as an object, or as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def changed(old: Mapping[str, Any], new: Mapping[str, Any], *names: str) -> bool:
    return any(old.get(name) != new.get(name) for name in names)
