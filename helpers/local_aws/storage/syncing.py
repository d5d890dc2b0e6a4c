"""Have the disk itself keep what was written, in time: a file that was written may be in the machine's memory alone."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ..engine import clock, executor

#: Seconds without a change after which it is done, and the seconds after which it is done at any rate.
QUIET, EVERY = 1.0, 3.0

logger = logging.getLogger("local_aws.syncing")


def sync(log: Path, beside: Iterable[Path]) -> None:
    """Have the disk keep the log, and before it what it speaks of: files, and folders with all in them. Raises OSError.

    Nobody has a lock on the log (SQLite's are on the database itself), so that it may be opened once more.
    """
    for path in beside:
        for each in (*path.rglob("*"), path):
            with contextlib.suppress(FileNotFoundError):  # it has been deleted since
                _sync_one(each)
    _sync_one(log)
    _sync_one(log.parent)


def _sync_one(path: Path) -> None:
    if not path.is_dir():
        fsync(path, os.O_RDWR | getattr(os, "O_BINARY", 0))  # Windows wants to write for it
    elif os.name == "posix":
        with contextlib.suppress(OSError):  # some file systems know no such thing of folders
            fsync(path, os.O_RDONLY)


def fsync(path: Path, flags: int) -> None:
    """Have the disk keep one file, or what is in a folder. Raises OSError."""
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Syncing:
    """Calls `sync` when nobody has changed anything for QUIET seconds, and never later than EVERY after a change."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._pulse = executor.Pulse(QUIET, self._beat, "journal's syncing")
        self._moved = False
        self._since: float | None = None  # when the first change came that the disk may not have

    def note(self) -> None:
        """Say that something changes. On the way of every order: no lock."""
        self._moved = True
        if self._since is None:
            self._since = clock.monotonic()
            self._pulse.ask()

    def _beat(self) -> None:
        since = self._since
        if since is None:
            return
        if self._moved and clock.monotonic() + QUIET <= since + EVERY:
            self._moved = False
            self._pulse.ask()
            return
        self._moved, self._since = False, None  # what changes from now on is for the next time
        try:
            self._sync()
        except OSError as error:
            logger.warning("what was written is not safe from a power cut yet: %s", error)
            self.note()
