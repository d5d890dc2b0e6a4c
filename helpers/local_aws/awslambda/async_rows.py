"""Keep asynchronous events of functions on disk: a row from acceptance until nothing is left to do for it.

An event that was running, waiting or on its way to a destination when the server died is taken up again from here. Like
a worker that dies in the middle of an invocation, that makes at least one delivery of every event, and sometimes two.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from ..engine import clock
from ..execution.invocation import FunctionSpec, Outcome
from ..storage import journal
from .async_queue import RETRY_DELAYS, AsyncEvent

KIND = "async event"


def put(
    spec: FunctionSpec, event: AsyncEvent, *, due: float = 0.0, condition: str | None = None, new: bool = False
) -> None:
    """Keep an event as it is. due: when (clock.uptime()) it is to run, at the earliest; condition: why it is over, and
    only its destinations are still to be told."""
    if journal.store is None:
        return
    last = event.last
    value = (
        event.request_id,
        event.payload,
        event.trace_id,
        event.qualifier,
        event.received,
        event.attempts,
        event.waited,
        None if last is None else (last.request_id, last.payload, last.error_type, last.log_tail),
        due,
        condition,
    )
    journal.put(KIND, _owner(spec), event.request_id, pickle.dumps(value, 5), new=new)


def delete(spec: FunctionSpec, event: AsyncEvent) -> None:
    journal.delete(KIND, _owner(spec), event.request_id)


def delete_all(arn: str, version: str) -> None:
    """Delete all that was queued for a function's version: the version is deleted."""
    journal.delete_all(KIND, f"{arn}:{version}")


def read(value: bytes, done: Callable[[Any, Outcome], None]) -> tuple[AsyncEvent, float, str | None]:
    """Return (event, seconds that are left to wait, the condition under which it is over) of a row. done: see Work.

    The uptime of a process that was killed is known roughly: what a row says may lie a little after this one's.
    """
    request_id, payload, trace_id, qualifier, received, attempts, waited, last, due, condition = pickle.loads(value)
    outcome = None if last is None else Outcome(*last)
    received = min(received, clock.uptime())
    event = AsyncEvent(request_id, payload, done, None, trace_id, qualifier, received, attempts, waited, outcome)
    left = min(due - clock.uptime(), clock.scaled(max(RETRY_DELAYS)))
    return event, max(0.0, left), condition


def resume(versions: dict[str, Any]) -> int:
    """Go on with all events. `versions`: all functions by ARN with the version. Returns how many there are."""
    assert journal.store is not None
    count = 0
    for owner, request_id, value in list(journal.store.rows(KIND)):
        function = versions.get(owner)
        if function is None:
            journal.delete(KIND, owner, request_id)
        else:
            function.resume(value)
            count += 1
    return count


def _owner(spec: FunctionSpec) -> str:
    return f"{spec.arn}:{spec.version}"
