"""Work on a stack as a whole: make it, change it, delete it, and take it all back on a failure.

One resource at a time. AWS works on independent ones at once, so its events may come in another order.
Statuses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..engine import clock
from . import plan
from .errors import Refused, ResourceFailure
from .stacks import Request, Resource
from .steps import StepFailed, Steps


class Cancelled(Exception):
    """A deletion has overtaken this work."""


class _Undo:
    """What takes an update back: steps for what has changed, and the resources that it has made."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], None]] = []
        self.made: list[Resource] = []
        self.replaced: list[Resource] = []  # to be deleted once the update is through


class Deployment(Steps):
    """One piece of work on one stack; runs in the background."""

    def create(self) -> None:
        """Bring the stack from CREATE_IN_PROGRESS to CREATE_COMPLETE, or to what OnFailure says."""
        stack = self.stack
        try:
            for logical_id, resource in plan.resources(stack, stack.request, self.store).items():
                self._stop_if_cancelled()
                stack.resources[logical_id] = resource
                self._make(resource, stack.request, "CREATE")
            stack.outputs = plan.outputs(stack, stack.request, self.store)
        except Cancelled:
            return
        except (StepFailed, Refused) as failure:
            self._creation_failed(str(failure))
        else:
            stack.turn("CREATE_COMPLETE")

    def _stop_if_cancelled(self) -> None:
        if self.stack.cancelled:
            raise Cancelled

    def _creation_failed(self, reason: str) -> None:
        stack = self.stack
        if stack.cancelled:
            return
        if stack.on_failure == "DO_NOTHING":
            stack.turn("CREATE_FAILED", reason)
        elif stack.on_failure == "DELETE":
            stack.turn("DELETE_IN_PROGRESS", f"{reason}Delete requested by user.")
            self._delete_all()
        else:
            stack.turn("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
            failed = self._delete(stack.resources.values(), self._keep_after_failed_creation)
            stack.turn("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", _could_not_delete(failed))

    @staticmethod
    def _keep_after_failed_creation(resource: Resource) -> bool:
        return resource.deletion_policy == "Retain"

    def update(self, request: Request, disable_rollback: bool) -> None:
        """Bring the stack from UPDATE_IN_PROGRESS to UPDATE_COMPLETE, or back to how it was."""
        stack, undo = self.stack, _Undo()
        former = dict(stack.resources)
        try:
            wanted = plan.resources(stack, request, self.store)
            for resource in wanted.values():
                self._bring_up_to_date(resource, request, undo)
            removed = [each for name, each in former.items() if name not in wanted and each.exists]
            outputs = plan.outputs(stack, request, self.store)
        except (StepFailed, Refused) as failure:
            if disable_rollback:
                stack.turn("UPDATE_FAILED", str(failure))
            else:
                self._take_back(undo, str(failure))
            return
        stack.request, stack.outputs = request, outputs
        stack.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        failed = self._delete([*removed, *undo.replaced], _kept_after_update(removed), undo.replaced)
        # In the order of the template, and without what the template no longer has.
        stack.resources = {name: stack.resources[name] for name in wanted}
        stack.turn("UPDATE_COMPLETE", _left_behind(failed))

    def _bring_up_to_date(self, resource: Resource, request: Request, undo: _Undo) -> None:
        stack, logical_id = self.stack, resource.logical_id
        current = stack.resources.get(logical_id)
        if current is None or not current.exists:
            stack.resources[logical_id] = resource
            undo.made.append(resource)
            self._make(resource, request, "CREATE")
            return
        current.deletion_policy, current.replace_policy = resource.deletion_policy, resource.replace_policy
        former_needs, current.needs = current.needs, resource.needs
        try:
            new = self._evaluated(resource, request)
        except ResourceFailure as failure:
            stack.note(current, "UPDATE_IN_PROGRESS")
            self._failed(current, "UPDATE", failure)
        if resource.type_name != current.type_name or current.type.needs_replacement(current.properties, new):
            current.needs = former_needs
            undo.steps.append(lambda: self._put_back(current))
            self._replace(current, resource, new, request, undo)
        elif new != current.properties or (current.type.takes_tags and current.stack_tags != request.tags):
            old, old_tags = current.properties, current.stack_tags
            undo.steps.append(lambda: self._change(current, old, old_tags))
            self._change(current, new, request.tags)

    def _replace(
        self, current: Resource, resource: Resource, new: dict[str, Any], request: Request, undo: _Undo
    ) -> None:
        """Make another resource in the place of this one, which stays until everything else is done."""
        stack, naming = self.stack, current.type.named_by
        stack.note(
            current,
            "UPDATE_IN_PROGRESS",
            "Requested update requires the creation of a new physical resource; hence creating one.",
        )
        same_type = resource.type_name == current.type_name
        if same_type and naming in new and new[naming] == current.properties.get(naming):
            message = (
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {new[naming]} and update the stack again."
            )
            self._failed(current, "UPDATE", ResourceFailure(message))
        stack.resources[resource.logical_id] = resource
        undo.made.append(resource)
        self._make(resource, request, "UPDATE", announce=False)
        undo.replaced.append(current)

    def _put_back(self, former: Resource) -> None:
        self.stack.resources[former.logical_id] = former
        self.stack.note(former, "UPDATE_COMPLETE")

    def _take_back(self, undo: _Undo, reason: str) -> None:
        stack = self.stack
        stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", reason)
        try:
            for step in reversed(undo.steps):
                step()
        except StepFailed as failure:
            stack.turn("UPDATE_ROLLBACK_FAILED", str(failure))
            return
        stack.turn("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        failed = self._delete(undo.made, self._keep_after_failed_creation)
        for resource in undo.made:
            if stack.resources.get(resource.logical_id) is resource:
                del stack.resources[resource.logical_id]
        stack.turn("UPDATE_ROLLBACK_COMPLETE", _left_behind(failed))

    def delete(self, retained: Iterable[str] = ()) -> None:
        """Bring the stack from DELETE_IN_PROGRESS to DELETE_COMPLETE or DELETE_FAILED."""
        for export in [output.get("ExportName") for output in self.stack.outputs]:
            importers = [name for name in self.store.importers(export) if name != self.stack.name] if export else []
            if importers:
                reason = f"Export {export} cannot be deleted as it is in use by {', '.join(importers)}"
                self.stack.turn("DELETE_FAILED", reason)
                return
        self._delete_all(set(retained))

    def _delete_all(self, retained: Iterable[str] = ()) -> None:
        stack = self.stack

        def keep(resource: Resource) -> bool:
            return resource.deletion_policy.startswith("Retain") or resource.logical_id in retained

        failed = self._delete(stack.resources.values(), keep)
        stack.deleted_at = None if failed else clock.utc()
        stack.turn("DELETE_FAILED" if failed else "DELETE_COMPLETE", _could_not_delete(failed))


def _kept_after_update(removed: list[Resource]) -> Callable[[Resource], bool]:
    def keep(resource: Resource) -> bool:
        policy = resource.deletion_policy if resource in removed else resource.replace_policy
        return policy.startswith("Retain")

    return keep


def _could_not_delete(failed: list[str]) -> str | None:
    return f"The following resource(s) failed to delete: [{', '.join(failed)}]. " if failed else None


def _left_behind(failed: list[str]) -> str | None:
    return "Update successful. One or more resources could not be deleted." if failed else None
