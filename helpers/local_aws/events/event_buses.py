"""Check custom event buses as CreateEventBus and its relatives do, and write policies as AWS does.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ValidationException
from moto.events.models import EventBus, EventsBackend
from moto.events.responses import EventsHandler

from ..account.arn import service_of
from ..engine import clock
from .validation_errors import refuse

#: "Event buses" per account and Region: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_BUSES = 100

_NAME = r"[/\.\-_A-Za-z0-9]+"
_LONGEST_NAME = 256
_LONGEST_DESCRIPTION = 512
#: "The permission policy on the event bus cannot exceed 10 KB in size." (PutPermission)
_LARGEST_POLICY = 10 * 1024


class CheckedBuses(EventsBackend):
    """moto's event buses, checked as AWS checks them."""

    def create_event_bus(self, name: str, *args: Any, **settings: Any) -> EventBus:
        _check_name(name)
        _check_settings(settings)
        if name.startswith("aws.") and not settings.get("event_source_name"):
            raise ValidationException("Event bus name starting with 'aws.' is not valid.")
        if name not in self.event_buses and len(self.event_buses) >= MAX_BUSES:
            raise JsonRESTError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        return super().create_event_bus(name, *args, **settings)

    def update_event_bus(self, name: str | None, **changes: Any) -> EventBus:
        """Answer UpdateEventBus: what is given replaces what was."""
        _check_settings(changes)
        bus = self.describe_event_bus(name or "default")
        for attribute, value in changes.items():
            if value is not None:
                setattr(bus, attribute, value)
        bus.last_modified_time = clock.now()
        return bus

    def list_rules(self, prefix: str | None = None, **settings: Any) -> Any:  # type: ignore[override]  # as they came
        """Take the prefix as it is: to moto it is a regular expression."""
        prefix = re.escape(prefix) if prefix is not None else None
        return super().list_rules(prefix=prefix, **settings)

    def delete_event_bus(self, name: str) -> None:
        name = name.split(":event-bus/")[-1]
        bus = self.event_buses.get(name)
        if bus is not None and name != "default" and bus.rules:
            raise ValidationException("EventBus can't be deleted since it has rules.")
        super().delete_event_bus(name)

    def put_permission(
        self,
        event_bus_name: str,
        action: str,
        principal: str,
        statement_id: str,
        condition: dict[str, str],
        policy: str,
    ) -> None:
        if policy:
            _check_policy(policy)
        super().put_permission(event_bus_name, action, principal, statement_id, condition, policy)
        bus = self.describe_event_bus(event_bus_name or "default")
        if not policy and principal == "*":  # moto makes an account of it
            bus._statements[statement_id].principal = "*"  # type: ignore[assignment]  # noqa: SLF001  moto takes accounts alone


def _check_name(name: str) -> None:
    failed = f"Value '{name}' at 'name' failed to satisfy constraint: Member must"
    problems = []
    if not re.fullmatch(_NAME, name):
        problems.append(f"{failed} satisfy regular expression pattern: {_NAME}")
    if len(name) > _LONGEST_NAME:
        problems.append(f"{failed} have length less than or equal to {_LONGEST_NAME}")
    refuse(problems)


def _check_settings(settings: dict[str, Any]) -> None:
    description = settings.get("description") or ""
    if len(description) > _LONGEST_DESCRIPTION:
        raise ValidationException(
            f"1 validation error detected: Value '{description}' at 'description' failed to satisfy constraint: "
            f"Member must have length less than or equal to {_LONGEST_DESCRIPTION}"
        )
    queue = (settings.get("dead_letter_config") or {}).get("Arn")
    if queue is not None and (service_of(queue) != "sqs" or queue.endswith(".fifo")):
        raise ValidationException(f"Parameter {queue} is not valid. Reason: It must be a standard SQS queue.")


def _check_policy(text: str) -> None:
    try:
        document = json.loads(text)
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
        complete = all({"Sid", "Effect", "Principal", "Action", "Resource"} <= set(each) for each in statements)
    except (ValueError, KeyError, TypeError):
        raise ValidationException("This policy contains invalid Json") from None
    if not complete:
        raise ValidationException("Each statement needs Sid, Effect, Principal, Action and Resource.")
    if len(text.encode()) > _LARGEST_POLICY:
        raise JsonRESTError("PolicyLengthExceededException", "The event bus policy is too long.")


def _settings(handler: EventsHandler) -> dict[str, Any]:
    return {
        "description": handler._get_param("Description"),
        "kms_key_identifier": handler._get_param("KmsKeyIdentifier"),
        "dead_letter_config": handler._get_param("DeadLetterConfig"),
    }


def _described(bus: EventBus) -> dict[str, Any]:
    described = {
        "EventBusArn": bus.arn,
        "Description": bus.description,
        "KmsKeyIdentifier": bus.kms_key_identifier,
        "DeadLetterConfig": bus.dead_letter_config,
    }
    return {name: value for name, value in described.items() if value}


class BusRequests(EventsHandler):
    """The part of moto's handler of requests that answers for buses: with UpdateEventBus, which moto does not have."""

    def create_event_bus(self) -> Any:
        bus = self.events_backend.create_event_bus(
            name=self._get_param("Name") or "",
            event_source_name=self._get_param("EventSourceName"),
            tags=self._get_param("Tags"),
            **_settings(self),
        )
        return json.dumps(_described(bus))

    def update_event_bus(self) -> str:
        backend: Any = self.events_backend
        bus = backend.update_event_bus(self._get_param("Name"), **_settings(self))
        described = _described(bus)
        return json.dumps({"Name": bus.name, "Arn": described.pop("EventBusArn"), **described})
