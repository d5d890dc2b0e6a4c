"""The whole state of an account, every object of every backend, as lines of text: to compare with a later process's.

What belongs to a process (locks, threads, caches) is left out; an object that is met again is named by its first place.
"""

from __future__ import annotations

import datetime
import enum
import importlib
import io
import ipaddress
import re
import types
import weakref
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.iam.models import AWSManagedPolicy
from moto.s3.models import FakeKey

from helpers.local_aws.awslambda.concurrency import Concurrency
from helpers.local_aws.awslambda.lambda_function import Function
from helpers.local_aws.dynamodb import transfers
from helpers.local_aws.engine import anew
from helpers.local_aws.event_patterns.event_pattern import EventPattern
from helpers.local_aws.events.event_routes import Routes
from helpers.local_aws.recovery import snapshots
from helpers.local_aws.sqs.queue_order import Order

_PROCESS = (*anew.REDUCERS, Routes, Order)
_TRANSFERS = (transfers.Export, transfers.Import)
_NOT_STATE = {
    "lock",
    "_lock",
    "_order",
    "_tick",
    "row",
    "_value_buffer",
    "_flock",
    "_changes",
    "_users",
    "_watchers",
    "plan",
    "upload_sequence_token",
    *Function.NOT_KEPT,
}
#: IAM's policies of AWS, made when somebody asks for them, and items, which a Scan puts in an order of its own.
_IN_ANY_ORDER = ("._made", ".items")
#: Functions that run have sessions too, which end with their process.
_OF_A_SESSION = re.compile(r"access_keys'?\]?\['ASIA|\['assumed_roles'\]\[")
_PLAIN = (
    str,
    bytes,
    int,
    float,
    complex,
    bool,
    type(None),
    enum.Enum,
    datetime.datetime,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Address,
    Path,
)


def state() -> dict[str, list[str]]:
    """Return {"service region": lines} of all backends that this process has."""
    return {
        " ".join(where): [line for line in lines(backend) if not _OF_A_SESSION.search(line)]
        for where, backend in snapshots.existing()
    }


def differences(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return, of each backend that is not as it was, the lines that are gone (-) and new (+)."""
    found = {}
    for where, lines_before in before.items():
        lines_after = after.get(where, [])
        if lines_before != lines_after:
            had, has = set(lines_before), set(lines_after)
            gone = [f"- {line}" for line in lines_before if line not in has]
            found[where] = gone + [f"+ {line}" for line in lines_after if line not in had]
    return found


def lines(backend: BaseBackend) -> Iterator[str]:
    """Yield a line for each value that a backend holds: its place, and what it is."""
    yield from _Text().of(backend.__dict__, "", backend)


class _Text:
    def __init__(self) -> None:
        self._places: dict[int, str] = {}
        self._alive: list[Any] = []  # an id is somebody's as long as he lives

    def of(self, thing: Any, place: str, root: Any = None) -> Iterator[str]:
        if isinstance(thing, DynamoType) and thing.type == "B":  # moto has either, and answers the same
            yield f"{place} {thing.to_regular_json()}"
        elif isinstance(thing, _PLAIN):
            yield f"{place} {thing!r}"
        elif isinstance(thing, BaseBackend) and thing is not root:
            yield f"{place} backend {type(thing).__module__} {thing.region_name}"
        elif isinstance(thing, _PROCESS) and not isinstance(thing, _TRANSFERS):
            return
        elif id(thing) in self._places:
            if not isinstance(thing, (tuple, frozenset)):
                yield f"{place} is {self._places[id(thing)]}"
        else:
            self._places[id(thing)] = place
            self._alive.append(thing)
            yield from self._new(thing, place)

    def _new(self, thing: Any, place: str) -> Iterator[str]:
        if isinstance(thing, AWSManagedPolicy):
            yield f"{place} {thing.arn} {thing.attachment_count}"
        elif isinstance(thing, (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)):
            yield f"{place} {getattr(thing, '__qualname__', thing.__name__)}"
        elif isinstance(thing, types.MethodType):
            yield f"{place} {thing.__qualname__}"
        elif isinstance(thing, (re.Pattern, EventPattern)):
            yield f"{place} {getattr(thing, 'pattern', None) or getattr(thing, 'text', None)!r}"
        elif isinstance(thing, io.BytesIO):
            yield f"{place} {thing.getvalue()!r}"
        elif type(thing).__module__.startswith("cryptography.") and hasattr(thing, "private_bytes"):
            yield f"{place} {_pem(thing)!r}"
        else:
            yield from self._container(thing, place)

    def _container(self, thing: Any, place: str) -> Iterator[str]:
        yield f"{place} {type(thing).__qualname__}"
        if isinstance(thing, Concurrency):
            yield f"{place}.reserved {thing.reserved}"
            return
        # moto empties the parts of a whole object when it likes; nobody can ask for them.
        if isinstance(thing, FakeKey) and ".multipart.parts[" not in place:
            yield f"{place}.value {thing.__getstate__()['value'] or b''!r}"
        if isinstance(thing, (dict, weakref.WeakValueDictionary)):
            held = list((dict if isinstance(thing, dict) else type(thing)).items(thing))
            if isinstance(thing, defaultdict):  # a question is enough to have an empty one
                held = [(name, value) for name, value in held if value or not isinstance(value, (dict, list, set))]
            for name, value in sorted(held, key=str) if place.endswith(_IN_ANY_ORDER) else held:
                yield from self.of(value, f"{place}[{self._key(name)}]")
        elif isinstance(thing, (set, frozenset)):
            for each in sorted(map(self._key, thing)):
                yield f"{place}{{}} {each}"
        elif (
            hasattr(thing, "__iter__")
            and hasattr(thing, "__len__")
            and isinstance(thing, (list, tuple))
            or (type(thing).__name__ == "deque")
        ):
            for number, each in enumerate(list(thing)):
                yield from self.of(each, f"{place}[{number}]")
        attributes = _attributes(thing)
        for name, value in sorted(attributes.items()):
            if name not in _NOT_STATE:
                yield from self.of(value, f"{place}.{name}")
        if not attributes and type(thing).__repr__ is not object.__repr__ and not hasattr(thing, "__len__"):
            yield f"{place} {re.sub(' at 0x[0-9a-f]+', '', repr(thing))}"

    @staticmethod
    def _key(thing: Any) -> str:
        if type(thing).__repr__ is not object.__repr__:
            return repr(thing)
        return repr(sorted((name, str(value)) for name, value in _attributes(thing).items()))


def _pem(key: Any) -> bytes:
    serialization = importlib.import_module(
        "cryptography.hazmat.primitives.serialization"
    )  # moto's, which made the key
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain)


def _attributes(thing: Any) -> dict[str, Any]:
    if isinstance(thing, _TRANSFERS):
        return {**transfers.state_of(thing), "table": getattr(thing.table, "table_arn", None)}
    found = dict(getattr(thing, "__dict__", {}))
    if found.get("former_shards") == ():  # which a table's class says already
        del found["former_shards"]
    for kind in type(thing).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(thing, name):
                found[name] = getattr(thing, name)
    return found
