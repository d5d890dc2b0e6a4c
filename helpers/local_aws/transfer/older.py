"""Open an account to be exported, even one that another version of the workbook has written, if it can be read."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from helpers.errors import WorkbookError

from .. import lifecycle
from ..account.account_owner import STORE, made_by
from ..home import ACCOUNT_FILES
from ..lifecycle import Access
from ..storage import writers


@contextlib.contextmanager
def opened() -> Iterator[Access]:
    """Open the account that is kept, for a while; it is left running if it was. Raises WorkbookError."""
    running = lifecycle.status()
    if running is not None:
        yield running
        return
    if not lifecycle.has_account():
        raise WorkbookError("There is no account to export.")
    folder = lifecycle.home().path
    writer = writers.writer_of(folder / STORE)
    if writer is None or writer == writers.full_name(made_by()):
        with _started() as access:
            yield access
        return
    with tempfile.TemporaryDirectory(prefix="local-aws-", ignore_cleanup_errors=True) as copy, _home(copy):
        if writers.format_of(writer) != writers.FORMAT:
            raise _unreadable(writer, "what it has on disk has another form")
        _copy(folder, Path(copy))
        writers.take_over(Path(copy) / STORE, made_by())
        try:
            access = lifecycle.start()
        except WorkbookError as error:
            raise _unreadable(writer, str(error)) from None
        try:
            yield access
        finally:
            lifecycle.stop()


@contextlib.contextmanager
def _started() -> Iterator[Access]:
    access = lifecycle.start()
    try:
        yield access
    finally:
        lifecycle.stop()


@contextlib.contextmanager
def _home(folder: str) -> Iterator[None]:
    """Have `lifecycle` look after the account in this folder."""
    before = os.environ.get("LOCAL_AWS_HOME")
    os.environ["LOCAL_AWS_HOME"] = folder
    try:
        yield
    finally:
        os.environ.pop("LOCAL_AWS_HOME")
        if before is not None:
            os.environ["LOCAL_AWS_HOME"] = before


def _copy(folder: Path, to: Path) -> None:
    for name in ACCOUNT_FILES:
        if (folder / name).is_dir():
            shutil.copytree(folder / name, to / name)
        elif (folder / name).exists():
            shutil.copy2(folder / name, to / name)


def _unreadable(writer: str, reason: str) -> WorkbookError:
    return WorkbookError(
        f"This version of the workbook cannot read the account, which was written by {writer}: {reason}. Go back to "
        "the version that wrote it, run python -m helpers.local_aws export FILE there, come back, and run "
        "python -m helpers.local_aws stop --forget and python -m helpers.local_aws import FILE."
    )
