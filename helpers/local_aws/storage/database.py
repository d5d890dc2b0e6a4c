"""Keep the store's two tables in one SQLite file: rows, and the log of what commits have written."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path

from . import writers
from .batches import merged
from .store_errors import UnreadableError

#: Wait timeout (seconds) for the server that had the file before.
LOCK_TIMEOUT_S = 15.0
#: Bytes of the log that are folded at once.
SLICE = 512 * 1024

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
#: Pages of SQLite's write-ahead log after which a commit has to wait for the disk.
_CHECKPOINT_AT = 4000
_PUT = """
insert into rows (kind, owner, key, value) values (?, ?, ?, ?)
on conflict (kind, owner, key) do update set value = excluded.value
"""


def connect(path: Path, made_by: str) -> sqlite3.Connection:
    """Open the file, or make it, readable by the user alone; no other process has it until the connection is closed.

    made_by: names the software whose state it is. Raises UnreadableError for a file of other software.
    """
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
        _check(connection, path, writers.full_name(made_by))
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path, made_by: str) -> None:
    found = connection.execute("select value from rows where kind = 'made by'").fetchone()
    if found is None and connection.execute("select 1 from rows limit 1").fetchone() is None:
        connection.execute(_PUT, ("made by", "", "", made_by.encode()))
    elif found is None or bytes(found[0]) != made_by.encode():
        other = bytes(found[0]).decode(errors="replace") if found else "something else"
        reason = f"it was written by {other}, and this is {made_by}"
        raise UnreadableError(path, reason, of_another_version=found is not None)


def fold(connection: sqlite3.Connection) -> int:
    """Make rows of the oldest part of the log, in one step; returns how many bytes of the log those were."""
    execute = connection.execute
    batches, last, size = [], 0, 0
    for number, batch in execute("select number, batch from log order by number"):
        batches.append(batch)
        last, size = number, size + len(batch)
        if size >= SLICE:
            break
    if not batches:
        return 0
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
            if connection.in_transaction:
                execute("rollback")
        raise
    return size
