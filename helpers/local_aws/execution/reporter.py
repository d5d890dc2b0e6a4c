"""Report what becomes of an environment's invocations: to its log stream, to the metrics, and to whoever waits.

Metrics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from __future__ import annotations

import uuid
from collections import Counter

from ..cloudwatch import metrics
from ..engine import clock, executor
from . import invocation_log as log
from .invocation import FunctionSpec, Outcome, Work
from .lambda_runtimes import runtime_version_arn

NAMESPACE = "AWS/Lambda"

_running: Counter[str] = Counter()  # invocations under way, by function; all together under ""
_lock = executor.Lock()


class Reporter:
    """What one environment reports: it works on one invocation at a time, `work`, None in between.

    stream: the name of its log stream, which nothing else has.
    """

    def __init__(self, spec: FunctionSpec, write_log: log.WriteLog) -> None:
        self._spec = spec
        self.stream = f"{clock.utc():%Y/%m/%d}/[{spec.version}]{uuid.uuid4().hex}"
        self.work: Work | None = None
        self._log = log.InvocationLog(spec.log_group, self.stream, spec.memory_mb, write_log)
        self._meter = Meter(spec.name)

    def init_begins(self) -> None:
        self._log.init_start(self._spec.runtime, runtime_version_arn(self._spec.region, self._spec.runtime))

    def begins(self, work: Work) -> None:
        self.work = work
        self._meter.begin()
        self._log.start(work.request_id, self._spec.version)

    def output(self, lines: list[str], lost: int) -> None:
        self._log.output(lines, lost)

    def did_not_begin(self) -> None:
        """Take back `begins`: the environment was dead."""
        self._log.abandon()
        self._meter.cancel()
        self.work = None

    def ends(
        self,
        duration_ms: float,
        init_ms: float | None,
        memory_mb: int,
        payload: bytes,
        error_type: str | None,
        failure: str | None,
    ) -> None:
        """Close the invocation's log and tell its caller.

        memory_mb: the most that was used; failure: the error type in the REPORT line, when not the function has failed
        but its environment.
        """
        work, self.work = self.work, None
        assert work is not None
        if error_type == "Sandbox.Timedout":
            self._log.timed_out(work.request_id, self._spec.timeout_s)
        tail = self._log.end(work.request_id, duration_ms, init_ms, memory_mb, failure)
        self._meter.end(duration_ms, failed=error_type is not None)
        work.done(work, Outcome(work.request_id, payload, error_type, tail))

    def close(self) -> None:
        """Nobody waits for ever, whatever went wrong."""
        self._meter.cancel()
        self.fail("Sandbox.Failed", "Error: the sandbox failed")

    def fail(self, error_type: str, message: str) -> None:
        """End what is worked on, if anything is, without a log."""
        work, self.work = self.work, None
        if work is not None:
            payload = log.error_payload(work.request_id, error_type, message)
            work.done(work, Outcome(work.request_id, payload, error_type, b""))


class Meter:
    """Measures the invocations of one environment: how many, how long, how many at once, how many failed."""

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
