"""Know which function's code is on the stack, and go in and out of the interpreter that it has.

Functions call the account and the account calls functions, all on one stack: each finds its own interpreter around it,
and what follows goes by what is on top.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from ..engine import clock, executor
from .interpreter_state import InterpreterState, Tops, taken


class TimeIsUp(BaseException):
    """Ends a function at its time limit. No `except Exception` of the function's catches it."""


class Exited(BaseException):
    """Ends a function that has called os._exit."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass
class _Call:
    """A function's code that is on the stack. deadline: in clock.monotonic(); around: the state of who called it."""

    deadline: float
    tops: Tops
    around: InterpreterState


_stack = executor.local()  # calls: of functions, and None for what the account does for one of them


def _calls() -> list[_Call | None]:
    if not hasattr(_stack, "calls"):
        _stack.calls = []
    calls: list[_Call | None] = _stack.calls
    return calls


@contextlib.contextmanager
def outside() -> Iterator[None]:
    """Work for a function that is on the stack, in the interpreter as the account knows it. Without one: as it is."""
    calls = _calls()
    call = calls[-1] if calls else None
    if call is None:
        yield
        return
    inner = taken(call.tops)
    call.around.put()
    calls.append(None)
    try:
        yield
    finally:
        calls.pop()
        call.around = taken(call.tops)
        inner.put()


@contextlib.contextmanager
def inside(state: InterpreterState, deadline: float, tops: Tops) -> Iterator[None]:
    """Run a function's code in `state`, which is what it has left behind in the end.

    deadline: when time.sleep ends it, in clock.monotonic(); tops: see interpreter_state.taken.
    """
    calls, call = _calls(), _Call(deadline, tops, taken(tops))
    calls.append(call)
    state.put()
    try:
        with executor.holding():
            yield
    finally:
        vars(state).update(vars(taken(tops)))
        calls.pop()
        call.around.put()


def sleep(seconds: float) -> None:
    """Sleep as time.sleep does: a function no longer than it may run. Raises TimeIsUp then."""
    call = _current_call()
    if call is None:
        (_SLEEP if time.sleep is sleep else time.sleep)(seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    left = call.deadline - clock.monotonic()
    clock.sleep(max(0.0, min(seconds, left)))
    if seconds >= left:
        raise TimeIsUp


def end(status: int) -> NoReturn:
    """End the function as os._exit ends a process. Raises Exited; without a function, ends the process."""
    if _current_call() is None:
        _EXIT(status)
    raise Exited(status)


_SLEEP, _EXIT = time.sleep, os._exit


def _current_call() -> _Call | None:
    """Return the call of a function that this thread is in; None for other threads, and for the account."""
    calls = _calls()
    return calls[-1] if calls else None
