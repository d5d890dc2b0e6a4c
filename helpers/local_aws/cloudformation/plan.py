"""Plan what a request comes to in a stack: which resources, in which order, and how each differs from before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import Refused, invalid_template
from .references import PSEUDO_PARAMETERS, order, references
from .resource import Request, Resource
from .stacks import Stack, Store, properties_of
from .template import depends_on

#: What stands for a value that only working on the stack will tell.
LATER = "{{changeSet:KNOWN_AFTER_APPLY}}"


def resources(stack: Stack, request: Request, store: Store) -> dict[str, Resource]:
    """Return the resources that the request wants, not made yet, each after those that it needs. Raises Refused."""
    values = stack.values(request, store)
    wanted = {name: entry for name, entry in request.template.resources.items() if values.wanted(entry)}
    known = {*wanted, *request.template.block("Parameters"), *PSEUDO_PARAMETERS}
    needs: dict[str, set[str]] = {}
    for name, entry in wanted.items():
        mentioned = {found.name for found in references(entry.get("Properties", {}), values.holds)}
        if mentioned - known:
            missing = ", ".join(sorted(mentioned - known))
            raise invalid_template(
                f"Unresolved resource dependencies [{missing}] in the Resources block of the template"
            )
        needs[name] = {each for each in [*mentioned, *depends_on(entry)] if each in wanted}
    return {
        name: Resource(
            name,
            wanted[name]["Type"],
            wanted[name].get("DeletionPolicy", "Delete"),
            wanted[name].get("UpdateReplacePolicy", "Delete"),
            needs[name],
        )
        for name in order(needs)
    }


def outputs(stack: Stack, request: Request, store: Store) -> list[dict[str, Any]]:
    """Return the outputs of a stack whose resources are all there. Raises Refused."""
    values, result = stack.values(request, store), []
    for name, entry in request.template.block("Outputs").items():
        if values.wanted(entry):
            export = values.of((entry.get("Export") or {}).get("Name"))
            if export is not None and not isinstance(export, str):
                raise Refused(f"Template format error: The Name of the Export of {name} must be a string.")
            _check_export(stack, export, store)
            result.append(
                {
                    "OutputKey": name,
                    "OutputValue": str(values.of(entry.get("Value"))),
                    "Description": entry.get("Description"),
                    "ExportName": export,
                }
            )
    return result


def _check_export(stack: Stack, name: str | None, store: Store) -> None:
    for owner, export, _ in store.exports():
        if name == export and owner is not stack:
            raise Refused(
                f"Export with name {name} is already exported by stack {owner.name}. Rule: Export names must be unique."
            )


@dataclass
class Change:
    """What an update does to one resource: Add, Modify or Remove, and whether it takes another one in its place."""

    action: str
    resource: Resource
    replacement: bool = False
    properties: tuple[str, ...] = ()  # those that differ


def changes(stack: Stack, request: Request, store: Store) -> list[Change]:
    """Return how the stack would change, in the order of work.

    Values that nobody can know yet count as different. Raises Refused.
    """
    wanted = resources(stack, request, store)
    comparison = _Comparison(stack, request, store, {name for name in wanted if not _there(stack, name)})
    found = [change for resource in wanted.values() if (change := comparison.change(resource)) is not None]
    gone = [each for name, each in stack.resources.items() if name not in wanted and _there(stack, name)]
    return [*found, *(Change("Remove", each) for each in reversed(gone))]


class _Comparison:
    """Compares what a stack has with what a request wants, one resource after those that it needs.

    unsettled: resources that are not there yet, so that nobody can know their values; those that another one will
    replace join them.
    """

    def __init__(self, stack: Stack, request: Request, store: Store, unsettled: set[str]) -> None:
        self._stack, self._request, self._unsettled = stack, request, unsettled
        self._values = stack.values(request, store, self._unknown)

    def _unknown(self, name: str, attribute: str | None) -> Any:
        return LATER if name in self._unsettled else None

    def change(self, wanted: Resource) -> Change | None:
        """Return what happens to a resource that is wanted; None when it is as it should be. Raises Refused."""
        name = wanted.logical_id
        properties = properties_of(self._request.template.resources[name], self._values)
        current = self._stack.resources.get(name)
        if current is None or name in self._unsettled:
            return Change("Add", wanted)
        different = _different(current.properties, properties)
        replaced = wanted.type_name != current.type_name or wanted.type.needs_replacement(
            current.properties, properties
        )
        retagged = wanted.type.takes_tags and current.stack_tags != self._request.tags
        if replaced:
            self._unsettled.add(name)
        if different or replaced or retagged:
            return Change("Modify", current, replaced, different or ("Tags",))
        return None


def _different(current: dict[str, Any], wanted: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the properties that differ, sorted."""
    return tuple(sorted(each for each in {*wanted, *current} if wanted.get(each) != current.get(each)))


def _there(stack: Stack, name: str) -> bool:
    return name in stack.resources and stack.resources[name].exists
