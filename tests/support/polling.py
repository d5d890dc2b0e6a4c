"""Waiting for what another process or thread does: for the thing itself, never for a time that should be enough."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

#: Seconds after which a test gives up: far beyond what a machine under a load of ten needs, and only failures wait it.
PATIENCE = 120.0
#: Seconds between two looks.
_PAUSE = 0.03

Value = TypeVar("Value")


def eventually(condition: Callable[[], Value], what: str = "it", seconds: float = PATIENCE) -> Value:
    """Call `condition` until it returns something true, and return that.

    Raises AssertionError, which names `what` was waited for and what came last, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}; the last look showed {value!r}"
        time.sleep(_PAUSE)
    return value
