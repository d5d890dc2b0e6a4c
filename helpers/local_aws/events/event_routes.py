"""Find which rules of a bus can match an event at all, without looking at each rule.

Most patterns ask for one of a few sources or detail types. Those rules are found by that value; the others
are always candidates. So an event on a bus of 300 rules is compared with the few that it concerns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from moto.events.models import EventBus

from ..engine import executor
from ..event_patterns.event_pattern import EventPattern
from .rules import Rule

#: Fields that rules are found by, the more telling one first.
_FIELDS = ("detail-type", "source")

Route = tuple[Rule, EventPattern]


class _Table:
    """The enabled rules of one bus that have a pattern."""

    def __init__(self, rules: list[Rule]) -> None:
        self.by_value: list[tuple[str, dict[str, list[Route]]]] = [(field, {}) for field in _FIELDS]
        self.others: list[Route] = []
        for rule in rules:
            pattern = rule.event_pattern.compiled
            if pattern is not None and rule.state != "DISABLED":
                self._add((rule, pattern))

    def _add(self, route: Route) -> None:
        for field, by_value in self.by_value:
            values = route[1].required(field)
            if values is not None:
                for value in values:
                    by_value.setdefault(value, []).append(route)
                return
        self.others.append(route)


class Routes:
    """The tables of all buses, each made when it is needed first. Whoever changes rules calls `forget`."""

    def __init__(self) -> None:
        self._lock = executor.Lock()
        self._tables: dict[str, _Table] = {}

    def forget(self) -> None:
        """Forget the tables: rules have changed."""
        with self._lock:
            self._tables = {}

    def candidates(self, bus: EventBus, event: dict[str, Any]) -> Iterator[Route]:
        """Yield the rules of `bus` whose pattern may match `event`."""
        table = self._tables.get(bus.name)
        if table is None:
            with self._lock:  # a change waits until the table of the rules before it is in place
                table = self._tables[bus.name] = _Table(cast(list[Rule], list(bus.rules.values())))
        for field, by_value in table.by_value:
            yield from by_value.get(event[field], ())
        yield from table.others
