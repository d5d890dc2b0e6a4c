"""Save the account on disk when a service has changed, and bring all of it back at the start.

Saved at once are the resources of every service, items, messages, log and archived events, and what was promised and
not yet done. Metrics are saved every journal.SELDOM seconds and at an orderly end: a kill may cost that much of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.base_backend import BaseBackend

from ..account.service_table import Kept, named, of_model
from ..awslambda import async_queue, lambda_service
from ..cloudwatch import metrics
from ..dynamodb import item_rows, stream
from ..events import archives
from ..logs import backend as logs_backend
from ..sqs import message_rows
from ..storage import journal
from ..storage.store import Store
from . import snapshots

#: Wait timeout (seconds) of a snapshot for a service that is busy with one call.
LOCK_TIMEOUT_S = 0.5

_STATE, _OURS = "state", "our state"

logger = logging.getLogger("local_aws.saved_state")


def open_with(store: Store) -> None:
    """Bring back what is in the store, and keep it up to date from now on."""
    journal.open_with(store, save, save_seldom)
    _restore(store)
    lambda_service.revive()


def resume() -> None:
    """Go on with what an earlier server has left undone. Call it when the account answers calls."""
    from moto.awslambda.models import lambda_backends
    from moto.events.models import events_backends

    if journal.store is None:
        return
    backends: list[Any] = [backend for _, _, backend in lambda_backends.iter_backends()]
    functions = [function for backend in backends for function in backend.all_versions()]
    async_queue.resume({f"{function.unqualified_arn}:{function.version}": function for function in functions})
    buses: list[Any] = [backend for _, _, backend in events_backends.iter_backends()]
    for bus in buses:
        bus.resume()
    for backend in backends:
        backend.resume_mappings()


def has_stacks() -> bool:
    """Return whether an earlier process has left stacks."""
    return journal.store is not None and journal.store.get(_OURS, "", "stacks") is not None


def close() -> None:
    """Save everything once more, and close the store."""
    if journal.store is not None:
        save_all()
        journal.close()


def save(service: str, region: str) -> None:
    """Put a snapshot of a service's state into the journal. `service`: its name in the account's endpoints."""
    known = named(service)
    if known.kept is Kept.STACKS:
        _save_stacks()
        return
    if known.kept is Kept.ALL:
        save_all()
        return
    for (name, where), backend in list(snapshots.existing()):
        if name in known.models and where in (region, "aws"):
            _save(name, where, backend, service)


def save_all() -> None:
    """Put a snapshot of every service that has been used into the journal."""
    for (name, region), backend in list(snapshots.existing()):
        _save(name, region, backend, of_model(name).endpoint)


def save_seldom() -> None:
    _put(_OURS, "", "metrics", metrics.dump())


def _save(name: str, region: str, backend: BaseBackend, endpoint: str) -> None:
    try:
        with _held(_lock_of(backend, endpoint)):
            snapshot = snapshots.take(backend)
    except Exception:  # a service of moto's that nobody has tried here
        logger.exception("the state of %s cannot be saved: it will be lost when the server ends", name)
    else:
        _put(_STATE, region, name, snapshot)


def _put(kind: str, owner: str, key: str, value: bytes) -> None:
    """Put a row unless it is as it was."""
    if _last.get((kind, owner, key)) != hash(value):
        _last[kind, owner, key] = hash(value)
        journal.put(kind, owner, key, value)


_last: dict[tuple[str, str, str], int] = {}  # hashes of what was put last


def _lock_of(backend: Any, endpoint: str) -> Any:
    """Return what is held while a service's state is touched; Lambda and SQS have locks of their own."""
    service = named(endpoint)
    return backend.lock if service.waits else service.lock


@contextmanager
def _held(lock: Any) -> Iterator[None]:
    """Hold the lock, unless somebody holds it very long: who publishes to a topic waits for a function with SNS's, and
    that function's own calls are committed here. A snapshot is retried where something changes in the middle."""
    got = lock.acquire(timeout=LOCK_TIMEOUT_S)
    try:
        yield
    finally:
        if got:
            lock.release()


def _save_stacks() -> None:
    from ..cloudformation import beginnings, change_sets, stacks

    with stacks.changing:
        _put(_OURS, "", "stacks", snapshots.dumped((beginnings.store.state(), change_sets.state())))


def _restore(store: Store) -> None:
    for region, name, snapshot in store.rows(_STATE):
        backend = snapshots.backend_at((str(name), region))
        snapshots.restore(backend, snapshot)
    ours = {key: value for _, key, value in store.rows(_OURS)}
    if "metrics" in ours:
        metrics.load(ours["metrics"])
    if "stacks" in ours:
        _restore_stacks(ours["stacks"])
    for rows, service in (
        (item_rows, "dynamodb"), (stream, "dynamodb"), (message_rows, "sqs"), (logs_backend, "logs"),
        (archives, "events"),
    ):  # fmt: skip
        rows.restore(lambda region, service=service: snapshots.backend_at((service, region)))


def _restore_stacks(snapshot: bytes) -> None:
    from ..cloudformation import beginnings, change_sets

    stacks, sets = snapshots.loaded(snapshot)
    beginnings.store.restore(stacks)
    change_sets.restore(sets)
