"""Manage the execution environments of one version of a function, and what waits for them.

Lambda gives every invocation that overlaps with another an environment of its own, and uses an idle one
again. Here the environments share a laptop, so asynchronous events wait for a free environment as long as the
busy ones are quick about it; an environment whose invocation takes long (it waits for something) no longer
counts, and another one is started.
"""

from __future__ import annotations

import os
from collections import deque

from ..engine import executor
from ..execution.environment import Environment
from ..execution.host import Host
from ..execution.invocation import FunctionSpec, Outcome, Work
from ..execution.invocation_log import error_payload
from .async_queue import AsyncEvent, AsyncQueue
from .concurrency import Concurrency

#: Environments of all functions together: the number of concurrent executions that AWS grants a new account.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_ENVIRONMENTS = 10
#: Quick environments that one function's asynchronous events keep busy: more would only share the same cores.
QUICK_ENVIRONMENTS = max(2, min(4, os.cpu_count() or 2))
#: Environments that may turn out to be dead when they get an invocation, before it fails: a worker may be killed
#: while it is idle, but a function whose workers always end by themselves is broken.
MAX_HANDED_BACK = 3

_host: Host | None = None
_census = executor.Lock()  # guards the list of pools and the number of their environments
_pools: list[EnvironmentPool] = []
_starved: set[EnvironmentPool] = set()  # pools that wanted an environment when there were too many


def set_host(host: Host) -> None:
    """Tell all pools of this process which account they belong to."""
    global _host  # noqa: PLW0603  set once, before the first function
    _host = host


class EnvironmentPool:
    """One version's environments, its callers and its asynchronous queue."""

    def __init__(self, spec: FunctionSpec, concurrency: Concurrency) -> None:
        self._spec = spec
        self._concurrency = concurrency
        self._lock = concurrency.lock
        self._waiting_callers: deque[Work] = deque()  # synchronous: somebody waits for the answer
        self._batches: deque[Work] = deque()  # of event sources: they wait as events do, and have their room already
        self._queue = AsyncQueue()
        self._environments: list[Environment] = []
        self._idle: dict[Environment, None] = {}  # in the order in which they became so
        self._closed = False
        with self._lock:
            concurrency.members.append(self)
        with _census:
            _pools.append(self)

    def update(self, spec: FunctionSpec) -> None:
        """Take new code or configuration: busy environments finish, and no environment is used again."""
        with self._lock:
            self._spec = spec
            self._dismiss_idle()

    def close(self) -> None:
        """End the environments now, and drop what is queued: the function is deleted."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._concurrency.members.remove(self)
            for waiting in (self._waiting_callers, self._batches):
                while waiting:
                    drop(waiting.popleft())
            for event in self._queue.take_all():
                event.over()
            self._dismiss_idle()
            environments = list(self._environments)
        for environment in environments:
            environment.kill()
        with _census:
            if self in _pools:
                _pools.remove(self)
        for environment in environments:
            environment.join(2.0)

    # What other pools ask; called without this pool's lock, some with the census.

    @property
    def size(self) -> int:
        """Return how many environments there are, the idle ones too."""
        return len(self._environments)

    def idle(self) -> list[Environment]:
        """Return the environments that wait for work."""
        return list(self._idle)

    def dismiss(self, environment: Environment) -> bool:
        """End an idle environment, to make room; returns False when it has got work, or has ended, meanwhile."""
        if not self.leave(environment):
            return False
        if environment in self._environments:
            self._environments.remove(environment)
        environment.hand_over(None)
        return True

    def use_room(self) -> bool:
        """Start environments for all who wait; returns False when the room was not enough."""
        with self._lock:
            self._start_where_needed()
            return self not in _starved

    # What environments ask (the protocol Pool); called on their own tasks.

    def next_work(self, environment: Environment) -> Work | None:
        with self._lock:
            if self._closed or environment.spec is not self._spec:
                environment.hand_over(None)
                return None
            work = self._take_work()
            if work is not None:
                return work
            self._idle[environment] = None
            self._serve_others()
        _feed_starved()
        return None

    def leave(self, environment: Environment) -> bool:
        try:
            del self._idle[environment]  # who succeeds in this may end it or give it work, and nobody else
        except KeyError:
            return False
        return True

    def take_back(self, work: Work) -> None:
        work.handed_back += 1
        if work.handed_back > MAX_HANDED_BACK:
            message = "Error: Runtime exited without providing a reason"
            payload = error_payload(work.request_id, "Runtime.ExitError", message)
            work.done(work, Outcome(work.request_id, payload, "Runtime.ExitError", b""))
            return
        with self._lock:
            if isinstance(work, AsyncEvent):
                self._concurrency.executing -= 1
                if not self._closed:
                    self._queue.appendleft(work)
                else:
                    work.over()
            elif self._closed:
                drop(work)
            else:
                self._waiting_callers.appendleft(work)

    def take_failed_start(self) -> Work | None:
        with self._lock:
            return self._take_work()

    def busy_for_long(self, environment: Environment) -> None:
        with self._lock:
            self._start_for_queue()

    def ended(self, environment: Environment) -> None:
        with self._lock:
            if environment in self._environments:
                self._environments.remove(environment)
            self._idle.pop(environment, None)
            if not self._closed:
                self._start_where_needed()
            self._serve_others()
        _feed_starved()

    # Below: called with the lock held.

    def starting(self) -> int:
        return sum(not environment.initialised for environment in self._environments)

    def serve_queue(self) -> None:
        """Run what waits, as far as there is room: idle environments take it first."""
        while self._queue and self._concurrency.room() and self._give_to_idle(self._queue[0]):
            self._queue.popleft()
            self._concurrency.executing += 1
        self._start_for_queue()

    def _serve_others(self) -> None:
        """Another version of the function may have waited for the room that there is now."""
        if self._concurrency.reserved is not None:
            self._concurrency.serve_queues()

    def _take_work(self) -> Work | None:
        """Return what an environment does next: callers come first. They, and batches, count as executing already."""
        if self._waiting_callers:
            return self._waiting_callers.popleft()
        if self._batches:
            return self._batches.popleft()
        if self._queue and self._concurrency.room():
            self._concurrency.executing += 1
            return self._queue.popleft()
        return None

    def _give_to_idle(self, work: Work) -> bool:
        """Hand work to the idle environment that was used last: its caches are warm, and the others can end."""
        while (environment := self._take_idle()) is not None:
            if environment.alive:
                environment.hand_over(work)
                return True
            environment.hand_over(None)
        return False

    def _start_where_needed(self) -> None:
        """Start environments for all who wait: callers first, then events."""
        while len(self._waiting_callers) > self.starting() and self._start_environment():
            pass
        self._start_for_queue()

    def _start_for_queue(self) -> None:
        """Start environments while events or batches wait and the busy environments are few, or slow."""
        while self._too_few():
            quick = sum(not environment.slow for environment in self._environments)
            if quick >= QUICK_ENVIRONMENTS or not self._start_environment():
                return

    def _too_few(self) -> bool:
        starting = self.starting()
        if len(self._batches) > starting:
            return True
        return len(self._batches) + len(self._queue) > starting and self._concurrency.room_to_start()

    def _start_environment(self) -> bool:
        if _host is None:
            raise RuntimeError("set_host() was not called")
        with _census:
            if sum(pool.size for pool in _pools) >= MAX_ENVIRONMENTS and not _dismiss_oldest():
                _starved.add(self)
                return False
            self._environments.append(_host.start_environment(self._spec, self))
        return True

    def _dismiss_idle(self) -> None:
        while (environment := self._take_idle()) is not None:
            environment.hand_over(None)

    def _take_idle(self) -> Environment | None:
        """Return the environment that became idle last, no longer listed. Others `leave` meanwhile, without a lock."""
        try:
            return self._idle.popitem()[0]
        except KeyError:
            return None


def drop(work: Work) -> None:
    """End work whose function was deleted before it could be invoked: nobody waits for an answer that will not come."""
    work.done(work, Outcome(work.request_id, b'{"errorMessage":"The function was deleted."}', "Unhandled", b""))


def _dismiss_oldest() -> bool:
    """Make room: end the environment, of any function, that has been idle longest. True when one was found."""
    idle = [(environment.idle_since, pool, environment) for pool in _pools for environment in pool.idle()]
    idle.sort(key=lambda entry: entry[0])
    return any(pool.dismiss(environment) for _, pool, environment in idle)


def _feed_starved() -> None:
    """Let those start an environment that could not before: one has become free or has ended."""
    while _starved:
        try:
            pool = _starved.pop()
        except KeyError:
            return
        if not pool.use_room():
            return


def close_all() -> None:
    """End every environment of this process."""
    with _census:
        pools = list(_pools)
    for pool in pools:
        pool.close()
