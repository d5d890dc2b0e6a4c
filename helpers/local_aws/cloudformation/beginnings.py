"""Begin work on a stack, whether a request of its own or a change set asks for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from ..account.credentials import Credentials
from ..engine import clock, executor
from . import plan
from .deployment import Deployment
from .errors import Refused
from .operation import Operation
from .resource import Request
from .services import Services
from .stacks import AccountEnds, Stack, Store, changing

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
        except AccountEnds:
            pass
        except Exception as error:  # must not leave the stack in progress for ever
            logger.exception("the work on stack %s failed", stack.name)
            stack.give_up(f"Internal Failure: {error}")

    _work.send(stack.id, run)


def resume(endpoint_url: str, find_credentials: Callable[[str], Credentials | None]) -> None:
    """Go on with the work that an earlier process was in the middle of, as whoever asked for it."""
    for stack in store.unfinished():
        operation = stack.operation if stack.in_progress else None
        credentials = find_credentials(operation.access_key_id) if operation is not None else None
        if operation is not None and credentials is not None:
            start(stack, Deployment(stack, store, Services(endpoint_url, credentials, stack.region), operation).go_on)
        elif stack.in_progress:
            why = "the credentials with which it worked are no longer valid." if operation else "it cannot go on."
            stack.give_up(f"The embedded AWS ended in the middle, and {why}")


def _begin(stack: Stack, status: str, operation: Operation, caller: Services, token: str | None) -> None:
    with changing:
        stack.token, stack.operation = token, operation
        stack.turn(status, "User Initiated")
    start(stack, Deployment(stack, store, caller, operation).go_on)


def begin_creation(stack: Stack, caller: Services, token: str | None) -> None:
    with changing:
        store.add(stack)
        _begin(stack, "CREATE_IN_PROGRESS", Operation(caller.access_key_id), caller, token)


def begin_deletion(stack: Stack, caller: Services, token: str | None, retained: Iterable[str]) -> None:
    with changing:
        stack.cancelled = True
        operation = Operation(caller.access_key_id, retained=frozenset(retained))
        _begin(stack, "DELETE_IN_PROGRESS", operation, caller, token)


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
    with changing:
        stack.updated_at = clock.utc()
        operation = Operation(caller.access_key_id, request, disable_rollback)
        _begin(stack, "UPDATE_IN_PROGRESS", operation, caller, token)
