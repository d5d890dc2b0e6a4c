"""Run the account's work in threads: one for all that is due at a time, and one for each job that may take long."""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable
from typing import Any

from . import clock, executor
from .executor import Condition, Job


class ThreadTask:
    """A job on a thread of its own, which ends with the process."""

    def __init__(self, job: Job, name: str) -> None:
        self._thread = threading.Thread(target=executor.run, args=(job, name), name=name, daemon=True)
        self._thread.start()

    def running(self) -> bool:
        return self._thread.is_alive()

    def join(self, timeout: float | None = None) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()


class ThreadExecutor:
    """The form that a learner has: requests, functions, deliveries and timers run at the same time."""

    threaded = True
    held = 0  # what is due runs beside everything, whatever is on the stack

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: list[tuple[float, int, Job]] = []  # a heap; the number keeps jobs of one moment in their order
        self._numbers = itertools.count()
        self._timer: ThreadTask | None = None

    def later(self, seconds: float, job: Job) -> None:
        with self._changed:
            heapq.heappush(self._jobs, (clock.monotonic() + seconds, next(self._numbers), job))
            if self._timer is None:
                self._timer = ThreadTask(self._run_timed, "timer")
            self._changed.notify()

    def start(self, job: Job, name: str) -> ThreadTask:
        return ThreadTask(job, name)

    def wait_for(self, condition: Condition, reached: Callable[[], Any], timeout: float | None) -> Any:
        return threading.Condition.wait_for(condition, reached, timeout)

    def sleep(self, seconds: float) -> None:
        clock.sleep(seconds)

    def run_due(self) -> None:
        """Do nothing: the timer's thread does it."""

    def _run_timed(self) -> None:
        while True:
            with self._changed:
                while not self._jobs or self._jobs[0][0] > clock.monotonic():
                    self._changed.wait(self._jobs[0][0] - clock.monotonic() if self._jobs else None)
                job = heapq.heappop(self._jobs)[2]
            executor.run(job, "a timed job")
