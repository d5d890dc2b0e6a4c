"""Queue Lambda's asynchronous events: how long they wait, and what happens when the function fails.

An event whose invocation fails is retried, twice at most: one minute later and two minutes after that, under
the same request id. Then, or when it has become too old, Lambda drops it. Events that find the function at its
limit stay in the queue until there is room or they are too old.

An event ages while the account is up, whatever the clock on the wall says. Without a configuration it may be six hours
old, as on AWS: it has been accepted, and a laptop may be slow. An age that somebody has configured is there to be seen
at work, and scaled as the waits are.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html

An event has a row on disk from acceptance until nothing is left to do for it. One that was running, waiting or on its
way to a destination when the server died is taken up again from there. Like a worker that dies in the middle of an
invocation, that makes at least one delivery of every event, and sometimes two.
"""

from __future__ import annotations

import math
import pickle
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..account.backlog import BACKLOG
from ..engine import clock
from ..engine.clock import scaled
from ..execution.invocation import FunctionSpec, Outcome, Work
from ..storage import journal
from .event_invoke_config import MAX_EVENT_AGE, MAX_RETRIES, EventInvokeConfig

KIND = "async event"

#: Seconds, on AWS, before the first and before the second retry.
RETRY_DELAYS = (60.0, 120.0)

#: Why Lambda is through with an event, as it says in `requestContext.condition`. The last is ours: AWS's documentation
#: does not name the condition of an event that was stopped in a loop.
SUCCESS = "Success"
RETRIES_EXHAUSTED = "RetriesExhausted"
EVENT_AGE_EXCEEDED = "EventAgeExceeded"
ZERO_CONCURRENCY = "ZeroReservedConcurrency"
RECURSION = "RecursiveInvocation"

Configs = Mapping[str, EventInvokeConfig]


@dataclass(eq=False)
class AsyncEvent(Work):
    """An event on its way to a function that nobody waits for."""

    qualifier: str = "$LATEST"  # as it was invoked: $LATEST, a version or an alias
    received: float = 0.0  # clock.uptime() when Lambda took it
    attempts: int = 0  # invocations that have ended
    waited: float = 0.0  # AWS's seconds between the attempts
    last: Outcome | None = None  # how the last attempt ended
    counted: bool = field(default=False, init=False)  # in the account's backlog

    def accepted(self) -> None:
        """Count the event, which Lambda has taken, until it is over."""
        self.counted = True
        BACKLOG.add(len(self.payload))

    def over(self) -> None:
        """Stop counting the event: it has succeeded, or was dropped, or its function is gone."""
        if self.counted:
            self.counted = False
            BACKLOG.done(len(self.payload))


def next_attempt(event: AsyncEvent, configs: Configs) -> tuple[float, str | None]:
    """Return (AWS's seconds until the next attempt, None), or (0.0, the condition under which there is none)."""
    config = configs.get(event.qualifier)
    retries = MAX_RETRIES if config is None or config.retries is None else config.retries
    if event.attempts > retries:
        return 0.0, RETRIES_EXHAUSTED
    delay = RETRY_DELAYS[event.attempts - 1]
    if _too_old(event, delay, _configured_age(event, configs)):
        return 0.0, EVENT_AGE_EXCEEDED
    return delay, None


def _too_old(event: AsyncEvent, delay: float, configured: int | None) -> bool:
    """Tell whether an event will be too old after another of AWS's waits."""
    age = clock.uptime() - event.received
    if configured is None:
        return age + scaled(delay) > MAX_EVENT_AGE
    # Waits count as long as they are on AWS, all else as long as it took.
    return age + event.waited - scaled(event.waited) + delay > configured


def deadline(event: AsyncEvent, configs: Configs) -> float:
    """Return the moment, in clock.uptime(), when an event that waits in the queue is too old."""
    configured = _configured_age(event, configs)
    if configured is None:
        return event.received + MAX_EVENT_AGE
    return event.received + scaled(configured) if clock.scale() else math.inf  # without waits nothing becomes old


def _configured_age(event: AsyncEvent, configs: Configs) -> int | None:
    config = configs.get(event.qualifier)
    return None if config is None else config.max_age


class AsyncQueue(deque[AsyncEvent]):
    """Events that wait for an environment, oldest first (but for retries)."""

    def first_deadline(self, configs: Configs) -> float:
        """Return the moment, in clock.uptime(), when the first of the events will be too old; never without any."""
        return min((deadline(event, configs) for event in self), default=math.inf)

    def take_expired(self, configs: Configs) -> list[AsyncEvent]:
        """Remove those that are too old, and return them."""
        now = clock.uptime()
        events = self.take_all()
        expired = {event for event in events if deadline(event, configs) <= now}
        self.extend(event for event in events if event not in expired)
        return [event for event in events if event in expired]

    def take_all(self) -> list[AsyncEvent]:
        """Empty the queue."""
        events = list(self)
        self.clear()
        return events


def put_row(
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


def delete_row(spec: FunctionSpec, event: AsyncEvent) -> None:
    journal.delete(KIND, _owner(spec), event.request_id)


def delete_rows(arn: str, version: str) -> None:
    """Delete all that was queued for a function's version: the version is deleted."""
    journal.delete_all(KIND, f"{arn}:{version}")


def read_row(value: bytes, done: Callable[[Any, Outcome], None]) -> tuple[AsyncEvent, float, str | None]:
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
