"""Runs one function: its execution environments, and the queue of its asynchronous invocations.

Lambda gives every invocation that overlaps with another an environment of its own, and uses an idle one
again. Here the environments share a laptop, so asynchronous events wait for a free environment as long as the
busy ones are quick about it; an environment whose invocation takes long (it waits for something) no longer
counts, and another one is started.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections import deque
from dataclasses import dataclass

from .execution_environment import ExecutionEnvironment
from .host import Host, worker_variables
from .invocation import FunctionSpec, Outcome, Work, lineage_of, new_trace_id

__all__ = ["FunctionRunner", "FunctionSpec", "Host", "Invocation", "TooManyRequests"]

logger = logging.getLogger("local_aws.function_runner")

#: Environments of all functions together: the number of concurrent executions that AWS grants a new account.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ENVIRONMENTS = 10
#: Quick environments that one function's asynchronous events keep busy: more would only share the same cores.
QUICK_ENVIRONMENTS = max(2, min(4, os.cpu_count() or 2))
#: Seconds after which an idle environment ends. AWS does not say how long it keeps them; minutes are usual.
IDLE_SECONDS = 600.0


class TooManyRequests(Exception):
    """All environments are busy, and no more may be started (HTTP 429, TooManyRequestsException)."""


@dataclass(frozen=True)
class Invocation:
    """A synchronous invocation's result: the answer as JSON, "Unhandled" if it is an error, the log's last 4 KB."""

    request_id: str
    payload: bytes
    function_error: str | None
    log_tail: bytes


_host: Host | None = None
_census = threading.RLock()  # guards the list of runners and the number of their environments
_runners: list[FunctionRunner] = []
_starved: set[FunctionRunner] = set()  # runners that wanted an environment when there were too many


def set_host(host: Host) -> None:
    """Tell all runners of this process which account they belong to."""
    global _host
    _host = host


class FunctionRunner:
    """One function's environments and its asynchronous queue."""

    def __init__(self, spec: FunctionSpec) -> None:
        self._spec = spec
        self._lineage = lineage_of(spec.arn)
        self._lock = threading.Lock()
        self._waiting_callers: deque[Work] = deque()  # synchronous: somebody waits for the answer
        self._queue: deque[Work] = deque()  # asynchronous
        self._environments: list[ExecutionEnvironment] = []
        self._idle: dict[ExecutionEnvironment, queue.SimpleQueue[Work | None]] = {}
        self._closed = False
        with _census:
            _runners.append(self)

    def update(self, spec: FunctionSpec) -> None:
        """New code or configuration: busy environments finish, and no environment is used again."""
        with self._lock:
            self._spec = spec
            self._dismiss_idle()

    def close(self) -> None:
        """The function is deleted: its environments end now, and what is queued is dropped."""
        with self._lock:
            self._closed = True
            while self._waiting_callers:
                _drop(self._waiting_callers.popleft())
            self._queue.clear()
            self._dismiss_idle()
            environments = list(self._environments)
        for environment in environments:
            environment.kill()
        with _census:
            if self in _runners:
                _runners.remove(self)
        for environment in environments:
            environment.join(2.0)

    def invoke(self, payload: bytes, *, request_id: str, client_context: str | None = None) -> Invocation:
        """Run the function and wait for its answer. Raises TooManyRequests when no environment can be had."""
        answers: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        work = Work(request_id, payload, answers.put, client_context, new_trace_id(self._lineage))
        with self._lock:
            if self._closed:
                _drop(work)
            elif not self._give_to_idle(work):
                self._waiting_callers.append(work)
                if len(self._waiting_callers) > self._starting() and not self._start_environment():
                    self._waiting_callers.remove(work)
                    raise TooManyRequests
        outcome = answers.get()
        error = "Unhandled" if outcome.error_type else None
        return Invocation(request_id, outcome.payload, error, outcome.log_tail)

    def invoke_async(self, payload: bytes, *, request_id: str, hops: int = 0) -> None:
        """Queue an event for the function and return at once. hops: the functions it has come through."""
        work = Work(request_id, payload, self._async_done, trace_id=new_trace_id(self._lineage, hops))
        with self._lock:
            if self._closed:
                return
            if self._queue or not self._give_to_idle(work):
                self._queue.append(work)
                self._start_for_queue()

    def _async_done(self, outcome: Outcome) -> None:
        """An asynchronous invocation has ended. Lambda's own retries and destinations belong here."""
        if outcome.error_type:
            logger.info("%s: %s failed: %s", self._spec.name, outcome.request_id, outcome.error_type)

    # What environments ask (the protocol Pool); called on their threads.

    def next_work(self, environment: ExecutionEnvironment) -> Work | None:
        with self._lock:
            if self._closed or environment.spec is not self._spec:
                return None
            if self._waiting_callers:
                return self._waiting_callers.popleft()
            if self._queue:
                return self._queue.popleft()
            inbox: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
            self._idle[environment] = inbox
        _feed_starved()
        try:
            return inbox.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            with self._lock:  # unless work was handed over just now
                return None if self._idle.pop(environment, None) is not None else inbox.get()

    def take_back(self, work: Work) -> None:
        with self._lock:
            if self._closed:
                _drop(work)
            elif work.done == self._async_done:
                self._queue.appendleft(work)
            else:
                self._waiting_callers.appendleft(work)

    def take_failed_start(self) -> Work | None:
        with self._lock:
            if self._waiting_callers:
                return self._waiting_callers.popleft()
            return self._queue.popleft() if self._queue else None

    def busy_for_long(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            self._start_for_queue()

    def ended(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            if environment in self._environments:
                self._environments.remove(environment)
            self._idle.pop(environment, None)
            if not self._closed:
                self._start_where_needed()
        _feed_starved()

    # Below: called with the lock held.

    def _give_to_idle(self, work: Work) -> bool:
        """Hand work to the idle environment that was used last: its caches are warm, and the others can end."""
        while self._idle:
            environment, inbox = self._idle.popitem()
            if environment.alive:
                inbox.put(work)
                return True
            inbox.put(None)
        return False

    def _starting(self) -> int:
        return sum(not environment.initialised for environment in self._environments)

    def _start_where_needed(self) -> None:
        """Start environments for all who wait: callers first, then events."""
        while len(self._waiting_callers) > self._starting() and self._start_environment():
            pass
        self._start_for_queue()

    def _start_for_queue(self) -> None:
        """Start environments while events wait and the busy environments are few, or slow."""
        while len(self._queue) > self._starting():
            quick = sum(not environment.slow for environment in self._environments)
            if quick >= QUICK_ENVIRONMENTS or not self._start_environment():
                return

    def _start_environment(self) -> bool:
        if _host is None:
            raise RuntimeError("set_host() was not called")
        with _census:
            if sum(len(runner._environments) for runner in _runners) >= MAX_ENVIRONMENTS and not _dismiss_oldest():
                _starved.add(self)
                return False
            credentials = _host.credentials_for(self._spec.role_arn, self._spec.name)
            environment = ExecutionEnvironment(
                self._spec,
                self,
                worker_variables(self._spec, credentials, _host),
                list(_host.command),
                _host.write_log,
            )
            self._environments.append(environment)
        return True

    def _dismiss_idle(self) -> None:
        while self._idle:
            self._idle.popitem()[1].put(None)


def _drop(work: Work) -> None:
    """The function was deleted before it could be invoked: nobody waits for an answer that will not come."""
    work.done(Outcome(work.request_id, b'{"errorMessage":"The function was deleted."}', "Unhandled", b""))


def _dismiss_oldest() -> bool:
    """Make room: end the environment, of any function, that has been idle longest. True when one was found."""
    idle = [(environment.idle_since, runner, environment) for runner in _runners for environment in list(runner._idle)]
    for _, runner, environment in sorted(idle, key=lambda entry: entry[0]):
        inbox = runner._idle.pop(environment, None)
        if inbox is not None:
            if environment in runner._environments:
                runner._environments.remove(environment)
            inbox.put(None)
            return True
    return False


def _feed_starved() -> None:
    """An environment has become free or has ended: let those start one that could not before."""
    while _starved:
        try:
            runner = _starved.pop()
        except KeyError:
            return
        with runner._lock:
            runner._start_where_needed()
            if runner in _starved:
                return


def close_all() -> None:
    """End every environment of this process."""
    with _census:
        runners = list(_runners)
    for runner in runners:
        runner.close()
