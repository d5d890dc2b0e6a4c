"""Write the lines that Lambda writes around an invocation, and the payloads of its own errors.

Formats: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable

from ..engine import clock

#: Characters of output that are kept of one invocation. A function may print gigabytes, and the log is in memory.
MAX_OUTPUT = 4 * 1024 * 1024
#: Bytes of log that a synchronous caller may ask for (LogType=Tail).
TAIL_BYTES = 4096

WriteLog = Callable[[str, str, list[tuple[int, str]]], None]  # group, stream, events


class InvocationLog:
    """The log stream of one execution environment. Events are handed on when an invocation ends."""

    def __init__(self, group: str, stream: str, memory_mb: int, write: WriteLog) -> None:
        self._group, self._stream, self._memory_mb, self._write = group, stream, memory_mb, write
        self._events: list[tuple[int, str]] = []
        self._tail_from = 0
        self._kept = self._lost = 0  # characters of this invocation's output

    def init_start(self, runtime: str, version_arn: str) -> None:
        version = runtime.replace("python", "python:")
        self._add(f"INIT_START Runtime Version: {version}.v1\tRuntime Version ARN: {version_arn}\n")

    def start(self, request_id: str, version: str) -> None:
        self._tail_from = len(self._events)
        self._add(f"START RequestId: {request_id} Version: {version}\n")

    def output(self, lines: list[str], lost: int = 0) -> None:
        """Add lines that were printed; `lost`: how much more was, and is not here."""
        self._lost += lost
        for line in lines:
            if self._kept + len(line) > MAX_OUTPUT:
                self._lost += len(line)
                continue
            self._kept += len(line)
            # A traceback is one event: the runtime joins its lines by carriage returns.
            self._add(line.replace("\r", "\n").rstrip("\n") if line.startswith("[ERROR] ") else line)

    def timed_out(self, request_id: str, timeout_s: int) -> None:
        now = clock.utc()
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}Z"
        self._add(f"{stamp} {request_id} Task timed out after {timeout_s:.2f} seconds\n")

    def end(
        self,
        request_id: str,
        duration_ms: float,
        init_ms: float | None,
        max_memory_mb: int,
        failure: str | None,
    ) -> bytes:
        """Write END and REPORT, hand all events on, and return the end of this invocation's log.

        `failure` is the error type when the environment itself failed, and not the function.
        """
        if self._lost:
            self._add(
                f"LOCAL LIMIT: {self._lost:,} bytes that the function printed are not in this log. "
                f"It keeps {MAX_OUTPUT // 1024**2} MB of what one invocation prints.\n"
            )
        self._kept = self._lost = 0
        self._add(f"END RequestId: {request_id}\n")
        # Since August 2025 the initialisation is billed too:
        # https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
        billed = math.ceil(duration_ms + (init_ms or 0.0))
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {self._memory_mb} MB\tMax Memory Used: {max_memory_mb} MB\t"
        )
        if init_ms is not None:
            report += f"Init Duration: {init_ms:.2f} ms\t"
        if failure == "Sandbox.Timedout":
            report += "Status: timeout\t"
        elif failure:
            report += f"Status: error\tError Type: {failure}\t"
        self._add(report + "\n")
        tail = "".join(f"{m}\n" if not m.endswith("\n") else m for _, m in self._events[self._tail_from :])
        self._write(self._group, self._stream, self._events)
        self._events, self._tail_from = [], 0
        return tail.encode()[-TAIL_BYTES:]

    def abandon(self) -> None:
        """Forget an invocation that did not take place."""
        del self._events[self._tail_from :]

    def _add(self, message: str) -> None:
        self._events.append((int(clock.now() * 1000), message))


def error_payload(request_id: str, error_type: str, message: str) -> bytes:
    """Return what a caller reads when not the function but its environment failed."""
    return json.dumps({"errorType": error_type, "errorMessage": f"RequestId: {request_id} {message}"}).encode()


def too_large_payload(limit: int) -> bytes:
    return json.dumps({"errorMessage": too_large_message(limit), "errorType": "Function.ResponseSizeTooLarge"}).encode()


def too_large_message(limit: int) -> str:
    return f"Response payload size exceeded maximum allowed payload size ({limit} bytes)."
