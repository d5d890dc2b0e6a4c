"""Measure AWS/Lambda's metrics of invocations: how many, how long, how many at once, how many failed.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

from collections import Counter

from ..cloudwatch import metrics
from ..engine import clock, executor

NAMESPACE = "AWS/Lambda"

_running: Counter[str] = Counter()  # invocations under way, by function; all together under ""
_lock = executor.Lock()


class Meter:
    """What one execution environment reports: it works on one invocation at a time."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._dimensions = {"FunctionName": function}
        self._busy = False
        self._began = 0.0
        self._own = self._together = 0  # invocations at the same time: of this function, of all functions

    def begin(self) -> None:
        """Count an invocation that begins."""
        self._busy, self._began = True, clock.now()
        with _lock:
            _running[self._function] += 1
            _running[""] += 1
            self._own, self._together = _running[self._function], _running[""]

    def end(self, duration_ms: float, failed: bool) -> None:
        """Record an invocation that has ended, with the duration in its REPORT line; it counts for when it began."""
        self.cancel()
        values = {
            "Invocations": 1,
            "Errors": int(failed),
            "Duration": round(duration_ms, 2),
            "ConcurrentExecutions": self._own,
        }
        metrics.record(NAMESPACE, self._dimensions, values, at=self._began)
        metrics.record(NAMESPACE, {}, {"ConcurrentExecutions": self._together}, at=self._began)

    def cancel(self) -> None:
        """Stop counting what was under way: it did not take place, or has ended."""
        if self._busy:
            self._busy = False
            with _lock:
                _running[""] -= 1
                _running[self._function] -= 1
                if not _running[self._function]:
                    del _running[self._function]
