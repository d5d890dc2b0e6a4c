"""Turn a service's state into bytes, and back: all in moto's backend that is neither many nor made anew.

What there may be very many of (items, messages, events of logs and archives) has rows of its own and is left out here;
threads, locks and compiled patterns are made anew. A reference to another backend, or to one of AWS's own thousand
managed policies, is kept as its name. Reading a snapshot can run code, as with every pickle: the store is readable and
writable by nobody but its user, to whom the account belongs anyway.
"""

from __future__ import annotations

import functools
import io
import pickle
import weakref
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import moto.backends as backends
from moto.awslambda.models import LambdaStorage
from moto.core.base_backend import BackendDict, BaseBackend
from moto.iam.models import AWSManagedPolicy
from moto.logs.models import LogStream
from moto.s3.models import FakeKey, S3Backend

from ..account.credentials import ACCOUNT_ID
from ..awslambda.concurrency import Concurrency
from ..awslambda.function_code import FunctionCode
from ..awslambda.lambda_function import Function
from ..dynamodb import transfers
from ..dynamodb.stream import Shard
from ..dynamodb.table import Table
from ..engine import anew
from ..event_patterns.event_pattern import EventPattern, compile_pattern
from ..events.archives import Archive
from ..events.event_routes import Routes
from ..iam import backend as iam_backend
from ..iam.authorization import Policy
from ..s3 import object_rows
from ..sqs.queue_order import Order
from ..sqs.queues import Queue
from . import moto_objects

#: How often a snapshot is tried while another thread changes what is in it.
_ATTEMPTS = 50

BackendKey = tuple[str, str]  # moto's name of a service, and the region ("aws" for a service without)


def take(backend: BaseBackend) -> bytes:
    """Return the state of a backend. Its service's lock should be held."""
    state = dict(backend.__dict__)
    if isinstance(backend, iam_backend.Backend):
        state.pop("aws_managed_policies", None)
        state["managed_policies"] = backend.managed_policies.own()
    with object_rows.snapshot() if isinstance(backend, S3Backend) else nullcontext():
        return dumped(state)


def restore(backend: BaseBackend, snapshot: bytes) -> None:
    """Make the backend what it was."""
    state = loaded(snapshot)
    if isinstance(backend, iam_backend.Backend):
        backend.managed_policies.update(state.pop("managed_policies"))
    backend.__dict__.update(state)


def dumped(state: Any) -> bytes:
    for attempt in range(_ATTEMPTS):
        try:
            file = io.BytesIO()
            _Pickler(file, protocol=5).dump(state)
            return file.getvalue()
        except RuntimeError as error:  # a dictionary has changed its size
            if attempt == _ATTEMPTS - 1 or not is_torn(error):
                raise
    raise AssertionError("unreachable")


def is_torn(error: Exception) -> bool:
    """Return whether a snapshot failed only since somebody changed, meanwhile, what was to be in it."""
    return isinstance(error, RuntimeError) and "changed size" in str(error)


def loaded(snapshot: bytes) -> Any:
    return _Unpickler(io.BytesIO(snapshot)).load()


def existing() -> Iterator[tuple[BackendKey, BaseBackend]]:
    """Yield all backends of the account that have been used, each with its service and region."""
    for services in list(BackendDict._instances):  # type: ignore[misc]  # noqa: SLF001  moto's only list of all
        name = _name_of(services)
        for region, backend in list(services.get(ACCOUNT_ID, {}).items()):
            yield (name, region), backend


_names: dict[tuple[str, str], str] = {}


def _name_of(services: Any) -> str:
    """Return the name by which moto finds a service. The one that it gives itself may be another's: EC2 Instance
    Connect says that it is EC2. Then it is the name of its module.
    """
    given, module = services.service_name, services.backend.__module__.split(".")[1]
    if (given, module) not in _names:
        _names[given, module] = next((name for name in (given, module) if _is_found(services, name)), given)
    return _names[given, module]


def _is_found(services: Any, name: str) -> bool:
    try:
        return backends.get_backend(name) is services  # type: ignore[call-overload]  # any service, not one by its name
    except (ImportError, AttributeError):  # no such module, or one that needs a package which is not there
        return False


def backend_at(where: BackendKey) -> BaseBackend:
    name, region = where
    return backends.get_backend(name)[ACCOUNT_ID][region]  # type: ignore[call-overload]  # any service, not one by its name


class _Pickler(pickle.Pickler):
    def persistent_id(self, thing: Any) -> Any:
        kind = type(thing)
        if kind is AWSManagedPolicy:
            return "policy", thing.arn, thing.attachment_count
        if kind in _PLAIN or not issubclass(kind, BaseBackend):  # a weak proxy says that it is what it stands for
            return None
        return next((("backend", where) for where, backend in existing() if backend is thing), None)

    def reducer_override(self, thing: Any) -> Any:
        reduce = _reducer(type(thing))  # type: ignore[arg-type]  # classes can be hashed
        reduced = None if reduce is None else reduce(thing)
        return NotImplemented if reduced is None else reduced


@functools.cache
def _reducer(kind: type) -> Callable[[Any], Any] | None:
    ours = next((_REDUCERS[base] for base in kind.__mro__ if base in _REDUCERS), None)
    return ours or moto_objects.reducer(kind)


_PLAIN = frozenset({str, int, float, bool, dict, list, tuple, set, bytes, type(None)})


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, name: Any) -> Any:
        if name[0] == "backend":
            return backend_at(name[1])
        policy = backends.get_backend("iam")[ACCOUNT_ID]["aws"].managed_policies[name[1]]
        policy.attachment_count = name[2]
        return policy


def _with(**replaced: Callable[[], Any]) -> Callable[[Any], Any]:
    """Return a reducer for pickle: an object with some of its attributes as they are in a new one."""

    def reduce(thing: Any) -> Any:
        state = {**thing.__dict__, **{name: make() for name, make in replaced.items()}}
        return _blank, (type(thing),), state

    return reduce


def _blank(kind: Any) -> Any:
    return kind.__new__(kind)


def _functions(storage: LambdaStorage) -> Any:
    """moto's functions by name; the default of its aliases is a lambda."""
    return _blank, (LambdaStorage,), {**storage.__dict__, "_aliases": defaultdict(dict, storage._aliases)}  # noqa: SLF001  all of its state


def _weak(references: weakref.WeakValueDictionary[Any, Any]) -> Any:
    return weakref.WeakValueDictionary, (), None, None, iter(list(references.items()))


def _transfer(transfer: Any) -> Any:
    return _blank, (type(transfer),), transfers.state_of(transfer)


def _nothing() -> None:
    return None


def _concurrency(reserved: int | None) -> Concurrency:
    made = Concurrency()
    made.reserved = reserved
    return made


_REDUCERS: dict[type, Callable[[Any], Any]] = {
    **anew.REDUCERS,
    weakref.WeakValueDictionary: _weak,
    EventPattern: lambda pattern: (compile_pattern, (pattern.text,)),
    Policy: lambda policy: (Policy, (policy.document,)),
    Routes: lambda routes: (Routes, ()),
    Order: lambda order: (Order, ()),
    Concurrency: lambda concurrency: (_concurrency, (concurrency.reserved,)),
    FunctionCode: lambda code: (FunctionCode.kept, (code.path.name, code.size, code.sha256)),
    Table: _with(**Table.MADE_ANEW),
    Shard: _with(**Shard.MADE_ANEW),
    transfers.Export: _transfer,
    transfers.Import: _transfer,
    Queue: _with(**Queue.MADE_ANEW),
    FakeKey: lambda key: (_blank, (FakeKey,), object_rows.state_of(key), None, None, object_rows.set_state),
    LambdaStorage: _functions,
    LogStream: _with(events=list, stored_bytes=int, upload_sequence_token=int),
    Archive: _with(**Archive.MADE_ANEW),
    Function: _with(**dict.fromkeys(Function.NOT_KEPT, _nothing)),
}
