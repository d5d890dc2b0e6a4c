"""Work on a stack as a whole: make it, change it, delete it, and take it all back on a failure.

One resource at a time. AWS works on independent ones at once, so its events may come in another order. The stack's
status, its resources and its `operation` say how far the work has come; a process that finds them on disk goes on.
Statuses: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/view-stack-events.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine import clock
from . import plan
from .errors import Refused, ResourceFailure
from .operation import Change, Operation, Replacement
from .resource import Resource
from .services import Services
from .stacks import Stack, Store, changing
from .steps import StepFailed, Steps


class Cancelled(Exception):
    """A deletion has overtaken this work."""


class Deployment(Steps):
    """One piece of work on one stack; runs in the background."""

    def __init__(self, stack: Stack, store: Store, services: Services, operation: Operation) -> None:
        super().__init__(stack, store, services)
        self.operation = operation

    def go_on(self) -> None:
        """Do the work from where it is: from the beginning, or from where an earlier process has left it."""
        parts = {
            "CREATE_IN_PROGRESS": self._create_all,
            "ROLLBACK_IN_PROGRESS": self._roll_back_creation,
            "DELETE_IN_PROGRESS": self._delete_stack,
            "UPDATE_IN_PROGRESS": self._update,
            "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": self._clean_up,
            "UPDATE_ROLLBACK_IN_PROGRESS": self._take_back,
            "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": self._clean_up_after_rollback,
        }
        part = parts.get(self.stack.status)
        if part is not None:  # nobody else has done it meanwhile
            part()

    # Creation

    def _create_all(self) -> None:
        """Bring the stack from CREATE_IN_PROGRESS to CREATE_COMPLETE, or to what OnFailure says."""
        stack = self.stack
        try:
            for logical_id, resource in plan.resources(stack, stack.request, self.store).items():
                self._stop_if_cancelled()
                current = stack.resources.setdefault(logical_id, resource)
                if current.status != "CREATE_COMPLETE":
                    self._make(current, stack.request, "CREATE")
            outputs = plan.outputs(stack, stack.request, self.store)
            with changing:
                self._stop_if_cancelled()
                stack.outputs = outputs
                stack.turn("CREATE_COMPLETE")
        except Cancelled:
            return
        except (StepFailed, Refused) as failure:
            self._creation_failed(str(failure))

    def _stop_if_cancelled(self) -> None:
        if self.stack.cancelled:
            raise Cancelled

    def _creation_failed(self, reason: str) -> None:
        stack = self.stack
        with changing:
            if stack.cancelled:
                return
            if stack.on_failure == "DO_NOTHING":
                stack.turn("CREATE_FAILED", reason)
            elif stack.on_failure == "DELETE":
                stack.turn("DELETE_IN_PROGRESS", f"{reason}Delete requested by user.")
            else:
                stack.turn("ROLLBACK_IN_PROGRESS", f"{reason}Rollback requested by user.")
        if stack.in_progress:
            self.go_on()

    def _roll_back_creation(self) -> None:
        failed = self._delete(self.stack.resources.values(), _kept_after_failed_creation)
        self.stack.turn("ROLLBACK_FAILED" if failed else "ROLLBACK_COMPLETE", _could_not_delete(failed))

    # Update

    def _update(self) -> None:
        """Bring the stack from UPDATE_IN_PROGRESS to UPDATE_COMPLETE, or back to how it was."""
        stack, operation = self.stack, self.operation
        request = operation.request
        assert request is not None
        try:
            wanted = plan.resources(stack, request, self.store)
            for resource in wanted.values():
                self._bring_up_to_date(resource)
            outputs = plan.outputs(stack, request, self.store)
        except (StepFailed, Refused) as failure:
            with changing:
                if operation.disable_rollback:
                    stack.remember_leftovers(operation)
                    stack.turn("UPDATE_FAILED", str(failure))
                    return
                stack.turn("UPDATE_ROLLBACK_IN_PROGRESS", str(failure))
            self._take_back()
            return
        with changing:
            operation.removed = [each for name, each in stack.resources.items() if name not in wanted and each.exists]
            stack.request, stack.outputs = request, outputs
            stack.turn("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up()

    def _bring_up_to_date(self, resource: Resource) -> None:
        stack, operation = self.stack, self.operation
        current = stack.resources.get(resource.logical_id)
        if current is not None and self._gone_on(current):
            return
        if current is None or not current.exists:
            with changing:
                stack.resources[resource.logical_id] = resource
                operation.made.append(resource)
            self._make_new(resource)
            return
        current.deletion_policy, current.replace_policy = resource.deletion_policy, resource.replace_policy
        former_needs, current.needs = current.needs, resource.needs
        request = operation.request
        assert request is not None
        try:
            new = self._evaluated(resource, request)
        except ResourceFailure as failure:
            stack.note(current, "UPDATE_IN_PROGRESS")
            self._failed(current, "UPDATE", failure)
        if resource.type_name != current.type_name or current.type.needs_replacement(current.properties, new):
            current.needs = former_needs
            self._replace(current, resource, new)
        elif new != current.properties or (current.type.takes_tags and current.stack_tags != request.tags):
            change = Change(current, current.properties, current.stack_tags, new, request.tags)
            operation.steps.append(change)
            self._change(change)

    def _gone_on(self, current: Resource) -> bool:
        """Go on with a resource that this update has begun with; returns whether it has."""
        change = self.operation.change_of(current)
        if any(current is each for each in self.operation.made):
            self._make_new(current)
        elif change is not None:
            if current.status == "UPDATE_FAILED":
                raise StepFailed("update", current.logical_id)
            if current.status != "UPDATE_COMPLETE":
                self._change(change)
        else:
            return False
        return True

    def _make_new(self, resource: Resource) -> None:
        """Make a resource that the stack did not have, or that takes another one's place; or go on with that."""
        request = self.operation.request
        assert request is not None
        places = [step.resource.logical_id for step in self.operation.steps if isinstance(step, Replacement)]
        verb = "UPDATE" if resource.logical_id in places else "CREATE"
        if resource.status != f"{verb}_COMPLETE":
            self._make(resource, request, verb)

    def _replace(self, current: Resource, resource: Resource, new: dict[str, Any]) -> None:
        """Make another resource in the place of this one, which stays until everything else is done."""
        stack, operation, naming = self.stack, self.operation, current.type.named_by
        with changing:
            if not any(step.resource is current for step in operation.steps):
                operation.steps.append(Replacement(current))
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
        with changing:
            stack.resources[resource.logical_id] = resource
            operation.made.append(resource)
            operation.replaced.append(current)
        self._make_new(resource)

    def _clean_up(self) -> None:
        """Delete what an update that is through has replaced or no longer wants."""
        stack, operation = self.stack, self.operation
        gone = [*operation.replaced, *stack.leftovers]
        failed = self._delete([*operation.removed, *gone], _kept_after_update(operation.removed), gone)
        # In the order of the template, and without what the template no longer has.
        wanted = plan.resources(stack, stack.request, self.store)
        with changing:
            stack.resources = {name: stack.resources[name] for name in wanted}
            stack.leftovers = []
            stack.turn("UPDATE_COMPLETE", _left_behind(failed))

    def _take_back(self) -> None:
        """Take an update back, the last of its steps first."""
        stack, steps = self.stack, self.operation.steps
        try:
            while steps:
                step = steps[-1]
                if isinstance(step, Change):
                    self._change(step.reversed())
                    steps.pop()
                else:
                    self._put_back(step.resource)
        except StepFailed as failure:
            with changing:
                stack.remember_leftovers(self.operation)
                stack.turn("UPDATE_ROLLBACK_FAILED", str(failure))
            return
        stack.turn("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
        self._clean_up_after_rollback()

    def _put_back(self, former: Resource) -> None:
        with changing:
            self.operation.steps.pop()
            self.stack.resources[former.logical_id] = former
            self.stack.note(former, "UPDATE_COMPLETE")

    def _clean_up_after_rollback(self) -> None:
        stack, made = self.stack, self.operation.made
        failed = self._delete(made, _kept_after_failed_creation)
        with changing:
            for resource in made:
                if stack.resources.get(resource.logical_id) is resource:
                    del stack.resources[resource.logical_id]
            stack.turn("UPDATE_ROLLBACK_COMPLETE", _left_behind(failed))

    # Deletion

    def _delete_stack(self) -> None:
        """Bring the stack from DELETE_IN_PROGRESS to DELETE_COMPLETE or DELETE_FAILED."""
        stack = self.stack
        for export in [output.get("ExportName") for output in stack.outputs]:
            importers = [name for name in self.store.importers(export) if name != stack.name] if export else []
            if importers:
                reason = f"Export {export} cannot be deleted as it is in use by {', '.join(importers)}"
                stack.turn("DELETE_FAILED", reason)
                return

        def keep(resource: Resource) -> bool:
            return resource.deletion_policy.startswith("Retain") or resource.logical_id in self.operation.retained

        failed = self._delete([*stack.resources.values(), *stack.leftovers], keep, stack.leftovers)
        with changing:
            stack.deleted_at = None if failed else clock.utc()
            stack.turn("DELETE_FAILED" if failed else "DELETE_COMPLETE", _could_not_delete(failed))


def _kept_after_failed_creation(resource: Resource) -> bool:
    return resource.deletion_policy == "Retain"


def _kept_after_update(removed: list[Resource]) -> Callable[[Resource], bool]:
    def keep(resource: Resource) -> bool:
        policy = resource.deletion_policy if resource in removed else resource.replace_policy
        return policy.startswith("Retain")

    return keep


def _could_not_delete(failed: list[str]) -> str | None:
    return f"The following resource(s) failed to delete: [{', '.join(failed)}]. " if failed else None


def _left_behind(failed: list[str]) -> str | None:
    return "Update successful. One or more resources could not be deleted." if failed else None
