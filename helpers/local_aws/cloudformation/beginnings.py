"""Begin work on a stack, whether a request of its own or a change set asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ..engine import clock, executor
from . import plan
from .deployment import Deployment
from .errors import Refused
from .services import Services
from .stacks import Request, Stack, Store

logger = logging.getLogger("local_aws.cloudformation")
store = Store()
_work = executor.Lanes("stack")

#: From these an update may begin. After a failed creation there is nothing that could be updated.
_UPDATABLE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"}


def start(stack: Stack, work: Callable[[], None]) -> None:
    """Work on a stack in the background; a deletion waits there for the creation that it has cancelled."""

    def run() -> None:
        try:
            work()
        except Exception as error:  # must not leave the stack in progress for ever
            logger.exception("the work on stack %s failed", stack.name)
            stack.turn(f"{stack.status.removesuffix('_IN_PROGRESS')}_FAILED", f"Internal Failure: {error}")

    _work.send(stack.id, run)


def begin_creation(stack: Stack, caller: Services, token: str | None) -> None:
    stack.token = token
    stack.turn("CREATE_IN_PROGRESS", "User Initiated")
    start(stack, Deployment(stack, store, caller).create)


def check_updatable(stack: Stack) -> None:
    if stack.status not in _UPDATABLE:
        raise Refused(f"Stack:{stack.id} is in {stack.status} state and can not be updated.")


def unchanged(stack: Stack, request: Request) -> bool:
    """Return whether the request says what the stack is already, however the template's text is laid out.

    Raises Refused.
    """
    plan.resources(stack, request, store)  # refuses what cannot be
    before = stack.request
    if stack.status == "UPDATE_FAILED":
        return False
    return (before.template.content, before.parameters, before.tags) == (
        request.template.content, request.parameters, request.tags
    )  # fmt: skip


def begin_update(stack: Stack, request: Request, caller: Services, token: str | None, disable_rollback: bool) -> None:
    stack.token, stack.updated_at = token, clock.utc()
    stack.turn("UPDATE_IN_PROGRESS", "User Initiated")
    start(stack, lambda: Deployment(stack, store, caller).update(request, disable_rollback))
