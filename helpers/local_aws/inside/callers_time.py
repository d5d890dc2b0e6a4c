"""Let the caller's time be the account's for as long as an account is open in the same interpreter.

`time.sleep` on the thread that opened the account lets the account's work go on meanwhile: nobody else would do it.
Other threads, such as a Jupyter kernel's own, sleep as ever and never run any of it. With a clock of the account's own,
`time.time`, `time.time_ns` and `time.monotonic` of that thread follow it, too, and so does what botocore writes into
the requests that it signs: a signature of another time would be refused as too old, or as of the future.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timezone, tzinfo
from types import SimpleNamespace
from typing import Any

from botocore import compat

from ..engine import clock, executor
from ..engine.loop import Loop


class CallersTime:
    """What stands in for the functions of `time`, between `follow` and `restore`."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._before: list[tuple[Any, str, Any]] = []

    def follow(self, own_clock: bool) -> None:
        """Take the place of them. own_clock: the account's clock is not the machine's."""
        self._replace(time, "sleep", _sleep)
        if not own_clock:
            return
        self._replace(time, "time", clock.now)
        self._replace(time, "time_ns", lambda: int(clock.now() * 1_000_000_000))
        self._replace(time, "monotonic", clock.monotonic)
        # The one place where botocore asks for the time that it signs with; its modules import the function by name,
        # which asks for `datetime.datetime.now` there.
        self._put(compat, "datetime", SimpleNamespace(datetime=_AccountsDatetime, timezone=timezone))

    def restore(self) -> None:
        """Put back what was there, last things first."""
        while self._before:
            owner, name, before = self._before.pop()
            setattr(owner, name, before)

    def _replace(self, owner: Any, name: str, ours: Callable[..., Any]) -> None:
        theirs, is_here = getattr(owner, name), self._loop.is_here

        def function(*arguments: Any) -> Any:
            return (ours if is_here() else theirs)(*arguments)

        self._put(owner, name, function)

    def _put(self, owner: Any, name: str, ours: Any) -> None:
        self._before.append((owner, name, getattr(owner, name)))
        setattr(owner, name, ours)


def _sleep(seconds: float) -> None:
    """Sleep as time.sleep does, and let the account's work go on meanwhile."""
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    executor.sleep(seconds)


class _AccountsDatetime:
    """As much of the class `datetime` as tells the time."""

    @staticmethod
    def now(zone: tzinfo = UTC) -> datetime:
        return clock.utc().astimezone(zone)
