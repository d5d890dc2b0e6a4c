"""Keep the account's state on disk while it changes: the one place that every part of the account tells.

Small state is saved whole: who changes a service says so (`called`, `changed`), and the next `commit` takes a snapshot
of it. What there may be very many of is put and deleted row by row. A server commits before it answers a call, so what
has been answered is on disk; what happens in the background follows within INTERVAL. Without a store (tests of single
parts) nothing is kept and nothing of this costs anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .batches import Key
from .store import Store, StoreError

#: Seconds within which a change in the background is on disk, and until a commit that failed is retried.
INTERVAL, AGAIN = 0.05, 2.0
#: Seconds without a change after which the store's log is folded, and the bytes of it that are folded at any time.
QUIET, FOLD_AT = 1.0, 32 * 1024 * 1024
#: Seconds between two savings of what may be lost in part when the process is killed.
SELDOM = 10.0

logger = logging.getLogger("local_aws.journal")

store: Store | None = None  # set by `open_with`; who writes many rows looks here first
_changed: dict[tuple[str, str], None] = {}  # (service, region) of what is to be saved
_lock = threading.Lock()
_saving = threading.Lock()  # held while what has changed is put into the store: nobody's commit gets ahead of it
_wake = threading.Event()
_save: Callable[[str, str], None]
_save_seldom: Callable[[], None]
_next_seldom = 0.0


def open_with(opened: Store, save: Callable[[str, str], None], save_seldom: Callable[[], None]) -> None:
    """Keep everything in `opened` from now on. save(service, region) puts a service's snapshot; save_seldom puts what
    is saved every SELDOM seconds."""
    global store, _save, _save_seldom, _next_seldom  # noqa: PLW0603  a process keeps one account
    _save, _save_seldom, _next_seldom = save, save_seldom, time.monotonic() + SELDOM
    store = opened
    threading.Thread(target=_follow, name="journal", daemon=True).start()


def close() -> None:
    """Save all that is still to be saved, and let go of the file."""
    global store  # noqa: PLW0603  a process keeps one account
    closing = store
    if closing is None:
        return
    try:
        _save_seldom()
        commit()
    except StoreError as error:
        logger.error("the last changes are lost: %s", error)
    store = None
    closing.close()
    _wake.set()


def put(kind: str, owner: str, key: Key, value: bytes, *, new: bool = False) -> None:
    """See Store.put."""
    if store is not None:
        store.put(kind, owner, key, value, new=new)
        _wake.set()


def delete(kind: str, owner: str, key: Key) -> None:
    if store is not None:
        store.delete(kind, owner, key)
        _wake.set()


def delete_all(kind: str, owner: str) -> None:
    if store is not None:
        store.delete_all(kind, owner)
        _wake.set()


def number() -> int:
    """Return a key for what comes in order; 0 without a store."""
    return 0 if store is None else store.number()


def afterwards(action: Callable[[], None]) -> None:
    """Do something that cannot be undone (removing a file) when the changes that it belongs to are on disk."""
    if store is None:
        action()
    else:
        store.afterwards(action)
        _wake.set()


def changed(service: str, region: str) -> None:
    """Note that a service's small state has changed. `service`: its name in the account's endpoints ("events")."""
    if store is not None:
        with _lock:
            _changed[service, region] = None
        _wake.set()


def in_trouble() -> bool:
    """Return whether the last commit has failed."""
    return store is not None and store.trouble is not None


def commit() -> None:
    """Bring all that has changed before this call to disk. Raises StoreError; it is all kept for the next time then."""
    if store is None:
        return
    if _changed or _saving.locked():
        with _saving:
            with _lock:
                due = list(_changed)
                _changed.clear()
            for place in due:
                _save(*place)
    store.commit()


def _follow() -> None:
    """Commit what nobody waits for, retry what could not be written, and fold the log when there is time."""
    while (kept := store) is not None:
        try:
            if _wake.wait(QUIET if kept.log_size else None):
                _commit_soon(kept)
            else:
                _fold_while_quiet(kept)
        except StoreError as error:
            logger.warning("%s", error)
            time.sleep(AGAIN)
            _wake.set()
        except Exception:
            logger.exception("the journal failed")


def _commit_soon(kept: Store) -> None:
    global _next_seldom  # noqa: PLW0603  a process keeps one account
    _wake.clear()
    time.sleep(INTERVAL)
    if time.monotonic() >= _next_seldom:
        _next_seldom = time.monotonic() + SELDOM
        _save_seldom()
    commit()
    while kept.log_size > FOLD_AT:
        kept.fold_some()


def _fold_while_quiet(kept: Store) -> None:
    while kept.log_size and not _wake.is_set():
        kept.fold_some()
