"""Wait, visibly and with a limit, for what AWS does in its own time."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

from helpers.errors import WaitTimeout

Value = TypeVar("Value")

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5  # seconds between two looks
PAUSE_GROWTH = 1.25  # from look to look: so a look comes late by about a tenth of the wait, on average

#: The part of its seconds for which `holds_for` watches, and of the longest pause between two looks. An AWS whose own
#: waits are shortened needs no longer ones (helpers.target.connection sets this).
watched_part = 1.0

#: Says in a sentence why what is waited for may not come; "" where nobody knows (helpers.workbook sets this).
what_is_wrong: Callable[[], str] = str

#: Says whether a trouble that the setup cell has named is still there, so that nothing will come (helpers.workbook).
is_hopeless: Callable[[], bool] = bool
DOUBT_AFTER = 10.0  # seconds after which, and between which, a wait asks that

_stream: TextIO | None = None  # None: wherever print goes


@contextmanager
def show_waits_on(stream: TextIO | None) -> Iterator[None]:
    """Show waits on `stream` while the context lasts, even where the output of cells is hidden; None: on stdout."""
    global _stream  # noqa: PLW0603  print, whose place it takes, is one for the process, too
    before, _stream = _stream, stream
    try:
        yield
    finally:
        _stream = before


def wait_until(
    condition: Callable[[], Value],
    waiting_for: str,
    timeout: float = 30,
    again: Callable[[], object] | None = None,
    every: float = 5,
) -> Value:
    """Call `condition` until it returns something true, and return that.

    Prints one line, which counts the seconds while it waits and ends the same way however long it took. What was done
    too early for AWS to notice, `again` does once more, each `every` seconds. Raises WaitTimeout, a TimeoutError,
    after `timeout` seconds, or earlier when a trouble that the setup cell has named is still there; what `condition`
    raises comes through.
    """
    line, started = f"Waiting for {waiting_for}", time.monotonic()
    value = _watch(_with_repeat(condition, again, every) if again else condition, line, timeout, until=True)
    if not value:
        print(f"{line}: given up.", file=_stream)
        passed = time.monotonic() - started
        waited = timeout if passed >= timeout else round(passed)
        message = f"Waited {waited:g} s for {waiting_for}, and it did not happen. {what_is_wrong()}".rstrip()
        raise WaitTimeout(message, more="the-wait-was-in-vain")
    print(f"{line}: done.", file=_stream)
    return value


def _with_repeat(condition: Callable[[], Value], again: Callable[[], object], every: float) -> Callable[[], Value]:
    """Wrap the condition: the result calls `again` when it has been false for `every` seconds."""
    last = time.monotonic()

    def checked() -> Value:
        nonlocal last
        value = condition()
        if not value and time.monotonic() - last >= every:
            again()
            last = time.monotonic()
        return value

    return checked


def holds_for(condition: Callable[[], object], watching: str, seconds: float = 1.0) -> bool:
    """Return whether `condition` stays true for so many seconds: so a lesson shows that something does *not* happen.

    Prints one line like `wait_until`. Returns False as soon as the condition is false; what it raises comes
    through. Where LOCAL_AWS_TIME_SCALE makes the embedded AWS's waits shorter than usual, the watch is shorter by as
    much.
    """
    line = f"Watching {watching}"
    held = bool(_watch(condition, line, seconds * watched_part, until=False))
    print(f"{line}: done.", file=_stream)
    return held


def _watch(condition: Callable[[], Value], line: str, limit: float, until: bool) -> Value:
    """Return the condition's value as soon as its truth is `until`, or the last one when `limit` seconds are over."""
    try:
        return _looked(condition, line, limit, until)
    except KeyboardInterrupt:
        print(f"{line}: stopped.", file=_stream)  # in the place of the seconds
        raise


def _looked(condition: Callable[[], Value], line: str, limit: float, until: bool) -> Value:
    started, shown, pause, doubt = time.monotonic(), 0, FIRST_PAUSE, DOUBT_AFTER
    while True:
        value = condition()
        passed = time.monotonic() - started
        if bool(value) is until or passed >= limit:
            return value
        if until and passed >= doubt:
            if is_hopeless():
                return value
            doubt = passed + DOUBT_AFTER
        if int(passed) > shown:
            shown = int(passed)
            # A carriage return, not a display handle: nbval compares what a handle showed first, but folds
            # these. The last line is never shorter than this one, so that nothing of this one is left
            # behind.
            print(f"{line} … {shown}s", end="\r", file=_stream, flush=True)
        time.sleep(min(pause, max(limit - passed, 0)))
        pause = min(pause * PAUSE_GROWTH, LONGEST_PAUSE * watched_part)
