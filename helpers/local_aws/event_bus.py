"""Amazon EventBridge: moto's, with events that really arrive.

PutEvents checks its entries and answers; a dispatcher thread then matches each event against the enabled rules of its
bus and hands it to every target of those that match.
"""

from __future__ import annotations

import json
import time
from typing import Any

import moto.events.models as models
from moto.core.exceptions import JsonRESTError
from moto.events.responses import EventsHandler

from . import targets
from .delivery import Delivery, logger
from .put_events import Event, RequestError, check_entry, check_request, make_event

_delivery = Delivery()


def install() -> None:
    """Make moto's EventBridge this one. To be called before the first request."""
    models.events_backends.backend = EventBusBackend


def drain(timeout: float) -> bool:
    """Wait up to `timeout` seconds until no event is on its way to a target; True when that is so."""
    return _delivery.drain(timeout)


def close() -> None:
    """Deliver what is on the buses and stop the dispatcher."""
    _delivery.close()


class EventBusBackend(models.EventsBackend):
    """moto's event buses of one account and region, with delivery."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.events.urls

        return moto.events.urls

    def put_events(self, events: list[dict[str, Any]]) -> list[dict[str, str]]:
        """PutEvents: an answer for each entry, in order. Accepted events are delivered in the background."""
        try:
            check_request(events)
            accepted, answers = self._accept(events)
        except RequestError as error:
            raise JsonRESTError(error.code, error.message) from error
        if accepted:
            _delivery.dispatch(lambda: self._route_all(accepted))
        return answers

    def _accept(self, entries: list[dict[str, Any]]) -> tuple[list[Event], list[dict[str, str]]]:
        accepted, answers, now = [], [], time.time()
        for entry in entries:
            detail = check_entry(entry)
            if isinstance(detail, tuple):
                answers.append({"ErrorCode": detail[0], "ErrorMessage": detail[1]})
                continue
            bus = (entry.get("EventBusName") or "default").split(":event-bus/")[-1]
            event = make_event(entry, detail, bus=bus, account=self.account_id, region=self.region_name, now=now)
            accepted.append(event)
            answers.append({"EventId": event.id})
        return accepted, answers

    def _route_all(self, events: list[Event]) -> None:
        for event in events:
            bus = self.event_buses.get(event.bus)  # an unknown bus is accepted, and the event goes nowhere
            for rule in tuple(bus.rules.values()) if bus else ():
                if rule.state != "DISABLED" and rule.event_pattern.dump():
                    if rule.event_pattern.matches_event(json.loads(event.text)):
                        self._deliver(rule, event)

    def _deliver(self, rule: models.Rule, event: Event) -> None:
        for target in tuple(rule.targets):
            if targets.is_function(target):
                self._hand_over(rule, target, event)
            else:
                _delivery.send(target["Arn"], lambda target=target: self._hand_over(rule, target, event))

    def _hand_over(self, rule: models.Rule, target: dict[str, Any], event: Event) -> None:
        try:
            if targets.is_function(target):
                targets.invoke_function(rule.arn, self.account_id, target, event)
            else:
                targets.send(target, event)
        except Exception as error:
            delivery_failed(rule, target, event, error)


def delivery_failed(rule: models.Rule, target: dict[str, Any], event: Event, error: Exception) -> None:
    """A target did not take an event: leave one line in the log."""
    code = getattr(error, "code", type(error).__name__)
    logger.warning(
        json.dumps({"rule": rule.arn, "target": target["Arn"], "event": event.id, "code": code, "message": str(error)})
    )
