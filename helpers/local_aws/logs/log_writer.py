"""Write what functions print to CloudWatch Logs, in small batches, and keep on disk what is in its streams.

Lambda's logs reach CloudWatch a moment after the invocation, and so do these: writing them is no part of an
order's way. Whoever reads the logs through the API sees everything that was written before (`flush` runs
first), so a learner never waits for a line. As on AWS it is the function's role that must be allowed to write:
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html#monitoring-cloudwatchlogs-prereqs

Whoever writes it, each batch of events that a stream has taken has a row.
"""

from __future__ import annotations

import pickle
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from moto.logs.models import LogEvent, LogsBackend, LogStream, logs_backends

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..engine import clock, executor
from ..iam.access_control import role_may
from ..iam.service_permissions import log_resource
from ..storage import journal

KIND = "log events"
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


class Stream(LogStream):
    """moto's log stream, with its events in the journal."""

    def put_log_events(self, log_events: list[dict[str, Any]]) -> str:
        before = len(self.events)
        token = super().put_log_events(log_events)
        if journal.store is not None and log_events:
            batch = [(event.event_id, event.timestamp, event.message) for event in self.events[before:]]
            assert self.last_ingestion_time is not None  # it has just been set, in UTC without saying so
            ingested = self.last_ingestion_time.replace(tzinfo=UTC).timestamp() * 1000
            value = pickle.dumps((ingested, batch), 5)
            journal.put(KIND, self.arn, journal.number(), value, new=True)
        return token


class Logs(LogsBackend):
    """moto's CloudWatch Logs of one account and region, whose rows go with their stream or group."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.logs.urls

        return moto.logs.urls

    def delete_log_stream(self, log_group_name: str, log_stream_name: str) -> None:
        group = self.groups.get(log_group_name)
        stream = group.streams.get(log_stream_name) if group is not None else None
        super().delete_log_stream(log_group_name, log_stream_name)
        if stream is not None:
            journal.delete_all(KIND, stream.arn)

    def delete_log_group(self, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        super().delete_log_group(log_group_name)
        for stream in list(group.streams.values()) if group is not None else ():
            journal.delete_all(KIND, stream.arn)


def restore(backend_of: Any) -> None:
    """Put all events into their streams. `backend_of`: region -> moto's backend."""
    assert journal.store is not None
    last = -1
    for arn, _, value in journal.store.rows(KIND):
        stream_arn = Arn.parse(arn)
        group, _, name = stream_arn.resource_id.partition(":log-stream:")
        found = backend_of(stream_arn.region).groups.get(group)
        stream = found.streams.get(name) if found is not None else None
        if stream is not None:
            last = max(last, _append(stream, *pickle.loads(value)))
    # moto counts its ids there: a new event must not get one of these.
    LogEvent._event_id = max(LogEvent._event_id, last + 1)  # noqa: SLF001


def _append(stream: LogStream, ingested: float, batch: list[tuple[int, int, str]]) -> int:
    """Append events, as LogStream.put_log_events did; returns the highest event id."""
    stream.last_ingestion_time = datetime.fromtimestamp(ingested / 1000, UTC).replace(tzinfo=None)
    stream.upload_sequence_token += 1
    for event_id, timestamp, message in batch:
        event = LogEvent(int(ingested), {"timestamp": timestamp, "message": message})
        event.event_id = event_id
        stream.events.append(event)
        stream.stored_bytes += len(message)
    return max(event_id for event_id, _, _ in batch)
