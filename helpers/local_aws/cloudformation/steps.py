"""Do the steps of work on a stack: making, changing and deleting one resource, each with its events.

What a step is about to do is on disk before it is done. So each of them can be begun again, by a process that comes
after one that died in the middle of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ..account.credentials import ACCOUNT_ID
from ..storage import journal
from ..storage.store import StoreError
from .errors import Refused, ResourceFailure
from .operation import Change
from .references import order
from .resource import Request, Resource
from .resource_type import Work
from .services import Services
from .stacks import Stack, Store, changing, properties_of

logger = logging.getLogger("local_aws.cloudformation")


class StepFailed(Exception):
    """A resource failed; `verb` is what was to be done with it."""

    def __init__(self, verb: str, logical_id: str) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{logical_id}]. ")


class Steps:
    """Works on the resources of one stack, with the credentials of whoever asked for it."""

    def __init__(self, stack: Stack, store: Store, services: Services) -> None:
        self.stack, self.store, self.services = stack, store, services

    def _make(self, resource: Resource, request: Request, verb: str) -> None:
        """Create a resource, or go on creating it; as part of a replacement AWS calls that an update."""
        if resource.status == f"{verb}_FAILED":
            raise StepFailed(verb.lower(), resource.logical_id)
        work = self._work(resource, request.tags, {})
        try:
            if resource.name is None:
                self._prepare(resource, request, work, verb)
            elif resource.physical_id is None:
                resource.physical_id = self._found(resource, work)
            if resource.physical_id is None:
                self._create(resource, work, verb)
            physical_id = resource.physical_id or ""
            attributes = self._guarded(lambda: resource.type.finish(work, physical_id, resource.properties))
        except ResourceFailure as failure:
            self._failed(resource, verb, failure)
        with changing:
            resource.attributes, resource.stack_tags = attributes, dict(request.tags)
            self.stack.note(resource, f"{verb}_COMPLETE")

    def _prepare(self, resource: Resource, request: Request, work: Work, verb: str) -> None:
        """Have on disk what is to be made, and under which name."""
        if verb == "CREATE" and not resource.status:
            self.stack.note(resource, "CREATE_IN_PROGRESS")
        properties = self._evaluated(resource, request)
        resource.type.check(resource.logical_id, properties)
        name = self._guarded(lambda: resource.type.plan(work, properties))
        with changing:
            resource.properties, resource.name = properties, name
            resource.status = resource.status or f"{verb}_IN_PROGRESS"
            resource.stack_tags = dict(request.tags)
        self._to_disk()

    def _create(self, resource: Resource, work: Work, verb: str) -> None:
        name = resource.name or ""
        try:
            physical_id = self._guarded(lambda: resource.type.make(work, name, resource.properties))
        except ResourceFailure as failure:
            if not failure.unclear:
                resource.name = None  # there is nothing
            raise
        with changing:
            resource.physical_id = physical_id
            self.stack.note(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

    def _found(self, resource: Resource, work: Work) -> str | None:
        """Return the physical id of what was made under the name that was planned, if there is such a thing."""
        name = resource.name
        if name is None:
            return None
        return self._guarded(lambda: resource.type.find(work, name, resource.properties))

    def _to_disk(self) -> None:
        """Have on disk what is going to be done. Raises ResourceFailure: what is not there is not begun."""
        journal.changed("cloudformation", self.stack.region)
        try:
            journal.commit()
        except StoreError as error:
            raise ResourceFailure(f"Internal Failure: {error}") from error

    def _failed(self, resource: Resource, verb: str, failure: ResourceFailure) -> None:
        self.stack.note(resource, f"{verb}_FAILED", str(failure))
        raise StepFailed(verb.lower(), resource.logical_id) from failure

    def _evaluated(self, resource: Resource, request: Request) -> dict[str, Any]:
        entry = request.template.resources[resource.logical_id]
        try:
            return properties_of(entry, self.stack.values(request, self.store))
        except Refused as problem:
            raise ResourceFailure(str(problem)) from problem

    def _work(self, resource: Resource, tags: dict[str, str], former: dict[str, str]) -> Work:
        stack = self.stack
        return Work(self.services, ACCOUNT_ID, stack.id, stack.name, tags, former, resource.logical_id)

    @staticmethod
    def _guarded(action: Callable[[], Any]) -> Any:
        """Turn any error into a failure: a property of a wrong shape must end the resource, not the stack's thread."""
        try:
            return action()
        except ResourceFailure:
            raise
        except Exception as error:
            logger.exception("a resource failed")
            raise ResourceFailure(f"Internal Failure: {type(error).__name__}: {error}", unclear=True) from error

    def _change(self, change: Change) -> None:
        """Change a resource in place, or go on changing it."""
        resource, new, tags = change.resource, change.new, change.new_tags
        work = self._work(resource, tags, change.old_tags)
        with changing:
            if resource.properties != new or resource.status != "UPDATE_IN_PROGRESS":
                self.stack.note(resource, "UPDATE_IN_PROGRESS")
            resource.properties = new
        try:
            self._to_disk()
            resource.type.check(resource.logical_id, new)
            attributes = self._guarded(lambda: resource.type.update(work, resource.physical_id or "", change.old, new))
        except ResourceFailure as failure:
            self._failed(resource, "UPDATE", failure)
        with changing:
            resource.attributes, resource.stack_tags = attributes, dict(tags)
            self.stack.note(resource, "UPDATE_COMPLETE")

    def _delete(
        self, resources: Iterable[Resource], keep: Callable[[Resource], bool], replaced: Iterable[Resource] = ()
    ) -> list[str]:
        """Delete resources, whatever needs another one before that. Returns the logical ids of those that stay."""
        failed: list[str] = []
        needed: set[str] = set()
        given = [each for each in resources if each.status not in ("DELETE_COMPLETE", "DELETE_SKIPPED")]
        places = {each.logical_id: place for place, each in enumerate(_ordered(given))}
        for resource in sorted(given, key=lambda each: -places[each.logical_id]):
            if resource.logical_id in needed and resource not in replaced:
                needed |= resource.needs  # something that needs it could not be deleted
            elif keep(resource):
                self.stack.note(resource, "DELETE_SKIPPED")
            elif not self._delete_one(resource):
                failed.append(resource.logical_id)
                needed |= resource.needs
        return failed

    def _delete_one(self, resource: Resource) -> bool:
        work = self._work(resource, resource.stack_tags, {})
        try:
            if resource.physical_id is None:
                resource.physical_id = self._found(resource, work)
            if resource.physical_id is not None:
                self.stack.note(resource, "DELETE_IN_PROGRESS")
                self._guarded(lambda: resource.type.delete(work, resource.physical_id or "", resource.properties))
        except ResourceFailure as failure:
            self.stack.note(resource, "DELETE_FAILED", str(failure))
            return False
        self.stack.note(resource, "DELETE_COMPLETE")
        return True


def _ordered(resources: list[Resource]) -> list[Resource]:
    by_name = {each.logical_id: each for each in resources}
    return [by_name[name] for name in order({name: each.needs & set(by_name) for name, each in by_name.items()})]
