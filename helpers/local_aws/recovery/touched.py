"""Know which services' states a call has had in its hands: what moto does for one service may change others, too.

EMR makes groups of EC2's, S3 Tables a bucket; a service's state may begin with the first question about it, as EC2's
first network does. All of that is the answered call's, and kept with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.base_backend import BaseBackend

from ..account.credentials import ACCOUNT_ID
from ..engine import executor

Backends = dict[int, BaseBackend]  # by id: moto's may be compared by what they hold


class Touched:
    """The backends that a call has asked moto for, and those of them that it was the first to ask for."""

    def __init__(self) -> None:
        self.asked: Backends = {}
        self.begun: Backends = {}

    def add(self, backend: BaseBackend, begun: bool) -> None:
        self.asked[id(backend)] = backend
        if begun:
            self.begun[id(backend)] = backend

    def all(self) -> Backends:
        """Return them with the ones that they hold on to: those need not be asked for."""
        held = (each for backend in self.asked.values() for each in vars(backend).values())
        return {**self.asked, **{id(each): each for each in held if isinstance(each, BaseBackend)}}


class _Call(executor.local):
    touched: Touched | None = None  # of the call under way in this thread


_call = _Call()


@contextmanager
def noted() -> Iterator[Touched]:
    """Within this context, note what this thread asks moto for. Calls may be within calls: each has its own."""
    before, _call.touched = _call.touched, Touched()
    try:
        yield _call.touched
    finally:
        _call.touched = before


def noting(by_moto: Callable[[Any, str], BaseBackend]) -> Callable[[Any, str], BaseBackend]:
    """Have moto's services of an account say who is asked for."""

    def __getitem__(self: Any, region: str) -> BaseBackend:
        touched = _call.touched
        if touched is None or self.account_id != ACCOUNT_ID:
            return by_moto(self, region)
        count = len(self)
        backend = by_moto(self, region)
        touched.add(backend, len(self) > count)
        return backend

    return __getitem__
