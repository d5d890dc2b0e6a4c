"""Extend moto's Amazon EventBridge with events that really arrive.

PutEvents checks its entries and answers; then each event is matched against the enabled rules of its bus, and handed
to every target of those that match. That is done in order, in the background: functions and other buses take an event
in microseconds, and whatever may be slower is sent in a lane of its own (see `engine.executor.Lanes`). Rules, targets,
archives and replays stay moto's; here they get EventBridge's matcher, checks and delivery.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, cast

import moto.events.models as models
from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ResourceNotFoundException, ValidationException

from ..account.backlog import BACKLOG
from ..cloudwatch import metrics
from ..engine import clock
from ..engine.executor import Lanes
from ..event_patterns.event_pattern import EventView, InvalidEventPattern, compile_pattern
from . import delivery_rows, event_buses, event_rules, target_permission, targets
from .api_destination import check_endpoint
from .archives import Archives
from .delivery_errors import DeliveryFailed, no_resource
from .delivery_retry import NAMESPACE, Send, Sender
from .delivery_rows import PendingDelivery
from .event_routes import Routes
from .loops import safety_net
from .put_events import Event, RequestError, check_entry, check_request, entry_size, make_event, parse_json
from .replays import Replays
from .rules import Rule, invalid_pattern
from .schedules import Schedules
from .target_services import send

#: What an event given to TestEventPattern must have. The API reference asks for resources as well; the
#: service does not.
_MANDATORY_FIELDS = frozenset({"id", "account", "source", "time", "region", "detail-type"})

_ACCOUNT: dict[str, str] = {}  # dimensions of the metrics that belong to no rule
_MATCHED = {"MatchedEvents": 1, "TriggeredRules": 1}

#: The answer for an entry that would make the backlog too large: one of the codes after which it may be put again.
#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
_THROTTLED = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}

logger = logging.getLogger("local_aws.event_bus")
_lanes = Lanes("event-bus")
_sender = Sender(_lanes)


def drain(timeout: float) -> bool:
    """Wait up to `timeout` seconds until no event is on its way to a target; True when that is so.

    An event is with a Lambda function as soon as it is in the function's asynchronous queue.
    """
    return _lanes.drain(timeout)


def close() -> None:
    """Hand on what is on the buses; what waits for a retry is in rows, for the next server."""
    _lanes.close()
    if _lanes.waiting:
        logger.info("%d deliveries are still to be retried", _lanes.waiting)


class EventBusBackend(Archives, Replays, Schedules, event_buses.CheckedBuses, models.EventsBackend):
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

    def put_events(
        self, events: list[dict[str, Any]], hops: int = 0, root: str = "", *, throttle: bool = True
    ) -> list[dict[str, str]]:
        """Answer PutEvents, entry by entry, in order. Accepted events are delivered in the background.

        hops, root: through how many functions the events have come, and the chain that they belong to; throttle:
        whether entries are refused when too much is under way.
        """
        try:
            check_request(events)
            accepted, answers = self._accept(events, throttle)
        except RequestError as error:
            raise JsonRESTError(error.code, error.message) from error
        for event in accepted:
            event.hops, event.root = hops, root
        self._route_later(accepted, None)
        metrics.record(NAMESPACE, _ACCOUNT, _request_metrics(events, len(accepted)))
        return answers

    def _accept(self, entries: list[dict[str, Any]], throttle: bool) -> tuple[list[Event], list[dict[str, str]]]:
        accepted, answers, now = [], [], clock.now()
        for entry in entries:
            detail = check_entry(entry)
            if isinstance(detail, tuple):
                answers.append({"ErrorCode": detail[0], "ErrorMessage": detail[1]})
                continue
            bus = (entry.get("EventBusName") or "default").removeprefix(self._bus_prefix)
            event = make_event(entry, detail, bus, self.account_id, self.region_name, now)
            if not throttle:
                BACKLOG.add(event.size)
            elif not BACKLOG.take(event.size):
                answers.append(_THROTTLED)
                continue
            accepted.append(event)
            answers.append({"EventId": event.id})
        return accepted, answers

    def put_on_bus(
        self, events: list[Event], only: set[str] | None = None, *, then: Callable[[], None] | None = None
    ) -> None:
        """Deliver events in the background; `only` to the rules with these ARNs, if given.

        `then` is called when they are with all targets that take them at once.
        """
        for event in events:
            BACKLOG.add(event.size)
        self._route_later(events, only)
        if then:
            _lanes.dispatch(then)

    def _route_later(self, events: list[Event], only: set[str] | None) -> None:
        """Have them routed in their turn; until then they are in a row of the journal, and count as waiting already."""
        if events:
            row = delivery_rows.put_events(self.region_name, events, only)
            _lanes.dispatch(lambda: self._route_kept(events, only, row))

    def _route_kept(self, events: list[Event], only: set[str] | None, row: int | None) -> None:
        """`_route_all`; what each delivery still needs is in rows of its own then."""
        try:
            self._route_all(events, only)
        finally:
            if row is not None:
                delivery_rows.delete_events(row, self.region_name)

    def _route_all(self, events: list[Event], only: set[str] | None) -> None:
        for event in events:
            try:
                self._route(event, only)
            except Exception:  # the others of the same request are routed all the same
                logger.exception("event %s was not routed", event.id)
            finally:
                BACKLOG.done(event.size)

    def _route(self, event: Event, only: set[str] | None) -> None:
        bus = self.event_buses.get(event.bus)
        if bus is None:  # EventBridge accepts events for a bus that does not exist, and drops them
            return
        view = EventView(event.fields)
        for rule, pattern in self._routes.candidates(bus, event.fields):
            if (only is None or rule.arn in only) and pattern.matches_view(view):
                self._deliver(rule, event)
        for rule in self.scheduled_for(event, only):
            self._deliver(rule, event)

    def _deliver(self, rule: Rule, event: Event) -> None:
        if rule.managed_by:
            self.keep_in_archive(rule, event)
            return
        metrics.record(NAMESPACE, rule.metric_dimensions, _MATCHED)
        for target in tuple(rule.targets):
            pending = PendingDelivery(rule, target, event)
            if targets.is_function(target) or targets.is_bus(target):
                _sender.deliver(self._send_for(target, event), pending)
            else:
                _sender.deliver_later(send, pending)

    def _send_for(self, target: targets.Target, event: Event) -> Send:
        """Return the function that hands an event to a target of this kind."""
        if targets.is_function(target):
            return _invoke if event.hops else targets.invoke_function
        return self._forward if targets.is_bus(target) else send

    def resume(self) -> None:
        """Go on with what an earlier server has left: events on their way to rules and to targets, and replays."""
        for events, only, row in delivery_rows.kept_events(self.region_name):
            for event in events:
                BACKLOG.add(event.size)
            _lanes.dispatch(functools.partial(self._route_kept, events, only, row))
        for kept in delivery_rows.kept_deliveries(self.region_name):
            _sender.resume(self._send_for(kept.target, kept.event), kept)
        self.resume_replays()
        self.resume_schedules()

    def _forward(self, target: targets.Target, event: Event, rule_arn: str) -> None:
        """To another bus, as it is. From there it goes to no third bus:
        https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html
        """
        if event.forwarded:
            raise DeliveryFailed("INVALID_PARAMETER", "EventBridge sends no event on to a third event bus.")
        account, region, bus = targets.locate_bus(target)
        backend = cast(EventBusBackend, models.events_backends[account][region])
        if bus not in backend.event_buses:
            raise no_resource(f"Event bus {bus} does not exist.")
        if target.get("RoleArn"):  # within one account and Region a role is advised, not demanded
            target_permission.check_role(target["RoleArn"], "events:PutEvents", target["Arn"], rule_arn)
        backend.put_on_bus([event.copy(bus, forwarded=True)])

    def test_event_pattern(self, event_pattern: str, event: str) -> bool:  # type: ignore[override]  # moto has a stub
        """Answer TestEventPattern: return whether the JSON text `event` matches."""
        try:
            parsed = parse_json(event or "")
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not parsed.keys() >= _MANDATORY_FIELDS:
            raise ValidationException("Parameter Event is not valid.")
        try:
            return compile_pattern(event_pattern or "").matches(parsed)
        except InvalidEventPattern as error:
            raise invalid_pattern(error) from error

    # Rules: moto's, checked, and routed anew after each change

    def rules_changed(self) -> None:
        self._routes.forget()

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

    def create_api_destination(
        self, name: str, description: str, connection_arn: str, invocation_endpoint: str, *settings: str
    ) -> dict[str, Any]:
        check_endpoint(invocation_endpoint)
        return super().create_api_destination(name, description, connection_arn, invocation_endpoint, *settings)

    def update_api_destination(self, name: str, **changes: Any) -> dict[str, Any]:
        if changes.get("invocation_endpoint"):
            check_endpoint(changes["invocation_endpoint"])
        return super().update_api_destination(name=name, **changes)

    def describe_rule(self, name: str, event_bus_arn: str | None) -> models.Rule:
        bus = self._get_event_bus(self._normalize_event_bus_arn(event_bus_arn))
        if name not in bus.rules:
            raise ResourceNotFoundException(f"Rule {name} does not exist on EventBus {bus.name}.")
        return bus.rules[name]

    def enable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        rule = cast(Rule, self.describe_rule(name, event_bus_arn))
        rule.enable()
        self.plan(rule)
        self._routes.forget()
        return True

    def disable_rule(self, name: str, event_bus_arn: str | None) -> bool:
        rule = cast(Rule, self.describe_rule(name, event_bus_arn))
        rule.disable()
        self.plan(rule)
        self._routes.forget()
        return True

    def put_targets(self, name: str, event_bus_arn: str | None, targets: list[dict[str, Any]]) -> None:
        rule = self.describe_rule(name, event_bus_arn)
        if not rule.managed_by:
            event_rules.check_targets(targets, rule.arn)
        event_rules.check_number_of_targets(rule.targets, targets)
        super().put_targets(name, event_bus_arn, targets)

    def list_targets_by_rule(self, rule_id: str, event_bus_arn: str | None, **page: Any) -> Any:  # type: ignore[override]  # the page goes on as it came
        self.describe_rule(rule_id, event_bus_arn)
        return super().list_targets_by_rule(rule_id, event_bus_arn, **page)


def _invoke(target: targets.Target, event: Event, rule_arn: str) -> None:
    """Hand an event that a function published to a function, unless that would go round for ever."""
    safety_net.check(event, target["Arn"], rule_arn)
    targets.invoke_function(target, event, rule_arn)


def _request_metrics(entries: list[dict[str, Any]], accepted: int) -> dict[str, float]:
    """Return what CloudWatch counts of one call, of whose entries so many were accepted."""
    failed = len(entries) - accepted
    counts: dict[str, float] = {
        "PutEventsApproximateCallCount": 1,
        "PutEventsApproximateSuccessCount": 1,
        "PutEventsEntriesCount": len(entries),
        "PutEventsRequestSize": sum(map(entry_size, entries)),
    }
    return counts | ({"PutEventsFailedEntriesCount": failed} if failed else {})
