"""Keep what was on a bus, to be sent again: EventBridge archives.

An archive is filled by a rule that EventBridge manages: `Events-Archive-NAME` on the archive's bus, which no
replayed event matches. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-archive.html
"""

from __future__ import annotations

import json
import pickle
import uuid
from collections import deque
from collections.abc import Callable
from sys import intern
from typing import Any, ClassVar, NamedTuple

import moto.events.models as models
from moto.events.exceptions import ResourceAlreadyExistsException, ResourceNotFoundException, ValidationException

from ..account.arn import Arn
from ..engine import clock, executor
from ..storage import journal
from .archive_requests import check, check_one_filter, check_state
from .put_events import Event, entry_size, parse_json

RULE_PREFIX = "Events-Archive-"
#: Who manages the rule, as DescribeRule says it.
MANAGED_BY = "prod.vhs.events.aws.internal"
#: Each event counts with the length of its time, "2026-11-23T09:30:00Z", besides what PutEvents counts: so
#: it was measured on AWS (ten events of 139 bytes in an archive of 1590).
_TIME_BYTES = 20
_DAY_S = 86400
#: The kind of the rows in which the journal keeps archived events.
ROWS = "archived"
_STATES = tuple(models.Archive.VALID_STATES)


class KeptEvent(NamedTuple):
    """An event as an archive keeps it: its texts, half a kilobyte for an order; the parsed detail is not kept."""

    time: str  # as in the event: UTC, whole seconds, so that texts compare as times do
    ingested: str
    detail_type: str
    source: str
    account: str
    region: str
    resources: tuple[str, ...]
    detail: str
    kept_at: float  # the account's uptime then

    @classmethod
    def of(cls, event: Event) -> KeptEvent:
        fields = event.fields
        names = [fields[name] for name in ("detail-type", "source", "account", "region")]
        texts = (fields["time"], event.ingestion_time, *names)
        return cls.read((*texts, tuple(fields["resources"]), event.detail_text, clock.uptime()))

    @classmethod
    def read(cls, values: tuple[Any, ...]) -> KeptEvent:
        """Make an event from its values, of which many events have the same; an earlier release's counts from now."""
        texts: Any = map(intern, values[:6])
        rest: Any = (*values[6:], clock.uptime())[:3]
        return cls(*texts, *rest)

    @property
    def size(self) -> int:
        """Bytes that the event counts with in its archive's SizeBytes."""
        entry = {"Source": self.source, "DetailType": self.detail_type, "Detail": self.detail}
        return entry_size(entry | {"Resources": self.resources}) + _TIME_BYTES

    def again(self, bus: str, replay_name: str) -> Event:
        """Return the event as a replay puts it on the bus: as it was, but `replay-name`, and an id of its own.

        AWS documents neither that a replayed event keeps its id nor that it gets another ("generated for every
        event"). Whoever must recognise an event looks at what is in it.
        """
        fields = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": self.detail_type,
            "source": self.source,
            "account": self.account,
            "time": self.time,
            "region": self.region,
            "replay-name": replay_name,
            "resources": list(self.resources),
            "detail": parse_json(self.detail),
        }
        return Event(bus, fields, self.detail, self.ingested)


class Archive(models.Archive):
    """moto's archive with a store of its own, filled on the bus's thread and read by requests and replays."""

    #: Attributes that a snapshot leaves out, and what makes them anew: the events have rows of their own.
    MADE_ANEW: ClassVar[dict[str, Callable[[], Any]]] = {
        "_lock": executor.Lock,
        "_kept": deque,
        "_numbers": deque,
        "_size": int,
    }

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._lock = executor.Lock()
        self._kept: deque[KeptEvent] = deque()
        self._numbers: deque[int] = deque()  # of their rows in the journal
        self._size = 0

    @property
    def rule_name(self) -> str:
        return RULE_PREFIX + self.name

    @property
    def rule_pattern(self) -> str:
        """The managed rule's pattern: the archive's, for events that are no replay."""
        pattern = json.loads(self.event_pattern.dump() or "{}")
        return json.dumps(pattern | {"replay-name": [{"exists": False}]})

    def keep(self, event: Event) -> None:
        kept, number = KeptEvent.of(event), journal.number()
        with self._lock:
            self.put_back(kept, number)
            if journal.store is not None:
                journal.put(ROWS, self.row_owner, number, pickle.dumps(tuple(kept), 5), new=True)
            self._forget_expired()

    def put_back(self, kept: KeptEvent, number: int) -> None:
        """Add an event at the end; number: of its row in the journal."""
        self._kept.append(kept)
        self._numbers.append(number)
        self._size += kept.size

    @property
    def row_owner(self) -> str:
        """Whose the rows are: an archive of the same name that comes after this one has others."""
        return f"{self.arn}:{self.uuid}"

    def between(self, start: str, end: str) -> list[KeptEvent]:
        """Return the events whose own time is from `start` to `end`, minute by minute, as a replay sends them."""
        with self._lock:
            self._forget_expired()
            found = [event for event in self._kept if start <= event.time <= end]
        return sorted(found, key=lambda event: event.time[:16])  # "2026-11-23T09:30"

    def _forget_expired(self) -> None:
        # Days in which the account was up, as with all that was accepted: a clock that is set, or a holiday, must not
        # take away what somebody has kept in order to have it again.
        if not self.retention:
            return
        oldest = clock.uptime() - int(self.retention) * _DAY_S
        while self._kept and self._kept[0].kept_at < oldest:
            self._size -= self._kept.popleft().size
            journal.delete(ROWS, self.row_owner, self._numbers.popleft())

    def describe_short(self) -> dict[str, Any]:
        with self._lock:
            self._forget_expired()
            content = {"SizeBytes": self._size, "EventCount": len(self._kept)}
        return {
            "ArchiveName": self.name,
            "EventSourceArn": self.source_arn,
            "State": self.state,
            "RetentionDays": int(self.retention),
            **content,
            "CreationTime": self.creation_time,
        }

    def describe(self) -> dict[str, Any]:
        whole = {"ArchiveArn": self.arn, "Description": self.description, "EventPattern": self.event_pattern.dump()}
        return {name: value for name, value in whole.items() if value is not None} | self.describe_short()

    def update(self, description: str | None, event_pattern: str | None, retention: int | None) -> None:  # type: ignore[override]  # moto has the number as a text
        if event_pattern is not None:
            self.event_pattern = models.EventPattern.load(event_pattern)
        if description is not None:
            self.description = description
        if retention is not None:
            self.retention = retention
        backend: Any = models.events_backends[Arn.parse(self.arn).account][self.region]
        backend.manage_archive_rule(self)

    def delete(self, account_id: str, region_name: str) -> None:
        models.events_backends[account_id][region_name].delete_archive(self.name)


def restore(backend_of: Any) -> None:
    """Put what archives have kept back into them. `backend_of`: region -> moto's EventBridge."""
    assert journal.store is not None
    found: dict[str, Archive | None] = {}
    for owner, number, value in journal.store.rows(ROWS):
        if owner not in found:
            archives = backend_of(Arn.parse(owner).region).archives.values()
            found[owner] = next((archive for archive in archives if archive.row_owner == owner), None)
        archive = found[owner]
        if archive is not None:
            archive.put_back(KeptEvent.read(pickle.loads(value)), int(number))


class Archives(models.EventsBackend):
    """The part of an account's EventBridge that answers for archives."""

    def keep_in_archive(self, rule: models.Rule, event: Event) -> None:
        """Keep an event, as the target of a managed rule does."""
        archive = self.archives.get(rule.name.removeprefix(RULE_PREFIX))
        if isinstance(archive, Archive):
            archive.keep(event)

    def manage_archive_rule(self, archive: Archive) -> None:
        """Create the rule that fills the archive, or give it the archive's pattern."""
        target = {
            "Id": archive.rule_name,
            "Arn": f"arn:{self.partition}:events:{self.region_name}:::",
            "InputTransformer": {
                "InputPathsMap": {},
                "InputTemplate": f'{{"archive-arn": "{archive.arn}:{archive.uuid}", "event": <aws.events.event.json>, '
                '"ingestion-time": <aws.events.event.ingestion-time>}',
            },
        }
        if archive.event_bus_name not in self.event_buses:
            return
        # Not PutRule with its checks: with `replay-name` the pattern may be longer than a rule's.
        archive.rule = models.EventsBackend.put_rule(
            self,
            archive.rule_name,
            event_pattern=archive.rule_pattern,
            event_bus_arn=archive.event_bus_name,
            managed_by=MANAGED_BY,
        )
        archive.rule.put_targets([target])
        self.rules_changed()

    def rules_changed(self) -> None:
        raise NotImplementedError

    def create_archive(
        self,
        name: str,
        source_arn: str,
        description: str | None,
        event_pattern: str | None,
        retention: int | None,  # type: ignore[override]  # moto has the number as a text
    ) -> Archive:
        check(ArchiveName=name, EventSourceArn=source_arn, Description=description, EventPattern=event_pattern)
        check(RetentionDays=retention)
        self._get_event_bus(source_arn)
        if name in self.archives:
            raise ResourceAlreadyExistsException(f"Archive {name} already exists.")
        archive = Archive(  # type: ignore[abstract]  # moto's part for CloudFormation is not used
            self.account_id, self.region_name, name, source_arn, description, event_pattern, retention or 0
        )
        self.archives[name] = archive
        self.manage_archive_rule(archive)
        return archive

    def update_archive(
        self,
        name: str,
        description: str | None,
        event_pattern: str | None,
        retention: int | None,  # type: ignore[override]  # moto has the number as a text
    ) -> dict[str, Any]:
        check(ArchiveName=name, Description=description, EventPattern=event_pattern, RetentionDays=retention)
        if description is None and event_pattern is None and retention is None:
            raise ValidationException("At least one of EventPattern, RetentionDays or Description must be provided.")
        archive = self._archive_named(name)
        archive.update(description, event_pattern, retention)
        return {"ArchiveArn": archive.arn, "CreationTime": archive.creation_time, "State": archive.state}

    def describe_archive(self, name: str) -> dict[str, Any]:
        return self._archive_named(name).describe()

    def list_archives(self, name_prefix: str | None, source_arn: str | None, state: str | None) -> list[dict[str, Any]]:
        check_one_filter("ListArchives", name_prefix, source_arn, state)
        check_state(state, _STATES)
        if source_arn is not None:
            self._get_event_bus(source_arn)
        return [
            archive.describe_short()
            for archive in tuple(self.archives.values())
            if archive.name.startswith(name_prefix or "")
            and source_arn in (None, archive.source_arn)
            and state in (None, archive.state)
        ]

    def delete_archive(self, name: str) -> None:
        archive = self._archive_named(name)
        bus = self.event_buses.get(archive.event_bus_name)
        if bus is not None:
            bus.rules.pop(archive.rule_name, None)
        del self.archives[name]
        journal.delete_all(ROWS, archive.row_owner)
        self.rules_changed()

    def _archive_named(self, name: str) -> Archive:
        if name not in self.archives:
            raise ResourceNotFoundException(f"Archive {name} does not exist.")
        return self.archives[name]  # type: ignore[return-value]  # all are ours
