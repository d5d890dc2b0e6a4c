"""Change one place of moto's, knowing what stood there: a seam.

A seam is a place, the digest of moto's source at that place when the seam was written, the reason, and what is put
there. Another release of moto may have changed the source; the digest then says which seams to read again.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any


class Why(enum.Enum):
    """Why moto is not used as it is."""

    MISSING = "missing"  # AWS does something there that moto does not
    WRONG = "wrong"  # moto does otherwise than AWS, or what it does is not safe here
    SLOW = "slow"  # the same, but quicker
    JOURNAL = "journal"  # what changes there must be kept on disk


@dataclass(frozen=True)
class Seam:
    """place: "package.module:Class.attribute"; ours: makes what is put there from what moto has there."""

    place: str
    digest: str
    why: Why
    ours: Callable[[Any], Any]
    swapped: type | None = None

    @property
    def owner(self) -> Any:
        """The module or class whose attribute is changed."""
        module, _, path = self.place.partition(":")
        return functools.reduce(getattr, path.split(".")[:-1], importlib.import_module(module))

    @property
    def name(self) -> str:
        return self.place.rpartition(":")[2].rpartition(".")[2]

    def current(self) -> Any:
        """Return what is there now."""
        return getattr(self.owner, self.name)


def seam(place: str, digest: str, why: Why, ours: Callable[[Any], Any]) -> Seam:
    """Return a seam where `ours`, given what moto has, returns what is put there."""
    return Seam(place, digest, why, ours)


def instead(place: str, digest: str, why: Why, ours: Any) -> Seam:
    """Return a seam where `ours` is put, whatever moto has."""
    return Seam(place, digest, why, lambda _: ours)


def swap(place: str, digest: str, why: Why, ours: type) -> Seam:
    """Return a seam where moto's class is replaced by a subclass of it. Digested is what the subclass overrides."""
    return Seam(place, digest, why, lambda _: ours, swapped=ours)


_before: dict[str, Any] = {}  # what moto had, by place, of the seams that have been applied


def apply(seams: Iterable[Seam]) -> None:
    """Put everything in its place, in this order. Raises RuntimeError for a place that has been changed already."""
    for each in seams:
        if each.place in _before:
            raise RuntimeError(f"{each.place} has been changed already: one seam for each place")
        found = each.current()
        _before[each.place] = found
        setattr(each.owner, each.name, each.ours(found))


def digest_of(each: Seam) -> str:
    """Return the digest of moto's source at the place of a seam, whether or not it has been applied."""
    found = _before.get(each.place) or each.current()
    text = "".join(_overridden(each.swapped, found)) if each.swapped else _source(found)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def differences(seams: Iterable[Seam]) -> Iterator[Seam]:
    """Yield the seams whose place has another source than when they were written, or is no longer there."""
    for each in seams:
        try:
            same = digest_of(each) == each.digest
        except (ImportError, AttributeError):
            same = False
        if not same:
            yield each


def _source(thing: Any) -> str:
    """Return the source of a function, method or class; for any other value, its type and text."""
    try:
        return inspect.getsource(inspect.unwrap(getattr(thing, "__func__", thing)))
    except TypeError:
        return f"{type(thing).__name__} {thing!r}"


def _overridden(ours: type, theirs: type) -> Iterator[str]:
    """Yield the source of what `ours` overrides, in the order of names. A name that is moto's no more is left out."""
    own = {name for kind in ours.__mro__[: ours.__mro__.index(theirs)] for name in vars(kind)}
    for name in sorted(own):
        found = inspect.getattr_static(theirs, name, None)
        if callable(found) or isinstance(found, (classmethod, staticmethod, property)):
            inner = found.fget if isinstance(found, property) else found
            try:
                yield f"{name}\n{_source(inner)}"
            except OSError:  # made without source, such as a dataclass's __init__
                yield f"{name}\n"
