"""Remember what a stack is being worked on for, and how far that has come: enough for a later process to go on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .resource import Request, Resource

#: What a stack comes to whose work cannot go on, by what it is in the middle of. What a cleanup did not get to is left
#: behind, as when AWS cannot delete it: the work itself is done.
#: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
GIVEN_UP = {
    "CREATE_IN_PROGRESS": "CREATE_FAILED",
    "ROLLBACK_IN_PROGRESS": "ROLLBACK_FAILED",
    "DELETE_IN_PROGRESS": "DELETE_FAILED",
    "UPDATE_IN_PROGRESS": "UPDATE_FAILED",
    "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_COMPLETE",
    "UPDATE_ROLLBACK_IN_PROGRESS": "UPDATE_ROLLBACK_FAILED",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": "UPDATE_ROLLBACK_COMPLETE",
}


@dataclass
class Change:
    """A resource that an update changes in place: its properties and the stack's tags before and after."""

    resource: Resource
    old: dict[str, Any]
    old_tags: dict[str, str]
    new: dict[str, Any]
    new_tags: dict[str, str]

    def reversed(self) -> Change:
        return Change(self.resource, self.new, self.new_tags, self.old, self.old_tags)


@dataclass
class Replacement:
    """A resource in whose place an update has made another one."""

    resource: Resource


@dataclass
class Operation:
    """One piece of work on a stack. The stack's status says at which part of it the work is.

    access_key_id: of whoever asked for it. Of an update: request, what the stack is to be; steps, what has been changed
    and not yet taken back, oldest first; made, what is new; replaced, what is to be deleted once the update is through;
    removed, what the stack no longer wants. Of a deletion: retained, the logical ids of what stays.
    """

    access_key_id: str
    request: Request | None = None
    disable_rollback: bool = False
    steps: list[Change | Replacement] = field(default_factory=list)
    made: list[Resource] = field(default_factory=list)
    replaced: list[Resource] = field(default_factory=list)
    removed: list[Resource] = field(default_factory=list)
    retained: frozenset[str] = frozenset()

    def change_of(self, resource: Resource) -> Change | None:
        """Return the change of a resource, when one has begun."""
        found = (step for step in self.steps if isinstance(step, Change) and step.resource is resource)
        return next(found, None)
