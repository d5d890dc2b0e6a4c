"""Keep EventBridge's obligations on disk: events whose rules are still to be found, deliveries still to be made.

PutEvents' answer is a promise, and so is every row here until it is deleted. What a server leaves behind is taken up by
the next: each event is delivered at least once, and sometimes twice, as on AWS.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..account.arn import Arn
from ..storage import journal
from .delivery_errors import DeliveryFailed
from .put_events import Event
from .rules import Rule

_EVENTS, _DELIVERY = "events on a bus", "delivery"


class KeptRule(NamedTuple):
    """What a delivery needs of its rule, which may be gone meanwhile."""

    arn: str
    metric_dimensions: dict[str, str]


@dataclass(slots=True)
class PendingDelivery:
    """One event on its way to one target, until the target has it or it is dropped.

    rule: our Rule, or what is kept of it; row: in the journal, None while there is none; failure: of the last attempt,
    None before the first; due: the account's uptime at the next attempt, so that a row's delivery waits in the next
    process for what was left; retries: made until now; waited_s: seconds on AWS that it has waited for them.
    """

    rule: Rule | KeptRule
    target: dict[str, Any]
    event: Event
    row: int | None = None
    failure: DeliveryFailed | None = None
    due: float = 0.0
    retries: int = 0
    waited_s: float = 0.0


def put_events(region: str, events: list[Event], only: set[str] | None) -> int | None:
    """Keep accepted events until `delete_events`. only: ARNs of the rules that they are for, None for all."""
    if journal.store is None:
        return None
    row = journal.number()
    journal.put(_EVENTS, region, row, pickle.dumps(([event.dump() for event in events], only), 5), new=True)
    return row


def delete_events(row: int, region: str) -> None:
    journal.delete(_EVENTS, region, row)


def kept_events(region: str) -> Iterator[tuple[list[Event], set[str] | None, int]]:
    for row, value in _rows(_EVENTS, region):
        events, only = pickle.loads(value)
        yield [Event.load(event) for event in events], only, row


def put(pending: PendingDelivery) -> None:
    """Keep a delivery as it is, in the row that it has or in a new one."""
    if journal.store is None:
        return
    new = pending.row is None
    if pending.row is None:
        pending.row = journal.number()
    rule, failure = pending.rule, pending.failure
    failed = None if failure is None else (failure.code, failure.message, failure.retryable)
    what = (tuple(rule.metric_dimensions.items()), rule.arn, pending.target, pending.event.dump())
    value = (*what, failed, pending.due, pending.retries, pending.waited_s)
    journal.put(_DELIVERY, "", pending.row, pickle.dumps(value, 5), new=new)


def delete(pending: PendingDelivery) -> None:
    """Forget a delivery that is made, or dropped."""
    if pending.row is not None:
        journal.delete(_DELIVERY, "", pending.row)


def kept_deliveries(region: str) -> Iterator[PendingDelivery]:
    """Yield the deliveries in a region that an earlier server has left."""
    for row, value in _rows(_DELIVERY, ""):
        dimensions, arn, target, event, failed, *rest = pickle.loads(value)
        if Arn.parse(arn).region == region:
            failure = None if failed is None else DeliveryFailed(failed[0], failed[1], retryable=failed[2])
            yield PendingDelivery(KeptRule(arn, dict(dimensions)), target, Event.load(event), row, failure, *rest)


def _rows(kind: str, owner: str) -> list[tuple[int, bytes]]:
    if journal.store is None:
        return []
    return [(int(key), value) for of, key, value in journal.store.rows(kind) if of == owner]
