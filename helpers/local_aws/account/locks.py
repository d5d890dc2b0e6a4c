"""Let one call at a time into each service: moto's models are plain dictionaries, shared by a server's threads.

Without this a Scan fails when an order arrives in the middle of it ("dictionary changed size during iteration").
It costs no throughput: the calls of one process share the GIL anyway.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ..engine import executor
from .service_table import named

_locks: dict[str, executor.Lock] = {}
_making = executor.Lock()


def service_lock(service: str) -> AbstractContextManager[Any]:
    """Return the lock of a service, by the name in its endpoint ("dynamodb"): held while its model is touched."""
    if named(service).waits:
        return nullcontext()
    lock = _locks.get(service)
    if lock is None:
        with _making:
            lock = _locks.setdefault(service, executor.Lock())
    return lock
