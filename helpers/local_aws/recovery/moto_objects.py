"""Tell pickle how to keep what moto's models have beside plain objects, whichever service they belong to.

These are keys and certificates, functions that were made inside of functions, weak references, and dictionaries with
ways of their own: pickle asks those for their items and gives them to new ones, which is not what they hold.
"""

from __future__ import annotations

import importlib
import pickle
import types
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator
from typing import Any


def reducer(kind: type) -> Callable[[Any], Any] | None:
    """Return what says how pickle is to keep things of a kind; None, as its answer, too, leaves that to pickle.

    It raises PicklingError for what cannot be kept.
    """
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    if kind.__module__.startswith("cryptography."):
        return _in_der
    if issubclass(kind, dict) and kind.__module__.startswith("moto."):
        return _dictionary
    return None


# Weak references: what they lead to is kept, and lives on if somebody else has it, too


def _proxy(proxy: Any) -> Any:
    return weakref.proxy, (proxy.__repr__.__self__,)


def _reference(reference: weakref.ref[Any]) -> Any:
    target = reference()
    return (_dead, ()) if target is None else (weakref.ref, (target,))


class _Gone:
    pass


def _dead() -> weakref.ref[Any]:
    return weakref.ref(_Gone())


# Keys and certificates


def _in_der(thing: Any) -> Any:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    der = serialization.Encoding.DER
    if isinstance(thing, x509.Certificate):
        return _certificate, (thing.public_bytes(der),)
    if hasattr(thing, "private_bytes"):
        plain = serialization.NoEncryption()
        return _private_key, (thing.private_bytes(der, serialization.PrivateFormat.PKCS8, plain),)
    return None


def _certificate(der: bytes) -> Any:
    from cryptography import x509

    return x509.load_der_x509_certificate(der)


def _private_key(der: bytes) -> Any:
    from cryptography.hazmat.primitives import serialization

    return serialization.load_der_private_key(der, None)


# Dictionaries


def _dictionary(thing: dict[Any, Any]) -> Any:
    """Keep what it holds, and not what its own `items` says: S3's hides the versions of an object."""
    factory = thing.default_factory if isinstance(thing, defaultdict) else None
    held = dict(_kind_of(thing).items(thing))
    return _new, (type(thing),), (held, dict(thing.__dict__), factory), None, None, _fill


def _kind_of(thing: dict[Any, Any]) -> type[dict[Any, Any]]:
    return OrderedDict if isinstance(thing, OrderedDict) else dict


def _new(kind: Any) -> Any:
    return kind.__new__(kind)


def _fill(thing: Any, state: tuple[dict[Any, Any], dict[str, Any], Any]) -> None:
    held, attributes, factory = state
    if isinstance(thing, defaultdict):
        thing.default_factory = factory
    thing.__dict__.update(attributes)
    for name, value in held.items():
        _kind_of(thing).__setitem__(thing, name, value)


# Functions


def _function(function: types.FunctionType) -> Any:
    """Keep where a function is to be found that is made inside of another: it is the nth in that one's code."""
    outer, inside, _ = function.__qualname__.partition(".<locals>.")
    if not inside:
        return None
    found = list(_codes(_found(function.__module__, outer)))
    if function.__code__ not in found:
        raise pickle.PicklingError(f"{function.__qualname__} of {function.__module__} cannot be found again")
    cells = tuple(cell.cell_contents for cell in function.__closure__ or ())
    place = (function.__module__, outer, found.index(function.__code__))
    return _function_again, (*place, cells, function.__defaults__, function.__kwdefaults__)


def _function_again(module: str, outer: str, number: int, cells: tuple[Any, ...], *defaults: Any) -> Any:
    code = list(_codes(_found(module, outer)))[number]
    made = types.FunctionType(code, vars(importlib.import_module(module)), closure=tuple(map(types.CellType, cells)))
    made.__defaults__, made.__kwdefaults__ = defaults
    return made


def _found(module: str, name: str) -> Any:
    thing: Any = importlib.import_module(module)
    for part in name.split("."):
        thing = getattr(thing, part, None)
    return getattr(thing, "__code__", None)


def _codes(code: types.CodeType | None) -> Iterator[types.CodeType]:
    """Yield the code of all functions that are made in this one, in their order."""
    for each in code.co_consts if code is not None else ():
        if isinstance(each, types.CodeType):
            yield each
            yield from _codes(each)


_BY_KIND: dict[type, Callable[[Any], Any]] = {
    types.FunctionType: _function,
    weakref.ProxyType: _proxy,
    weakref.CallableProxyType: _proxy,
    weakref.ref: _reference,
}
