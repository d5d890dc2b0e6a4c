"""Start, find and stop the embedded AWS, from any process of the user's. Standard library only, quick to import.

A server belongs to a folder ($LOCAL_AWS_HOME, or `.local_aws` in the project). In it lies `account.json`:
where the server listens and the credentials that open it, readable by the user alone. The file alone proves
nothing: a server counts as running when it answers there and proves that it has the file's secret (`server_proof`),
before it is sent anything. So a file that a killed server left behind confuses nobody, and who takes its port learns
nothing. Beside it lies the account itself (`account.sqlite`, and `functions`), which the
next server goes on with.

Where the caller's own interpreter has an account (`helpers.local_aws.in_process`), that is the embedded AWS for it: it
is what `start` and `status` find, and what `stop` closes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO

from helpers.errors import WorkbookError
from helpers.paths import PROJECT

from . import server_proof
from .home import ACCOUNT_FILES, Home, cannot_write

#: Seconds that a server may take to be ready (it imports moto: about one, on a slow disk many, and half a minute when
#: a class of thirty starts at once on two cores) and to stop.
START_TIMEOUT, STOP_TIMEOUT = 180.0, 10.0
#: Seconds that it is given to answer, each time it is asked whether it is there.
ANSWER_TIMEOUTS = (5.0, 15.0, 40.0)
#: What the system answers to a process that has used up its files, memory or ports.
EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL}
#: How a connection ends that was open: by a server that has too many, too.
_HUNG_UP = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
#: A setting of the C library of most Linux systems; others do not know it. It gives each of several threads a heap of
#: its own. One alone makes the server a tenth smaller, and is enough: in Python, one thread at a time asks for memory.
#: https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
_THRIFTY = {"MALLOC_ARENA_MAX": "1"}


@dataclass(frozen=True)
class Access:
    """A running embedded AWS: where it is and what opens it. `started`: this call started it, it did not run yet."""

    endpoint_url: str
    access_key_id: str
    secret_access_key: str
    region: str
    account_id: str
    pid: int
    started: bool

    @property
    def port(self) -> int:
        return int(self.endpoint_url.rpartition(":")[2])

    def environment(self) -> dict[str, str]:
        """Return the variables with which the AWS CLI and every SDK use this account, and no other."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@dataclass(frozen=True)
class _Inside:
    access: Access
    close: Callable[[], None]


_inside: _Inside | None = None  # the account of this interpreter


def enter(access: Access, close: Callable[[], None]) -> None:
    """Have this interpreter use the account that it has itself, until `leave`. `close` closes that account."""
    global _inside  # noqa: PLW0603  an interpreter has one at most
    _inside = _Inside(access, close)


def leave() -> None:
    """Look for the folder's server again."""
    global _inside  # noqa: PLW0603
    _inside = None


def is_inside() -> bool:
    """Return whether the account is in this interpreter, where it answers one thread alone."""
    return _inside is not None


def home() -> Home:
    """Return the folder that is chosen. Raises WorkbookError where another user could put theirs in its place."""
    place = Home(Path(os.environ.get("LOCAL_AWS_HOME") or PROJECT / ".local_aws").absolute())
    place.refuse_foreign()
    return place


def start(port: int | None = None) -> Access:
    """Attach to the server that runs, or start one. Raises WorkbookError with one line for the user."""
    if _inside is not None:
        return _inside.access
    if port is not None and not 0 <= port < 65536:
        raise WorkbookError(f"There is no port {port}. Choose one from 1024 to 65535, or none: a free one is found.")
    place = home()
    place.make()
    with place.lock():
        running = _running(place)
        if running is None:
            return _launch(place, port or 0)
        if port and not running.endpoint_url.endswith(f":{port}"):
            raise WorkbookError(
                f"The embedded AWS already runs at {running.endpoint_url}. "
                "Stop it first: python -m helpers.local_aws stop"
            )
        return running


def status() -> Access | None:
    """Return the server that runs, or None."""
    return _inside.access if _inside is not None else _running(home())


def has_account() -> bool:
    """Return whether there is an account, be its server running or not."""
    place = home()
    return _inside is not None or (place.path / ACCOUNT_FILES[0]).exists() or _running(place) is not None


def stop(*, forget: bool = False) -> bool:
    """Stop the server, and say whether one was running. The next one has the same account; `forget`: a new one.

    An account of this interpreter is closed, and what it has kept in a folder stays there.
    """
    if _inside is not None:
        _inside.close()
        return True
    place = home()
    if not place.path.is_dir():
        return False
    with place.lock():
        was_running = _stop(place)
        if forget:
            place.forget()
    return was_running


def _stop(place: Home) -> bool:
    account = _running(place)
    if account is None:
        place.clear()
        return False
    with contextlib.suppress(TimeoutError, *_HUNG_UP):
        _ask(account, stop=(place.read() or {}).get("token", ""))
    deadline = time.monotonic() + STOP_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(WorkbookError):
            if place.read() is None and not _answers(account):
                return True
        time.sleep(0.02)
    raise WorkbookError(f"The embedded AWS (process {account.pid}) does not stop; end that process by hand.")


def _running(place: Home) -> Access | None:
    try:
        account = Access(**{field.name: (place.read() or {})[field.name] for field in fields(Access)})
    except KeyError:
        return None
    return replace(account, started=False) if _answers(account) else None


def _answers(account: Access) -> bool:
    """Whether its server is there. So is one that takes the call and is slow to answer, on a machine with much else to
    do, and one that hangs up in a crowd: a second one in its place would be the end of its account.

    Raises WorkbookError when nobody can tell.
    """
    if server_proof.is_another_users(account.port):
        return False
    for timeout in ANSWER_TIMEOUTS:
        with contextlib.suppress(TimeoutError, *_HUNG_UP):
            return _ask(account, timeout)
    return False


def _ask(account: Access, timeout: float = 5.0, stop: str | None = None) -> bool:
    """Return whether the account's server is there, and proves it; `stop`, the server's token, then ends it.

    Raises TimeoutError, an error of _HUNG_UP, and WorkbookError when the system lets this process ask nobody.
    """
    try:
        with socket.create_connection(("127.0.0.1", account.port), timeout) as connection:
            keys = account.access_key_id, account.secret_access_key
            if not server_proof.prove(connection, account.port, *keys, timeout):
                return False
            if stop is not None:
                request = f"Host: 127.0.0.1:{account.port}\r\nAuthorization: Bearer {stop}\r\nContent-Length: 0"
                connection.sendall(f"POST /_local_aws/stop HTTP/1.1\r\n{request}\r\n\r\n".encode())
                connection.recv(1024)
            return True
    except (TimeoutError, *_HUNG_UP):
        raise
    except OSError as error:
        if error.errno in EXHAUSTED:
            raise WorkbookError(
                f"Whether the embedded AWS runs cannot be found out, since this process cannot ask it now: "
                f"{error.strerror}. Try again; if it stays so, restart the kernel or this terminal."
            ) from None
        return False


def _launch(place: Home, port: int) -> Access:
    import subprocess  # which not every Python has: an account of this interpreter needs none

    place.clear()
    command = [sys.executable, "-m", "helpers.local_aws", "run", "--home", str(place.path), "--port", str(port)]
    log = _new_log(place)
    detached = getattr(subprocess, "DETACHED_PROCESS", 0) | getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    with log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=PROJECT,
                env=_THRIFTY | os.environ,
                start_new_session=os.name == "posix",  # a Ctrl-C in the terminal is not meant for the server
                creationflags=detached,
            )
        except OSError as error:
            reason = error.strerror or error
            raise WorkbookError(f"The embedded AWS cannot be started: {reason}. End other programs.") from None
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        with contextlib.suppress(WorkbookError):
            account = _running(place) if place.read() is not None else None
            if account is not None:
                return replace(account, started=True)
        if process.poll() is not None:
            raise WorkbookError(_last_words(place))
        time.sleep(0.01)
    process.kill()
    raise WorkbookError(f"The embedded AWS was not ready within {START_TIMEOUT:.0f} seconds; {place.log} may say why.")


def _privately(path: str, flags: int) -> int:
    """Open a file that only the user can read, whatever the process's mask."""
    return os.open(path, flags, 0o600)


def _new_log(place: Home) -> IO[bytes]:
    try:
        return open(place.log, "wb", opener=_privately)
    except OSError as error:
        raise WorkbookError(cannot_write(error, place.path)) from None


def _last_words(place: Home) -> str:
    """Why a server ended at once, in one line: its own message, or the end of a traceback that nobody foresaw."""
    log = place.log
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    if not lines and not shutil.disk_usage(place.path).free:  # nor could it say so
        return cannot_write(OSError(errno.ENOSPC, ""), place.path)
    if not lines:
        return f"The embedded AWS ended at once; {log} may say why."
    if any(line.startswith("Traceback") for line in lines):
        return f"The embedded AWS could not start: {lines[-1]} (all of it is in {log})"
    return lines[-1]
