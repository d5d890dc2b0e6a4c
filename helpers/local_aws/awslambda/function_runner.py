"""Run one version of a function: invocations that somebody waits for, and asynchronous events."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from ..cloudwatch import metrics
from ..engine import clock, executor
from ..engine.clock import scaled
from ..engine.executor import Inbox
from ..execution.host import Host
from ..execution.invocation import FunctionSpec, Outcome, Work, lineage_of, new_id, new_trace_id
from . import async_queue, destinations
from .async_queue import (
    EVENT_AGE_EXCEEDED,
    RECURSION,
    SUCCESS,
    ZERO_CONCURRENCY,
    AsyncEvent,
    Configs,
    deadline,
    next_attempt,
)
from .concurrency import Concurrency
from .destinations import Ending
from .environment_pool import EnvironmentPool, close_all, drop, set_host

__all__ = ["FunctionRunner", "FunctionSpec", "Host", "Invocation", "TooManyRequests", "close_all", "set_host"]

logger = logging.getLogger("local_aws.function_runner")

_RECEIVED = {"AsyncEventsReceived": 1.0}


class TooManyRequests(Exception):
    """No environment can be had (HTTP 429, TooManyRequestsException).

    reserved: the function's own limit is reached; otherwise, that of the account.
    """

    def __init__(self, reserved: bool) -> None:
        super().__init__()
        self.reserved = reserved


@dataclass(frozen=True)
class Invocation:
    """A synchronous invocation's result: the answer as JSON, "Unhandled" if it is an error, the log's last 4 KB."""

    request_id: str
    payload: bytes
    function_error: str | None
    log_tail: bytes


class FunctionRunner(EnvironmentPool):
    """One version of a function, and what becomes of its invocations.

    concurrency: shared by the function's versions; configs: how asynchronous events are treated, by qualifier.
    """

    def __init__(
        self, spec: FunctionSpec, concurrency: Concurrency | None = None, configs: Configs | None = None
    ) -> None:
        super().__init__(spec, concurrency or Concurrency())
        self._configs = configs if configs is not None else {}
        self._lineage = lineage_of(spec.arn)
        self._dimensions = {"FunctionName": spec.name}
        self._look_at = math.inf  # when to look for events that are too old, in clock.uptime()

    def invoke(
        self, payload: bytes, *, request_id: str, client_context: str | None = None, hops: int = 0, root: str = ""
    ) -> Invocation:
        """Run the function and wait for its answer. Raises TooManyRequests when no environment can be had."""
        answers: Inbox[Outcome] = Inbox()
        trace_id = new_trace_id(self._lineage, hops, root)
        work = Work(request_id, payload, lambda _, outcome: self._answered(answers, outcome), client_context, trace_id)
        with self._lock:
            if not self._took(work):
                self._waiting_callers.append(work)
                if len(self._waiting_callers) > self.starting() and not self._start_environment():
                    self._waiting_callers.remove(work)
                    self._concurrency.executing -= 1
                    raise self._throttled(reserved=False)
        outcome = answers.get()
        error = "Unhandled" if outcome.error_type else None
        return Invocation(request_id, outcome.payload, error, outcome.log_tail)

    def begin(self, payload: bytes, done: Callable[[Outcome], object], *, hops: int = 0, root: str = "") -> None:
        """Run the function with a batch of an event source, and return at once; `done` is called at the end.

        hops: through how many functions it has come, in the chain `root`.
        Raises TooManyRequests when the function's concurrency leaves no room. Otherwise the batch waits for a free
        environment as events do, after those who wait for an answer and before events.
        """
        trace_id = new_trace_id(self._lineage, hops, root)
        work = Work(new_id(), payload, lambda _, outcome: self._batch_done(done, outcome), None, trace_id)
        with self._lock:
            if not self._took(work):
                self._batches.append(work)
                self._start_for_queue()

    def _took(self, work: Work) -> bool:
        """Count an execution, and give its work away if that can be done at once: to an idle environment, or to nobody
        when all is over. Returns False for work that has to wait. Raises TooManyRequests. The lock is held.
        """
        if not self._closed and not self._concurrency.room():
            raise self._throttled(reserved=True)
        self._concurrency.executing += 1
        if self._closed:
            drop(work)
            return True
        return self._give_to_idle(work)

    def takes_batches(self) -> bool:
        """Return whether another batch would be run soon: not more of them wait than environments are starting."""
        with self._lock:
            return bool(self._idle) or len(self._batches) <= self.starting()

    def invoke_async(
        self, payload: bytes, *, request_id: str, hops: int = 0, root: str = "", qualifier: str = "$LATEST"
    ) -> None:
        """Queue an event for the function and return at once.

        hops: the functions it has come through; root: the chain of events that it belongs to; qualifier: what the
        caller named, and whose configuration holds.
        """
        trace_id = new_trace_id(self._lineage, hops, root)
        event = AsyncEvent(request_id, payload, self._async_done, None, trace_id, qualifier, clock.uptime())
        metrics.record("AWS/Lambda", self._dimensions, _RECEIVED)
        event.accepted()
        async_queue.put_row(self._spec, event, new=True)
        self._enqueue(event, start=True)

    def resume(self, kept: bytes) -> None:
        """Go on with an asynchronous event that an earlier server has left."""
        event, left, condition = async_queue.read_row(kept, self._async_done)
        event.accepted()
        if condition == SUCCESS:
            self._succeeded(event)
            event.over()
        elif condition is not None:
            self._give_up(event, condition)
        elif left:
            executor.later(left, lambda: self._enqueue(event, start=True))
        else:
            self._enqueue(event, start=True)

    def stop_recursion(self, payload: bytes, *, request_id: str, trace_id: str, qualifier: str) -> None:
        """Drop an event that has gone round too often: it is not run."""
        event = AsyncEvent(request_id, payload, self._async_done, None, trace_id, qualifier, clock.uptime())
        metrics.record("AWS/Lambda", self._dimensions, {"AsyncEventsReceived": 1, "RecursiveInvocationsDropped": 1})
        self._give_up(event, RECURSION)

    def limit_changed(self) -> None:
        """Look again at what waits: the function's reserved concurrency or its configurations have changed."""
        with self._lock:
            unwanted = self._queue.take_all() if self._concurrency.reserved == 0 else []
            self.serve_queue()
        for event in unwanted:
            self._give_up(event, ZERO_CONCURRENCY)
        executor.soon(self._drop_expired)

    def _enqueue(self, event: AsyncEvent, start: bool) -> None:
        """Hand an event to an idle environment or let it wait. start: for a new environment, if need be."""
        with self._lock:
            if self._closed:
                event.over()
                return
            room = self._concurrency.room()
            if room and not self._queue and self._give_to_idle(event):
                self._concurrency.executing += 1
                return
            refused = self._concurrency.reserved == 0
            if not refused:
                self._queue.append(event)
                if start:
                    self._start_for_queue()
                self._look_for_old_events(deadline(event, self._configs))
        if not room:
            metrics.record("AWS/Lambda", self._dimensions, {"Throttles": 1})
        if refused:
            self._give_up(event, ZERO_CONCURRENCY)

    def _answered(self, answers: Inbox[Outcome], outcome: Outcome) -> None:
        with self._lock:
            self._concurrency.executing -= 1
        answers.put(outcome)

    def _batch_done(self, done: Callable[[Outcome], object], outcome: Outcome) -> None:
        with self._lock:
            self._concurrency.executing -= 1
        done(outcome)

    def _async_done(self, event: AsyncEvent, outcome: Outcome) -> None:
        """End an asynchronous invocation: a failed one is retried or dropped."""
        with self._lock:
            self._concurrency.executing -= 1
            if self._closed:
                event.over()
                return
        if outcome.error_type is None and not self._configs:
            event.over()
            async_queue.delete_row(self._spec, event)
            return
        event.attempts += 1
        event.last = outcome
        if outcome.error_type is None:
            self._succeeded(event)
            event.over()
            return
        delay, condition = next_attempt(event, self._configs)
        logger.info("%s: %s failed: %s", self._spec.name, outcome.request_id, outcome.error_type)
        if condition is not None:
            self._give_up(event, condition)
            return
        event.waited += delay
        async_queue.put_row(self._spec, event, due=clock.uptime() + scaled(delay))
        if scaled(delay):
            executor.later(scaled(delay), lambda: self._enqueue(event, start=True))
        else:  # this environment is about to ask for work
            self._enqueue(event, start=False)

    def _succeeded(self, event: AsyncEvent) -> None:
        config = self._configs.get(event.qualifier)
        if config and config.on_success:
            async_queue.put_row(self._spec, event, condition=SUCCESS)
            self._report(config.on_success, Ending(event, self._spec, SUCCESS))
            self._forget(event)
        else:
            async_queue.delete_row(self._spec, event)

    def _give_up(self, event: AsyncEvent, condition: str) -> None:
        """Lambda drops an event; destination and dead-letter queue keep what they are to keep of it."""
        metrics.record("AWS/Lambda", self._dimensions, {"AsyncEventsDropped": 1})
        async_queue.put_row(self._spec, event, condition=condition)
        ending = Ending(event, self._spec, condition)
        config = self._configs.get(event.qualifier)
        if config and config.on_failure:
            self._report(config.on_failure, ending)
        if self._spec.dead_letter_arn:
            executor.soon(lambda: destinations.send_to_dead_letter_queue(ending))
        event.over()
        self._forget(event)

    def _forget(self, event: AsyncEvent) -> None:
        """Nothing is left to do for an event but what is to be done before this."""
        executor.soon(lambda: async_queue.delete_row(self._spec, event))

    def _report(self, destination: str, ending: Ending) -> None:
        executor.soon(lambda: destinations.deliver(ending, destination))

    def _look_for_old_events(self, moment: float) -> None:
        """See to it that events which are too old at a moment (in clock.uptime()) are dropped then."""
        if moment < self._look_at:
            self._look_at = moment
            # Not at once again, should the sums differ in their last digit.
            executor.later(max(0.01, moment - clock.uptime()), lambda: self._look(moment))

    def _look(self, moment: float) -> None:
        if moment == self._look_at:  # and no earlier one has been found since
            self._drop_expired()

    def _drop_expired(self) -> None:
        """Drop events that have waited too long."""
        with self._lock:
            expired = self._queue.take_expired(self._configs)
            self._look_at = math.inf
            self._look_for_old_events(self._queue.first_deadline(self._configs))
        for event in expired:
            self._give_up(event, EVENT_AGE_EXCEEDED)

    def _throttled(self, reserved: bool) -> TooManyRequests:
        metrics.record("AWS/Lambda", self._dimensions, {"Throttles": 1})
        return TooManyRequests(reserved)
