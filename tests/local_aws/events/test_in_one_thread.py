"""EventBridge in one thread: events, archives and replays, and what their days and minutes are."""

from __future__ import annotations

import json
from collections.abc import Iterator

import moto.events.models as models
import pytest
from moto.events.exceptions import IllegalStatusException

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.events.event_bus import EventBusBackend
from helpers.local_aws.events.rules import Rule, RulePattern
from tests.support.event_probe import entry
from tests.support.one_thread import one_thread, restart

ACCOUNT = "123456789012"
BUS = f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"
ARCHIVE = f"arn:aws:events:us-east-1:{ACCOUNT}:archive/all"
DAY_S = 86_400


@pytest.fixture(autouse=True)
def thread() -> Iterator[None]:
    with one_thread(scale=1):
        yield


@pytest.fixture
def bus(monkeypatch) -> EventBusBackend:
    """An account's buses, with an archive of the default one."""
    monkeypatch.setattr(models, "Rule", Rule)
    monkeypatch.setattr(models, "EventPattern", RulePattern)
    made = EventBusBackend("us-east-1", ACCOUNT)
    made.create_archive("all", BUS, None, None, 3)
    return made


@pytest.fixture
def replayed(bus, monkeypatch) -> list[str]:
    """The numbers of the events that a replay has brought to a rule."""
    numbers = []
    bus.put_rule("replayed", event_pattern=json.dumps({"replay-name": [{"exists": True}]}))

    def deliver(rule: Rule, event) -> None:
        if rule.managed_by:
            bus.keep_in_archive(rule, event)
        else:
            numbers.append(event.fields["detail"]["n"])

    monkeypatch.setattr(bus, "_deliver", deliver)
    return numbers


def put(bus: EventBusBackend, count: int) -> None:
    for start in range(0, count, 10):
        bus.put_events([entry(Detail=json.dumps({"n": number})) for number in range(start, min(start + 10, count))])
    executor.run_due()


def replay(bus: EventBusBackend, name: str) -> None:
    answer = bus.start_replay(name, None, ARCHIVE, 0, clock.now() + 1, {"Arn": BUS})
    assert answer["State"] == "STARTING"


def state(bus: EventBusBackend, name: str) -> str:
    executor.run_due()
    return bus.describe_replay(name)["State"]


def test_a_replay_begins_in_its_time_and_sends_all_in_order(bus, replayed):
    put(bus, 250)
    replay(bus, "one")
    executor.sleep(29)
    assert (state(bus, "one"), replayed) == ("STARTING", [])
    executor.sleep(1)
    assert (state(bus, "one"), replayed) == ("COMPLETED", list(range(250)))
    assert bus.describe_replay("one")["ReplayEndTime"] == clock.now()
    assert bus.describe_archive("all")["EventCount"] == 250


def test_a_replay_can_be_cancelled_before_it_begins(bus, replayed):
    put(bus, 10)
    replay(bus, "one")
    assert bus.cancel_replay("one")["State"] == state(bus, "one") == "CANCELLING"
    executor.sleep(30 + 14)
    assert state(bus, "one") == "CANCELLING"
    executor.sleep(1)
    assert (state(bus, "one"), replayed) == ("CANCELLED", [])
    with pytest.raises(IllegalStatusException):
        bus.cancel_replay("one")


def test_two_replays_run_beside_each_other(bus, replayed):
    put(bus, 120)
    replay(bus, "one")
    executor.sleep(10)
    replay(bus, "two")
    executor.sleep(20)
    assert (state(bus, "one"), state(bus, "two")) == ("COMPLETED", "STARTING")
    executor.sleep(10)
    assert (state(bus, "two"), sorted(replayed)) == ("COMPLETED", sorted([*range(120)] * 2))


def test_an_archive_s_days_are_those_on_which_the_account_was_up(bus):
    put(bus, 10)
    executor.sleep(2 * DAY_S)
    put(bus, 5)
    assert bus.describe_archive("all")["EventCount"] == 15
    restart(hours_between=25)
    assert bus.describe_archive("all")["EventCount"] == 15
    executor.sleep(DAY_S + 1)
    assert bus.describe_archive("all")["EventCount"] == 5
