"""Pollers by themselves, on a clock that stands until it is moved, with a function whose invocations a test ends."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from helpers.local_aws.awslambda.function_runner import TooManyRequests
from helpers.local_aws.awslambda.lambda_function import MAX_HOPS
from helpers.local_aws.engine import executor
from helpers.local_aws.execution.invocation import Outcome, hops_in
from helpers.local_aws.mappings import poller
from helpers.local_aws.mappings.mapping import DEFAULTS, EventSourceMapping
from helpers.local_aws.storage import journal
from tests.support.one_thread import one_thread

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:worker"


class Worker:
    """A function that gets events, and answers when a test says so. room: in its concurrency."""

    role, function_name = "arn:aws:iam::123456789012:role/worker", "worker"

    def __init__(self) -> None:
        self.events: list[list[dict[str, Any]]] = []
        self.room = True
        self.traces: list[str] = []
        self._under_way: deque[Callable[[Outcome], object]] = deque()

    def begin(self, payload: bytes, done: Callable[[Outcome], object], trace_id: str = "") -> None:
        if not self.room:
            raise TooManyRequests(reserved=True)
        self.events.append(json.loads(payload)["Records"])
        self._under_way.append(done)
        self.traces.append(trace_id)

    def takes_batches(self) -> bool:
        return True

    def goes_round(self, trace_id: str) -> bool:
        return hops_in(trace_id) >= MAX_HOPS

    @property
    def busy(self) -> int:
        return len(self._under_way)

    def end(self, answer: object = None, error: str | None = None, raw: bytes | None = None) -> None:
        """End the invocation that began first, and let follow what follows."""
        payload = json.dumps(answer).encode() if raw is None else raw
        self._under_way.popleft()(Outcome("request", payload, error, b""))
        executor.run_due()

    def fail(self) -> None:
        self.end({"errorMessage": "as asked"}, error="ValueError")

    def break_off(self) -> None:
        """End the invocation that began first, as the end of its worker does; nothing follows yet."""
        self._under_way.popleft()(Outcome("request", b"{}", "Runtime.ExitError", b""))


@pytest.fixture
def worker() -> Worker:
    return Worker()


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One thread, AWS's waits as long as on AWS, and a role that may do everything."""
    monkeypatch.setattr(journal, "store", None)
    monkeypatch.setattr(poller, "forbidden", lambda role, source: None)
    with one_thread(scale=1):
        yield


def mapping_of(source_arn: str, **settings: Any) -> EventSourceMapping:
    """A mapping that polls."""
    service = source_arn.split(":")[2]
    made = EventSourceMapping(source_arn, FUNCTION, "us-east-1", "123456789012", {**DEFAULTS[service], **settings})
    made.state = "Enabled"
    return made
