"""Amazon EventBridge: moto's, with events that really arrive.

PutEvents checks its entries and answers; a dispatcher thread then matches each event against the enabled
rules of its bus and hands it to every target of those that match. Rules, targets, archives and replays stay
moto's; here they get EventBridge's matcher, checks and delivery.
"""

from __future__ import annotations

import functools
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import moto.events.models as models
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.events.exceptions import ResourceNotFoundException, ValidationException
from moto.events.responses import EventsHandler

from . import event_rules, targets
from .delivery import Delivery, logger
from .event_pattern import EventView, InvalidEventPattern, compile_pattern
from .event_routes import Routes
from .put_events import Event, RequestError, check_entry, check_request, make_event, parse_json, timestamp

#: What an event given to TestEventPattern must have. The API reference asks for resources as well; the
#: service does not.
_MANDATORY_FIELDS = frozenset({"id", "account", "source", "time", "region", "detail-type"})

_delivery = Delivery()
_moto_list_rules = EventsHandler.list_rules


def install() -> None:
    """Make moto's EventBridge this one. Call it once, before the first request."""
    models.events_backends.clear()
    models.events_backends.backend = EventBusBackend
    models.EventPattern = RulePattern
    models.Rule = Rule
    models.Replay = Replay
    EventsHandler.test_event_pattern = _test_event_pattern
    EventsHandler.list_rules = _list_rules


def drain(timeout: float) -> bool:
    """Wait up to `timeout` seconds until no event is on its way to a target; True when that is so.

    An event is with a Lambda function as soon as it is in the function's asynchronous queue.
    """
    return _delivery.drain(timeout)


def close() -> None:
    """Deliver what is on the buses and stop the dispatcher."""
    _delivery.close()


class RulePattern(models.EventPattern):
    """moto's event pattern of a rule or archive, with EventBridge's checks and matching.

    `compiled` is None for a rule that has only a schedule: it matches no event.
    """

    def __init__(self, raw_pattern: str | None) -> None:
        try:
            self.compiled = compile_pattern(raw_pattern) if raw_pattern else None
        except InvalidEventPattern as error:
            raise _invalid_pattern(error) from error
        super().__init__(raw_pattern, json.loads(raw_pattern) if raw_pattern else {})

    @classmethod
    def load(cls, raw_pattern: str | None) -> RulePattern:
        return cls(raw_pattern)

    def matches_event(self, event: dict[str, Any]) -> bool:
        return self.compiled is not None and self.compiled.matches(event)


class Rule(models.Rule):
    """moto's rule, delivering as this module does."""

    def send_to_targets(self, original_event: dict[str, Any], transform_input: bool = True) -> None:
        """What other services of moto call with an event of theirs (S3: "Object Created")."""
        fields = {name: value for name, value in original_event.items() if name != "ingestion-time"}
        detail = json.dumps(fields.pop("detail"), separators=(",", ":"))
        # Called for each rule with the same event, whose id moto leaves constant.
        fields["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{fields}{detail}"))
        fields["time"] = timestamp(fields["time"])
        event = Event(self.event_bus_name, fields | {"detail": parse_json(detail)}, detail, timestamp(time.time()))
        backend = models.events_backends[self.account_id][self.region_name]
        backend.put_on_bus([event], only={self.arn})


class Replay(models.Replay):
    """moto's replay, through the bus."""

    def replay_events(self, archive: models.Archive) -> None:
        name = {"replay-name": self.name}
        bus = self.destination["Arn"].split("/")[-1]
        events = [event.copy(bus, id=str(uuid.uuid4()), **name) for event in archive.events]
        chosen = self.destination.get("FilterArns")
        backend = models.events_backends[self.account_id][self.region]
        backend.put_on_bus(events, only=set(chosen) if chosen else None)
        self.state = models.ReplayState.COMPLETED
        self.end_time = unix_time()


class EventBusBackend(models.EventsBackend):
    """moto's event buses of one account and region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self._routes = Routes()
        self._bus_prefix = f"arn:{self.partition}:events:{region_name}:{account_id}:event-bus/"

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.events.urls

        return moto.events.urls

    # Events

    def put_events(self, events: list[dict[str, Any]]) -> list[dict[str, str]]:
        """PutEvents: an answer for each entry, in order. Accepted events are delivered in the background."""
        try:
            check_request(events)
            accepted, answers = self._accept(events)
        except RequestError as error:
            raise JsonRESTError(error.code, error.message) from error
        self.put_on_bus(accepted)
        return answers

    def _accept(self, entries: list[dict[str, Any]]) -> tuple[list[Event], list[dict[str, str]]]:
        accepted, answers, now = [], [], time.time()
        for entry in entries:
            detail = check_entry(entry)
            if isinstance(detail, tuple):
                answers.append({"ErrorCode": detail[0], "ErrorMessage": detail[1]})
                continue
            bus = (entry.get("EventBusName") or "default").removeprefix(self._bus_prefix)
            accepted.append(make_event(entry, detail, bus, self.account_id, self.region_name, now))
            answers.append({"EventId": accepted[-1].id})
        return accepted, answers

    def put_on_bus(self, events: list[Event], only: set[str] | None = None) -> None:
        """Deliver events in the background; `only` to the rules with these ARNs, if given."""
        if events:
            _delivery.dispatch(lambda: self._route_all(events, only))

    def _route_all(self, events: list[Event], only: set[str] | None) -> None:
        for event in events:
            bus = self.event_buses.get(event.bus)
            if bus is None:  # EventBridge accepts events for a bus that does not exist, and drops them
                continue
            view = EventView(event.fields)
            for rule, pattern in self._routes.candidates(bus, event.fields):
                if (only is None or rule.arn in only) and pattern.matches_view(view):
                    self._deliver(rule, event)

    def _deliver(self, rule: Rule, event: Event) -> None:
        rule_arn = rule.arn
        for target in tuple(rule.targets):
            if rule.managed_by:
                self._archive(rule, event)
            elif targets.is_function(target):
                self._hand_over(targets.invoke_function, rule_arn, target, event)
            elif targets.is_bus(target):
                self._hand_over(self._forward, rule_arn, target, event)
            else:
                job = functools.partial(self._hand_over, targets.send, rule_arn, target, event)
                _delivery.send(target["Arn"], job)

    def _hand_over(self, how: Callable[..., None], rule_arn: str, target: targets.Target, event: Event) -> None:
        try:
            how(target, event, rule_arn)
        except Exception as error:
            delivery_failed(rule_arn, target, event, error)

    def _archive(self, rule: Rule, event: Event) -> None:
        """The rules that moto manages are those of archives."""
        for archive in tuple(self.archives.values()):
            if archive.rule is not None and archive.rule.arn == rule.arn:
                archive.events.append(event)

    def _forward(self, target: targets.Target, event: Event, rule_arn: str) -> None:
        """To another bus, as it is. From there it goes to no third bus:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
        """
        if event.forwarded:
            raise targets.DeliveryFailed("FORWARDED_EVENT", "EventBridge sends no event on to a third bus")
        account, region, bus = targets.locate_bus(target)
        backend = models.events_backends[account][region]
        if bus not in backend.event_buses:
            raise targets.DeliveryFailed("ResourceNotFoundException", f"Event bus {bus} does not exist.")
        backend.put_on_bus([event.copy(bus, forwarded=True)])

    def test_event_pattern(self, event_pattern: str, event: str) -> bool:
        """TestEventPattern: whether the JSON text `event` matches."""
        try:
            parsed = parse_json(event or "")
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not parsed.keys() >= _MANDATORY_FIELDS:
            raise ValidationException("Parameter Event is not valid.")
        try:
            return compile_pattern(event_pattern or "").matches(parsed)
        except InvalidEventPattern as error:
            raise _invalid_pattern(error) from error

    # Rules: moto's, checked, and routed anew after each change

    def put_rule(self, name: str, *args: Any, **settings: Any) -> models.Rule:
        event_rules.check_rule(
            name,
            settings.get("event_pattern"),
            settings.get("state"),
            settings.get("description"),
            settings.get("role_arn"),
        )
        try:
            return super().put_rule(name, *args, **settings)
        finally:
            self._routes.forget()

    def delete_rule(self, name: str, event_bus_arn: str | None) -> None:
        super().delete_rule(name, event_bus_arn)
        self._routes.forget()

    def delete_event_bus(self, name: str) -> None:
        super().delete_event_bus(name)
        self._routes.forget()

    def describe_rule(self, name: str, event_bus_arn: str | None) -> models.Rule:
        bus = self._get_event_bus(self._normalize_event_bus_arn(event_bus_arn))
        if name not in bus.rules:
            raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus.name}.")
        return bus.rules[name]

    def enable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        self.describe_rule(name, event_bus_arn).enable()
        self._routes.forget()
        return True

    def disable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        self.describe_rule(name, event_bus_arn).disable()
        self._routes.forget()
        return True

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        rule = self.describe_rule(name, event_bus_arn)
        if not rule.managed_by:
            event_rules.check_targets(targets)
        event_rules.check_number_of_targets(rule.targets, targets)
        super().put_targets(name, event_bus_arn, targets)

    def list_targets_by_rule(self, rule_id: str, event_bus_arn: str | None, **page: Any) -> Any:
        self.describe_rule(rule_id, event_bus_arn)
        return super().list_targets_by_rule(rule_id, event_bus_arn, **page)


def delivery_failed(rule_arn: str, target: targets.Target, event: Event, error: Exception) -> None:
    """A target did not take an event: one line in the log says which, and why."""
    code = getattr(error, "code", type(error).__name__)
    if not isinstance(code, str):  # moto's errors: `code` is the HTTP status
        code = getattr(error, "error_type", type(error).__name__)
    record = {"rule": rule_arn, "target": target["Arn"], "event": event.id, "code": code}
    logger.warning("not delivered: %s", json.dumps(record | {"message": getattr(error, "message", str(error))}))


def _invalid_pattern(error: InvalidEventPattern) -> JsonRESTError:
    message = f"Event pattern is not valid. Reason: {error.message}"
    return JsonRESTError("InvalidEventPatternException", message)


def _test_event_pattern(handler: EventsHandler) -> str:
    pattern, event = handler._get_param("EventPattern"), handler._get_param("Event")
    return json.dumps({"Result": handler.events_backend.test_event_pattern(pattern, event)})


def _list_rules(handler: EventsHandler) -> str:
    """ListRules, in which AWS does not say who created a rule."""
    body, _ = _moto_list_rules(handler)
    answer = json.loads(body)
    for rule in answer["Rules"]:
        rule.pop("CreatedBy", None)
    return json.dumps(answer)
