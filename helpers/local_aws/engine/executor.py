"""Do something soon, later, in order or beside; wait for what others do. All background work of the account goes here.

The functions ask the executor in use: `threads` from the beginning, or another after `use`. A Condition, an Inbox and a
Pulse may be made before that: they ask when they wait.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

logger = logging.getLogger("local_aws.executor")

Job = Callable[[], object]
#: Seconds without work after which the thread of a Pulse ends.
QUIET_SECONDS = 5.0
T = TypeVar("T")

#: Data of its own for each thread. In a loop there is one thread: nothing may wait between writing and reading it.
local = threading.local
#: What an Inbox raises when nothing comes in time.
Empty = queue.Empty
#: A lock that its holder may take again: in a loop, what runs while its holder waits is the same thread.
Lock = threading.RLock


class Task(Protocol):
    """Something that runs beside everything else."""

    def running(self) -> bool:
        """Return whether it has not ended yet."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait until it has ended, at most so many seconds; returns whether it has."""


class Executor(Protocol):
    """What runs the account's work. Errors of jobs are logged, and end nothing else.

    threaded: whether jobs run at the same time as others; without that, whoever waits runs them.
    held: while it is above 0, only whoever waits runs them (see `holding`).
    """

    threaded: bool
    held: int

    def later(self, seconds: float, job: Job) -> None: ...

    def start(self, job: Job, name: str) -> Task: ...

    def wait_for(self, condition: Condition, reached: Callable[[], Any], timeout: float | None) -> Any: ...

    def sleep(self, seconds: float) -> None: ...

    def run_due(self) -> None: ...


_executor: Executor


def use(executor: Executor) -> None:
    """Have `executor` run everything from now on."""
    global _executor  # noqa: PLW0603  a process has one
    _executor = executor


def in_use() -> Executor:
    return _executor


def soon(job: Job) -> None:
    """Run a quick job in the background, after all that was to be run before."""
    _executor.later(0, job)


def later(seconds: float, job: Job) -> None:
    """Run a quick job in the background in so many seconds. Such jobs run one at a time: a slow one is for `start`."""
    _executor.later(seconds, job)


def start(job: Job, name: str) -> Task:
    """Run a job that may take long or wait, beside everything else."""
    return _executor.start(job, name)


def sleep(seconds: float) -> None:
    """Let so many seconds pass; others work meanwhile."""
    _executor.sleep(seconds)


@contextmanager
def holding() -> Iterator[None]:
    """Begin nothing that nobody waits for: a function's code is on the stack. Threads go on all the same."""
    executor = _executor
    executor.held += 1
    try:
        yield
    finally:
        executor.held -= 1


def run_due() -> None:
    """Run what is due, where nobody else does: whoever asks the account for something comes after it."""
    _executor.run_due()


def run(job: Job, what: str = "a job") -> None:
    """Run a job here, and log its error."""
    try:
        job()
    except Exception:  # one job must not end what runs them all
        logger.exception("%s failed", what)


class Condition(threading.Condition):
    """A lock, and a wait for something that others bring about while holding it. Wait by `wait_for` alone."""

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait, at most so many seconds, until `predicate` is true; returns its last value. The lock is held."""
        value: T = _executor.wait_for(self, predicate, timeout)
        return value


class Inbox(Generic[T]):
    """What one gives to another, in order."""

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        self.put = self._items.put
        self._condition = Condition()  # only a loop waits for this one

    def get(self, timeout: float | None = None) -> T:
        """Return the next, waiting for it at most so many seconds. Raises Empty."""
        if _executor.threaded:
            return self._items.get(timeout=timeout)
        with self._condition:
            self._condition.wait_for(lambda: not self._items.empty(), timeout)
        return self._items.get_nowait()


class Pulse:
    """Work that is due a moment after somebody has asked for it, once for all who have asked meanwhile."""

    def __init__(self, seconds: float, job: Job, name: str) -> None:
        self._seconds, self._job, self._name = seconds, job, name
        self._lock = Lock()
        self._asked = self._busy = self._due = False
        self._asks: Inbox[None] = Inbox()
        self._task: Task | None = None  # with threads: it lives while it is asked now and then

    def ask(self) -> None:
        """Have the work done in so many seconds, unless it is going to be."""
        if self._asked:  # on the way of every order: no lock when there is nothing to do
            return
        with self._lock:
            if self._asked:
                return
            self._asked = True
            if _executor.threaded:
                self._asks.put(None)
                self._task = self._task or start(self._beat_while_asked, self._name)
                return
        later(self._seconds, self._beat_in_turn)

    def _beat(self) -> None:
        self._asked = False  # who asks from now on may have something that this beat does not see
        run(self._job, self._name)

    def _beat_in_turn(self) -> None:
        """Beat, but not on top of a beat that waits for something: once more when that has ended."""
        self._due = True
        if self._busy:
            return
        self._busy = True
        while self._due:
            self._due = False
            self._beat()
        self._busy = False

    def _beat_while_asked(self) -> None:
        mine = _executor
        while _executor is mine:  # this thread must not run what another executor has
            try:
                self._asks.get(QUIET_SECONDS)
            except Empty:
                with self._lock:
                    if not self._asked:
                        self._task = None
                        return
                continue
            if _executor is mine:
                sleep(self._seconds)
            self._beat()
        self._task = None


class Lanes:
    """Jobs that must keep their order: all that is dispatched, and all that goes to the same destination.

    `dispatch` is for what takes microseconds. What may be slow goes to a lane, one for each destination while there is
    something for it: a slow destination holds up no other.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._changed = Condition()
        self._under_way = 0
        self._waiting = 0
        self._lanes: dict[Any, deque[Job]] = {}
        self._jobs: Inbox[Job | None] = Inbox()
        self._dispatcher: Task | None = None

    @property
    def waiting(self) -> int:
        """How many jobs wait for their time."""
        return self._waiting

    def dispatch(self, job: Job) -> None:
        """Run `job` after all that was dispatched before it."""
        with self._changed:
            self._under_way += 1
            if _executor.threaded and self._dispatcher is None:
                self._dispatcher = start(self._dispatch_all, self._name)
        if _executor.threaded:
            self._jobs.put(job)
        else:
            soon(lambda: self._run(job))

    def send(self, destination: Any, job: Job) -> None:
        """Run `job` after all earlier ones for the same destination."""
        with self._changed:
            self._under_way += 1
            lane = self._lanes.get(destination)
            if lane is not None:
                lane.append(job)
                return
            lane = self._lanes[destination] = deque([job])
        start(lambda: self._send_all(destination, lane), f"{self._name} to {destination}")

    def later(self, seconds: float, destination: Any, job: Job) -> None:
        """Send (see `send`) when so many seconds have passed. What waits is under way."""
        with self._changed:
            self._under_way += 1
            self._waiting += 1
        later(seconds, lambda: self._due(destination, job))

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True when nothing is under way."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout)

    def close(self) -> None:
        """End the dispatcher after the jobs that it has; a later `dispatch` begins anew."""
        with self._changed:
            dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            self._jobs.put(None)
            dispatcher.join(5)

    def _due(self, destination: Any, job: Job) -> None:
        self.send(destination, job)
        with self._changed:
            self._waiting -= 1
        self._done()

    def _dispatch_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._run(job)

    def _send_all(self, destination: Any, lane: deque[Job]) -> None:
        while True:
            with self._changed:
                if not lane:
                    del self._lanes[destination]
                    return
                job = lane.popleft()
            self._run(job)

    def _run(self, job: Job) -> None:
        run(job, self._name)
        self._done()

    def _done(self) -> None:
        with self._changed:
            self._under_way -= 1
            if not self._under_way:
                self._changed.notify_all()
