"""How long the account has been up, in all its processes: kept while it changes, at its end, and in between."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws import lifecycle
from helpers.local_aws.account.account_owner import AccountOwner
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock, SystemClock
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.recovery import snapshots
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support.polling import eventually


@pytest.fixture(autouse=True)
def back_to_what_was(monkeypatch) -> Iterator[None]:
    before, scale = executor.in_use(), clock.scale()
    monkeypatch.setattr(journal, "store", None)
    monkeypatch.setattr(journal, "_uptime_due", 0.0)
    yield
    executor.use(before)
    clock.use(SystemClock(), scale)


@pytest.fixture
def by_hand() -> ManualClock:
    moved = ManualClock(start=0.0)
    clock.use(moved)
    executor.use(Loop())
    return moved


def opened(path: Path) -> Store:
    made = Store(path / "store.sqlite", "test")
    journal.open_with(made, lambda service, region: None, lambda: None)
    return made


def change() -> None:
    journal.put("kind", "owner", "key", b"value")
    journal.commit()


def kept(store: Store) -> float:
    return float(store.get("uptime", "", "") or 0)


def test_a_new_account_has_not_been_up(tmp_path, by_hand):
    by_hand.advance(1000)
    store = opened(tmp_path)
    assert clock.uptime() == 0
    by_hand.advance(5)
    assert clock.uptime() == 5
    store.close()


def test_what_is_committed_is_hardly_older_than_the_uptime_beside_it(tmp_path, by_hand):
    store = opened(tmp_path)
    seen = []
    for seconds in (100, 1, 0.5, 1, 5):
        by_hand.advance(seconds)
        change()
        seen.append((clock.uptime(), kept(store)))
    assert seen == [(100, 100), (101, 100), (101.5, 100), (102.5, 102.5), (107.5, 107.5)]
    store.close()


def test_the_next_process_goes_on_where_an_orderly_end_was(tmp_path, by_hand):
    opened(tmp_path)
    change()
    by_hand.advance(1.5)
    journal.close()
    by_hand.advance(3600)  # nobody is there
    store = opened(tmp_path)
    assert clock.uptime() == 1.5
    store.close()


def test_what_changes_in_the_background_is_committed_and_folded_in_time(tmp_path, by_hand):
    store = opened(tmp_path)
    journal.put("kind", "owner", "key", b"value")
    executor.sleep(2 * journal.INTERVAL)
    assert not store.pending and store.log_size
    executor.sleep(2 * journal.QUIET + journal.INTERVAL)
    assert not store.log_size
    store.close()


def test_a_number_is_larger_than_all_before_whatever_the_clock_says(tmp_path):
    """A machine without a battery begins at the same moment each time."""
    seen = []
    for start in (2e9, 2e9, 2e9 - 3600, 2e9 + 3600):
        clock.use(ManualClock(start))
        store = Store(tmp_path / "store.sqlite", "test")
        for _ in range(3):
            seen.append(store.number())
            store.put("kind", "owner", seen[-1], b"value", new=True)
        store.close()
    assert seen == sorted(set(seen))
    store = Store(tmp_path / "store.sqlite", "test")
    assert [key for _, key, _ in store.rows("kind")] == seen
    store.close()


def test_a_failed_commit_is_tried_again_after_a_while(tmp_path, by_hand, caplog):
    store = opened(tmp_path)
    store._connection.execute("pragma query_only = 1")
    for _ in range(20):  # and not each time that something else changes
        journal.put("kind", "owner", "key", b"value")
        executor.sleep(journal.AGAIN / 25)
    assert caplog.text.count("cannot write") == 1
    store._connection.execute("pragma query_only = 0")
    executor.sleep(journal.AGAIN)
    assert not store.pending
    store.close()


def test_the_uptime_is_kept_while_nothing_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "SELDOM", 0.05)
    store = opened(tmp_path)
    first = eventually(lambda: kept(store))
    eventually(lambda: kept(store) > first)
    journal.close()


def kept_in(account: Account) -> float:  # noqa: F811
    owner = AccountOwner.of(account.home)
    assert owner.store is not None
    found = kept(owner.store)
    owner.store.close()
    return found


def test_a_server_goes_on_after_a_stop_and_hardly_behind_after_a_kill(account):  # noqa: F811
    account.queue("first")
    lifecycle.stop()
    stopped = kept_in(account)
    account.start()
    started = asked = time.monotonic()
    while asked - started < 1.5 * journal.UPTIME_EVERY:
        asked = time.monotonic()
        account.queue(f"queue-{asked:.6f}".replace(".", "-"))
    account.kill()
    killed = kept_in(account)
    assert killed >= stopped + (asked - started) - journal.UPTIME_EVERY
    account.start()
    lifecycle.stop()
    assert 0 < stopped < killed < kept_in(account)


@pytest.mark.parametrize("make", [
    executor.Lock, executor.Condition, executor.Inbox, threading.Lock, threading.Event, threading.Condition,
], ids=lambda make: f"{make.__module__}.{make.__name__}")  # fmt: skip
def test_what_belongs_to_a_process_is_made_anew_in_a_snapshot(make):
    held = {"it": make(), "number": 1}
    with pytest.raises(TypeError):
        pickle.dumps(held)
    found = snapshots.loaded(snapshots.dumped(held))
    assert (type(found["it"]), found["number"]) == (type(held["it"]), 1)
    assert found["it"] is not held["it"]


@pytest.mark.parametrize("form", [None, Loop], ids=["threads", "loop"])
def test_who_was_at_work_is_forgotten_in_a_snapshot(form):
    if form is not None:
        executor.use(form())
    worker = executor.start(lambda: None, "worker")
    assert snapshots.loaded(snapshots.dumped([worker])) == [None]
    assert worker.join(60)
