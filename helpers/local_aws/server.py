"""Run the process of the embedded AWS: one HTTP endpoint on loopback, in front of moto and of what is ours.

It runs code that it is sent, so it is a way into the machine. Hence: it listens on loopback only; a request
needs a valid signature, in a header or in the link to a function's package; a request that a web page could have caused
(a foreign Host or Origin) is refused before anything else is read from it; and no answer carries a CORS header.
"""

from __future__ import annotations

import contextlib
import gc
import hmac
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helpers import settings
from helpers.errors import WorkbookError

from . import moto_settings, server_proof, succession
from .account.account_owner import IN_MEMORY, AccountOwner
from .account.credentials import ACCOUNT_ID, REGION, random_credentials
from .execution import process_family
from .home import Home, cannot_write
from .http.dispatch import Answer
from .http.endpoint import Endpoint
from .http.http1 import Request
from .lifecycle import Access
from .services import Account
from .storage.store import StoreError

logger = logging.getLogger("local_aws.server")

#: Path of the calls with which `lifecycle` asks how the server is and ends it.
CONTROL = "/_local_aws/"
#: Hours without a request after which the server ends itself.
IDLE_HOURS = settings.number("LOCAL_AWS_IDLE_HOURS", 8)
#: Seconds between two looks at whether the server is still wanted.
WATCH_INTERVAL = 2.0
#: Seconds that requests under way are given to be answered, before the process begins anew.
LAST_ANSWERS = 1.0


class Server:
    """The process around an account: its endpoint, its folder, and when it ends."""

    def __init__(self, home: Home, port: int) -> None:
        """Bind the port and prepare the account in `home`. Raises StoreError, and WorkbookError when the port is
        taken or the folder cannot be written to."""
        self._home = home
        self._heritage = succession.heritage()
        self._token = self._old_token() or random_credentials().secret_access_key
        self._stopped = threading.Event()
        self._anew = False
        self._owner = AccountOwner.of(_folder(home))  # before anything is touched: another server may have the folder
        with _foreseen(home.path):
            self._clear_scratch()
        # Bound first: a taken port is known at once, and whoever asks early waits in the listener's queue.
        self._endpoint = self._bind(port)
        self._owner.remember(self._endpoint.port)
        if self._heritage is not None and self._owner.store is not None:
            self._owner.store.suspect()
        self._build()

    def _old_token(self) -> str | None:
        """Return the predecessor's token: whoever asks whether the server is there asks the same one for it."""
        state = self._state() if self._heritage is not None else None
        return state["token"] if state is not None and state.get("pid") == os.getpid() else None

    def _state(self) -> dict[str, Any] | None:
        """Return what the state file says; None as well when nobody can read it."""
        with contextlib.suppress(WorkbookError):
            return self._home.read()
        return None

    def _bind(self, port: int) -> Endpoint:
        """Without a port given, the one of the last server: who used the account then finds it again."""
        if self._heritage is not None and self._heritage.socket is not None:
            return Endpoint(0, self._answer, self._screen, self._heritage.socket)
        if not port and self._owner.last_port:
            with contextlib.suppress(OSError):
                return Endpoint(self._owner.last_port, self._answer, self._screen)
        try:
            return Endpoint(port, self._answer, self._screen)
        except OSError as error:
            which = f"Port {port} cannot" if port else "No port can"
            raise WorkbookError(f"{which} be used: {error.strerror}. Choose another with --port.") from None

    def _clear_scratch(self) -> None:
        """Temporary files go under the home folder, so that what a killed server left is removed by the next."""
        process_family.kill_leftovers(self._home.path / "functions")
        (self._home.path / "functions").mkdir(mode=0o700, exist_ok=True)
        scratch = self._home.path / "scratch"
        if scratch.is_dir() and not scratch.is_symlink():
            shutil.rmtree(scratch, ignore_errors=True)
        else:  # nothing of anybody's: what lies there is removed at every start
            scratch.unlink(missing_ok=True)
        scratch.mkdir(mode=0o700, exist_ok=True)
        tempfile.tempdir = str(scratch)

    def _build(self) -> None:
        """Make the account. This is where starting takes its time."""
        moto_settings.leave_out_the_users_aws()
        self.endpoint_url = f"http://127.0.0.1:{self._endpoint.port}"
        code = self._home.path / "functions"
        self._account = Account(self.endpoint_url, self._owner, code, begin_anew=self._begin_anew)

    def access(self) -> Access:
        keys = self._owner.administrator
        return Access(
            self.endpoint_url,
            keys.access_key_id,
            keys.secret_access_key,
            REGION,
            ACCOUNT_ID,
            os.getpid(),
            started=True,
        )

    def run(self) -> None:
        """Serve until `stop`, a signal, hours without use, or the loss of the state file.

        Raises StoreError and WorkbookError when it cannot begin.
        """
        threading.Thread(target=self._endpoint.serve_forever, args=(0.1,), name="endpoint", daemon=True).start()
        try:
            state = {**asdict(self.access()), "token": self._token}
            if self._state() != state:  # a successor's is there already, and the disk may take no other
                with _foreseen(self._home.path):
                    self._home.write(state)
            self._account.resume()
            while not self._stopped.wait(WATCH_INTERVAL):
                if self._endpoint.unused_seconds() > IDLE_HOURS * 3600:
                    logger.info("nobody used the account for %g hours: it ends", IDLE_HOURS)
                    return
                if not self._is_wanted():
                    logger.info("another server, or none, belongs to %s: this one ends", self._home.path)
                    return
        finally:
            if self._anew:
                self._hand_over()
            self.close()

    def stop(self) -> None:
        self._stopped.set()

    def _begin_anew(self) -> None:
        """Go on with what is on disk: memory has what could not be kept."""
        self._anew = True
        self._stopped.set()

    def _hand_over(self) -> None:
        """Become the successor. Returns only when that cannot be: the account ends then."""
        logger.warning("a change could not be kept: the account begins anew, with what is on disk")
        self._endpoint.rest(LAST_ANSWERS)
        try:
            succession.begin_anew(self._endpoint.fileno(), self._endpoint.server_close)
        except OSError as error:
            logger.error("the account cannot begin anew, and ends: %s", error)

    def close(self) -> None:
        """Take no more requests, kill the workers, save the account, and forget the state file if it is still ours."""
        self._account.rest()
        threading.Thread(target=self._endpoint.shutdown, daemon=True).start()
        self._endpoint.server_close()
        self._account.close()
        if self._is_wanted():
            self._home.clear()

    def _is_wanted(self) -> bool:
        """Return whether the state file is ours; while nobody can read it, nobody has said that it is not."""
        try:
            return (self._home.read() or {}).get("token") == self._token
        except WorkbookError as error:
            logger.warning("%s", error)
            return True

    def _answer(self, request: Request) -> Answer:
        return self._control(request) if request.path.startswith(CONTROL) else self._account.answer(request)

    def _screen(self, request: Request) -> Answer | None:
        """Return the refusal of a request that is refused whatever its body is; None for others."""
        return self._closed(request) if request.path.startswith(CONTROL) else self._account.screen(request)

    def _closed(self, request: Request) -> Answer | None:
        """Return the refusal of a control call from who has neither the token nor the account's secret."""
        given = request.headers.get("authorization", "")
        with_token = hmac.compare_digest(given.encode(), f"Bearer {self._token}".encode())
        request.vouched = with_token or self._proof(request) is not None
        return None if request.vouched else (403, {}, b"")

    def _proof(self, request: Request) -> str | None:
        """Return the proof that this is the account's server, for who asks for it and knows the secret as well."""
        if (request.method, request.path) != ("GET", server_proof.PATH):
            return None
        keys = self._owner.administrator
        secret_of = {keys.access_key_id: keys.secret_access_key}.get
        return server_proof.answer(request.headers.get("authorization", ""), self._endpoint.port, secret_of)

    def _control(self, request: Request) -> Answer:
        if (refusal := self._closed(request)) is not None:
            return refusal
        if (proof := self._proof(request)) is not None:
            return 200, {"Content-Type": "text/plain"}, proof.encode()
        command = request.path.removeprefix(CONTROL)
        if (request.method, command) == ("POST", "stop"):
            self.stop()
            return 202, {}, b""
        return 404, {}, b""


def main(home: str, port: int) -> int:
    """Run the account that belongs to the folder `home`: the entry point of `run`, and of what `start` launches."""
    os.umask(0o077)  # what the account writes is its user's alone, whatever the terminal's mask
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    process_family.adopt_orphans()
    process_family.allow_many_files()
    # A thread that wants the GIL gets it after this long (seconds) at most: an order crosses several of them. Still
    # shorter, and a burst's threads switch so often that it costs a tenth of their time.
    sys.setswitchinterval(0.002)
    gc.disable()  # what starting makes stays: to look for garbage in it takes a tenth of the time
    try:
        server = Server(Home(Path(home)), port)
        gc.freeze()  # nor does anybody look through it later
        gc.enable()
        _stop_on_signals(server)
        server.run()
    except (StoreError, WorkbookError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


@contextlib.contextmanager
def _foreseen(folder: Path) -> Iterator[None]:
    """Say in one line what the system refuses in the account's folder."""
    try:
        yield
    except OSError as error:
        raise WorkbookError(cannot_write(error, folder)) from None


def _folder(home: Home) -> Path | None:
    """Return where the account is kept; None to keep it in memory alone, for measuring."""
    return None if os.environ.get(IN_MEMORY) else home.path


def _stop_on_signals(server: Server) -> None:
    import signal

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: server.stop())
