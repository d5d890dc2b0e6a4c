"""Keep the folder of one embedded AWS: its state file, its log, its lock, and who may look into it.

Standard library only, quick to import.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers import filelock, private_folders
from helpers.errors import WorkbookError

#: What a server leaves of its account in its folder: SQLite's files, and the functions' code.
ACCOUNT_FILES = ("account.sqlite", "account.sqlite-wal", "account.sqlite-shm", "account.sqlite-journal", "functions")


#: What the system answers when a disk, or its user's share of it, is full.
FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


class Home:
    """The folder of one embedded AWS: its state file, its log, its lock.

    instead: how its user chooses another folder, the beginning of a sentence.
    """

    def __init__(self, path: Path, instead: str = "Set LOCAL_AWS_HOME to") -> None:
        self.path = path
        self._instead = instead
        self._file = path / "account.json"

    def refuse_foreign(self) -> None:
        """Raise WorkbookError when another user could put a folder of theirs in the place of this one."""
        try:
            private_folders.refuse_foreign_way(self.path, self._instead)
        except OSError as error:
            raise self._unusable(error) from None

    def make(self) -> None:
        """Make the folder, and let nobody but the user look into it. Raises WorkbookError."""
        try:
            private_folders.make(self.path, self._instead)
            self._keep_private()
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> WorkbookError:
        return WorkbookError(
            f"The embedded AWS needs the folder {self.path}, which cannot be made: {error.strerror}. "
            f"{self._instead} a folder that you may write to."
        )

    def _keep_private(self) -> None:
        """Only the user may put anything into the folder, or look into it, whoever made it and with what mask.

        Nor may what lies in it be, or lead to, what is another user's. Raises WorkbookError.
        """
        if os.name != "posix":
            return
        inside = {entry.name for entry in self.path.iterdir()}
        closed = not private_folders.others_may_write(self.path, self.path.stat())
        if not inside or ("lock" in inside and closed):  # new, or an account's already
            with contextlib.suppress(OSError):  # some file systems, such as FAT's, have no permissions
                self.path.chmod(0o700)
        private_folders.refuse_foreign(self.path, self._instead)
        for entry in self.path.iterdir():
            private_folders.refuse_foreign_way(entry, self._instead)

    def read(self) -> dict[str, Any] | None:
        """Return the state that a server has left, or None: no file, or none that a server wrote.

        Raises WorkbookError when nobody can tell: a process that may open no more files must not take this for "none".
        """
        try:
            text = self._file.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
            return None
        except IsADirectoryError as error:
            raise WorkbookError(cannot_write(error, self.path, self._instead)) from None
        except OSError as error:
            raise WorkbookError(
                f"Whether the embedded AWS runs cannot be found out, since {self._file} cannot be read now: "
                f"{error.strerror}. Try again; if it stays so, restart the kernel or this terminal."
            ) from None
        try:
            state = json.loads(text)
            port = int(state["endpoint_url"].rpartition(":")[2])
            words = state["token"], state["access_key_id"], state["secret_access_key"]
            return state if 0 < port < 65536 and all(isinstance(word, str) for word in words) else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, state: dict[str, Any]) -> None:
        """Replace the state file in one step; only the user can read it, at every moment."""
        draft = self._file.with_suffix(f".{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(state, file)
        draft.replace(self._file)

    def clear(self) -> None:
        with contextlib.suppress(OSError):
            self._file.unlink()

    def forget(self) -> None:
        """Remove the account that no server has open: its store, and its functions' code."""
        for name in ACCOUNT_FILES:
            path = self.path / name
            try:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            except OSError as error:
                raise WorkbookError(
                    f"The account's {path} cannot be removed: {error.strerror}. Remove the folder {self.path} by hand."
                ) from None

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock under which a server is started or stopped. The system frees it if its holder dies.

        Raises WorkbookError when the folder cannot be written to.
        """
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(filelock.lock(self.path / "lock", waiting=None, poll=0.01))
            except OSError as error:
                raise WorkbookError(cannot_write(error, self.path, self._instead)) from None
            yield


def cannot_write(error: OSError, folder: Path, instead: str = "Set LOCAL_AWS_HOME to") -> str:
    """Say in one line why something cannot be written below a folder, and what to do.

    instead: how its user chooses another folder, the beginning of a sentence.
    """
    where = error.filename or folder
    if error.errno in FULL:
        return f"The embedded AWS cannot write to {where}: the disk is full. Make room on it, then start again."
    if error.errno in (errno.EEXIST, errno.ENOTDIR, errno.EISDIR):
        choose = f"{instead[0].lower()}{instead[1:]} another folder"
        return f"{where} is in the embedded AWS's way: {error.strerror}. Remove it, or {choose}."
    return f"The embedded AWS cannot write to {where}: {error.strerror}. {instead} a folder that you may write to."
