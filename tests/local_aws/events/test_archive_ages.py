"""How long an archive keeps its events, in one thread and on a clock that only what waits moves."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws.engine import clock
from helpers.local_aws.engine.clock import ManualClock
from helpers.local_aws.events.archives import ROWS, Archive, KeptEvent
from helpers.local_aws.events.put_events import Event, check_entry, make_event
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.support.event_probe import entry
from tests.support.one_thread import one_thread, restart

ACCOUNT, REGION = "123456789012", "us-east-1"
DAY_S = 86_400


@pytest.fixture(autouse=True)
def thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def archive() -> Archive:
    bus = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
    return Archive(ACCOUNT, REGION, "week", bus, None, None, 7)


def event() -> Event:
    sent = entry()
    return make_event(sent, check_entry(sent), "default", ACCOUNT, REGION, clock.now())


def count(archive: Archive) -> int:
    return archive.describe_short()["EventCount"]


@pytest.mark.parametrize(("days", "kept"), [(6.99, 1), (7.01, 0)])
def test_an_event_is_kept_for_the_days_that_were_asked_for(archive, days, kept):
    archive.keep(event())
    clock.sleep(days * DAY_S)
    assert count(archive) == kept


@pytest.mark.parametrize("jump_s", [3600, -3600, 30 * DAY_S], ids=["on", "back", "asleep"])
def test_a_clock_that_is_set_takes_no_event_away(archive, jump_s):
    archive.keep(event())
    assert isinstance(clock._clock, ManualClock)
    clock._clock.set_on(jump_s)
    archive.keep(event())
    assert count(archive) == 2
    clock.sleep(7.01 * DAY_S)
    assert count(archive) == 0


def test_an_event_does_not_age_while_nobody_is_there(archive, tmp_path: Path):
    def open_journal() -> Store:
        store = Store(tmp_path / "store.sqlite", "test")
        journal.open_with(store, lambda service, region: None, lambda: None)
        return store

    open_journal()
    archive.keep(event())
    clock.sleep(6 * DAY_S)
    archive.keep(event())
    journal.close()
    restart(hours_between=24 * 30)
    clock.count_uptime_from(0)
    rows = list(open_journal().rows(ROWS))
    again = Archive(ACCOUNT, REGION, "week", archive.source_arn, None, None, 7)
    for _, number, value in rows:
        again.put_back(KeptEvent.read(pickle.loads(value)), int(number))
    assert count(again) == 2
    clock.sleep(1.01 * DAY_S)
    assert count(again) == 1
    journal.close()


def test_an_event_that_an_earlier_release_has_kept_counts_from_now():
    kept = KeptEvent.of(event())
    clock.sleep(50)
    assert KeptEvent.read(tuple(kept)[:8]).kept_at == clock.uptime() == kept.kept_at + 50
