"""Keep the account's stacks: what is in them, what has happened to them, and how to find one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..account.credentials import ACCOUNT_ID
from ..engine import clock, executor
from ..storage import journal
from . import parameters
from .errors import Refused
from .functions import NO_VALUE, Values
from .operation import GIVEN_UP, Operation
from .resource import Request, Resource

#: Held while what is saved of stacks changes in more than one place, and while it is read to be saved. Nobody calls a
#: service with it.
changing = executor.Lock()
_ended = False


class AccountEnds(Exception):
    """The account answers nobody any more: what fails now says nothing about a stack. The next process goes on."""


def end() -> None:
    """Let all stacks stay as they are from now on."""
    global _ended  # noqa: PLW0603  a process has one account
    with changing:
        _ended = True


def _go_on() -> None:
    if _ended:
        raise AccountEnds


@dataclass
class Stack:
    """One stack and its history. `request` is what it is; an update in progress has its own until it is complete.

    operation: what it is being worked on for; leftovers: what it has made and has no place for any more, and deletes
    with itself.
    """

    name: str
    region: str
    request: Request
    capabilities: list[str] = field(default_factory=list)
    on_failure: str = "ROLLBACK"
    protected: bool = False
    token: str | None = None  # of the request that set off the present work
    id: str = ""
    status: str = ""
    reason: str | None = None
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)  # oldest first
    created_at: datetime = field(default_factory=clock.utc)
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    cancelled: bool = False  # a deletion has overtaken the creation
    operation: Operation | None = None
    leftovers: list[Resource] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = f"arn:aws:cloudformation:{self.region}:{ACCOUNT_ID}:stack/{self.name}/{uuid.uuid4()}"

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    def turn(self, status: str, reason: str | None = None) -> None:
        """Give the stack another status from now on."""
        # The event comes first: who sees the last status finds the last event.
        with changing:
            _go_on()
            self._event(self.name, self.id, "AWS::CloudFormation::Stack", status, reason, str(uuid.uuid4()))
            self.status, self.reason = status, reason
            if not self.in_progress:
                self.operation = None
        journal.changed("cloudformation", self.region)

    def give_up(self, reason: str) -> None:
        """End work that cannot go on. What it has made or was to delete stays known, and is deleted with the stack."""
        with changing:
            status, operation = GIVEN_UP.get(self.status), self.operation
            if status is None:
                return
            if operation is not None:
                if status == "UPDATE_COMPLETE":
                    for resource in operation.removed:
                        self.resources.pop(resource.logical_id, None)
                self.remember_leftovers(operation)
            self.turn(status, reason)

    def remember_leftovers(self, operation: Operation) -> None:
        """Keep what an update has made, replaced or removed and there is no other place for."""
        known = [*self.resources.values(), *self.leftovers]
        for resource in (*operation.made, *operation.replaced, *operation.removed):
            may_be_there = resource.exists or resource.name is not None
            if may_be_there and not any(resource is each for each in known):
                self.leftovers.append(resource)

    def note(self, resource: Resource, status: str, reason: str | None = None) -> None:
        """Give a resource another status from now on."""
        with changing:
            _go_on()
            resource.status, resource.reason, resource.changed_at = status, reason, clock.utc()
            event_id = f"{resource.logical_id}-{status}-{resource.changed_at:%Y-%m-%dT%H:%M:%S}.{uuid.uuid4().hex[:6]}Z"
            physical_id = resource.physical_id or ""
            self._event(resource.logical_id, physical_id, resource.type_name, status, reason, event_id)
        journal.changed("cloudformation", self.region)

    def _event(self, logical: str, physical: str, kind: str, status: str, reason: str | None, event_id: str) -> None:
        self.events.append(
            {
                "StackId": self.id,
                "StackName": self.name,
                "EventId": event_id,
                "LogicalResourceId": logical,
                "PhysicalResourceId": physical,
                "ResourceType": kind,
                "ResourceStatus": status,
                "ResourceStatusReason": reason,
                "ClientRequestToken": self.token,
                "Timestamp": clock.utc(),
            }
        )

    def values(self, request: Request, store: Store, unknown: Callable[[str, str | None], Any] | None = None) -> Values:
        """Return what the values of a template are in this stack.

        `unknown` answers for resources that are not there yet.
        """

        def resource(name: str, attribute: str | None) -> Any:
            found = self.resources.get(name)
            if unknown and (answer := unknown(name, attribute)) is not None:
                return answer
            if found is None or found.physical_id is None:
                raise Refused(f"Template format error: Unresolved resource dependencies [{name}]")
            if attribute is None:
                return found.type.ref(found.physical_id)
            if attribute not in found.attributes:
                raise Refused(f"Template error: {name} has no value for the attribute {attribute}.")
            return found.attributes[attribute]

        def imported(name: str) -> str:
            value = store.export(name)
            self.imports.add(name)
            return value

        names = parameters.as_values(request.template, request.parameters) | {
            "AWS::AccountId": ACCOUNT_ID,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": self.id,
            "AWS::StackName": self.name,
            "AWS::URLSuffix": "amazonaws.com",
        }
        return Values(request.template.content, names, resource, imported)


def properties_of(entry: dict[str, Any], values: Values) -> dict[str, Any]:
    """Return the properties of a resource of a template, evaluated. Raises Refused."""
    properties = values.of(entry.get("Properties") or {})
    if properties is NO_VALUE:
        return {}
    if not isinstance(properties, dict):
        raise Refused("Template error: the Properties of a resource must be a map.")
    return properties


class Store:
    """All stacks, the deleted ones included: those can still be asked for by their ARN."""

    def __init__(self) -> None:
        self.lock = executor.Lock()
        self._stacks: dict[str, Stack] = {}
        self._unfinished: list[Stack] = []

    def add(self, stack: Stack) -> None:
        self._stacks[stack.id] = stack

    def forget(self, stack: Stack) -> None:
        self._stacks.pop(stack.id, None)

    def all(self) -> list[Stack]:
        """Return all stacks, the newest first."""
        return sorted(self._stacks.values(), key=lambda stack: stack.created_at, reverse=True)

    def state(self) -> dict[str, Stack]:
        """Return all stacks by their ids, for a later process to `restore`. `changing` should be held."""
        return dict(self._stacks)

    def restore(self, stacks: dict[str, Stack]) -> None:
        """Add the stacks of an earlier process; one that knew no leftovers yet has none."""
        for stack in stacks.values():
            stack.__dict__.setdefault("leftovers", [])
        self._stacks.update(stacks)
        self._unfinished = [stack for stack in stacks.values() if stack.in_progress]

    def unfinished(self) -> list[Stack]:
        """Return, once, what an earlier process was in the middle of."""
        found, self._unfinished = self._unfinished, []
        return found

    def find(self, name_or_id: str) -> Stack | None:
        """Return a stack, by name only what is not deleted, by ARN everything; None when there is none."""
        by_name = (each for each in self.all() if each.name == name_or_id and each.status != "DELETE_COMPLETE")
        return self._stacks.get(name_or_id) or next(by_name, None)

    def get(self, name_or_id: str, complaint: str = "Stack with id {} does not exist") -> Stack:
        stack = self.find(name_or_id)
        if stack is None:
            raise Refused(complaint.format(name_or_id))
        return stack

    def exports(self) -> Iterator[tuple[Stack, str, str]]:
        """Yield (stack, name, value) of all that the stacks export."""
        for stack in self.all():
            if stack.status != "DELETE_COMPLETE":
                for output in list(stack.outputs):
                    if output.get("ExportName"):
                        yield stack, output["ExportName"], output["OutputValue"]

    def export(self, name: str) -> str:
        for _, each, value in self.exports():
            if each == name:
                return value
        raise Refused(f"No export named {name} found.")

    def importers(self, name: str) -> list[str]:
        """Return the names of the stacks that import this export."""
        return [each.name for each in self.all() if name in each.imports and each.status != "DELETE_COMPLETE"]
