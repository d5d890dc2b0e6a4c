"""Have rules with a schedule start events by themselves.

AWS's pages do not say what is decided here. The waits are scaled as all of AWS's waits are: `rate(1 minute)` is due
each second, and a day of `cron(...)` takes 24 minutes. Time in which the account was down does not count. The event
goes to the rule's own targets, past all other rules. To put a rule again begins its rhythm anew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

import moto.events.models as models
from moto.events.exceptions import ValidationException

from ..engine import clock, executor
from ..schedules import expression
from .put_events import Event, make_event
from .rules import Rule

#: What only EventBridge itself may send: PutEvents refuses sources of AWS.
SOURCE = "aws.events"
#: AWS's waits are this long at least, as a part of their own length: without any, a schedule would never end.
_QUICKEST = 1 / 240


class Schedules(models.EventsBackend):
    """moto's event buses, whose rules start when they are due."""

    def put_rule(self, name: str, *args: Any, **settings: Any) -> models.Rule:
        try:
            if text := settings.get("scheduled_expression"):
                expression.parse(text)
        except expression.InvalidExpression:
            raise ValidationException("Parameter ScheduleExpression is not valid.") from None
        rule = super().put_rule(name, *args, **settings)
        self.plan(cast(Rule, rule))
        return rule

    def plan(self, rule: Rule) -> None:
        """Have the rule start when it is due next; what was planned for it before is dropped."""
        self._plan_after(rule, None)

    def resume_schedules(self) -> None:
        """Plan what an earlier server's rules have been waiting for."""
        for rule in self._scheduled():
            self.plan(rule)

    def scheduled_for(self, event: Event, only: Collection[str] | None) -> list[Rule]:
        """Return the rule that has started the event, if it is still there, for an event of a schedule."""
        if only is None or event.fields["source"] != SOURCE:
            return []
        return [rule for rule in self._scheduled() if rule.arn in only]

    def _scheduled(self) -> list[Rule]:
        bus = self.event_buses.get("default")  # on no other can a rule have a schedule
        rules = cast(list[Rule], list(bus.rules.values())) if bus else []
        return [rule for rule in rules if rule.scheduled_expression]

    def _plan_after(self, rule: Rule, done: float | None) -> None:
        """Plan the rule's next start after the one that was due at `done` (None: the first from now on)."""
        rule.plan = plan = object()
        if not rule.scheduled_expression or rule.state == "DISABLED":
            return
        pace = max(clock.scale(), _QUICKEST)
        moment = rule.begun_at + (clock.uptime() - rule.begun_up) / pace  # on a clock as quick as AWS's waits are here
        if done is not None:
            moment = max(moment, done)
        due = expression.parse(rule.scheduled_expression).next_after(rule.begun_at, moment)
        if due is not None:
            wait = rule.begun_up + (due - rule.begun_at) * pace - clock.uptime()
            executor.later(max(0.0, wait), lambda: self._start(rule, plan, due))

    def _start(self, rule: Rule, plan: object, due: float) -> None:
        bus = self.event_buses.get("default")
        if rule.plan is not plan or bus is None or bus.rules.get(rule.name) is not rule:
            return  # the rule has changed or is gone since
        cast(Any, self).put_on_bus([self._event(rule)], only={rule.arn})
        self._plan_after(rule, due)

    def _event(self, rule: Rule) -> Event:
        """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html shows one."""
        entry = {"Source": SOURCE, "DetailType": "Scheduled Event", "Detail": "{}", "Resources": [rule.arn]}
        return make_event(entry, {}, rule.event_bus_name, self.account_id, self.region_name, clock.now())
