"""Count what this account has accepted and not finished: events on buses, deliveries, asynchronous invocations.

All of it is in memory, so it has a limit. Only what comes from outside is refused at the limit (PutEvents and Invoke
throttle then, as AWS does): an event that was accepted goes on to its targets even where that makes the backlog
larger than its limit. So nothing that was accepted is lost, and what one event leads to is bounded by its rules.
The environment variables LOCAL_AWS_MAX_EVENTS and LOCAL_AWS_MAX_EVENT_MB of the server's process set the limits.
"""

from __future__ import annotations

from helpers import settings

from ..engine import executor

#: AWS names no number; it keeps far more. These are what a laptop can hold without noticing.
DEFAULT_EVENTS = 100_000
DEFAULT_MB = 256


class Backlog:
    """Counts what is under way: `events`, and `size`, their payloads in bytes."""

    def __init__(self, max_events: int, max_bytes: int) -> None:
        self._max_events, self._max_bytes = max_events, max_bytes
        self._lock = executor.Lock()
        self.events = 0
        self.size = 0

    def take(self, size: int) -> bool:
        """Count one more event from outside, of so many bytes, unless that is too much; returns whether it did."""
        with self._lock:
            if self.events >= self._max_events or self.size + size > self._max_bytes and self.events:
                return False
            self.events += 1
            self.size += size
            return True

    def full(self) -> bool:
        """Return whether either limit has been reached."""
        return self.events >= self._max_events or self.size >= self._max_bytes

    def add(self, size: int) -> None:
        """Count one more event, of so many bytes, that an accepted one has led to."""
        with self._lock:
            self.events += 1
            self.size += size

    def done(self, size: int) -> None:
        """Count an event that was taken or added with this size as finished."""
        with self._lock:
            self.events -= 1
            self.size -= size


#: The backlog of this process.
BACKLOG = Backlog(
    settings.whole_number("LOCAL_AWS_MAX_EVENTS", DEFAULT_EVENTS),
    settings.whole_number("LOCAL_AWS_MAX_EVENT_MB", DEFAULT_MB) * 1024 * 1024,
)
