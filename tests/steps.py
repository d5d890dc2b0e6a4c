"""How much work something is, told by a count and not by a clock: the same on a slow or a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Callable


def steps(action: Callable[[], None]) -> int:
    """How many calls and lines Python runs for the action: as many on a slow machine."""
    count = 0

    def trace(frame: object, event: str, _: object) -> Callable:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    finally:
        sys.settrace(before)
    return count
