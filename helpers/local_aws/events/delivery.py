"""Run the threads that carry events from the bus to their targets.

One dispatcher thread matches events against rules, and hands them to Lambda functions and other buses,
which take an event in microseconds. What may be slow (any other target, and whatever is tried again) goes to
a lane: a thread for each destination while
there is something to deliver to it. So deliveries to one destination keep their order, and a slow one holds
up no other. What is to be retried waits with a clock of its own, then goes to its lane.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

logger = logging.getLogger("local_aws.event_bus")

Job = Callable[[], None]


class Delivery:
    """Runs jobs in the background, in order: on the dispatcher (`dispatch`) or on a lane (`send`)."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._lanes: dict[Any, deque[Job]] = {}
        self._dispatcher: threading.Thread | None = None
        self._clock = _Clock()

    def dispatch(self, job: Job) -> None:
        """Run `job` on the dispatcher thread."""
        with self._changed:
            self._under_way += 1
            if self._dispatcher is None:
                self._dispatcher = threading.Thread(target=self._dispatch_all, name="event-bus", daemon=True)
                self._dispatcher.start()
        self._jobs.put(job)

    def send(self, destination: Any, job: Job) -> None:
        """Run `job` after all earlier ones for the same destination."""
        with self._changed:
            self._under_way += 1
            lane = self._lanes.get(destination)
            if lane is not None:
                lane.append(job)
                return
            lane = self._lanes[destination] = deque([job])
        threading.Thread(
            target=self._send_all, args=(destination, lane), name=f"event-bus to {destination}", daemon=True
        ).start()

    def later(self, seconds: float, destination: Any, job: Job) -> None:
        """Send (see `send`) when so many seconds have passed. What waits is under way."""
        with self._changed:
            self._under_way += 1
        self._clock.call(seconds, lambda: self._due(destination, job))

    def _due(self, destination: Any, job: Job) -> None:
        self.send(destination, job)
        self._done()

    def drain(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True when nothing is under way."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, timeout)

    def close(self) -> None:
        """End the dispatcher after the jobs that it has; a later `dispatch` starts a new one."""
        with self._changed:
            dispatcher, self._dispatcher = self._dispatcher, None
        if dispatcher is not None:
            self._jobs.put(None)
            dispatcher.join(timeout=5)
        if self._clock.waiting:
            logger.info("%d deliveries are still to be retried", self._clock.waiting)

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
        try:
            job()
        except Exception:  # one delivery must not end the thread that makes them all
            logger.exception("a delivery failed")
        finally:
            self._done()

    def _done(self) -> None:
        with self._changed:
            self._under_way -= 1
            if not self._under_way:
                self._changed.notify_all()


class _Clock:
    """Calls functions when their time has come, on one thread that lives while any wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._running = False

    @property
    def waiting(self) -> int:
        """How many calls are still to come."""
        return len(self._waiting)

    def call(self, seconds: float, job: Job) -> None:
        with self._changed:
            heapq.heappush(self._waiting, (time.monotonic() + seconds, next(self._order), job))
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="event-bus clock", daemon=True).start()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._running = False
                    return
                wait = self._waiting[0][0] - time.monotonic()
                if wait > 0:
                    self._changed.wait(wait)
                    continue
                job = heapq.heappop(self._waiting)[2]
            job()
