"""Keep the account's state on disk while it changes: the one place that every part of the account tells.

Small state is saved whole: who changes a service says so (`changed`), and the next `commit` takes a snapshot
of it. What there may be very many of is put and deleted row by row. A server commits before it answers a call, so what
has been answered is on disk; what happens in the background follows within INTERVAL. Without a store (tests of single
parts) nothing is kept and nothing of this costs anything.

A process that is killed takes nothing of that along. A power cut does, of the last seconds (`syncing`).

How long the account has been up (`clock.uptime`) is kept, too: what has been committed is at most UPTIME_EVERY older
than the uptime beside it, and a process that is killed while nothing changes forgets SELDOM seconds at most.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from ..engine import clock, executor
from .batches import Key
from .store import Store, StoreError
from .syncing import Syncing

#: Seconds within which a change in the background is on disk, and until a commit that failed is retried.
INTERVAL, AGAIN = 0.05, 2.0
#: Seconds without a change after which the store's log is folded, and the bytes of it that are folded at any time.
QUIET, FOLD_AT = 1.0, 32 * 1024 * 1024
#: Seconds between two savings of what may be lost in part when the process is killed.
SELDOM = 10.0
#: Seconds after which a commit takes the uptime with it again.
UPTIME_EVERY = 2.0

_UPTIME = ("uptime", "", "")

logger = logging.getLogger("local_aws.journal")

store: Store | None = None  # set by `open_with`; who writes many rows looks here first
Row = Callable[[Store], None]  # puts or deletes a row

# (service, region) of what is to be saved, and the rows that are to come to disk with it
_changed: dict[tuple[str, str], list[Row]] = {}
_saved: dict[tuple[str, str], list[Row]] = {}  # the same, of what is being saved at this moment
_lock = executor.Lock()
_saving = executor.Lock()  # held while what has changed is put into the store: nobody's commit gets ahead of it
_busy = False  # whether somebody is doing so
_save: Callable[[str, str], None]
_background: _Background
_uptime_due = 0.0


def open_with(opened: Store, save: Callable[[str, str], None], save_seldom: Callable[[], None]) -> None:
    """Keep everything in `opened` from now on, and go on with the uptime that is in there.

    save(service, region) puts a service's snapshot; save_seldom puts what is saved every SELDOM seconds.
    """
    global store, _save, _background  # noqa: PLW0603  a process keeps one account
    clock.count_uptime_from(float(opened.get(*_UPTIME) or 0))
    _save, _background = save, _Background(opened, save_seldom)
    store = opened
    _background.tick()


def close() -> None:
    """Save all that is still to be saved, and let go of the file."""
    global store  # noqa: PLW0603  a process keeps one account
    closing = store
    if closing is None:
        return
    try:
        _background.save_seldom()
        commit()
    except StoreError as error:
        logger.error("the last changes are lost: %s", error)
    store = None
    closing.close()


class _Held(executor.local):
    rows: list[Row] | None = None  # what this thread puts and deletes within `holding`


_held = _Held()


@contextmanager
def holding() -> Iterator[list[Row]]:
    """Hold back what this thread puts and deletes within, and give it to the caller, who has to hand it in.

    With `write` or `changed` all of it comes to disk in one commit. Other threads must not put the same rows before it
    is handed in.
    """
    before, _held.rows = _held.rows, []
    try:
        yield _held.rows
    finally:
        _held.rows = before


def write(rows: Iterable[Row]) -> None:
    """Hand in rows that were held back: the next commit takes all of them."""
    if store is not None:
        with store.together():
            for row in rows:
                row(store)
        _background.stir()


def put(kind: str, owner: str, key: Key, value: bytes, *, new: bool = False) -> None:
    """See Store.put."""
    _do(lambda kept: kept.put(kind, owner, key, value, new=new))


def delete(kind: str, owner: str, key: Key) -> None:
    _do(lambda kept: kept.delete(kind, owner, key))


def delete_all(kind: str, owner: str) -> None:
    _do(lambda kept: kept.delete_all(kind, owner))


def _do(row: Row) -> None:
    if store is None:
        return
    if _held.rows is not None:
        _held.rows.append(row)
        return
    row(store)
    _background.stir()


def together() -> AbstractContextManager[None]:
    """See Store.together."""
    return nullcontext() if store is None else store.together()


def number() -> int:
    """Return a key for what comes in order; 0 without a store."""
    return 0 if store is None else store.number()


def afterwards(action: Callable[[], None]) -> None:
    """Do something that cannot be undone (removing a file) when the changes that it belongs to are on disk."""
    if store is None:
        action()
    else:
        _do(lambda kept: kept.afterwards(action))


def beside(path: Path) -> None:
    """See Store.beside."""
    if store is not None:
        store.beside(path)


def changed(service: str, region: str, rows: Iterable[Row] = ()) -> None:
    """Note that a service's small state has changed. `service`: its name in the account's endpoints ("events").

    rows: what was held back, and comes to disk with the state, neither before nor after it. The service's lock should
    be held, so that nobody saves the state in between.
    """
    if store is not None:
        with _lock:
            _changed.setdefault((service, region), []).extend(rows)
        _background.stir()


def waits_for_state(service: str, region: str) -> bool:
    """Return whether rows of a service wait for its state to be saved, so that others have to come after them."""
    place = (service, region)
    return bool(_changed.get(place) or _saved.get(place))


def in_trouble() -> bool:
    """Return whether the last commit has failed."""
    return store is not None and store.trouble is not None


def given_up() -> str | None:
    """Return why nothing more is kept: what is in memory is not what the account is. None when all is well."""
    return None if store is None else store.given_up


def commit(*, last: bool = False) -> None:
    """Bring all that has changed before this call to disk. Raises StoreError; it is all kept for the next time then.

    last: what others can see already is refused if it cannot be written now; see Store.commit.
    """
    if store is None:
        return
    if _held.rows:  # somebody asks in the middle of another's call, in the same thread, and must find it on disk
        rows, _held.rows[:] = list(_held.rows), []
        write(rows)
    if _changed or _busy:
        _save_changed()
    if store.pending and clock.monotonic() >= _uptime_due:
        _put_uptime(store)
    store.commit(last=last)


def _save_changed() -> None:
    global _busy, _saved  # noqa: PLW0603  a process keeps one account
    with _saving:
        _busy = True  # before there seems to be nothing left to save
        try:
            with _lock:
                _saved = dict(_changed)
                _changed.clear()
            for place, rows in _saved.items():
                with holding() as saved:
                    _save(*place)
                write([*rows, *saved])
        finally:
            _busy, _saved = False, {}


def _put_uptime(kept: Store) -> None:
    global _uptime_due  # noqa: PLW0603  a process keeps one account
    _uptime_due = clock.monotonic() + UPTIME_EVERY
    kept.put(*_UPTIME, repr(clock.uptime()).encode())


class _Background:
    """Commits what nobody waits for, retries what could not be written, and folds the log when there is time."""

    def __init__(self, kept: Store, save_seldom: Callable[[], None]) -> None:
        self._kept, self._save_seldom = kept, save_seldom
        self._settling = executor.Pulse(INTERVAL, self._settle, "journal")
        self._folding = executor.Pulse(QUIET, self._fold_while_quiet, "journal's folding")
        self._syncing = Syncing(self._sync)
        self._stirred = False
        self._seldom_due = clock.monotonic() + SELDOM
        self._not_before = clock.monotonic()

    def stir(self) -> None:
        """Have a change committed soon."""
        self._stirred = True
        self._settling.ask()
        self._syncing.note()

    def tick(self) -> None:
        """Have the uptime on disk while nothing changes. (In a loop nothing happens then, this neither.)"""
        if store is self._kept and executor.in_use().threaded:
            self._settling.ask()
            executor.later(SELDOM, self.tick)

    def save_seldom(self) -> None:
        self._seldom_due = clock.monotonic() + SELDOM
        self._save_seldom()
        _put_uptime(self._kept)

    def _sync(self) -> None:
        if store is self._kept:  # closing syncs as well, and removes the log
            self._kept.sync()

    def _settle(self) -> None:
        kept = self._kept
        if store is not kept or kept.given_up is not None or clock.monotonic() < self._not_before:
            return
        try:
            if clock.monotonic() >= self._seldom_due:
                self.save_seldom()
            commit()
            while kept.log_size > FOLD_AT:
                kept.fold_some()
            if kept.log_size:
                self._folding.ask()
        except StoreError as error:
            logger.warning("%s", error)
            self._not_before = clock.monotonic() + AGAIN
            executor.later(AGAIN, self._settling.ask)

    def _fold_while_quiet(self) -> None:
        kept = self._kept
        try:
            while store is kept and kept.log_size and not self._stirred:
                kept.fold_some()
        except StoreError as error:
            logger.warning("%s", error)
            executor.later(AGAIN, self._folding.ask)
            return
        if store is kept and kept.log_size:  # something has changed in the last QUIET seconds
            self._stirred = False
            self._folding.ask()
