"""Keep CloudWatch Logs on disk: a row for each batch of events that a stream has taken."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

from moto.logs.models import LogEvent, LogsBackend, LogStream

from ..account.arn import Arn
from ..storage import journal

KIND = "log events"


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
