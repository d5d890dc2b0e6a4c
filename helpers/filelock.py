"""Lock something between processes; no crash can leave the lock behind: the system frees it with its last holder."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

#: What a lock that somebody else holds answers; anything else means that this file system has no locks.
_HELD_ELSEWHERE = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextlib.contextmanager
def lock(path: Path, waiting: str | None, poll: float = 0.2, say: Callable[[str], None] | None = None) -> Iterator[int]:
    """Hold the lock file `path` while the context lasts; yields its descriptor. Raises OSError.

    While another process has it, `waiting`, if given, is said once (on stderr, unless `say` has another way), and the
    lock tried again every `poll` seconds. A child process that inherits the descriptor holds the lock too (on Linux and
    macOS), until it ends. On a file system without locks everybody gets in: better an unlikely collision than no start
    at all.
    """
    # Closed to others, who could hold it for ever; and no link, which could lead to any file of the user's.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        announced = waiting is None
        while not _try_lock(descriptor):
            if not announced:
                (say or _on_stderr)(waiting or "")
                announced = True
            time.sleep(poll)
        yield descriptor
    finally:
        os.close(descriptor)


def _on_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _try_lock(descriptor: int) -> bool:
    """Try to take the lock. True: it is ours (or this file system has none). False: another process has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _HELD_ELSEWHERE
    return True
