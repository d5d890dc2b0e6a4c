"""Amazon SQS's queues in one thread: who waits for a message has others work, and is woken by them."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.sqs.exceptions import InvalidParameterValue, QueueDoesNotExist

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.engine.clock import ManualClock
from helpers.local_aws.sqs import message_rows
from helpers.local_aws.sqs.backend import Backend
from helpers.local_aws.sqs.messages import Message
from helpers.local_aws.sqs.queues import Queue
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.support.one_thread import one_thread, queues, restart


@pytest.fixture(autouse=True)
def thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture
def sqs(monkeypatch) -> Backend:
    return queues(monkeypatch)


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


# How old a message is


HOUR_S, DAY_S = 3600, 86_400


@pytest.mark.parametrize(("days", "kept"), [(3.99, ["one"]), (4.01, [])])
def test_a_message_is_kept_for_days_in_which_the_account_is_up(sqs, queue, days, kept):
    sqs.send_message("queue", "one")
    clock.sleep(days * DAY_S)
    assert waited(queue, wait_s=0) == (kept, 0)


JUMPS = pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 30 * DAY_S], ids=["on", "back", "asleep"])


@JUMPS
def test_a_clock_that_is_set_moves_no_message(sqs, queue, jump_s):
    sqs.send_message("queue", "delayed", delay_seconds=40)
    sqs.send_message("queue", "in flight")
    assert waited(queue, wait_s=0, visibility_s=60) == (["in flight"], 0)
    set_on(jump_s)
    sqs.send_message("queue", "later", delay_seconds=90)
    assert waited(queue, wait_s=0)[0] == []
    assert [waited(queue, 100, 600) for _ in range(3)] == [(["delayed"], 40), (["in flight"], 20), (["later"], 30)]


def set_on(seconds: float) -> None:
    assert isinstance(clock._clock, ManualClock)
    clock._clock.set_on(seconds)


@JUMPS
def test_a_clock_that_is_set_makes_no_message_too_old(sqs, queue, jump_s):
    sqs.send_message("queue", "one")
    set_on(jump_s)
    sqs.send_message("queue", "two")
    assert waited(queue, wait_s=0) == (["one", "two"], 0)


def test_the_times_that_are_told_are_the_calendars(sqs, queue):
    clock.sleep(100)
    sent = sqs.send_message("queue", "one").sent_timestamp
    assert sent == int(clock.now() * 1000)
    clock.sleep(5)
    [message] = queue.receive(1, 0, 30)
    assert (message.sent_timestamp, message.approximate_first_receive_timestamp) == (sent, int(clock.now() * 1000))


def test_a_message_that_has_waited_long_can_be_hidden_as_any_other(sqs, queue):
    """AWS counts its twelve hours from when the message was received."""
    sqs.send_message("queue", "one")
    clock.sleep(2 * DAY_S)
    [message] = queue.receive(1, 0, 30)
    queue.change_visibility(message.receipt_handle, 43_200)
    clock.sleep(60)
    with pytest.raises(InvalidParameterValue, match="beyond the limit"):
        queue.change_visibility(message.receipt_handle, 43_200)


# Duplicates


def fifo(sqs, **attributes) -> Queue:
    return sqs.create_queue("queue.fifo", FifoQueue="true", **attributes)


def send(sqs, body: str, name: str = "queue.fifo") -> None:
    sqs.send_message(name, body, deduplication_id="same", group_id=body)


@pytest.mark.parametrize(("seconds", "taken"), [(299, ["one"]), (301, ["one", "two"])])
def test_a_deduplication_id_counts_for_five_minutes(sqs, seconds, taken):
    queue = fifo(sqs)
    send(sqs, "one")
    clock.sleep(seconds)
    send(sqs, "two")
    assert waited(queue, wait_s=0)[0] == taken


@JUMPS
def test_after_a_jump_no_message_is_lost_as_a_duplicate(sqs, jump_s):
    """Rather one too many: by the calendar, a message of another day; by the uptime, of the same minute."""
    queue = fifo(sqs)
    send(sqs, "one")
    set_on(jump_s)
    send(sqs, "two")
    assert queue._counts() == (2, 0, 0)


def redriven(queue: Queue, dead: Queue) -> Queue:
    """Move to `dead` what is received a second time. (moto looks for it in the account that there is not.)"""
    queue.redrive_policy, queue.dead_letter_queue = {"maxReceiveCount": 1}, dead
    return queue


def test_a_dead_letter_is_no_duplicate(sqs):
    dead = sqs.create_queue("dead.fifo", FifoQueue="true")
    queue = redriven(fifo(sqs), dead)
    for body in ("one", "two"):
        send(sqs, body)
        clock.sleep(301)
    for _ in range(2):
        while queue.receive(10, 0, 0):
            pass
    assert dead._counts() == (2, 0, 0)


@pytest.mark.parametrize(("suffix", "kept"), [("", []), (".fifo", ["one"])])
def test_a_dead_letter_is_as_old_as_before_but_in_a_fifo_queue(sqs, suffix, kept):
    more = {"FifoQueue": "true"} if suffix else {}
    dead = sqs.create_queue(f"dead{suffix}", **more)
    queue = redriven(sqs.create_queue(f"queue{suffix}", **more), dead)
    sqs.send_message(queue.name, "one", **({"deduplication_id": "d", "group_id": "g"} if suffix else {}))
    clock.sleep(3 * DAY_S)
    assert [waited(queue, wait_s=0, visibility_s=0)[0] for _ in range(2)] == [["one"], []]
    clock.sleep(2 * DAY_S)
    assert waited(dead, wait_s=0)[0] == kept


# In the next process


@pytest.fixture
def path(tmp_path) -> Iterator[Path]:
    open_journal(tmp_path / "store.sqlite")
    yield tmp_path / "store.sqlite"
    journal.close()


def open_journal(path: Path) -> None:
    journal.open_with(Store(path, "test"), lambda service, region: None, lambda: None)


def next_process(path: Path, hours_between: float, name: str = "queue", **attributes: str) -> tuple[Backend, Queue]:
    """Stop the account, and have it start again so much later. The queue's own state is not what is tested here."""
    journal.close()
    restart(hours_between)
    clock.count_uptime_from(0)
    open_journal(path)
    sqs = Backend("us-east-1", "123456789012")
    queue = sqs.create_queue(name, **attributes)
    message_rows.restore(lambda region: sqs)
    return sqs, queue


@pytest.mark.parametrize("hours", [0, 24 * 365, -1], ids=["at once", "a year later", "with the clock set back"])
def test_while_nobody_is_there_messages_neither_age_nor_come_back(sqs, queue, path, hours):
    sqs.send_message("queue", "delayed", delay_seconds=100)
    sqs.send_message("queue", "in flight")
    assert waited(queue, wait_s=0, visibility_s=60)[0] == ["in flight"]
    sqs.send_message("queue", "there")
    clock.sleep(40)
    sqs, queue = next_process(path, hours)
    assert waited(queue, 0, visibility_s=600) == (["there"], 0)
    assert waited(queue, 100, visibility_s=600) == (["in flight"], 20)
    assert waited(queue, 100, visibility_s=600) == (["delayed"], 40)


def test_messages_grow_old_in_all_processes_together(sqs, queue, path):
    sqs.send_message("queue", "old")
    clock.sleep(3 * DAY_S)
    sqs.send_message("queue", "young")
    sqs, queue = next_process(path, 1000)
    clock.sleep(1.5 * DAY_S)
    assert waited(queue, wait_s=0)[0] == ["young"]


def test_a_deduplication_id_of_another_day_loses_nothing(sqs, path):
    fifo(sqs)
    send(sqs, "one")
    sqs, queue = next_process(path, 24, "queue.fifo", FifoQueue="true")
    send(sqs, "two")
    assert queue._counts() == (2, 0, 0)
    sqs, queue = next_process(path, 0, "queue.fifo", FifoQueue="true")
    send(sqs, "two")
    assert queue._counts() == (2, 0, 0)


def test_after_a_lost_uptime_a_message_waits_no_longer_than_any_can(sqs, queue, path):
    clock.count_uptime_from(1e9)
    sqs.send_message("queue", "delayed", delay_seconds=900)
    sqs.send_message("queue", "in flight")
    waited(queue, wait_s=0)
    journal.commit()
    rows = list(journal.store.rows(message_rows.KIND))
    clock.count_uptime_from(0)
    kept = [Message.of_row(pickle.loads(value)) for _, _, value in rows]
    assert [max(each.delayed_until, each.visible_at) / 1000 for each in kept] == [900, 43_200]
    assert [each.arrived for each in kept] == [0, 0]


def test_a_row_of_an_earlier_release_is_a_message_that_is_there(sqs, queue):
    """It has the calendar's times."""
    message = sqs.send_message("queue", "one")
    values = {**message.__dict__, "visible_at": 1.8e12, "delayed_until": 1.8e12}
    del values["arrived"]
    clock.sleep(100)
    queue.purge()
    queue.put_back(Message.of_row(values))
    assert waited(queue, wait_s=0) == (["one"], 0)
