"""Read and answer requests to EventBridge where moto does not do it as AWS does."""

from __future__ import annotations

import json
from typing import Any, cast

from .archive_requests import ArchiveRequests
from .event_bus import EventBusBackend
from .event_buses import BusRequests
from .loops import safety_net


class Requests(ArchiveRequests, BusRequests):
    """moto's handler of requests."""

    def put_events(self) -> str:
        hops, root = safety_net.published(self.headers.get("X-Amzn-Trace-Id"))
        backend = cast(EventBusBackend, self.events_backend)
        answers = backend.put_events(self._get_param("Entries"), hops, root)
        return json.dumps({"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers})

    def test_event_pattern(self) -> Any:
        pattern, event = self._get_param("EventPattern"), self._get_param("Event")
        backend = cast(EventBusBackend, self.events_backend)
        return json.dumps({"Result": backend.test_event_pattern(pattern, event)})

    def list_rules(self) -> Any:
        """Answer ListRules, in which AWS does not say who created a rule."""
        body, _ = super().list_rules()
        answer = json.loads(body)
        for rule in answer["Rules"]:
            rule.pop("CreatedBy", None)
        return json.dumps(answer)
