"""Say why the store cannot be read or written, in one line that says what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path


class StoreError(Exception):
    """The store cannot be read or written; the message is one line that says what to do."""


class UnreadableError(StoreError):
    """The file cannot be opened as an account. `fact` says so, without what to do: that depends on who opens it.

    of_another_version: its content can be exported, here or with the version that wrote it.
    """

    def __init__(self, path: Path, reason: str, of_another_version: bool = False) -> None:
        self.fact = f"The account in {path} cannot be opened: {reason}. It was left as it is."
        export, bring = (f"python -m helpers.local_aws {each} FILE" for each in ("export", "import"))
        along = (
            f" To take along what is in it: {export}, here or, where that cannot read it, with the version of the "
            f"workbook that wrote it; then start anew, and: {bring}."
        )
        super().__init__(
            f"{self.fact}{along if of_another_version else ''} "
            "To start with a new account: python -m helpers.local_aws stop --forget"
        )


_REASONS = {
    "SQLITE_FULL": "the disk is full. Make room",
    "SQLITE_READONLY": "it is read-only. Make it writable",
}


def takes_nothing(error: sqlite3.Error) -> bool:
    """Return whether the disk is full, or the file read-only."""
    return _kind(error) in _REASONS


def is_about_writing(error: sqlite3.Error) -> bool:
    """Return whether the file may be whole all the same, and the disk takes no more."""
    return _kind(error) in (*_REASONS, "SQLITE_IOERR")


def is_in_use(error: sqlite3.Error) -> bool:
    return _kind(error) == "SQLITE_BUSY"


def unwritable(path: Path, error: sqlite3.Error) -> str:
    """Return what to say when something cannot be written."""
    return _cannot_write(path, _REASONS.get(_kind(error), f"{error}. See to the disk"))


def no_room(path: Path) -> str:
    """Return what to say when the system has no room for a file."""
    return _cannot_write(path, _REASONS["SQLITE_FULL"])


def _cannot_write(path: Path, reason: str) -> str:
    return (
        f"The embedded AWS cannot write to {path}: {reason}, then call again. "
        "Until then nothing in the account can be changed; what is there can be read."
    )


def _kind(error: sqlite3.Error) -> str:
    return "_".join((getattr(error, "sqlite_errorname", None) or "").split("_")[:2])
