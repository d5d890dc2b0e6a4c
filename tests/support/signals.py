"""Processes that a test interrupts."""

from __future__ import annotations

import os
import signal
from typing import Any


def interruptible() -> dict[str, Any]:
    """Make the settings of a Popen whose process heeds Ctrl-C.

    A shell lets its background jobs ignore SIGINT, what they start inherits that, and Python then leaves it so: without
    these settings, whether a test's process can be interrupted would depend on how the tests were started.
    """
    if os.name != "posix":
        return {}
    return {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
