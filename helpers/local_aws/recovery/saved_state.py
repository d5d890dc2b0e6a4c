"""Save the account on disk when a service has changed, and bring all of it back at the start.

Saved with the call that changes them, whichever service it is for, are the resources of every service, items, messages,
log and archived events, and what was promised and not yet done; what cannot be saved is taken back. Metrics
are saved every journal.SELDOM seconds and at an orderly end: a kill may cost that much of them.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.base_backend import BaseBackend

from ..account.service_table import Effect, Kept, Service, named, of_model
from ..awslambda import async_queue, lambda_service
from ..cloudwatch import metrics
from ..dynamodb import item_rows, stream
from ..events import archives
from ..http import request_tokens
from ..http.call import Call
from ..logs import backend as logs_backend
from ..sqs import message_rows
from ..storage import journal
from ..storage.store import Store, StoreError, UnreadableError
from . import snapshots, undo
from .snapshots import BackendKey
from .touched import Backends, Touched

#: Wait timeout (seconds) of a snapshot for a service that is busy with one call.
LOCK_TIMEOUT_S = 0.5

_STATE, _OURS = "state", "our state"
_ASKED = ("iam", "sts")  # by every call
_NOT_DONE = 501  # the answer of who has not begun to do what was asked for

logger = logging.getLogger("local_aws.saved_state")


def open_with(store: Store) -> None:
    """Bring back what is in the store, and keep it up to date from now on. Raises StoreError."""
    with _readable(store, "how long it was up"):
        journal.open_with(store, save, save_seldom)
    _restore(store)
    with _readable(store, "the code of its functions"):
        lambda_service.revive()


def resume() -> None:
    """Go on with what an earlier server has left undone. Call it when the account answers calls. Raises StoreError."""
    if journal.store is None:
        return
    with _readable(journal.store, "what was under way"):
        _resume_all()


def _resume_all() -> None:
    from moto.awslambda.models import lambda_backends
    from moto.events.models import events_backends

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
    for (name, where), backend in list(snapshots.existing()):
        if where in (region, "aws") and of_model(name).endpoint == known.endpoint:
            _save(name, where, backend)


def changed_by(call: Call, seen: Touched) -> frozenset[BackendKey]:
    """Return whose states are to be saved after a call that has seen these."""
    if call.answer[0] == _NOT_DONE:
        return frozenset()
    backends = _changed(call.effect, seen)
    if not backends:
        return frozenset()
    return frozenset(
        (name, region)
        for (name, region), backend in snapshots.existing()
        if id(backend) in seen.begun or (id(backend) in backends and _is_its_own(name, call))
    )


def _changed(effect: Effect, seen: Touched) -> Backends:
    """Return what may be another than before. In what a call has that changes rows, that is what has no rows."""
    if effect is Effect.STATE:
        return seen.all()
    if effect is Effect.NOTHING:
        return seen.begun
    return {**seen.begun, **{number: each for number, each in seen.asked.items() if not _has_rows(id(each))}}


@functools.cache
def _has_rows(backend: int) -> bool:
    """Return whether what calls do to a service beside their own is in rows, or nothing. backend: its id, for life."""
    name = next(name for (name, _), each in snapshots.existing() if id(each) == backend)
    return bool(of_model(name).rows) or name in _ASKED


def _is_its_own(name: str, call: Call) -> bool:
    """Return whether a service is more than asked who calls, and what he may do."""
    return name not in _ASKED or of_model(name).endpoint == call.service.endpoint


def note(call: Call) -> None:
    """Have what the call has changed saved with the next commit."""
    services = {(of_model(name).endpoint, region) for name, region in call.changed}
    own = call.service.endpoint
    if call.effect is Effect.STATE and call.answer[0] != _NOT_DONE and own not in dict(services):
        services.add((own, call.region))
    for service, region in services:
        journal.changed(service, region)


def save_all() -> None:
    """Put a snapshot of every service that has been used into the journal."""
    for (name, region), backend in list(snapshots.existing()):
        _save(name, region, backend)


def save_seldom() -> None:
    _put(_OURS, "", "metrics", metrics.dump())


def _save(name: str, region: str, backend: BaseBackend) -> None:
    with _held(_lock_of(backend, of_model(name))):
        try:
            snapshot = snapshots.take(backend)
        except Exception as error:
            logger.exception("the state of %s in %s cannot be saved", name, region)
            if not snapshots.is_torn(error):
                undo.take_back((name, region), backend, _saved_before(name, region))
            return
    _put(_STATE, region, name, snapshot)


def _saved_before(name: str, region: str) -> bytes | None:
    if journal.store is None:
        return None
    journal.store.commit()  # what others have put is not lost
    return journal.store.get(_STATE, region, name)


def _put(kind: str, owner: str, key: str, value: bytes) -> None:
    """Put a row unless it is as it was."""
    if _last.get((kind, owner, key)) != hash(value):
        _last[kind, owner, key] = hash(value)
        journal.put(kind, owner, key, value)


_last: dict[tuple[str, str, str], int] = {}  # hashes of what was put last


def _lock_of(backend: Any, service: Service) -> Any:
    """Return what is held while a service's state is touched; Lambda and SQS have locks of their own."""
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
    with _readable(store, "its list of services"):
        states = list(store.rows(_STATE))
    for region, name, snapshot in states:
        with _readable(store, f"the state of {name} in {region}"):
            snapshots.restore(snapshots.backend_at((str(name), region)), snapshot)
    with _readable(store, "its metrics and stacks"):
        ours = {key: value for _, key, value in store.rows(_OURS)}
        if "metrics" in ours:
            metrics.load(ours["metrics"])
        if "stacks" in ours:
            _restore_stacks(ours["stacks"])
    with _readable(store, "its requests' tokens"):
        request_tokens.restore()
    for rows, service, what in (
        (item_rows, "dynamodb", "items"), (stream, "dynamodb", "streams"), (message_rows, "sqs", "messages"),
        (logs_backend, "logs", "log events"), (archives, "events", "archived events"),
    ):  # fmt: skip
        with _readable(store, f"the {what} of {service}"):
            rows.restore(lambda region, service=service: snapshots.backend_at((service, region)))


@contextmanager
def _readable(store: Store, what: str) -> Iterator[None]:
    """Say in one line that a part of the account cannot be read. Without it, the account would be another one."""
    try:
        yield
    except ModuleNotFoundError as error:
        reason = f"for {what} the package {error.name} is needed, which is not installed. Install it into .venv"
        raise UnreadableError(store.path, reason) from error
    except StoreError:
        raise
    except Exception as error:
        raise UnreadableError(store.path, f"{what} cannot be read ({type(error).__name__}: {error})") from error


def _restore_stacks(snapshot: bytes) -> None:
    from ..cloudformation import beginnings, change_sets

    stacks, sets = snapshots.loaded(snapshot)
    beginnings.store.restore(stacks)
    change_sets.restore(sets)
