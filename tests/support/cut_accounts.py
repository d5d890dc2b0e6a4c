"""Accounts that were cut off: as the disk is when the process dies between any two writes of the journal.

All of it happens in processes of their own, one for each account, without sockets and threads: the same every time.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from helpers.local_aws.account.account_owner import STORE

#: What is done in an account: a function of a module, given the account, and what else it is called with.
Deed = Callable[..., Any]


def run(jobs: list[tuple[Any, ...]]) -> list[Any]:
    """Run functions of modules, given as (function, *arguments), each in a process of its own. Returns their values."""
    context = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
    if os.name == "posix":
        context.set_forkserver_preload(["tests.support.cut_accounts_preload"])
    with context.Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        waiting = [pool.apply_async(job[0], job[1:]) for job in jobs]
        return [each.get() for each in waiting]


def visit(folder: Path, deed: Deed, *arguments: Any) -> Any:
    """Open the account in `folder`, do something in it, and close it."""
    from helpers.local_aws import in_process
    from helpers.local_aws.engine.clock import QuickClock

    with in_process(folder, clock=QuickClock()) as account:
        return deed(account, *arguments)


def recorded(base: Path, folder: Path, deed: Deed, *arguments: Any) -> list[bytes]:
    """Do something in a copy of an account, at `folder`; returns what was written, one entry for each write."""
    from helpers.local_aws.storage import store

    written: list[bytes] = []
    packed = store.packed

    def record(*what: Any) -> bytes:
        written.append(packed(*what))
        return written[-1]

    store.packed = record
    try:
        shutil.copytree(base, folder)
        visit(folder, deed, *arguments)
    finally:
        store.packed = packed
    return written


def cut(base: Path, full: Path, folder: Path, written: list[bytes], code_of: Path | None = None) -> Path:
    """Make the account as it is after a death: what was there before, and only so much of what was written then.

    full: where all was done; code_of: the account that has the functions' code, without one `full`.
    """
    shutil.copytree(base, folder)
    shutil.copytree((code_of or full) / "functions", folder / "functions", dirs_exist_ok=True)
    with sqlite3.connect(folder / STORE) as connection:
        connection.executemany("insert into log (batch) values (?)", [(each,) for each in written])
    connection.close()
    return folder
