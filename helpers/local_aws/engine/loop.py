"""Run the account's work in one thread: whoever waits runs what is due, and so does whoever asks before it is answered.

Nothing runs at the same time as anything else. A job that waits runs the others on top of itself, and goes on when they
have ended.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Any

from . import clock, executor
from .executor import Condition, Job


class Deadlock(RuntimeError):
    """Something is waited for, for ever, and nothing is left to be done."""


class LoopTask:
    """A job that runs as a whole as soon as the loop comes to it."""

    def __init__(self, loop: Loop, job: Job, name: str) -> None:
        self._loop, self._job, self._name, self._over = loop, job, name, False
        loop.later(0, self._run)

    def _run(self) -> None:
        executor.run(self._job, self._name)
        self._over = True

    def running(self) -> bool:
        return not self._over

    def join(self, timeout: float | None = None) -> bool:
        return bool(self._loop.run_until(lambda: self._over, timeout))


class Loop:
    """The form for one thread. Other threads of the process must not use the account at the same time.

    held: while it is above 0, `run_due` does nothing: the code of a function is on the stack, and what it asks for is
    answered, but what follows from that waits until it has returned.
    """

    threaded = False

    def __init__(self) -> None:
        self._jobs: list[tuple[float, int, Job]] = []
        self._numbers = itertools.count()
        self._depth = 0
        self._thread = threading.get_ident()
        self.held = 0

    def is_here(self) -> bool:
        """Return whether the caller is in the loop's own thread."""
        return threading.get_ident() == self._thread

    def later(self, seconds: float, job: Job) -> None:
        heapq.heappush(self._jobs, (clock.monotonic() + seconds, next(self._numbers), job))

    def start(self, job: Job, name: str) -> LoopTask:
        return LoopTask(self, job, name)

    def run_due(self) -> None:
        """Run everything whose time has come, unless a job or a function is what asks."""
        if not self._depth and not self.held and self.is_here():
            while self._run_one():
                pass

    def wait_for(self, condition: Condition, reached: Callable[[], Any], timeout: float | None) -> Any:
        return self.run_until(reached, timeout)

    def run_until(self, reached: Callable[[], Any], timeout: float | None = None) -> Any:
        """Run what is due until `reached` is true, at most so many seconds; returns its last value.

        Raises Deadlock when nothing is left that could make it true.
        """
        end = None if timeout is None else clock.monotonic() + timeout
        while not (value := reached()):
            if self._run_one():
                continue
            if end is not None and clock.monotonic() >= end:
                return reached()
            times = [time for time in (self._jobs[0][0] if self._jobs else None, end) if time is not None]
            if not times:
                raise Deadlock("nothing is left to do, and something is waited for")
            clock.sleep(max(0.0, min(times) - clock.monotonic()))
        return value

    def sleep(self, seconds: float) -> None:
        if not self.is_here():  # a library's own thread: it must not run anything of ours
            clock.sleep(seconds)
            return
        self.run_until(lambda: False, seconds)

    def _run_one(self) -> bool:
        if not self._jobs or self._jobs[0][0] > clock.monotonic():
            return False
        job = heapq.heappop(self._jobs)[2]
        self._depth += 1
        try:
            executor.run(job)
        finally:
            self._depth -= 1
        return True
