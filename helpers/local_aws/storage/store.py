"""Store the account on disk: rows of bytes in one SQLite file, written before a call is answered.

Changes are collected (`put`, `delete`, `delete_all`) and written together by the next `commit`: one row of a log, so
one statement. Each statement releases the GIL, and a busy server takes its time to give it back. `fold` makes rows of
the log, in slices, so that no commit waits for long: when nobody changes anything, when the log has grown, at the end,
and before anything is read.
What is committed survives the death of the process; should the machine die, the file is as it was at some moment not
long before (write-ahead log, synchronous=NORMAL: https://www.sqlite.org/pragma.html#pragma_synchronous).
Values are the business of whoever puts them. Rows of a kind come back in the order in which they were first put.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from ..engine import clock, executor
from .batches import Key, RowName, merged, packed

#: Bumped when rows are written in another form; a store of another one is not read.
FORMAT = 3
#: Wait timeout (seconds) for the server that had the file before.
LOCK_TIMEOUT_S = 15.0

_SCHEMA = """
create table if not exists rows (
    number integer primary key,
    kind text not null,
    owner text not null,
    key not null,
    value blob not null,
    unique (kind, owner, key)
)
"""
_LOG_SCHEMA = "create table if not exists log (number integer primary key, batch blob not null)"
#: Bytes of the log that are folded at once.
_SLICE = 512 * 1024
#: Pages of SQLite's write-ahead log after which a commit has to wait for the disk.
_CHECKPOINT_AT = 4000
_PUT = """
insert into rows (kind, owner, key, value) values (?, ?, ?, ?)
on conflict (kind, owner, key) do update set value = excluded.value
"""


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


class Store:
    """One open store. Thread-safe. It belongs to one process at a time; SQLite's own lock sees to that."""

    def __init__(self, path: Path, made_by: str) -> None:
        """Open the store at `path`, or make it, readable by the user alone.

        made_by: names the software whose state it is; a store of other software is refused. Raises StoreError.
        """
        self.path = path
        self.trouble: str | None = None  # why the last commit failed; None when all is well
        self._changed: dict[RowName, bytes | None] = {}  # None: to be deleted
        self._fresh: set[RowName] = set()  # those of them that are not on disk
        self._emptied: dict[tuple[str, str], None] = {}  # (kind, owner), before anything else is written
        self._afterwards: list[Callable[[], None]] = []
        self._lock = executor.Lock()
        self._committing = executor.Lock()
        self._busy = False  # whether somebody is committing
        self._log_size = 0
        try:
            self._connection = self._open(path)
            self._check(f"{made_by}, format {FORMAT}")
            (self._log_size,) = self._connection.execute("select coalesce(sum(length(batch)), 0) from log").fetchone()
            while self._log_size:
                self._fold()
            (last,) = self._connection.execute("select max(key) from rows where typeof(key) = 'integer'").fetchone()
        except sqlite3.Error as error:
            if (getattr(error, "sqlite_errorname", None) or "").startswith("SQLITE_BUSY"):
                raise StoreError(
                    f"The account in {path} is in use by another process, which has to end first."
                ) from None
            raise UnreadableError(path, str(error)) from None
        except OSError as error:
            raise UnreadableError(path, error.strerror or str(error)) from None
        self._numbers = itertools.count(max((last or 0) + 1, int(clock.now() * 1e6)))

    def _open(self, path: Path) -> sqlite3.Connection:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            known = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
            if known and not {"rows"} <= known <= {"rows", "log"}:
                raise UnreadableError(path, "it is the database of another program")
            # Held until the process ends: no other server reads or writes it meanwhile.
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.execute("begin immediate")
            connection.execute(_SCHEMA)
            connection.execute(_LOG_SCHEMA)
            connection.execute("commit")
            connection.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_AT}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _check(self, made_by: str) -> None:
        found = self._connection.execute("select value from rows where kind = 'made by'").fetchone()
        if found is None and self._connection.execute("select 1 from rows limit 1").fetchone() is None:
            self._connection.execute(_PUT, ("made by", "", "", made_by.encode()))
        elif found is None or bytes(found[0]) != made_by.encode():
            self._connection.close()
            other = bytes(found[0]).decode(errors="replace") if found else "something else"
            reason = f"it was written by {other}, and this is {made_by}"
            raise UnreadableError(self.path, reason, of_another_version=found is not None)

    # Changing it

    def number(self) -> int:
        """Return a number larger than all before, earlier servers' included: a key for what comes in order."""
        return next(self._numbers)

    def put(self, kind: str, owner: str, key: Key, value: bytes, *, new: bool = False) -> None:
        """Keep `value` in the row that these three name. `new`: no such row has been put before."""
        name = (kind, owner, key)
        with self._lock:
            if new and name not in self._changed:
                self._fresh.add(name)
            self._changed[name] = value

    def delete(self, kind: str, owner: str, key: Key) -> None:
        name = (kind, owner, key)
        with self._lock:
            if name in self._fresh:  # put and deleted before it came to disk
                self._fresh.discard(name)
                del self._changed[name]
            else:
                self._changed[name] = None

    def delete_all(self, kind: str, owner: str) -> None:
        """Delete all rows of a kind that belong to `owner`."""
        with self._lock:
            for name in [name for name in self._changed if name[:2] == (kind, owner)]:
                del self._changed[name]
                self._fresh.discard(name)
            self._emptied[kind, owner] = None

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Have all that is changed within written by one commit. Nothing may wait within: others' changes do."""
        with self._lock:
            yield

    def afterwards(self, action: Callable[[], None]) -> None:
        """Do something as soon as what has been changed until now is on disk."""
        with self._lock:
            self._afterwards.append(action)

    @property
    def pending(self) -> bool:
        return bool(self._changed or self._emptied or self._afterwards)

    def commit(self) -> None:
        """Write all that was changed before this call. Raises StoreError; then all of it is still to be written."""
        if not self.pending and not self._busy:
            return
        with self._committing:
            self._busy = True  # before there seems to be nothing left to write
            try:
                actions = self._commit()
            finally:
                self._busy = False
        for action in actions:
            action()

    def _commit(self) -> list[Callable[[], None]]:
        """Write what has changed; return what is to be done then."""
        with self._lock:
            changed, self._changed = self._changed, {}
            fresh, self._fresh = self._fresh, set()
            emptied, self._emptied = self._emptied, {}
            actions, self._afterwards = self._afterwards, []
        try:
            if changed or emptied:
                self._write(changed, emptied)
        except sqlite3.Error as error:
            with self._lock:
                self._restore(changed, fresh, emptied)
                self._afterwards[:0] = actions
            self.trouble = _unwritable(self.path, error)
            raise StoreError(self.trouble) from None
        self.trouble = None
        return actions

    def _write(self, changed: dict[RowName, bytes | None], emptied: dict[tuple[str, str], None]) -> None:
        batch = packed(changed, emptied)
        self._connection.execute("insert into log (batch) values (?)", (batch,))
        self._log_size += len(batch)

    @property
    def log_size(self) -> int:
        """Bytes of the log that are not rows yet."""
        return self._log_size

    def fold(self) -> None:
        """Make rows of all of the log. Raises StoreError; what is not yet folded stays in the log then."""
        while self._log_size:
            self.fold_some()

    def fold_some(self) -> None:
        """Make rows of the oldest part of the log; see `fold`."""
        with self._committing:
            try:
                self._fold()
            except sqlite3.Error as error:
                raise StoreError(_unwritable(self.path, error)) from None

    def _fold(self) -> None:
        execute = self._connection.execute
        batches, last, size = [], 0, 0
        for number, batch in execute("select number, batch from log order by number"):
            batches.append(batch)
            last, size = number, size + len(batch)
            if size >= _SLICE:
                break
        if not batches:
            self._log_size = 0
            return
        emptied, changed, again = merged(batches)
        execute("begin immediate")
        try:
            for owned in emptied:
                execute("delete from rows where kind = ? and owner = ?", owned)
            for name, value in changed.items():
                if value is None or name in again:
                    execute("delete from rows where kind = ? and owner = ? and key = ?", name)
                if value is not None:
                    execute(_PUT, (*name, value))
            execute("delete from log where number <= ?", (last,))
            execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                if self._connection.in_transaction:
                    execute("rollback")
            raise
        self._log_size = max(0, self._log_size - size)

    def _restore(
        self, changed: dict[RowName, bytes | None], fresh: set[RowName], emptied: dict[tuple[str, str], None]
    ) -> None:
        """Put back what could not be written, to be written still, but where it has changed again since."""
        for name in list(changed):
            if name[:2] in self._emptied or (name in self._changed):
                del changed[name]
        still_fresh = {name for name in fresh if name in changed and name[:2] not in emptied}
        self._changed = {**changed, **self._changed}
        self._fresh |= still_fresh
        self._emptied = {**emptied, **self._emptied}

    # Reading it

    def rows(self, kind: str) -> Iterator[tuple[str, Key, bytes]]:
        """Yield (owner, key, value) of all rows of a kind that are on disk, in the order of their first put."""
        self.fold()
        found = self._connection.execute("select owner, key, value from rows where kind = ? order by number", (kind,))
        yield from found

    def get(self, kind: str, owner: str, key: Key) -> bytes | None:
        """Return the value of one row that is on disk, or None."""
        self.fold()
        statement = "select value from rows where kind = ? and owner = ? and key = ?"
        found = self._connection.execute(statement, (kind, owner, key)).fetchone()
        return None if found is None else found[0]

    def close(self) -> None:
        """Write what is still to be written, if that can be, and let go of the file."""
        with contextlib.suppress(StoreError):
            self.commit()
            self.fold()
        with self._committing:
            self._connection.close()


_REASONS = {
    "SQLITE_FULL": "the disk is full. Make room",
    "SQLITE_READONLY": "it is read-only. Make it writable",
}


def _unwritable(path: Path, error: sqlite3.Error) -> str:
    kind = "_".join((getattr(error, "sqlite_errorname", None) or "").split("_")[:2])
    reason = _REASONS.get(kind, f"{error}. See to the disk")
    return (
        f"The embedded AWS cannot write to {path}: {reason}, then call again. "
        "Until then nothing in the account can be changed; what is there can be read."
    )
