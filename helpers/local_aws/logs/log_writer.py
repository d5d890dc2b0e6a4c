"""Write what functions print to CloudWatch Logs, in small batches.

Lambda's logs reach CloudWatch a moment after the invocation, and so do these: writing them is no part of an
order's way. Whoever reads the logs through the API sees everything that was written before (`flush` runs
first), so a learner never waits for a line. As on AWS it is the function's role that must be allowed to write:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html#monitoring-cloudwatchlogs-prereqs
"""

from __future__ import annotations

from collections import defaultdict

from moto.logs.models import logs_backends

from ..account.service_table import service_lock
from ..engine import clock, executor
from ..iam.access_control import role_may
from ..iam.service_permissions import log_resource
from ..storage import journal

#: Seconds between two writings.
INTERVAL = 0.1

Line = tuple[int, str]  # milliseconds since the epoch, message


class LogWriter:
    """Collects log events per stream, and writes them in the background."""

    def __init__(self, account_id: str, region: str) -> None:
        self._backend = logs_backends[account_id][region]
        self._region = region
        self._arn = f"arn:aws:logs:{region}:{account_id}"
        self._pending: dict[tuple[str, str, str | None], list[Line]] = defaultdict(list)
        self._lock = executor.Lock()
        self._writing = executor.Lock()
        self._pulse = executor.Pulse(INTERVAL, self.flush, "log-writer")

    def append(self, group: str, stream: str, events: list[Line], role_arn: str | None = None) -> None:
        """Take log events, oldest first; they are readable at the next `flush`, or after INTERVAL.

        role_arn: in whose name they are written. What the role may not write is lost; None may write everything.
        """
        with self._lock:
            self._pending[group, stream, role_arn] += events
        self._pulse.ask()

    def flush(self) -> None:
        """Write everything that was appended before this call."""
        with self._writing:
            with self._lock:
                pending, self._pending = self._pending, defaultdict(list)
            if pending:
                with service_lock("logs"):
                    for (group, stream, role_arn), events in pending.items():
                        self._write(group, stream, events, role_arn)

    def close(self) -> None:
        """Write what nobody has asked for yet."""
        executor.run(self.flush, "log-writer")

    def _write(self, group: str, stream: str, events: list[Line], role_arn: str | None) -> None:
        if group not in self._backend.groups:
            if not self._may(role_arn, "CreateLogGroup", log_resource(group)):
                return
            self._backend.ensure_log_group(group)
            journal.changed("logs", self._region)
        if stream not in self._backend.groups[group].streams:
            if not self._may(role_arn, "CreateLogStream", log_resource(group, stream)):
                return
            self._backend.create_log_stream(group, stream)
            journal.changed("logs", self._region)
        if not self._may(role_arn, "PutLogEvents", log_resource(group, stream)):
            return
        # CloudWatch refuses a batch that is not in chronological order; clocks may step back.
        events.sort(key=lambda event: event[0])
        now = int(clock.now() * 1000)
        # To the stream itself: these events are neither too old nor too new, which the API would look for in each.
        self._backend.groups[group].put_log_events(
            stream, [{"timestamp": min(at, now), "message": message} for at, message in events]
        )

    def _may(self, role_arn: str | None, action: str, resource: str) -> bool:
        return role_arn is None or role_may(role_arn, f"logs:{action}", f"{self._arn}:{resource}")
