"""Open the account in this interpreter, connect the interpreter's boto3 to it, and take all of that back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import boto3

from helpers.errors import WorkbookError

from .. import lifecycle
from ..account.account_owner import AccountOwner
from ..account.credentials import ACCOUNT_ID, REGION
from ..engine import clock, executor
from ..engine.clock import Clock, SystemClock
from ..engine.loop import Loop
from ..engine.threads import ThreadExecutor
from ..home import Home, cannot_write
from ..lifecycle import Access
from ..services import Account
from ..storage.store import StoreError, UnreadableError
from .callers_boto import ENDPOINT_URL, Door
from .callers_time import CallersTime

_OF_A_CLOCK = ("now", "monotonic", "sleep")

_opened = False  # what is changed in moto is changed once for an interpreter: so it has one account in its life


class InProcessAccount:
    """An open account of this interpreter; a context manager, too, which closes it.

    access: what opens it, as of an account in a process of its own. boto3's own functions are connected to it.
    """

    def __init__(self, folder: Path | None, own_clock: Clock | None, scale: float | None) -> None:
        with ExitStack() as undo:
            undo.callback(_engine_of_a_process)
            clock.use(own_clock or SystemClock(), scale)
            loop = Loop()
            executor.use(loop)
            account = _account(folder)
            keys = account.administrator
            self.access = Access(
                ENDPOINT_URL, keys.access_key_id, keys.secret_access_key, REGION, ACCOUNT_ID, os.getpid(), started=False
            )
            undo.enter_context(_callers_time(CallersTime(loop), own_clock is not None))
            undo.enter_context(_callers_boto(Door(account.answer, loop), self.access))
            undo.callback(account.close)  # before the rest: what it runs then still finds the account
            lifecycle.enter(self.access, self.close)
            undo.callback(lifecycle.leave)
            account.resume()
            self._loop, self._undo = loop, undo.pop_all()

    def client(self, service: str, **options: Any) -> Any:
        """Return a boto3 client of the account, as its administrator, whatever the environment says."""
        keys = self.access
        session = boto3.session.Session(keys.access_key_id, keys.secret_access_key, region_name=keys.region)
        return session.client(service, endpoint_url=keys.endpoint_url, **options)

    def close(self) -> None:
        """End its functions, save it if it has a folder, and put the interpreter back. Once more does nothing.

        Raises WorkbookError in another thread than the one that opened it.
        """
        if not self._loop.is_here():
            raise WorkbookError("An account in this interpreter is closed by the thread that opened it, and no other.")
        self._undo.close()

    def __enter__(self) -> InProcessAccount:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def open_account(folder: Path | str | None, own_clock: Clock | None, scale: float | None) -> InProcessAccount:
    """Do what `helpers.local_aws.in_process` says."""
    global _opened  # noqa: PLW0603  an interpreter has one
    if _opened:
        raise WorkbookError(
            "This interpreter has, or has had, an account, and can have no second one. Begin another process for it."
        )
    if own_clock is not None and not all(callable(getattr(own_clock, name, None)) for name in _OF_A_CLOCK):
        raise WorkbookError(
            f"clock={own_clock!r} is no clock. Give one of helpers.local_aws.engine.clock, such as QuickClock(), "
            "or none."
        )
    if isinstance(scale, bool) or not isinstance(scale, int | float | None):
        raise WorkbookError(f"scale={scale!r} is no number. Give one from 0 up, such as 0.5 (half of AWS's times).")
    if not isinstance(folder, str | os.PathLike | None):
        raise WorkbookError(f"folder={folder!r} is no folder. Give its path, or none to keep the account in memory.")
    account = InProcessAccount(None if folder is None else Path(folder), own_clock, scale)
    _opened = True
    return account


def _account(folder: Path | None) -> Account:
    """Build the account, or go on with the one that is kept in the folder. Raises WorkbookError."""
    if folder is None:
        return Account(ENDPOINT_URL)
    Home(folder, "Give").make()
    code = folder / "functions"
    try:
        code.mkdir(mode=0o700, exist_ok=True)
        owner = AccountOwner.of(folder)
        owner.remember(owner.last_port)
        return Account(ENDPOINT_URL, owner, code)
    except UnreadableError as error:
        raise WorkbookError(f"{error.fact} For a new account, give another folder.") from error
    except StoreError as error:
        raise WorkbookError(str(error)) from error
    except OSError as error:
        raise WorkbookError(cannot_write(error, folder, "Give")) from error


def _engine_of_a_process() -> None:
    executor.use(ThreadExecutor())
    clock.use(SystemClock())


@contextmanager
def _callers_time(time: CallersTime, own_clock: bool) -> Iterator[None]:
    time.follow(own_clock)
    try:
        yield
    finally:
        time.restore()


@contextmanager
def _callers_boto(door: Door, access: Access) -> Iterator[None]:
    """Have boto3 find this account, and no other: no profile, no token, no endpoint of the caller's."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    session = boto3.DEFAULT_SESSION
    door.open()
    _set_variables(access.environment())
    boto3.DEFAULT_SESSION = None
    try:
        yield
    finally:
        door.close()
        _set_variables(before)
        boto3.DEFAULT_SESSION = session


def _set_variables(variables: dict[str, str]) -> None:
    """Let these be all the variables of AWS's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(variables)
