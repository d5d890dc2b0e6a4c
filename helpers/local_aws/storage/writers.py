"""Tell who wrote an account, without opening it as one."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

#: Bumped when rows are written in another form; a store of another one is not read.
FORMAT = 3


def full_name(made_by: str) -> str:
    """Return how an account says who wrote it."""
    return f"{made_by}, format {FORMAT}"


def format_of(writer: str) -> int | None:
    """Return the number of the form in which this writer has written; None for one that nobody knows."""
    number = writer.rpartition("format ")[2]
    return int(number) if number.isdecimal() else None


def writer_of(path: Path) -> str | None:
    """Return who wrote the account in a file that nobody has open; None when it does not say."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute("select value from rows where kind = 'made by'").fetchone()
    except sqlite3.Error:
        return None
    return bytes(found[0]).decode(errors="replace") if found else None


def take_over(path: Path, made_by: str) -> None:
    """Have the account in a file, a copy, say that `made_by` wrote it: let us see whether it can be read."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("update rows set value = ? where kind = 'made by'", (full_name(made_by).encode(),))
