"""Store the account on disk: rows of bytes in one SQLite file, written before a call is answered.

Changes are collected (`put`, `delete`, `delete_all`) and written together by the next `commit`: one row of a log, so
one statement. Each statement releases the GIL, and a busy server takes its time to give it back. `fold` makes rows of
the log, in slices, so that no commit waits for long: when nobody changes anything, when the log has grown, at the end,
and before anything is read.
What is committed survives the death of the process; should the machine die, the file is as it was at some moment after
the last `sync` (write-ahead log, synchronous=NORMAL: https://www.sqlite.org/pragma.html#pragma_synchronous).
Who has to refuse what others may have seen already gives the store up (`commit(last=True)`): what is on disk then is
the account, and the next process goes on with that.
Values are the business of whoever puts them. Rows of a kind come back in the order in which they were first put.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

from ..engine import clock, executor
from . import database, syncing
from .batches import Key, RowName, Unfolded, packed
from .store_errors import (
    StoreError,
    UnreadableError,
    is_about_writing,
    is_in_use,
    no_room,
    takes_nothing,
    unwritable,
)

__all__ = ["Store", "StoreError", "UnreadableError"]

#: Bytes for which there must be room before anything is written again that could not be.
_ROOM = 256 * 1024


class Store:
    """One open store. Thread-safe. It belongs to one process at a time; SQLite's own lock sees to that."""

    def __init__(self, path: Path, made_by: str) -> None:
        """Open the store at `path`, or make it, readable by the user alone.

        made_by: names the software whose state it is; a store of other software is refused. Raises StoreError.
        """
        self.path = path
        self.trouble: str | None = None  # why nothing can be written; None when all is well
        self.given_up: str | None = None  # why nothing will be written any more
        self._changed: dict[RowName, bytes | None] = {}  # None: to be deleted
        self._fresh: set[RowName] = set()  # those of them that are not on disk
        self._emptied: dict[tuple[str, str], None] = {}  # (kind, owner), before anything else is written
        self._afterwards: list[Callable[[], None]] = []
        self._lock = executor.Lock()
        self._committing = executor.Lock()
        self._busy = False  # whether somebody is committing
        self._log_size = 0
        self._unfolded: Unfolded | None = None  # what the log says, while no rows can be made of it
        self._unsynced = False
        self._beside: list[Path] = []  # what the disk is to keep before what is committed
        try:
            self._connection = database.connect(path, made_by)
            (self._log_size,) = self._connection.execute("select coalesce(sum(length(batch)), 0) from log").fetchone()
            unfolded = self._fold_if_possible()
            (last,) = self._connection.execute("select max(key) from rows where typeof(key) = 'integer'").fetchone()
            last = max(last or 0, 0 if unfolded is None else unfolded.last_number())
        except sqlite3.Error as error:
            if is_in_use(error):
                raise StoreError(
                    f"The account in {path} is in use by another process, which has to end first."
                ) from None
            if takes_nothing(error):
                raise StoreError(unwritable(path, error)) from None
            raise UnreadableError(path, str(error)) from None
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise StoreError(no_room(path)) from None
            raise UnreadableError(path, error.strerror or str(error)) from None
        except StoreError:
            raise
        except Exception as error:  # of pickle's, which has many
            reason = f"what was changed last cannot be read ({type(error).__name__}: {error})"
            raise UnreadableError(path, reason) from None
        self._numbers = itertools.count(max(last + 1, int(clock.now() * 1e6)))

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

    def beside(self, path: Path) -> None:
        """Have a file, or a folder with all in it, on the disk itself before what is committed from now on is."""
        with self._lock:
            self._beside.append(path)

    @property
    def pending(self) -> bool:
        return bool(self._changed or self._emptied or self._afterwards)

    def commit(self, *, last: bool = False) -> None:
        """Write all that was changed before this call. Raises StoreError; then all of it is still to be written.

        last: when it cannot be written now, it never is, nor is anything else: the store is given up.
        """
        if not self.pending and not self._busy and self.trouble is None and self.given_up is None:
            return
        with self._committing:
            self._busy = True  # before there seems to be nothing left to write
            try:
                if self.given_up is not None:
                    raise StoreError(self.given_up)
                actions = self._commit()
            except StoreError as error:
                if last:
                    self.given_up = str(error)
                raise
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
            if self.trouble is not None:
                self._make_sure()
            if changed or emptied:
                self._write(changed, emptied)
        except sqlite3.Error as error:
            with self._lock:
                self._restore(changed, fresh, emptied)
                self._afterwards[:0] = actions
            self.trouble = unwritable(self.path, error)
            raise StoreError(self.trouble) from None
        self.trouble = None
        return actions

    def _write(self, changed: dict[RowName, bytes | None], emptied: dict[tuple[str, str], None]) -> None:
        self._append(packed(changed, emptied))

    def _append(self, batch: bytes) -> None:
        self._connection.execute("insert into log (batch) values (?)", (batch,))
        self._log_size += len(batch)
        self._unfolded = None
        self._unsynced = True

    def _make_sure(self) -> None:
        """Find out whether there is room again, and some more: who is let in now should not fail at once."""
        self._append(packed({}, {}) + bytes(_ROOM))

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
                raise StoreError(unwritable(self.path, error)) from None

    def _fold(self) -> None:
        size = database.fold(self._connection)
        self._log_size = max(0, self._log_size - size) if size else 0
        self._unfolded = None

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
        unfolded = self._fold_if_possible()
        found = self._connection.execute("select owner, key, value from rows where kind = ? order by number", (kind,))
        yield from found if unfolded is None else unfolded.rows(kind, found)

    def get(self, kind: str, owner: str, key: Key) -> bytes | None:
        """Return the value of one row that is on disk, or None."""
        unfolded = self._fold_if_possible()
        if unfolded is not None and unfolded.knows((kind, owner, key)):
            return unfolded.get((kind, owner, key))
        statement = "select value from rows where kind = ? and owner = ? and key = ?"
        found = self._connection.execute(statement, (kind, owner, key)).fetchone()
        return None if found is None else found[0]

    def _fold_if_possible(self) -> Unfolded | None:
        """Make rows of the log. Return what is to be read beside the rows, where the disk takes none."""
        if not self._log_size:
            return None
        with self._committing:
            try:
                while self._log_size:
                    self._fold()
            except sqlite3.Error as error:
                if not is_about_writing(error):
                    raise
                self.trouble = unwritable(self.path, error)
            else:
                return None
            if self._unfolded is None:
                batches = self._connection.execute("select batch from log order by number")
                self._unfolded = Unfolded(batch for (batch,) in batches)
            return self._unfolded

    # The disk

    def sync(self) -> None:
        """Have the disk itself keep what has been committed before this call. Nobody who commits waits for that.

        Raises OSError; it is all still to be synced then.
        """
        if not self._unsynced:
            return
        self._unsynced = False
        with self._lock:
            beside, self._beside = self._beside, []
        try:
            syncing.sync(self.path.with_name(f"{self.path.name}-wal"), beside)
        except OSError:
            self._unsynced = True
            with self._lock:
                self._beside[:0] = beside
            raise

    def suspect(self) -> None:
        """Let the next commit find out first whether the disk takes what an earlier process could not write."""
        self.trouble = self.trouble or f"The embedded AWS could not write to {self.path}."

    def close(self) -> None:
        """Write what is still to be written, if that can be, and let go of the file."""
        with contextlib.suppress(StoreError):
            self.commit()
            self.fold()
        with self._committing:
            self._connection.close()
