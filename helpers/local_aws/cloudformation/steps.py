"""Do the steps of work on a stack: making, changing and deleting one resource, each with its events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from ..account.credentials import ACCOUNT_ID
from .errors import Refused, ResourceFailure
from .references import order
from .resource_type import Work
from .services import Services
from .stacks import Request, Resource, Stack, Store, properties_of

logger = logging.getLogger("local_aws.cloudformation")


class StepFailed(Exception):
    """A resource failed; `verb` is what was to be done with it."""

    def __init__(self, verb: str, logical_id: str) -> None:
        super().__init__(f"The following resource(s) failed to {verb}: [{logical_id}]. ")


class Steps:
    """Works on the resources of one stack, with the credentials of whoever asked for it."""

    def __init__(self, stack: Stack, store: Store, services: Services) -> None:
        self.stack, self.store, self.services = stack, store, services

    def _make(self, resource: Resource, request: Request, verb: str, announce: bool = True) -> None:
        """Create a resource; as part of a replacement AWS calls that an update."""
        stack = self.stack
        if announce:
            stack.note(resource, f"{verb}_IN_PROGRESS")
        work = self._work(resource, request.tags, {})

        def started(physical_id: str) -> None:
            resource.physical_id = physical_id
            stack.note(resource, f"{verb}_IN_PROGRESS", "Resource creation Initiated")

        work.started = started
        try:
            resource.properties = self._evaluated(resource, request)
            resource.type.check(resource.logical_id, resource.properties)
            resource.attributes = self._guarded(lambda: resource.type.create(work, resource.properties))
        except ResourceFailure as failure:
            self._failed(resource, verb, failure)
        resource.stack_tags = dict(request.tags)
        stack.note(resource, f"{verb}_COMPLETE")

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
            raise ResourceFailure(f"Internal Failure: {type(error).__name__}: {error}") from error

    def _change(self, resource: Resource, new: dict[str, Any], tags: dict[str, str]) -> None:
        """Change a resource in place."""
        self.stack.note(resource, "UPDATE_IN_PROGRESS")
        former, resource.properties = resource.properties, new
        work = self._work(resource, tags, resource.stack_tags)
        try:
            resource.type.check(resource.logical_id, new)
            resource.attributes = self._guarded(
                lambda: resource.type.update(work, resource.physical_id or "", former, new)
            )
        except ResourceFailure as failure:
            self._failed(resource, "UPDATE", failure)
        resource.stack_tags = dict(tags)
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
        if resource.physical_id is not None:
            self.stack.note(resource, "DELETE_IN_PROGRESS")
            work = self._work(resource, resource.stack_tags, {})
            try:
                self._guarded(lambda: resource.type.delete(work, resource.physical_id or "", resource.properties))
            except ResourceFailure as failure:
                self.stack.note(resource, "DELETE_FAILED", str(failure))
                return False
        self.stack.note(resource, "DELETE_COMPLETE")
        return True


def _ordered(resources: list[Resource]) -> list[Resource]:
    by_name = {each.logical_id: each for each in resources}
    return [by_name[name] for name in order({name: each.needs & set(by_name) for name, each in by_name.items()})]
