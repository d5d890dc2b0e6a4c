"""The clock, and both forms of the executor: what is promised of one holds for the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from helpers.errors import WorkbookError
from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock, QuickClock, SystemClock
from helpers.local_aws.engine.executor import Condition, Inbox, Lanes, Pulse
from helpers.local_aws.engine.loop import Deadlock, Loop
from helpers.local_aws.engine.threads import ThreadExecutor

DAY_S = 86_400


@pytest.fixture(autouse=True)
def back_to_what_was() -> Iterator[None]:
    before, scale = executor.in_use(), clock.scale()
    yield
    executor.use(before)
    clock.use(SystemClock(), scale)


@pytest.fixture
def loop() -> Loop:
    """The loop, on a clock that stands at the epoch until something moves it."""
    clock.use(ManualClock(start=0.0))
    made = Loop()
    executor.use(made)
    return made


@pytest.fixture(params=["threads", "loop"])
def form(request) -> object:
    made = ThreadExecutor() if request.param == "threads" else Loop()
    executor.use(made)
    return made


class Seen:
    """Collects what jobs have noted, and waits for it."""

    def __init__(self) -> None:
        self.notes: list[object] = []
        self._changed = Condition()

    def note(self, what: object) -> None:
        with self._changed:
            self.notes.append(what)
            self._changed.notify_all()

    def after(self, count: int) -> list[object]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.notes) >= count, 60)
            return list(self.notes)


def failing() -> None:
    raise ValueError("of a job")


# --- both forms ---


def test_jobs_of_one_moment_keep_their_order_and_an_error_ends_only_its_own(form, caplog):
    seen = Seen()
    executor.soon(lambda: seen.note(1))
    executor.soon(failing)
    executor.soon(lambda: seen.note(2))
    assert seen.after(2) == [1, 2]
    assert "of a job" in caplog.text


def test_what_is_due_runs_when_somebody_asks(form):
    seen = Seen()
    executor.soon(lambda: seen.note(1))
    executor.run_due()
    assert seen.after(1) == [1]


def test_what_is_due_earlier_runs_earlier(form):
    seen = Seen()
    with getattr(form, "_changed", nullcontext()):  # threads take what is due when both are there
        executor.later(0.05, lambda: seen.note("later"))
        executor.later(0.01, lambda: seen.note("sooner"))
    assert seen.after(2) == ["sooner", "later"]


def test_a_task_is_waited_for(form):
    seen = Seen()
    task = executor.start(lambda: seen.note("done"), "a task")
    assert task.join(60)
    assert not task.running()
    assert seen.notes == ["done"]


def test_a_task_that_waits_lets_others_work(form):
    inbox, seen = Inbox(), Seen()
    executor.start(lambda: seen.note(inbox.get()), "a reader")
    executor.start(lambda: inbox.put("a letter"), "a writer")
    assert seen.after(1) == ["a letter"]


def test_an_inbox_gives_up(form):
    with pytest.raises(executor.Empty):
        Inbox().get(timeout=0.01)


def test_a_condition_gives_up(form):
    condition = Condition()
    with condition:
        assert condition.wait_for(lambda: False, 0.01) is False


def test_lanes_keep_the_order_of_each_destination(form):
    lanes, seen = Lanes("test"), Seen()
    for number in range(20):
        lanes.dispatch(lambda number=number: seen.note(("bus", number)))
        lanes.send(number % 2, lambda number=number: seen.note((number % 2, number)))
    lanes.later(0.01, "late", lambda: seen.note(("late", 0)))
    assert lanes.drain(60)
    assert lanes.waiting == 0
    for destination, numbers in (("bus", range(20)), (0, range(0, 20, 2)), (1, range(1, 20, 2)), ("late", range(1))):
        assert [number for place, number in seen.notes if place == destination] == list(numbers)
    lanes.close()
    lanes.dispatch(lambda: seen.note("after the end"))
    assert lanes.drain(60)
    assert seen.notes[-1] == "after the end"


def test_a_slow_destination_holds_up_no_other(form):
    lanes, seen, gate = Lanes("test"), Seen(), Inbox()
    lanes.send("slow", lambda: seen.note(gate.get()))
    lanes.send("quick", lambda: (seen.note("quick"), gate.put("slow")))
    assert seen.after(2) == ["quick", "slow"]


def test_a_failing_job_of_a_lane_is_logged_and_the_next_one_runs(form, caplog):
    lanes, seen = Lanes("test"), Seen()
    for run in (lanes.dispatch, lambda job: lanes.send("there", job)):
        run(failing)
        run(lambda: seen.note("next"))
    assert lanes.drain(60)
    assert seen.notes == ["next", "next"]
    assert caplog.text.count("test failed") == 2
    lanes.close()


def test_a_pulse_is_one_for_all_who_ask(form):
    seen = Seen()
    pulse = Pulse(0.01, lambda: seen.note("beat"), "a pulse")
    for _ in range(100):
        pulse.ask()
    seen.after(1)
    pulse.ask()
    assert seen.after(2) == ["beat", "beat"]


# --- the loop, and a clock moved by hand ---


def test_who_asks_during_a_beat_waits_for_the_next(loop):
    seen = Seen()

    def beat() -> None:
        seen.note(clock.now())
        if len(seen.notes) < 3:
            pulse.ask()

    pulse = Pulse(1, beat, "a pulse")
    pulse.ask()
    assert seen.after(3) == [1.0, 2.0, 3.0]


def test_a_beat_that_takes_longer_than_the_pause_is_followed_by_one_more(loop):
    seen = Seen()

    def beat() -> None:
        seen.note(clock.now())
        if len(seen.notes) == 1:
            pulse.ask()
            pulse.ask()
            executor.sleep(10)

    pulse = Pulse(1, beat, "a pulse")
    pulse.ask()
    executor.sleep(30)
    assert seen.notes == [1.0, 11.0]


def test_a_day_of_waiting_takes_no_time(loop):
    seen = Seen()
    for hour in range(1, 25):
        executor.later(hour * 3600, lambda: seen.note(clock.now()))
    executor.sleep(DAY_S)
    assert seen.notes == [hour * 3600.0 for hour in range(1, 25)]


def test_what_is_due_runs_before_a_request_and_not_within_a_job(loop):
    seen = Seen()
    executor.soon(lambda: (executor.soon(lambda: seen.note("inner")), loop.run_due(), seen.note("outer")))
    executor.later(1, lambda: seen.note("not yet"))
    loop.run_due()
    assert seen.notes == ["outer", "inner"]


def test_while_a_function_is_on_the_stack_nothing_else_runs(loop):
    seen = Seen()
    executor.soon(lambda: seen.note("job"))
    with executor.holding():
        loop.run_due()
        assert seen.notes == []
    loop.run_due()
    assert seen.notes == ["job"]


def test_what_is_waited_for_runs_all_the_same(form):
    seen = Seen()
    with executor.holding():
        executor.soon(lambda: seen.note("job"))
        assert seen.after(1) == ["job"]


def test_sleeping_lets_others_work(loop):
    seen = Seen()
    executor.later(5, lambda: seen.note(clock.now()))
    executor.sleep(10)
    assert (seen.notes, clock.now()) == ([5.0], 10.0)


def test_waiting_for_what_nothing_will_do_is_an_error(loop):
    with pytest.raises(Deadlock, match="nothing is left"):
        Inbox().get()


def test_a_clock_does_not_go_back():
    with pytest.raises(ValueError, match="does not go back"):
        ManualClock().advance(-1)


def test_a_quick_clock_goes_on_by_itself_and_a_sleep_moves_it(monkeypatch):
    machine = ManualClock(start=0.0)
    monkeypatch.setattr(clock, "SystemClock", lambda: machine)
    quick = QuickClock(start=1000.0)
    machine.advance(2)
    assert (quick.now(), quick.monotonic()) == (1002.0, 2.0)
    quick.sleep(DAY_S)
    machine.advance(1)
    assert (quick.now(), quick.monotonic()) == (1003.0 + DAY_S, 3.0 + DAY_S)


def test_uptime_goes_on_where_an_earlier_process_ended(loop):
    clock.count_uptime_from(1000.0)
    executor.sleep(20)
    assert clock.uptime() == 1020.0
    clock.use(ManualClock(start=5.0))
    assert clock.uptime() == 1020.0


# --- the scale of AWS's waits ---


@pytest.mark.parametrize("text, factor", [("", 1 / 60), ("0", 0.0), ("0.5", 0.5), (" 1 ", 1.0)])
def test_the_scale_comes_from_the_environment(monkeypatch, text, factor):
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", text)
    clock.use(SystemClock())
    assert clock.scaled(60) == 60 * factor


@pytest.mark.parametrize("text", ["fast", "-1", "inf", "nan", "1/60"])
def test_a_scale_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", text)
    with pytest.raises(WorkbookError, match="must be a number from 0 up, such as 0.5"):
        clock.read_scale()
