"""What a mapping reads from a queue, when it hands it over, and what becomes of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from helpers.local_aws.engine import clock, executor
from helpers.local_aws.mappings import poller, records, sources
from helpers.local_aws.mappings.sqs_poller import SqsPoller
from helpers.local_aws.sqs.backend import Backend
from helpers.local_aws.sqs.queues import Queue
from tests.local_aws.mappings.conftest import Worker, mapping_of
from tests.support.one_thread import queues

pytestmark = pytest.mark.usefixtures("thread")

REPORTING = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}
Start = Callable[..., SqsPoller]


@pytest.fixture
def sqs(monkeypatch) -> Backend:
    return queues(monkeypatch)


@pytest.fixture
def queue(sqs, monkeypatch) -> Queue:
    made = sqs.create_queue("queue")
    monkeypatch.setattr(sources, "queue", lambda arn: sqs.queues.get(arn.rpartition(":")[2]))
    return made


@pytest.fixture
def start(queue, worker) -> Start:
    """Begin to poll, with settings, and run what is due."""

    def begin(of: Queue = queue, **settings: Any) -> SqsPoller:
        made = SqsPoller(mapping_of(of.queue_arn, **settings), lambda: worker)
        made.wake()
        executor.run_due()
        return made

    return begin


def send(sqs: Backend, *bodies: str, queue: str = "queue", **settings: Any) -> None:
    for body in bodies:
        sqs.send_message(queue, body, **settings)
    executor.run_due()


def bodies(worker: Worker) -> list[list[str]]:
    return [[record["body"] for record in event] for event in worker.events]


def left(queue: Queue) -> tuple[int, int]:
    """How many messages are visible, and in flight."""
    return queue.approximate_number_of_messages, queue.approximate_number_of_messages_not_visible


def test_a_backlog_is_read_in_batches_and_deleted_when_it_is_done(sqs, queue, worker, start):
    send(sqs, *map(str, range(12)))
    start(BatchSize=5)
    assert bodies(worker) == [list("01234"), list("56789"), ["10", "11"]]
    assert left(queue) == (0, 12), "in flight until the function has returned"
    worker.end()
    assert left(queue) == (0, 7)
    worker.end()
    worker.end()
    assert left(queue) == (0, 0)


def test_a_message_is_handed_over_as_soon_as_it_is_there(sqs, queue, worker, start):
    polling = start()
    assert polling.mapping.result == "No records processed"
    send(sqs, "news")
    assert bodies(worker) == [["news"]]
    worker.end()
    assert left(queue) == (0, 0) and polling.mapping.result == "OK"


def test_what_fails_comes_back_after_its_visibility_timeout_and_ends_in_the_dead_letter_queue(sqs, worker, start):
    dead = sqs.create_queue("dead")
    queue = sqs.create_queue("fragile")
    # what RedrivePolicy says; moto would look for the queue in the process's own backend
    queue.redrive_policy, queue.dead_letter_queue = {"maxReceiveCount": 2}, dead
    polling = start(queue)
    send(sqs, "poison", queue="fragile")
    worker.fail()
    assert polling.mapping.result == "PROBLEM: Function call failed"
    executor.sleep(29)
    assert bodies(worker) == [["poison"]]
    executor.sleep(1.5)
    assert bodies(worker) == [["poison"], ["poison"]]
    assert [event[0]["attributes"]["ApproximateReceiveCount"] for event in worker.events] == ["1", "2"]
    worker.fail()
    executor.sleep(31)
    assert len(worker.events) == 2 and left(queue) == (0, 0)
    assert [message.body for message in dead.messages] == ["poison"]


def test_a_window_gathers_messages_until_it_is_over_or_the_batch_is_full(sqs, worker, start):
    start(BatchSize=3, MaximumBatchingWindowInSeconds=20)
    send(sqs, "a")
    executor.sleep(19)
    send(sqs, "b")
    assert worker.events == []
    executor.sleep(1.5)
    assert bodies(worker) == [["a", "b"]]
    send(sqs, "c", "d", "e", "f")
    assert bodies(worker)[1:] == [["c", "d", "e"]], "full, though the window is not over"


def test_a_batch_may_have_ten_thousand_messages(sqs, queue, worker, start):
    send(sqs, *map(str, range(10_001)))
    start(BatchSize=10_000, MaximumBatchingWindowInSeconds=1)
    assert [len(event) for event in worker.events] == [10_000]
    worker.end()
    executor.sleep(1.1)
    assert bodies(worker)[1] == ["10000"]
    worker.end()
    assert left(queue) == (0, 0)


def test_a_batch_is_no_larger_than_a_function_takes(sqs, queue, worker, start, monkeypatch):
    monkeypatch.setattr(records, "MAX_PAYLOAD", 2500)
    start()
    for number in range(4):
        sqs.send_message("queue", str(number) * 900)
    executor.run_due()
    assert [len(event) for event in worker.events] == [1, 1, 1, 1]


def test_a_record_says_what_the_message_was(sqs, queue, worker, start):
    start()
    attributes = {
        "Text": {"DataType": "String", "StringValue": "x"},
        "Bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    send(sqs, "hello", message_attributes=attributes)
    ((record,),) = worker.events
    assert record["md5OfBody"] == hashlib.md5(b"hello").hexdigest()
    assert record["messageAttributes"] == {
        "Text": {"stringValue": "x", "stringListValues": [], "binaryListValues": [], "dataType": "String"},
        "Bytes": {"binaryValue": "AP8=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
    }
    times = ("SentTimestamp", "ApproximateFirstReceiveTimestamp")
    assert all(abs(int(record["attributes"][name]) / 1000 - clock.now()) < 600 for name in times)
    assert record["attributes"].keys() == {"ApproximateReceiveCount", "SenderId", *times}
    assert (record["eventSource"], record["eventSourceARN"]) == ("aws:sqs", queue.queue_arn)
    queue.change_visibility(record["receiptHandle"], 0)  # the handle is a real one
    executor.run_due()
    assert worker.events[1][0]["attributes"]["ApproximateReceiveCount"] == "2"


@pytest.mark.parametrize(
    ("answer", "stays"),
    [
        (None, 0), ({}, 0), ("", 0), ({"batchItemFailures": []}, 0), ({"batchItemFailures": None}, 0),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, 3), ({"batchItemFailures": [{"itemIdentifier": None}]}, 3),
        ({"batchItemFailures": [{"foo": "bar"}]}, 3), ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, 3),
        ({"batchItemFailures": ["id"]}, 3), ({"batchItemFailures": "all"}, 3), ("done", 3), ([1], 3),
    ],
)  # fmt: skip
def test_an_answer_that_reports_nothing_or_nonsense(sqs, queue, worker, start, answer, stays):
    send(sqs, "a", "b", "c")
    start(**REPORTING)
    worker.end(answer)
    assert left(queue) == (0, stays)


def test_only_what_is_reported_comes_back(sqs, queue, worker, start):
    send(sqs, "a", "b", "c")
    polling = start(**REPORTING)
    worker.end({"batchItemFailures": [{"itemIdentifier": worker.events[0][1]["messageId"]}]})
    assert left(queue) == (0, 1) and polling.mapping.result == "OK"
    executor.sleep(31)
    assert bodies(worker) == [["a", "b", "c"], ["b"]]


def test_without_the_response_type_a_report_is_an_answer_like_any_other(sqs, queue, worker, start):
    send(sqs, "a")
    start()
    worker.end({"batchItemFailures": [{"itemIdentifier": worker.events[0][0]["messageId"]}]})
    assert left(queue) == (0, 0)


def test_an_answer_that_is_no_json_is_a_failure(sqs, queue, worker, start):
    send(sqs, "a")
    start(**REPORTING)
    worker.end(raw=b"{")
    assert left(queue) == (0, 1)


def test_a_message_that_does_not_match_is_deleted_and_not_handed_over(sqs, queue, worker, start):
    send(sqs, '{"kind": "order"}', '{"kind": "note"}', "order", '{"kind": "order", "id": 2}')
    start(FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["order"]}}'}]})
    assert bodies(worker) == [['{"kind": "order"}', '{"kind": "order", "id": 2}']]
    worker.end()
    assert left(queue) == (0, 0)


def test_a_fifo_queue_hands_over_group_by_group_in_order(sqs, worker, start):
    queue = sqs.create_queue("orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    start(queue, BatchSize=2)
    for group, body in ("a1", "a2", "a3", "b1"):
        send(sqs, group + body, queue="orders.fifo", group_id=group)
    assert bodies(worker) == [["a1"], ["b1"]], "of a group whose messages are under way nothing is taken"
    assert worker.events[0][0]["attributes"]["MessageGroupId"] == "a"
    worker.fail()
    assert bodies(worker)[2:] == [], "the failed one comes first"
    worker.end()
    executor.sleep(31)
    assert bodies(worker)[2:] == [["a1", "a2"]]
    worker.end()
    assert bodies(worker)[3:] == [["a3"]]


def test_what_is_too_much_of_a_fifo_queue_for_one_batch_comes_after_it(sqs, worker, start, monkeypatch):
    monkeypatch.setattr(records, "MAX_PAYLOAD", 2500)
    queue = sqs.create_queue("orders.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for number in range(3):
        send(sqs, str(number) * 900, queue="orders.fifo", group_id="a")
    start(queue)
    assert [body[0] for (body,) in bodies(worker)] == ["0"]
    worker.end()
    assert [body[0] for (body,) in bodies(worker)] == ["0", "1"]


def test_no_more_batches_run_at_once_than_the_mapping_allows(sqs, worker, start):
    send(sqs, *map(str, range(6)))
    start(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    assert worker.busy == 2
    worker.end()
    assert worker.busy == 2 and len(worker.events) == 3


def test_a_disabled_mapping_leaves_the_queue_alone_and_goes_on_later(sqs, queue, worker, start):
    polling = start()
    polling.mapping.enabled = False
    send(sqs, "later")
    assert worker.events == [] and left(queue) == (1, 0)
    polling.mapping.enabled = True
    polling.wake()
    executor.run_due()
    assert bodies(worker) == [["later"]]


def test_what_was_gathered_when_a_mapping_is_disabled_comes_back(sqs, queue, worker, start):
    polling = start(MaximumBatchingWindowInSeconds=60)
    send(sqs, "gathered")
    assert left(queue) == (0, 1)
    polling.mapping.enabled = False
    polling.wake()
    executor.sleep(61)
    assert worker.events == [] and left(queue) == (1, 0)
    polling.mapping.enabled = True
    polling.wake()
    executor.run_due()
    assert worker.events == [], "it is gathered anew"


def test_a_batch_without_room_is_tried_until_its_messages_come_back(sqs, queue, worker, start):
    worker.room = False
    start()
    send(sqs, "a")
    executor.sleep(10)
    assert left(queue) == (0, 1)
    worker.room = True
    executor.sleep(10)
    assert bodies(worker) == [["a"]] and worker.events[0][0]["attributes"]["ApproximateReceiveCount"] == "1"
    worker.end()
    worker.room = False
    send(sqs, "b")
    executor.sleep(95)
    worker.room = True
    executor.sleep(60)
    assert worker.events[1][0]["attributes"]["ApproximateReceiveCount"] > "1", "it was back in the queue meanwhile"


def test_a_message_whose_chain_has_come_round_too_often_is_not_handed_over(sqs, queue, worker, start):
    start()
    for hops in (15, 16, 3):
        header = {"DataType": "String", "StringValue": f"Root=1-{'0' * 8}-{'0' * 24};Lineage=1:{'a' * 8}:{hops}"}
        sqs.send_message("queue", str(hops), system_attributes={"AWSTraceHeader": header})
    executor.run_due()
    assert bodies(worker) == [["15", "3"]] and worker.traces[0].endswith(":15")
    worker.end()
    assert left(queue) == (0, 1), "it comes back, and may end in the dead-letter queue"


def test_a_role_that_may_not_read_any_more_stops_the_mapping_until_it_may(sqs, queue, worker, start, monkeypatch):
    polling = start()
    lacking = "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    monkeypatch.setattr(poller, "forbidden", lambda role, source: lacking)
    send(sqs, "a")
    assert worker.events == [] and left(queue) == (1, 0)
    assert polling.mapping.result == f"PROBLEM: {lacking}"
    monkeypatch.setattr(poller, "forbidden", lambda role, source: None)
    executor.sleep(5)
    assert bodies(worker) == [["a"]]


def test_a_queue_that_is_made_anew_is_read_again(sqs, queue, worker, start):
    start()
    sqs.delete_queue("queue")
    executor.run_due()
    sqs.create_queue("queue")
    send(sqs, "new")
    executor.sleep(5)
    assert bodies(worker) == [["new"]]


def test_a_delayed_message_comes_in_its_time(sqs, worker, start):
    start()
    send(sqs, "later", delay_seconds=40)
    executor.sleep(39)
    assert worker.events == []
    executor.sleep(2)
    assert bodies(worker) == [["later"]]
