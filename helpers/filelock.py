"""A lock between processes that no crash can leave behind: the system frees it when its last holder ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

#: What a lock that somebody else holds answers; anything else means that this file system has no locks.
_TAKEN = (errno.EAGAIN, errno.EACCES, errno.EDEADLK)


@contextlib.contextmanager
def lock(path: Path, waiting: str | None, poll: float = 0.2) -> Iterator[int]:
    """Hold the lock file `path`; yields its descriptor. Says `waiting`, once and if given, while another has it.

    A child process that inherits the descriptor holds the lock too (on Linux and macOS), until it ends. On a
    file system without locks everybody gets in: better an unlikely collision than no start at all.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        told = waiting is None
        while not _try(descriptor):
            if not told:
                print(waiting, file=sys.stderr, flush=True)
                told = True
            time.sleep(poll)
        yield descriptor
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    """True: the lock is ours (or there are none on this file system). False: another process has it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _TAKEN
    return True
