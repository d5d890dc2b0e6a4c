"""Extend moto's rules and their event patterns with EventBridge's checks, matching and delivery."""

from __future__ import annotations

import json
import uuid
from typing import Any

import moto.events.models as models
from moto.core.exceptions import JsonRESTError

from ..engine import clock
from ..event_patterns.event_pattern import InvalidEventPattern, compile_pattern
from .put_events import Event, parse_json, timestamp


class RulePattern(models.EventPattern):
    """moto's event pattern of a rule or archive, with EventBridge's checks and matching.

    `compiled` is None for a rule that has only a schedule: it matches no event.
    """

    def __init__(self, raw_pattern: str | None) -> None:
        try:
            self.compiled = compile_pattern(raw_pattern) if raw_pattern else None
        except InvalidEventPattern as error:
            raise invalid_pattern(error) from error
        super().__init__(raw_pattern, json.loads(raw_pattern) if raw_pattern else {})

    @classmethod
    def load(cls, raw_pattern: str | None) -> RulePattern:
        return cls(raw_pattern)

    def matches_event(self, event: dict[str, Any]) -> bool:  # type: ignore[override]  # moto's events have a type of their own
        return self.compiled is not None and self.compiled.matches(event)


class Rule(models.Rule):
    """moto's rule, delivering as this module does.

    metric_dimensions: under which its metrics are kept; begun_at, begun_up: the time of day and the account's uptime
    when its schedule began; plan: what tells the planned start from those before it.
    """

    event_pattern: RulePattern
    plan: object = None

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        bus = {} if self.event_bus_name == "default" else {"EventBusName": self.event_bus_name}
        self.metric_dimensions = bus | {"RuleName": self.name}
        self._begin_schedule()

    def enable(self) -> None:
        if self.state == "DISABLED":
            self._begin_schedule()
        super().enable()

    def _begin_schedule(self) -> None:
        self.begun_at, self.begun_up = clock.now(), clock.uptime()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "plan"}

    def send_to_targets(self, original_event: dict[str, Any], transform_input: bool = True) -> None:  # type: ignore[override]  # moto's events have a type of their own
        """Send an event of another service of moto's, which calls this (S3: "Object Created")."""
        fields = {name: value for name, value in original_event.items() if name != "ingestion-time"}
        detail = json.dumps(fields.pop("detail"), separators=(",", ":"))
        # Called for each rule with the same event, whose id moto leaves constant.
        fields["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{fields}{detail}"))
        fields["time"] = timestamp(fields["time"])
        event = Event(self.event_bus_name, fields | {"detail": parse_json(detail)}, detail, timestamp(clock.now()))
        backend: Any = models.events_backends[self.account_id][self.region_name]
        backend.put_on_bus([event], only={self.arn})


def invalid_pattern(error: InvalidEventPattern) -> JsonRESTError:
    message = f"Event pattern is not valid. Reason: {error.message}"
    return JsonRESTError("InvalidEventPatternException", message)
