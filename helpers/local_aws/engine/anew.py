"""What belongs to a process and is made anew where something that has it is kept: locks, and what they guard or run.

moto's models have some of the standard library's, too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .executor import Inbox
from .loop import LoopTask
from .threads import ThreadTask


def _nothing() -> None:
    return None


def _another(make: Callable[[], Any]) -> Callable[[Any], Any]:
    return lambda thing: (make, ())


def _another_of_its_class(thing: Any) -> Any:
    return type(thing), ()


#: How pickle reduces them, subclasses too: to new ones of their kind; what was at work, to None.
REDUCERS: dict[type, Callable[[Any], Any]] = {
    type(threading.Lock()): _another(threading.Lock),
    type(threading.RLock()): _another(threading.RLock),
    threading.Condition: _another_of_its_class,
    threading.Event: _another_of_its_class,
    Inbox: _another_of_its_class,
    threading.Thread: _another(_nothing),
    ThreadTask: _another(_nothing),
    LoopTask: _another(_nothing),
}
