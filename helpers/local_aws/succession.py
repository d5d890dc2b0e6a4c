"""Have another process go on with the account, at the same address: it begins as after a crash, with what is on disk.

That is what becomes of a server that could not keep a change: its memory has what was refused, and nobody may see that.
On POSIX systems the successor is the same process with its program begun anew, and takes over the socket that listens,
so that whoever calls meanwhile waits a moment; elsewhere it is a new process, which opens the same port.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

#: The variable in which a successor finds the number of its socket, or nothing where it has to open one.
_HANDED = "LOCAL_AWS_SUCCESSOR"


@dataclass(frozen=True)
class Heritage:
    """What a predecessor has left. socket: the file descriptor that listens; None where none could be handed on."""

    socket: int | None


def heritage() -> Heritage | None:
    """Return what this process has from a predecessor; None for one that has none, as most."""
    handed = os.environ.pop(_HANDED, None)
    if handed is None:
        return None
    if not handed:
        return Heritage(None)
    os.set_inheritable(int(handed), False)
    return Heritage(int(handed))


def begin_anew(listening: int, close: Callable[[], None]) -> None:
    """Run this program anew with the arguments it has had. Returns in no case; raises OSError when it cannot be run.

    listening: the descriptor of the socket that goes on listening; close: ends that, where it cannot be handed on.
    """
    command = [sys.executable, *sys.orig_argv[1:]]
    if os.name == "posix":
        os.set_inheritable(listening, True)
        os.environ[_HANDED] = str(listening)
        os.execv(sys.executable, command)
    import subprocess

    close()
    subprocess.Popen(command, env={**os.environ, _HANDED: ""})
    os._exit(0)
