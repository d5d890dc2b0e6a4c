"""How old an accepted event may become: six hours in which the account is up, or what somebody has configured.

All of it with a clock that is moved by hand, and environments that only let time pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.awslambda import async_queue, destinations, environment_pool
from helpers.local_aws.awslambda.concurrency import Concurrency
from helpers.local_aws.awslambda.event_invoke_config import EventInvokeConfig
from helpers.local_aws.awslambda.function_runner import FunctionRunner, FunctionSpec, Host
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock, SystemClock
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.execution.invocation import Outcome, Work
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store

ARN = "arn:aws:lambda:us-east-1:123456789012:function:slow"
HOUR_S = 3600


@pytest.fixture(autouse=True)
def by_hand(monkeypatch) -> Iterator[None]:
    before, scale = executor.in_use(), clock.scale()
    monkeypatch.setattr(journal, "store", None)
    clock.use(ManualClock(start=0.0), 1 / 60)
    executor.use(Loop())
    yield
    executor.use(before)
    clock.use(SystemClock(), scale)


class Account:
    """A function that takes `seconds` for each event, and what became of its events."""

    def __init__(self) -> None:
        self.seconds = 0.3
        self.error: str | None = None
        self.ran: list[tuple[str, float]] = []  # request id, clock.uptime() at its end
        self.dropped: list[tuple[str, str]] = []  # request id, condition
        self.configs: dict[str, EventInvokeConfig] = {}
        self.runner = self.begin()

    def begin(self) -> FunctionRunner:
        """Begin with no environment and an empty queue, as a process does."""
        concurrency = Concurrency()
        concurrency.reserved = 1
        spec = FunctionSpec("slow", ARN, "$LATEST", "main.handler", "python3.13", "role", 128, 900, (), Path(),
                            "123456789012", "us-east-1", "/aws/lambda/slow")  # fmt: skip
        self.runner = FunctionRunner(spec, concurrency, self.configs)
        return self.runner

    def send(self, *names: object, qualifier: str = "$LATEST") -> None:
        for name in names:
            self.runner.invoke_async(b"{}", request_id=str(name), qualifier=qualifier)

    def configure(self, qualifier: str = "$LATEST", age: int | None = None, retries: int | None = 0) -> None:
        self.configs[qualifier] = EventInvokeConfig(ARN, retries, age, "", ARN, 0.0)
        self.runner.limit_changed()


class Pretended:
    """An execution environment whose function lets time pass."""

    slow, alive = False, True

    def __init__(self, account: Account, spec: FunctionSpec, pool: Any) -> None:
        self.spec, self._pool, self._account = spec, pool, account
        self.initialised, self.idle_since = False, clock.monotonic()
        executor.soon(self._ask)

    def hand_over(self, work: Work | None) -> None:
        if work is not None:
            executor.later(self._account.seconds, lambda: self._done(work))

    def kill(self) -> None:
        self.alive = False

    def join(self, timeout: float) -> None:
        pass

    def _ask(self) -> None:
        self.initialised = True
        work = self._pool.next_work(self)
        if work is not None:
            self.hand_over(work)

    def _done(self, work: Work) -> None:
        if self.alive:
            self._account.ran.append((work.request_id, clock.uptime()))
            work.done(work, Outcome(work.request_id, b"{}", self._account.error, b""))
            self._ask()


@pytest.fixture
def account(monkeypatch) -> Iterator[Account]:
    def environment(spec: FunctionSpec, pool: Any, *_: object) -> Pretended:
        return Pretended(made, spec, pool)

    def delivered(ending: destinations.Ending, destination: str) -> None:
        made.dropped.append((ending.event.request_id, ending.condition))

    host = Host("", lambda *_: Credentials("ASIATEST", "secret", "token"), lambda *_, **__: None, environment)
    monkeypatch.setattr(environment_pool, "_host", host)
    monkeypatch.setattr(destinations, "deliver", delivered)
    made = Account()
    yield made
    made.runner.close()


def names_of(pairs: list[tuple[str, Any]]) -> list[str]:
    return [name for name, _ in pairs]


def test_a_long_queue_before_a_slow_function_loses_nothing(account):
    account.send(*range(20_000))
    executor.sleep(20_000 * 0.3 + 1)
    assert names_of(account.ran) == [str(number) for number in range(20_000)]


def test_after_six_hours_an_event_is_too_old(account):
    account.configure()  # with a destination that tells of it
    account.seconds = HOUR_S + 1
    account.send(*"abcdefgh")
    executor.sleep(6 * HOUR_S - 1)
    assert account.dropped == []
    executor.sleep(3 * HOUR_S)
    assert names_of(account.ran) == list("abcdef")
    assert account.dropped == [("g", "EventAgeExceeded"), ("h", "EventAgeExceeded")]


def test_the_scale_of_waits_does_not_make_events_old(account):
    for scale in (0.0, 1 / 60, 1.0):
        clock.use(ManualClock(), scale)
        account.begin().limit_changed()
        account.send("patient", "waiting")
        executor.sleep(1)
    assert names_of(account.ran) == ["patient", "waiting"] * 3


def test_an_age_that_was_configured_is_scaled_as_waits_are(account):
    account.configure(age=600)  # ten seconds here
    account.seconds = 4
    account.send(*"abcd")
    executor.sleep(9.9)
    assert account.dropped == []
    executor.sleep(0.2)
    assert account.dropped == [("d", "EventAgeExceeded")]
    executor.sleep(10)
    assert names_of(account.ran) == ["a", "b", "c"]


def test_without_waits_no_event_becomes_too_old(account):
    clock.use(ManualClock(), 0.0)
    account.configure(age=60)
    account.seconds = 100
    account.send(*"abc")
    executor.sleep(301)
    assert names_of(account.ran) == ["a", "b", "c"]


def test_an_event_that_may_wait_long_hides_none_that_may_not(account):
    account.configure("live", age=60)  # one second here
    account.seconds = 100
    account.send("long")
    account.send("old")
    account.send("young", qualifier="live")
    executor.sleep(1.1)
    assert account.dropped == [("young", "EventAgeExceeded")]


def test_an_age_that_is_configured_later_holds_for_what_waits(account):
    account.seconds = 100
    account.send("runs", "waits")
    executor.sleep(30)
    account.configure(age=60)
    executor.sleep(1)
    assert account.dropped == [("waits", "EventAgeExceeded")]


@pytest.mark.parametrize(("age", "attempts"), [(60, 1), (120, 2), (200, 3), (None, 3)])
def test_a_retry_that_would_come_too_late_is_not_made(account, age, attempts):
    account.configure(age=age, retries=None)
    account.error = "ValueError"
    account.send("fails")
    executor.sleep(10)
    assert len(account.ran) == attempts
    condition = "RetriesExhausted" if attempts == 3 else "EventAgeExceeded"
    assert account.dropped == [("fails", condition)]


# --- across a restart ---


class Disk:
    """The account's store, and its ends and beginnings."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.begin()

    def begin(self) -> None:
        journal.open_with(Store(self._path, "test"), lambda service, region: None, lambda: None)

    def rows(self) -> list[bytes]:
        assert journal.store is not None
        return [value for _, _, value in journal.store.rows(async_queue.KIND)]

    def restart(self, account: Account, seconds: float, forgets_uptime: bool = False) -> None:
        """End in the middle of everything, and go on so many seconds later with what is on disk."""
        journal.close()
        clock.use(ManualClock(start=clock.now() + seconds), clock.scale())
        executor.use(Loop())
        self.begin()
        if forgets_uptime:
            clock.count_uptime_from(0.0)
        account.begin()
        for value in self.rows():
            account.runner.resume(value)


@pytest.fixture
def disk(tmp_path, by_hand) -> Iterator[Disk]:
    yield Disk(tmp_path / "store.sqlite")
    journal.close()


@pytest.mark.parametrize("downtime_s", [385, 7 * HOUR_S])
def test_an_event_does_not_age_while_the_account_is_down(account, disk, downtime_s):
    account.send(*range(60))
    executor.sleep(3)
    done = len(account.ran)
    assert 0 < done < 60
    disk.restart(account, downtime_s)
    executor.sleep(60)
    assert set(names_of(account.ran)) == {str(number) for number in range(60)}
    assert not disk.rows()


def test_an_event_ages_in_all_processes_together(account, disk):
    account.configure()
    account.seconds = 10 * HOUR_S
    account.send("runs", "waits")
    executor.sleep(4 * HOUR_S)
    disk.restart(account, 60)
    account.send("new")
    executor.sleep(2 * HOUR_S + 1)
    assert account.dropped == [("waits", "EventAgeExceeded")]


def test_a_retry_after_a_restart_waits_for_what_was_left(account, disk):
    clock.use(ManualClock(), 1.0)
    account.error = "ValueError"
    account.send("fails")
    executor.sleep(20.3)
    began = clock.uptime()
    disk.restart(account, 1000)
    account.error = None
    executor.sleep(3600)
    assert names_of(account.ran) == ["fails", "fails"]
    assert account.ran[1][1] - began == pytest.approx(40 + 0.3)


def test_a_row_of_a_process_whose_uptime_is_lost_waits_no_longer_than_a_retry(account, disk):
    clock.count_uptime_from(1e6)
    account.error = "ValueError"
    account.send("fails")
    executor.sleep(0.4)
    disk.restart(account, 0, forgets_uptime=True)
    account.error = None
    executor.sleep(max(async_queue.RETRY_DELAYS) / 60 + 1)
    assert names_of(account.ran) == ["fails", "fails"]
