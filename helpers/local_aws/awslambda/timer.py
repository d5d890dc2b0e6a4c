"""Run small jobs later, on one thread: retries of asynchronous events, the end of their time in a queue."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("local_aws.timer")

Job = Callable[[], None]

_changed = threading.Condition()
_jobs: list[tuple[float, int, Job]] = []  # a heap; the number keeps jobs of one moment in their order
_numbers = itertools.count()
_thread: threading.Thread | None = None


def later(seconds: float, job: Job) -> None:
    """Run `job` on the timer's thread in so many seconds. Jobs must be quick; their errors are logged."""
    global _thread  # noqa: PLW0603  one thread for the process, made when it is needed
    with _changed:
        heapq.heappush(_jobs, (time.monotonic() + seconds, next(_numbers), job))
        if _thread is None:
            _thread = threading.Thread(target=_run, name="timer", daemon=True)
            _thread.start()
        _changed.notify()


def _run() -> None:
    while True:
        with _changed:
            while not _jobs or _jobs[0][0] > time.monotonic():
                _changed.wait(_jobs[0][0] - time.monotonic() if _jobs else None)
            job = heapq.heappop(_jobs)[2]
        try:
            job()
        except Exception:  # one job must not end the thread that runs them all
            logger.exception("a timed job failed")
