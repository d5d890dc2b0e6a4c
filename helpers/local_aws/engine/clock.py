"""Tell the account's time: the time of day, the time it has been up, and how long AWS's waits last here.

The environment variable LOCAL_AWS_TIME_SCALE of the server's process is the factor of AWS's waits (retry delays,
replays), 1/60 without it: one of AWS's minutes lasts a second. 0 means no waiting, 1 means AWS's own pace. Tests choose
a quarter of the usual factor.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from helpers.errors import WorkbookError

DEFAULT_SCALE = 1 / 60


class Clock(Protocol):
    """What tells the time. `sleep` returns when so many seconds have passed on this clock."""

    def now(self) -> float: ...

    def monotonic(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


def _awake() -> Callable[[], float]:
    """Return what counts seconds in which the machine was awake.

    Linux and macOS count no others in time.monotonic(). Windows does, so its unbiased time is asked for:
    https://learn.microsoft.com/windows/win32/api/realtimeapiset/nf-realtimeapiset-queryunbiasedinterrupttime
    """
    if sys.platform != "win32":
        return time.monotonic
    import ctypes

    query, ticks = ctypes.windll.kernel32.QueryUnbiasedInterruptTime, ctypes.c_ulonglong

    def awake() -> float:
        count = ticks()
        query(ctypes.byref(count))
        return count.value / 1e7

    return awake


class SystemClock:
    """The machine's own clock."""

    def __init__(self) -> None:
        self.now = time.time
        self.monotonic = _awake()
        self.sleep = time.sleep


class ManualClock:
    """A clock that stands still until it is moved: by `advance`, or by whoever sleeps.

    It begins at the machine's time, or at `start` (seconds since the epoch).
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = time.time() if start is None else start
        self._passed = 0.0

    def now(self) -> float:
        return self._start + self._passed

    def monotonic(self) -> float:
        return self._passed

    def advance(self, seconds: float) -> None:
        """Move the clock on. Raises ValueError for less than nothing."""
        if seconds < 0:
            raise ValueError(f"a clock does not go back ({seconds} s)")
        self._passed += seconds

    sleep = advance

    def set_on(self, seconds: float) -> None:
        """Set the time of day on, or back (less than nothing), as a user does, or a machine that wakes: none passes."""
        self._start += seconds


class QuickClock(ManualClock):
    """A clock that goes on as the machine's does, and is moved on by whoever sleeps: nobody waits.

    What takes time takes as long as ever; so durations can be measured, which are nothing on a clock that stands.
    """

    def __init__(self, start: float | None = None) -> None:
        super().__init__(start)
        self._machine = SystemClock().monotonic
        self._begun = self._machine()

    def now(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        return self._passed + self._machine() - self._begun


def read_scale() -> float:
    """Return the factor of AWS's waits that the environment names. Raises WorkbookError when it is none."""
    text = os.environ.get("LOCAL_AWS_TIME_SCALE", "").strip()
    try:
        factor = float(text) if text else DEFAULT_SCALE
    except ValueError:
        factor = -1.0
    return _checked(factor, f"LOCAL_AWS_TIME_SCALE is {text!r}")


def _checked(factor: float, said: str) -> float:
    if not 0 <= factor < math.inf:
        raise WorkbookError(f"{said}; it must be a number from 0 up, such as 0.5 (half of AWS's times).")
    return factor


_clock: Clock = SystemClock()
_scale = read_scale()
# Seconds that the account was up in earlier processes, less this one's monotonic time at its start.
_up_before = -_clock.monotonic()


def use(clock: Clock, scale: float | None = None) -> None:
    """Take another clock, and another factor of AWS's waits (without one, the environment's). Raises WorkbookError."""
    global _clock, _scale
    factor = read_scale() if scale is None else _checked(scale, f"The scale is {scale!r}")
    up = uptime()
    _clock, _scale = clock, factor
    count_uptime_from(up)


def now() -> float:
    """Return the time of day in seconds since the epoch."""
    return _clock.now()


def utc() -> datetime:
    """Return the time of day, in UTC."""
    return datetime.fromtimestamp(_clock.now(), UTC)


def monotonic() -> float:
    """Return seconds that only go on, and stand while the machine sleeps; their beginning means nothing."""
    return _clock.monotonic()


def sleep(seconds: float) -> None:
    """Let so many seconds pass on the clock, and do nothing. (`executor.sleep` lets others work meanwhile.)"""
    _clock.sleep(seconds)


def uptime() -> float:
    """Return the seconds that the account has been up so far, in all its processes: what waits grows old by these."""
    return _up_before + _clock.monotonic()


def count_uptime_from(seconds: float) -> None:
    """Go on counting from what an earlier process had reached."""
    global _up_before  # noqa: PLW0603  a process has one clock
    _up_before = seconds - _clock.monotonic()


def scale() -> float:
    """Return the factor of AWS's waits; 0 means that nothing waits."""
    return _scale


def scaled(seconds: float) -> float:
    """Return the seconds to wait here for what takes `seconds` on AWS."""
    return seconds * _scale
