"""Record the metrics that AWS's services write about themselves: AWS/Lambda, AWS/Events, AWS/DynamoDB.

Recording is part of an order's way, so it only puts what happened into a queue. Whoever reads metrics finds everything
that was recorded before: the queue is emptied into the store first. Like AWS, the store keeps one distribution for
each metric and minute.
"""

from __future__ import annotations

import pickle
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..engine import clock, executor
from .metric_dimensions import unit_of, views
from .metric_store import MINUTE, Dimensions, MetricKey, MetricStore, dimensions_of

#: Recorded happenings that wait in memory at most; whoever records one more sorts them into the store.
MAX_WAITING = 10_000

_waiting: deque[tuple[float, str, Mapping[str, str], Mapping[str, float]]] = deque()
_lock = executor.Lock()
_store = MetricStore()


def record(namespace: str, dimensions: Mapping[str, str], values: Mapping[str, float], at: float | None = None) -> None:
    """Record what happened now (or `at`, in seconds since the epoch): one value for each metric in `values`.

    `dimensions` are the most exact ones: FunctionName; EventBusName and RuleName; EventBusName alone for what concerns
    no single rule. The metrics that AWS writes beside (a function's invocations count among all functions', too) follow
    from them. Neither mapping may be changed afterwards. Costs a microsecond.
    """
    _waiting.append((at or clock.now(), namespace, dimensions, values))
    if len(_waiting) > MAX_WAITING:
        with _lock:
            _sort_in()


@contextmanager
def reading() -> Iterator[MetricStore]:
    """Yield the store, with everything in it that was recorded before; nobody else changes it meanwhile."""
    with _lock:
        _sort_in()
        yield _store


def dump() -> bytes:
    """Return all that is in the store, to be loaded by a later process."""
    with reading() as store:
        return pickle.dumps(store.series, 5)


def load(dumped: bytes) -> None:
    """Begin with what an earlier process has dumped."""
    with _lock:
        _store.series.update(pickle.loads(dumped))


def _sort_in() -> None:
    """Empty the queue into the store. What happened in the same minute in the same place is added in one go."""
    groups: dict[tuple[str, Dimensions, int], dict[str, list[float]]] = {}
    for _ in range(len(_waiting)):
        at, namespace, dimensions, values = _waiting.popleft()
        key = (namespace, dimensions_of(dimensions), int(at // MINUTE) * MINUTE)
        group = groups.get(key)
        if group is None:
            group = groups[key] = {}
        for name, value in values.items():
            group.setdefault(name, []).append(value)
    for (namespace, exact, minute), group in groups.items():
        for name, values_of_name in group.items():
            counts = Counter(values_of_name)
            for view in views(namespace, name, exact):
                series = _store.of(MetricKey(namespace, name, view))
                series.bucket(minute, unit_of(name)).add(counts)
