"""Extend moto's CloudWatch Logs: each batch of events that a stream has taken has a row, and filters filter."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import Any

from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogEvent, LogsBackend, LogStream, logs_backends

from ..account.arn import Arn
from ..log_patterns.errors import InvalidPattern
from ..log_patterns.pattern import FilterPattern, compiled
from ..storage import journal
from .log_metrics import measure

KIND = "log events"


def event_filter(text: str | None) -> FilterPattern:
    """Return what a filter pattern means. Raises InvalidParameterException."""
    try:
        return compiled(text or "")
    except InvalidPattern as error:
        raise InvalidParameterException(str(error)) from error


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
        measure(self._metric_filters(), [(event.timestamp, event.message) for event in self.events[before:]])
        return token

    def _metric_filters(self) -> list[dict[str, Any]]:
        backend = logs_backends[self.account_id][self.region]
        found: list[dict[str, Any]] = backend.filters.get_matching_filters(log_group_name=self.log_group.name)
        return found

    def _send_log_events(
        self, service: str, destination_arn: str, filter_name: str, log_events: list[dict[str, Any]]
    ) -> None:
        """Send those events that the subscription's pattern means; moto would send all."""
        wanted = compiled(self.log_group.subscription_filters[filter_name].filter_pattern or "")
        found = [event for event in log_events if wanted.matches(event["message"])]
        if found:
            super()._send_log_events(service, destination_arn, filter_name, found)


class Logs(LogsBackend):
    """moto's CloudWatch Logs of one account and region, whose rows go with their stream or group."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.logs.urls

        return moto.logs.urls

    def filter_log_events(
        self, log_group_name: str, log_stream_names: list[str], start_time: int, end_time: int, limit: int | None,
        next_token: str | None, filter_pattern: str, interleaved: bool,
    ) -> Any:  # fmt: skip
        event_filter(filter_pattern)  # wrong, too, where there is no event
        return super().filter_log_events(
            log_group_name, log_stream_names, start_time, end_time, limit, next_token, filter_pattern, interleaved
        )

    def put_metric_filter(self, filter_name: str, filter_pattern: str, log_group_name: str, *settings: Any) -> None:
        """Create the filter, or change the one of that name; moto would have both."""
        event_filter(filter_pattern)
        if log_group_name not in self.groups:
            raise ResourceNotFoundException
        self.filters.delete_filter(filter_name, log_group_name)
        super().put_metric_filter(filter_name, filter_pattern, log_group_name, *settings)

    def put_subscription_filter(
        self, log_group_name: str, filter_name: str, filter_pattern: str, *settings: Any
    ) -> None:
        event_filter(filter_pattern)
        super().put_subscription_filter(log_group_name, filter_name, filter_pattern, *settings)

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
