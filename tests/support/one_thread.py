"""The account's parts in one thread, on a clock that only they move: days pass in no time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import moto.sqs.models as models
import pytest

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.sqs.backend import Backend
from helpers.local_aws.sqs.messages import Message
from helpers.local_aws.sqs.queues import Queue


@contextlib.contextmanager
def one_thread(scale: float | None = None, start: float | None = None) -> Iterator[Loop]:
    """Run what is in the context in a loop; scale: of AWS's waits, if not the usual; start: the clock's, if not now."""
    executor_before, clock_before, scale_before = executor.in_use(), clock._clock, clock.scale()
    clock.use(ManualClock(start), scale)
    loop = Loop()
    executor.use(loop)
    try:
        yield loop
    finally:
        executor.use(executor_before)
        clock.use(clock_before, scale_before)


def queues(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """An account's queues, with messages and queues of ours."""
    monkeypatch.setattr(models, "Queue", Queue)
    monkeypatch.setattr(models, "Message", Message)
    return Backend("us-east-1", "123456789012")


def restart(hours_between: float) -> Loop:
    """Have the account's process end, and another begin so much later: what waited in memory is gone."""
    clock.use(ManualClock(start=clock.now() + hours_between * 3600), clock.scale())
    loop = Loop()
    executor.use(loop)
    return loop
