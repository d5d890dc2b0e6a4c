"""How long EventBridge goes on trying: days of it, in one thread, on a clock that is moved by what waits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import DEFAULT_SCALE
from helpers.local_aws.engine.executor import Lanes
from helpers.local_aws.events import dead_letter, delivery_retry, delivery_rows
from helpers.local_aws.events.delivery_errors import DeliveryFailed
from helpers.local_aws.events.delivery_retry import Sender, delay_before
from helpers.local_aws.events.delivery_rows import PendingDelivery
from helpers.local_aws.events.put_events import Event, check_entry, make_event
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.support.event_probe import entry
from tests.support.one_thread import one_thread, restart

ACCOUNT = "123456789012"
DAY_S = 86_400
HOUR_S = 3_600
#: How long 185 retries take that come as late as they can.
LATEST_S = sum(delay_before(retry, lambda: 0) for retry in range(1, 186))
EARLIEST_S = sum(delay_before(retry, lambda: 1) for retry in range(1, 186))


class Rule:
    arn = f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r"
    metric_dimensions = {"RuleName": "r"}


class Busy:
    """A target that never takes an event, and the queue for what it did not take. Times are the clock's."""

    def __init__(self, **policy: int) -> None:
        queue = {"DeadLetterConfig": {"Arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:dead"}}
        self.target = {"Id": "t", "Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f", **queue}
        if policy:
            self.target["RetryPolicy"] = policy
        self.tried: list[float] = []
        self.parked: tuple[float, int, str | None] | None = None

    def refuse(self, target: dict, event: Event, rule_arn: str) -> None:
        self.tried.append(clock.uptime() - event.accepted_at)
        raise DeliveryFailed("THROTTLING", "Rate exceeded", retryable=True)

    def park(self, target, event: Event, rule_arn, failure, retries: int, exhausted: str | None) -> None:
        self.parked = clock.uptime() - event.accepted_at, retries, exhausted

    def send(self, lanes: Lanes) -> None:
        Sender(lanes).deliver(self.refuse, PendingDelivery(Rule, self.target, new_event()))

    def ending(self) -> tuple[float, int, str | None]:
        """Deliver until it is parked; returns the event's age then, the retries, and the limit that ended them."""
        lanes = Lanes("test")
        self.send(lanes)
        assert lanes.drain(10 * DAY_S)
        assert self.parked is not None
        return self.parked


def new_event() -> Event:
    sent = entry()
    return make_event(sent, check_entry(sent), "default", ACCOUNT, "us-east-1", clock.now())


@pytest.fixture
def late(monkeypatch) -> None:
    """Each retry comes as late as it can."""
    monkeypatch.setattr(delivery_retry, "delay_before", lambda retry: delay_before(retry, lambda: 0))


@pytest.fixture
def busy(monkeypatch):
    """busy(**policy): a busy target."""

    def made(**policy: int) -> Busy:
        target = Busy(**policy)
        monkeypatch.setattr(dead_letter, "park", target.park)
        return target

    return made


def open_journal(path: Path) -> None:
    journal.open_with(Store(path, "test"), lambda service, region: None, lambda: None)


@pytest.fixture
def path(tmp_path) -> Iterator[Path]:
    """Where the account is kept."""
    open_journal(tmp_path / "store.sqlite")
    yield tmp_path / "store.sqlite"
    journal.close()


def next_process(path: Path, hours_between: float) -> None:
    """Stop the account, and have it start again so much later: it knows nothing but what is in its file."""
    journal.close()
    restart(hours_between)
    clock.count_uptime_from(0)
    open_journal(path)


# AWS's own limits


def test_a_day_of_retries_at_awss_own_pace_ends_with_the_event_s_age(busy, late):
    with one_thread(scale=1):
        target = busy()
        age, retries, limit = target.ending()
    assert (age, limit) == (pytest.approx(DAY_S), "MaximumEventAgeInSeconds")
    assert retries == len(target.tried) - 1 < 185
    assert target.tried[-1] < DAY_S - 1, "a time that is over is no time for another attempt"


def test_a_day_of_retries_that_come_early_ends_with_their_number(busy, monkeypatch):
    monkeypatch.setattr(delivery_retry, "delay_before", lambda retry: delay_before(retry, lambda: 1))
    with one_thread(scale=1):
        assert busy().ending() == (pytest.approx(EARLIEST_S), 185, "MaximumRetryAttempts")


def test_awss_day_is_a_day_of_the_account_however_its_waits_are_scaled(busy, late):
    assert LATEST_S > DAY_S
    with one_thread(scale=DEFAULT_SCALE):
        assert busy().ending() == (pytest.approx(LATEST_S * DEFAULT_SCALE), 185, "MaximumRetryAttempts")


def test_what_rounding_leaves_of_its_time_is_no_time_for_another_attempt(busy, monkeypatch):
    chance = random.Random(7)
    monkeypatch.setattr(
        delivery_retry, "delay_before", lambda retry: delay_before(retry, lambda: chance.uniform(0, 0.2))
    )
    for _ in range(30):
        with one_thread(scale=1):
            clock.count_uptime_from(chance.uniform(0, 100 * DAY_S))
            target = busy()
            assert target.ending()[0] == pytest.approx(DAY_S)
        assert target.tried[-1] < DAY_S - 1


# The learner's own


@pytest.mark.parametrize("scale", [1, DEFAULT_SCALE, DEFAULT_SCALE / 4])
def test_a_learner_s_own_age_is_scaled_as_the_waits_are(busy, late, scale):
    with one_thread(scale):
        target = busy(MaximumEventAgeInSeconds=240)
        assert target.ending() == (pytest.approx(240 * scale), 7, "MaximumEventAgeInSeconds")
    assert target.tried == pytest.approx([scale * (2**attempt - 1) for attempt in range(8)])


def test_without_any_waiting_a_learner_s_own_age_allows_as_many_retries(busy, late):
    with one_thread(scale=0):
        assert busy(MaximumEventAgeInSeconds=240).ending() == (0, 7, "MaximumEventAgeInSeconds")


def test_a_learner_s_own_number_leaves_awss_age(busy, late):
    with one_thread(scale=1):
        age, retries, limit = busy(MaximumRetryAttempts=3).ending()
    assert (age, retries, limit) == (pytest.approx(1 + 2 + 4), 3, "MaximumRetryAttempts")


# Downtime


def test_a_restart_with_hours_between_neither_ages_an_event_nor_shortens_its_wait(busy, late, path):
    with one_thread(scale=1):
        target = busy()
        target.send(Lanes("test"))
        executor.sleep(10 * HOUR_S)
        tried = len(target.tried)
        next_process(path, hours_between=48)
        [kept] = delivery_rows.kept_deliveries("us-east-1")
        lanes = Lanes("another process's")
        Sender(lanes).resume(target.refuse, kept)
        executor.sleep(600)  # the longest of all delays
        assert target.tried[tried - 1 :] == pytest.approx([target.tried[tried - 1], target.tried[tried - 1] + 600])
        assert lanes.drain(10 * DAY_S)
        assert target.parked is not None
        age, retries, limit = target.parked
    assert (age, limit) == (pytest.approx(DAY_S), "MaximumEventAgeInSeconds")
    assert retries == len(target.tried) - 1


def test_a_learner_s_own_age_goes_on_where_it_was(busy, late, path):
    with one_thread(DEFAULT_SCALE):
        target = busy(MaximumEventAgeInSeconds=240)
        target.send(Lanes("test"))
        executor.sleep(2)
        next_process(path, hours_between=5)
        [kept] = delivery_rows.kept_deliveries("us-east-1")
        lanes = Lanes("another process's")
        Sender(lanes).resume(target.refuse, kept)
        assert lanes.drain(DAY_S)
        assert target.parked == (pytest.approx(4), 7, "MaximumEventAgeInSeconds")


def test_an_event_whose_rules_were_still_to_be_found_is_as_old_as_before(path):
    with one_thread():
        delivery_rows.put_events("us-east-1", [new_event()], None)
        executor.sleep(30)
        next_process(path, hours_between=5)
        [([event], _, _)] = delivery_rows.kept_events("us-east-1")
        assert clock.uptime() - event.accepted_at == pytest.approx(30)


def test_a_wait_of_a_slower_server_is_no_longer_than_the_longest_of_this_one(busy, late, path):
    with one_thread(scale=1):
        target = busy()
        target.send(Lanes("test"))
        executor.sleep(10 * HOUR_S)
        next_process(path, hours_between=0)
        clock.use(clock.ManualClock(), DEFAULT_SCALE)
        tried = len(target.tried)
        [kept] = delivery_rows.kept_deliveries("us-east-1")
        Sender(Lanes("another process's")).resume(target.refuse, kept)
        executor.sleep(600 * DEFAULT_SCALE)
        assert len(target.tried) == tried + 1


def test_an_event_that_an_earlier_release_has_kept_counts_from_now(path):
    with one_thread():
        executor.sleep(50)
        event = Event.load(new_event().dump()[:7])
        assert event.accepted_at == clock.uptime()


def test_the_machine_s_sleep_and_its_calendar_age_nothing(busy, late):
    """Only the time of day goes on while a machine sleeps."""

    class Slept(clock.ManualClock):
        def now(self) -> float:
            return super().now() + 48 * HOUR_S * (self.monotonic() > HOUR_S)

    with one_thread(scale=1):
        clock.use(Slept(), 1)
        assert busy().ending()[0] == pytest.approx(DAY_S)


# What waits


def test_what_waits_is_sent_in_its_time():
    with one_thread():
        lanes, sent, began = Lanes("test"), [], clock.monotonic()
        for seconds in (100.0, 5.0, 0.0):
            lanes.later(seconds, seconds, lambda: sent.append(clock.monotonic() - began))
        assert not lanes.drain(50)
        assert lanes.drain(50)
        assert sent == [0.0, 5.0, 100.0]
