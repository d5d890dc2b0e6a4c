"""Amazon SQS's queues in one thread: who waits for a message has others work, and is woken by them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto.sqs import models
from moto.sqs.exceptions import QueueDoesNotExist

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.sqs.backend import Backend
from helpers.local_aws.sqs.queues import Queue
from tests.support.one_thread import one_thread, restart


@pytest.fixture(autouse=True)
def thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def sqs(monkeypatch) -> Backend:
    monkeypatch.setattr(models, "Queue", Queue)
    return Backend("us-east-1", "123456789012")


@pytest.fixture
def queue(sqs) -> Queue:
    return sqs.create_queue("queue")


def waited(queue: Queue, wait_s: float = 20, visibility_s: int = 30) -> tuple[list[str], float]:
    """What a receiver gets, and after how many seconds."""
    began = clock.monotonic()
    bodies = [message.body for message in queue.receive(10, wait_s, visibility_s)]
    return bodies, round(clock.monotonic() - began, 3)


def test_waiting_ends_with_a_message(sqs, queue):
    executor.later(5, lambda: sqs.send_message("queue", "news"))
    assert waited(queue) == (["news"], 5)


def test_waiting_ends_without_one(queue):
    executor.later(5, lambda: None)
    assert waited(queue) == ([], 20)


def test_a_message_in_flight_comes_back_in_its_time(sqs, queue):
    sqs.send_message("queue", "one")
    assert waited(queue, visibility_s=12) == (["one"], 0)
    assert waited(queue) == (["one"], 12)


def test_who_waits_learns_that_a_message_comes_back_sooner(sqs, queue):
    sqs.send_message("queue", "one")
    [message] = queue.receive(10, 0, 600)
    executor.later(3, lambda: queue.change_visibility(message.receipt_handle, 4))
    assert waited(queue) == (["one"], 7)


def test_who_waits_is_told_that_the_queue_is_deleted(sqs, queue):
    executor.later(3, lambda: sqs.delete_queue("queue"))
    with pytest.raises(QueueDoesNotExist):
        queue.receive(10, 20, 30)


@pytest.mark.parametrize(("hours", "kept"), [(4 * 24 - 1, ["one"]), (4 * 24 + 1, [])])
def test_a_message_is_kept_for_days_of_the_calendar(sqs, queue, hours, kept):
    sqs.send_message("queue", "one")
    restart(hours_between=hours)
    assert waited(queue, wait_s=0) == (kept, 0)
