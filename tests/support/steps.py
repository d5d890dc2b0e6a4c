"""How much work something is, told by a count and not by a clock: the same on a slow or a busy machine."""

from __future__ import annotations

import sys
from collections.abc import Callable


def steps(call: Callable[[], object]) -> int:
    """How many lines of Python `call` executes."""
    count = 0

    def trace(frame: object, event: str, _: object) -> Callable:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count
