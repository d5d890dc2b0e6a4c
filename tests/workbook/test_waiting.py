"""Waits are bounded, and end in the same line however long they took."""

import io
import time
from contextlib import redirect_stdout

import pytest

from helpers import waiting
from helpers.waiting import holds_for, wait_until


class Clock:
    """Time that passes only in sleep()."""

    def __init__(self, monkeypatch) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        monkeypatch.setattr(waiting, "time", self)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    monkeypatch.setattr(waiting, "watched_part", 1.0)  # whatever this process was connected to before
    return Clock(monkeypatch)


def written(call) -> str:
    stream = io.StringIO()
    with redirect_stdout(stream):
        call()
    return stream.getvalue()


def test_the_value_of_the_condition_comes_back(clock):
    answers = iter([None, [], {"Item": 1}])
    assert wait_until(lambda: next(answers), "the item") == {"Item": 1}
    assert clock.pauses == [0.02, 0.025]


def test_pauses_grow_to_half_a_second_and_never_beyond_the_timeout(clock):
    with pytest.raises(TimeoutError):
        wait_until(lambda: None, "nothing", timeout=5)
    assert clock.pauses[0] == 0.02 and max(clock.pauses) == 0.5
    assert clock.now == pytest.approx(5)


def test_what_is_already_so_is_not_waited_for(clock):
    assert wait_until(lambda: 7, "seven") == 7
    assert clock.pauses == []


def test_the_last_look_is_after_the_timeout(clock):
    """Something that became true during the last pause counts."""
    assert wait_until(lambda: clock.now >= 5, "it", timeout=5) is True


@pytest.mark.parametrize("seconds", [0, 0.5, 2, 9.9, 27])
def test_the_line_is_the_same_however_long_it_took(clock, seconds):
    text = written(lambda: wait_until(lambda: clock.now >= seconds, "the order"))
    *transient, line = text.removesuffix("\n").split("\r")
    assert line == "Waiting for the order: done."
    assert bool(transient) == (seconds >= 1)


@pytest.mark.parametrize("watch", [
    lambda: wait_until(lambda: waiting.time.now >= 640, "the order", timeout=999),
    lambda: holds_for(lambda: True, "the order", 640),
])  # fmt: skip
def test_nothing_of_the_seconds_is_left_behind(clock, watch):
    *transient, line = written(watch).removesuffix("\n").split("\r")
    assert transient[-1].endswith("s") and max(map(len, transient)) <= len(line)


def test_a_timeout_says_what_was_waited_for(clock, capsys):
    with pytest.raises(TimeoutError, match=r"^Waited 2\.5 s for the order, and it did not happen\. More: "):
        wait_until(lambda: 0, "the order", timeout=2.5)
    assert capsys.readouterr().out.split("\r")[-1] == "Waiting for the order: given up.\n"


def test_errors_of_the_condition_come_through(clock):
    with pytest.raises(KeyError):
        wait_until(lambda: {}["Item"], "the item")


def test_holding_is_watched_for_the_whole_time(clock, capsys):
    assert holds_for(lambda: True, "the table", 1.5) is True
    assert clock.now == pytest.approx(1.5)
    assert capsys.readouterr().out.split("\r")[-1] == "Watching the table: done.\n"


def test_holding_ends_with_the_condition(clock):
    assert holds_for(lambda: clock.now < 0.3, "the table", 5) is False
    assert clock.now < 1


def test_real_time_is_used():
    began = time.monotonic()
    assert wait_until(lambda: time.monotonic() > began + 0.1, "a moment")
    assert time.monotonic() - began >= 0.1


def test_a_wait_ends_when_a_trouble_that_was_named_is_still_there(clock, monkeypatch):
    asked = []
    monkeypatch.setattr(waiting, "is_hopeless", lambda: asked.append(clock.now) or len(asked) == 2)
    monkeypatch.setattr(waiting, "what_is_wrong", lambda: "The function is broken.")
    with pytest.raises(TimeoutError, match=r"^Waited 2\d s for R-2, and it did not happen\. The function is broken\."):
        wait_until(lambda: None, waiting_for="R-2", timeout=120)
    assert 10 <= asked[0] < 12 and 20 <= asked[1] < 23


def test_a_watch_for_what_does_not_happen_is_never_cut_short(clock, monkeypatch):
    monkeypatch.setattr(waiting, "is_hopeless", lambda: True)
    assert holds_for(lambda: True, watching="the table", seconds=60)
    assert clock.now == pytest.approx(60)
