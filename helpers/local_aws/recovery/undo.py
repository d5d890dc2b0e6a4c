"""Take back what could not be saved: nothing is answered that would be gone when the server ends."""

from __future__ import annotations

from collections.abc import Mapping

from moto.core.base_backend import BaseBackend

from . import snapshots
from .snapshots import BackendKey

_counts: dict[BackendKey, int] = {}


def take_back(where: BackendKey, backend: BaseBackend, saved: bytes | None) -> None:
    """Make moto's state of a service what was saved of it last; None: what it is when nobody has used it.

    The states of services that have parts of ours are left alone: those parts are at work, and know what is in them.
    """
    if not type(backend).__module__.startswith("moto."):
        return
    BaseBackend.reset(backend)
    if saved is not None:
        snapshots.restore(backend, saved)
    _counts[where] = _counts.get(where, 0) + 1


def counts() -> Mapping[BackendKey, int]:
    """Return how often each state has been taken back in the life of this process."""
    return dict(_counts)


def since(before: Mapping[BackendKey, int]) -> set[BackendKey]:
    """Return which states have been taken back since these counts."""
    return {where for where, count in _counts.items() if count > before.get(where, 0)}
