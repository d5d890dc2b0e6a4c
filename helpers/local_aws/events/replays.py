"""Replay events of an archive: send them to their bus once more.

A replay goes through the archive's events by the time that is in them, minute by minute, and ends as soon as
it has put the last one on the bus. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""

from __future__ import annotations

import functools
import logging
import re
from datetime import datetime
from typing import Any

import moto.events.models as models
from moto.events.exceptions import IllegalStatusException, ResourceAlreadyExistsException, ValidationException
from moto.events.models import ReplayState
from moto.utilities.utils import ARN_PARTITION_REGEX

from ..engine import clock, executor
from ..storage import journal
from .archive_requests import check, check_one_filter, check_state
from .archives import Archive
from .event_rules import LimitExceeded
from .put_events import Event, timestamp

logger = logging.getLogger("local_aws.event_bus")

#: "A maximum of 10 active concurrent replays per account per Region" (user guide).
MAX_ACTIVE = 10
#: Seconds that AWS takes to begin with a replay, and to end a cancelled one; scaled here.
_STARTING_S, _CANCELLING_S = 30, 15
#: So many events are on the bus before the next ones follow: a large replay neither holds up the events that
#: arrive meanwhile nor needs memory for all of its own.
_AT_ONCE = 100
_ACTIVE = (ReplayState.STARTING, ReplayState.RUNNING, ReplayState.CANCELLING)
_STATES = tuple(sorted(state.value for state in ReplayState))
_BUS_ARN = rf"{ARN_PARTITION_REGEX}:events:[a-zA-Z0-9-]+:\d{{12}}:event-bus/"


class Replay(models.Replay):
    """moto's replay, which begins in its time and then sends beside everything else."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lock = executor.Lock()
        self._last_replayed: str | None = None
        self._reason: str | None = None
        self._sent = (0, 0)  # so many of so many events are on the bus

    @property
    def active(self) -> bool:
        return self.state in _ACTIVE

    def start(self, archive: Archive, backend: Replays) -> None:
        """Begin when AWS does. Nothing waits for that, so whoever asks meanwhile sees it, and can cancel."""
        run = functools.partial(self._run, archive, backend)
        executor.later(clock.scaled(_STARTING_S), lambda: executor.start(run, f"replay {self.name}"))

    def cancel(self) -> None:
        """Cancel the replay. Raises IllegalStatusException unless it is starting or running."""
        with self._lock:
            if self.state not in (ReplayState.STARTING, ReplayState.RUNNING):
                raise IllegalStatusException(f"Replay {self.name} is not in a valid state for this operation.")
            self.state = ReplayState.CANCELLING

    def _run(self, archive: Archive, backend: Replays) -> None:
        try:
            self._move(ReplayState.STARTING, ReplayState.RUNNING)
            self._send_all(archive, backend)
            self._move(ReplayState.RUNNING, ReplayState.COMPLETED)
        except Exception as error:
            logger.exception("replay %s failed", self.name)
            self._reason = str(error)
            self._move(self.state, ReplayState.FAILED)
        if self.state is ReplayState.CANCELLING:
            ended = functools.partial(self._move, ReplayState.CANCELLING, ReplayState.CANCELLED)
            executor.later(clock.scaled(_CANCELLING_S), ended)

    def _move(self, before: ReplayState, after: ReplayState) -> None:
        """Change the state, unless the replay has been cancelled meanwhile."""
        with self._lock:
            if self.state is before:
                if after not in _ACTIVE:
                    self.end_time = clock.now()
                self.state = after
        journal.changed("events", self.region)

    def _send_all(self, archive: Archive, backend: Replays) -> None:
        bus, chosen = archive.event_bus_name, self.destination.get("FilterArns")
        window = timestamp(self.event_start_time), timestamp(self.event_end_time)
        found = archive.between(*window)
        first = self._sent[0] if self._sent[1] == len(found) else 0  # others have come since: all of it once more
        for start in range(first, len(found), _AT_ONCE):
            if self.state is not ReplayState.RUNNING:
                return
            some, routed = found[start : start + _AT_ONCE], executor.Inbox[bool]()
            events = [event.again(bus, self.name) for event in some]
            backend.put_on_bus(events, only=set(chosen) if chosen else None, then=functools.partial(routed.put, True))
            routed.get()
            self._last_replayed, self._sent = max(some).time, (start + len(some), len(found))
            journal.changed("events", self.region)

    def describe_short(self) -> dict[str, Any]:
        last = self._last_replayed
        return _without_none(
            super().describe_short()
            | {
                "StateReason": self._reason,
                "EventLastReplayedTime": datetime.fromisoformat(last).timestamp() if last else None,
            }
        )

    def describe(self) -> dict[str, Any]:
        return _without_none(super().describe())


class Replays(models.EventsBackend):
    """The part of an account's EventBridge that answers for replays."""

    def put_on_bus(self, events: list[Event], only: set[str] | None = None, *, then: Any = None) -> None:
        raise NotImplementedError

    def resume_replays(self) -> None:
        """Go on with those that an earlier server has left unfinished."""
        for replay in tuple(self.replays.values()):
            archive = self.archives.get(replay.source_arn.split("/")[-1])
            if isinstance(replay, Replay) and replay.active and isinstance(archive, Archive):
                replay.start(archive, self)

    def start_replay(
        self,
        name: str,
        description: str | None,
        source_arn: str,
        start_time: float,  # type: ignore[override]  # a number: seconds
        end_time: float,  # type: ignore[override]  # a number: seconds
        destination: dict[str, Any],
    ) -> dict[str, Any]:
        check(ReplayName=name, Description=description, EventSourceArn=source_arn)
        archive = self._archive_to_replay(source_arn, destination["Arn"])
        if start_time >= end_time:
            raise _not_valid("EventEndTime", "EventStartTime must be before EventEndTime.")
        if name in self.replays:
            raise ResourceAlreadyExistsException(f"Replay {name} already exists.")
        if sum(replay.active for replay in self.replays.values()) >= MAX_ACTIVE:  # type: ignore[attr-defined]  # all are ours
            raise LimitExceeded
        replay = Replay(
            self.account_id, self.region_name, name, description, source_arn, start_time, end_time, destination
        )
        self.replays[name] = replay
        replay.start(archive, self)
        return {
            "ReplayArn": replay.arn,
            "ReplayStartTime": replay.start_time,
            "State": ReplayState.STARTING.value,
        }

    def _archive_to_replay(self, source_arn: str, bus_arn: str) -> Archive:
        if not re.match(_BUS_ARN, bus_arn):
            raise _not_valid("Destination.Arn", "Must contain an event bus ARN.")
        self._get_event_bus(bus_arn)
        name = source_arn.split("/")[-1]
        archive = self.archives.get(name)
        if not isinstance(archive, Archive):
            raise _not_valid("EventSourceArn", f"Archive {name} does not exist.")
        if bus_arn != archive.source_arn:
            raise _not_valid("Destination.Arn", "Cross event bus replay is not permitted.")
        return archive

    def list_replays(self, name_prefix: str | None, source_arn: str | None, state: str | None) -> list[dict[str, Any]]:
        check_one_filter("ListReplays", name_prefix, source_arn, state)
        check_state(state, _STATES)
        return [
            replay.describe_short()
            for replay in tuple(self.replays.values())
            if replay.name.startswith(name_prefix or "")
            and source_arn in (None, replay.source_arn)
            and state in (None, replay.state.value)
        ]

    def cancel_replay(self, name: str) -> dict[str, str]:
        replay = self._get_replay(name)
        replay.cancel()  # type: ignore[attr-defined]  # all are ours
        return {"ReplayArn": replay.arn, "State": ReplayState.CANCELLING.value}


def _not_valid(parameter: str, reason: str) -> ValidationException:
    return ValidationException(f"Parameter {parameter} is not valid. Reason: {reason}")


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
