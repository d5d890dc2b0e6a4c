"""Rules that start by themselves: their events, their rhythm, and what ends it. In one thread, on a manual clock."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import moto.events.models as models
import pytest
from moto.events.exceptions import ValidationException

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.events.event_bus import EventBusBackend
from helpers.local_aws.events.rules import Rule, RulePattern
from tests.support.one_thread import one_thread

ACCOUNT = "123456789012"
START = 1_796_000_000.0  # 2026-11-30, 00:53:20 UTC
UNTIL_TEN = 9 * 3600 + 6 * 60 + 40  # seconds until 10:00
ALL = json.dumps({"source": [{"prefix": ""}]})


class Bus(EventBusBackend):
    """An account's buses that note what is delivered, instead of asking targets: (rule, event), at seconds of START."""

    def __init__(self) -> None:
        self.delivered: list[tuple[float, str, dict[str, Any]]] = []
        super().__init__("us-east-1", ACCOUNT)

    def _deliver(self, rule: Rule, event) -> None:
        self.delivered.append((clock.now() - START, rule.name, json.loads(event.text)))

    def times(self, name: str = "tick") -> list[float]:
        return [when for when, rule, _ in self.delivered if rule == name]


@pytest.fixture
def thread() -> Iterator[None]:
    with one_thread(scale=1, start=START):
        yield


@pytest.fixture
def bus(thread, monkeypatch) -> Bus:
    monkeypatch.setattr(models, "Rule", Rule)
    monkeypatch.setattr(models, "EventPattern", RulePattern)
    return Bus()


def wait(seconds: float) -> None:
    executor.sleep(seconds)
    executor.run_due()


def test_a_rate_starts_its_rule_again_and_again(bus):
    bus.put_rule("tick", scheduled_expression="rate(5 minutes)")
    wait(299)
    assert bus.times() == []
    wait(602)
    assert bus.times() == [300, 600, 900]


def test_the_event_is_awss_scheduled_event(bus):
    rule = bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    wait(60)
    [(_, _, event)] = bus.delivered
    assert len(event.pop("id")) == 36
    assert event == {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": "2026-11-30T00:54:20Z",
        "region": "us-east-1",
        "resources": [rule.arn],
        "detail": {},
    }


def test_cron_starts_its_rule_at_a_time_of_day(bus):
    bus.put_rule("tick", scheduled_expression="cron(0 10 * * ? *)")
    wait(86400 * 2)
    assert bus.times() == [UNTIL_TEN, UNTIL_TEN + 86400]


def test_no_other_rule_sees_the_event(bus):
    bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    bus.put_rule("tock", scheduled_expression="rate(2 minutes)")
    bus.put_rule("all", event_pattern=ALL)
    wait(120)
    assert sorted(rule for _, rule, _ in bus.delivered) == ["tick", "tick", "tock"]


def test_a_rule_may_have_a_pattern_and_a_schedule(bus):
    bus.put_rule("tick", event_pattern=json.dumps({"source": ["shop"]}), scheduled_expression="rate(1 minute)")
    bus.put_events([{"Source": "shop", "DetailType": "t", "Detail": "{}"}])
    wait(60)
    assert [event["source"] for _, _, event in bus.delivered] == ["shop", "aws.events"]


def test_a_disabled_rule_rests_and_begins_anew(bus):
    bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    wait(90)
    bus.disable_rule("tick", None)
    wait(300)
    assert bus.times() == [60]
    bus.enable_rule("tick", None)
    bus.enable_rule("tick", None)  # which changes nothing
    wait(125)
    assert bus.times() == [60, 450, 510]


def test_what_is_put_again_or_deleted_has_one_rhythm_or_none(bus):
    bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    wait(30)
    bus.put_rule("tick", scheduled_expression="rate(2 minutes)")
    wait(130)
    assert bus.times() == [150]
    bus.put_rule("tick", event_pattern=ALL)
    wait(600)
    bus.put_rule("tick", scheduled_expression="rate(1 minute)", state="DISABLED")
    wait(600)
    bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    bus.delete_rule("tick", None)
    wait(600)
    assert bus.times() == [150]


def test_an_event_of_a_rule_that_is_gone_meanwhile_goes_nowhere(bus):
    rule = bus.put_rule("tick", scheduled_expression="rate(1 minute)")
    event = bus._event(rule)
    bus.delete_rule("tick", None)
    bus.put_on_bus([event], only={rule.arn})
    wait(1)
    assert bus.delivered == []


def test_the_waits_are_as_short_as_all_others_here(monkeypatch):
    monkeypatch.setattr(models, "Rule", Rule)
    monkeypatch.setattr(models, "EventPattern", RulePattern)
    with one_thread(scale=1 / 60, start=START):
        bus = Bus()
        bus.put_rule("tick", scheduled_expression="rate(1 minute)")
        bus.put_rule("daily", scheduled_expression="cron(0 10 * * ? *)")
        wait(1441)
        assert bus.times()[:3] == pytest.approx([1, 2, 3])
        assert bus.times("daily") == pytest.approx([UNTIL_TEN / 60])


def test_without_waits_a_schedule_still_takes_its_time(monkeypatch):
    monkeypatch.setattr(models, "Rule", Rule)
    monkeypatch.setattr(models, "EventPattern", RulePattern)
    with one_thread(scale=0, start=START):
        bus = Bus()
        bus.put_rule("tick", scheduled_expression="rate(1 minute)")
        wait(1)
        assert bus.times() == [0.25, 0.5, 0.75, 1.0]


def test_what_aws_does_not_take_makes_no_rule(bus):
    for text in ("rate(1 minutes)", "cron(0 1 * * * *)"):
        with pytest.raises(ValidationException, match="Parameter ScheduleExpression is not valid."):
            bus.put_rule("tick", scheduled_expression=text)
    assert bus.list_rules()[0] == []
