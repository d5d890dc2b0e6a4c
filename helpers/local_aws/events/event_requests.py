"""Read and answer requests about events and rules where moto does not do it as AWS does."""

from __future__ import annotations

import json
from typing import Any

from moto.events.responses import EventsHandler

from .loops import SafetyNet
from .put_events import entry_size

_list_rules_by_moto = EventsHandler.list_rules


def install(safety_net: SafetyNet) -> None:
    """Put these into moto's handler of requests. safety_net: knows how many functions a caller's event came through."""

    def put_events(handler: EventsHandler) -> str:
        hops, root = safety_net.published(handler.headers.get("X-Amzn-Trace-Id"))
        backend: Any = handler.events_backend
        answers = backend.put_events(handler._get_param("Entries"), hops, root)
        return json.dumps({"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers})

    EventsHandler.put_events = put_events  # type: ignore[assignment]  # called by position
    EventsHandler.test_event_pattern = _test_event_pattern  # type: ignore[assignment]  # moto has a stub
    EventsHandler.list_rules = _list_rules  # type: ignore[assignment]  # answers without headers


def put_events_metrics(entries: list[dict[str, Any]], accepted: int) -> dict[str, float]:
    """Return what CloudWatch counts of one call, of whose entries so many were accepted."""
    failed = len(entries) - accepted
    counts: dict[str, float] = {
        "PutEventsApproximateCallCount": 1,
        "PutEventsApproximateSuccessCount": 1,
        "PutEventsEntriesCount": len(entries),
        "PutEventsRequestSize": sum(map(entry_size, entries)),
    }
    return counts | ({"PutEventsFailedEntriesCount": failed} if failed else {})


def _test_event_pattern(handler: EventsHandler) -> str:
    pattern, event = handler._get_param("EventPattern"), handler._get_param("Event")
    backend: Any = handler.events_backend
    return json.dumps({"Result": backend.test_event_pattern(pattern, event)})


def _list_rules(handler: EventsHandler) -> str:
    """ListRules, in which AWS does not say who created a rule."""
    body, _ = _list_rules_by_moto(handler)
    answer = json.loads(body)
    for rule in answer["Rules"]:
        rule.pop("CreatedBy", None)
    return json.dumps(answer)
