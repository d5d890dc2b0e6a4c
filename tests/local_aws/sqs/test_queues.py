"""Amazon SQS's queues, from outside: quick with a backlog, safe for many at once, and awake when a message comes."""

from __future__ import annotations

import json
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.exceptions import ClientError
from moto.sqs import models

from helpers.local_aws.sqs.backend import Backend
from helpers.local_aws.sqs.messages import Message
from helpers.local_aws.sqs.queues import Queue as LocalQueue
from tests.support.event_probe import Probe, entry
from tests.support.lambda_requests import refused
from tests.support.polling import eventually
from tests.support.steps import steps


class Queue:
    """A queue of a test's own."""

    def __init__(self, aws, suffix: str = "", **attributes: str) -> None:
        self.name = f"queue-{uuid.uuid4().hex[:8]}{suffix}"
        self.sqs = aws.client("sqs")
        self.url = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:{self.name}"

    def send(self, body: str, **settings: object) -> str:
        return self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **settings)["MessageId"]

    def fill(self, count: int, first: int = 0) -> None:
        for start in range(first, first + count, 10):
            numbers = range(start, min(start + 10, first + count))
            entries = [{"Id": str(number), "MessageBody": str(number)} for number in numbers]
            answer = self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)
            assert len(answer["Successful"]) == len(entries)

    def receive(self, most: int = 10, wait: int = 0, **settings: object) -> list[dict]:
        answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait, **settings)
        return answer.get("Messages", [])

    def delete(self, *messages: dict) -> None:
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def counts(self) -> tuple[int, int, int]:
        """Visible, in flight, delayed."""
        names = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return tuple(int(attributes[name]) for name in names)  # type: ignore[return-value]


@pytest.fixture
def queue(aws) -> Queue:
    return Queue(aws)


@pytest.fixture
def backend(monkeypatch) -> Backend:
    """SQS in this process; no server is involved."""
    monkeypatch.setattr(models, "Queue", LocalQueue)
    monkeypatch.setattr(models, "Message", Message)
    return Backend("us-east-1", "123456789012")


def bodies(messages: list[dict]) -> list[str]:
    return [message["Body"] for message in messages]


def refusal(call, **request: object) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    return caught.value.response["Error"]["Code"]


# What happens to a message


def test_a_message_is_visible_then_in_flight_then_gone(queue) -> None:
    sent = queue.send("one", MessageAttributes={"Colour": {"DataType": "String", "StringValue": "red"}})
    assert queue.counts() == (1, 0, 0)
    [message] = queue.receive(MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    assert (message["MessageId"], message["Body"]) == (sent, "one")
    assert message["MessageAttributes"]["Colour"]["StringValue"] == "red"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert queue.counts() == (0, 1, 0)
    assert queue.receive() == []
    queue.delete(message)
    assert queue.counts() == (0, 0, 0)
    queue.delete(message)  # once more is no error, as on AWS


def test_a_message_without_its_attributes_keeps_them(queue) -> None:
    queue.send("one", MessageAttributes={"Colour": {"DataType": "String", "StringValue": "red"}})
    [without] = queue.receive(VisibilityTimeout=0)
    assert "MessageAttributes" not in without
    [with_them] = queue.receive(MessageAttributeNames=["Colour"])
    assert with_them["MessageAttributes"]["Colour"]["StringValue"] == "red"


def test_a_message_that_is_not_deleted_comes_back_with_another_handle(queue) -> None:
    queue.send("one")
    started = time.monotonic()
    [first] = queue.receive(VisibilityTimeout=1)
    [second] = queue.receive(wait=20, MessageSystemAttributeNames=["All"])
    assert 1 <= time.monotonic() - started < 20, "after its time, and not only when the waiting ends"
    assert second["ReceiptHandle"] != first["ReceiptHandle"]
    assert second["Attributes"]["ApproximateReceiveCount"] == "2"
    queue.delete(first)
    assert queue.counts() == (0, 0, 0)


def test_visibility_can_be_changed_both_ways(queue) -> None:
    queue.send("one")
    [message] = queue.receive(VisibilityTimeout=5)
    request = {"QueueUrl": queue.url, "ReceiptHandle": message["ReceiptHandle"]}
    queue.sqs.change_message_visibility(**request, VisibilityTimeout=600)
    assert queue.receive(wait=6) == []
    queue.sqs.change_message_visibility(**request, VisibilityTimeout=0)
    assert queue.counts() == (1, 0, 0)
    assert refusal(queue.sqs.change_message_visibility, **request, VisibilityTimeout=5) == "InvalidParameterValue"
    [again] = queue.receive()
    for _ in range(50):  # also within one millisecond
        queue.sqs.change_message_visibility_batch(
            QueueUrl=queue.url,
            Entries=[
                {"Id": str(n), "ReceiptHandle": again["ReceiptHandle"], "VisibilityTimeout": 60} for n in range(9)
            ],
        )
    request["ReceiptHandle"] = again["ReceiptHandle"]
    assert refusal(queue.sqs.change_message_visibility, **request, VisibilityTimeout=43201) == "InvalidParameterValue"


def test_a_handle_of_nothing_is_refused(aws, queue) -> None:
    other = Queue(aws)
    other.send("one")
    [foreign] = other.receive()
    for handle in ("nonsense", "bm9uc2Vuc2U=", foreign["ReceiptHandle"]):
        code = refusal(queue.sqs.delete_message, QueueUrl=queue.url, ReceiptHandle=handle)
        assert code == "ReceiptHandleIsInvalid"
    queue.send("two")
    [mine] = queue.receive()
    entries = [{"Id": "a", "ReceiptHandle": mine["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "nonsense"}]
    answer = queue.sqs.delete_message_batch(QueueUrl=queue.url, Entries=entries)
    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert [entry["Id"] for entry in answer["Failed"]] == ["b"]


def test_a_delayed_message_comes_when_its_time_has_come(queue) -> None:
    queue.send("late", DelaySeconds=600)
    queue.send("now")
    assert queue.counts() == (1, 0, 1)
    assert bodies(queue.receive()) == ["now"]
    queue.sqs.purge_queue(QueueUrl=queue.url)
    queue.send("late", DelaySeconds=1)
    started = time.monotonic()
    assert bodies(queue.receive(wait=20)) == ["late"]
    assert time.monotonic() - started < 20, "not only when the waiting ends"


def test_a_message_received_too_often_goes_to_the_dead_letter_queue(aws) -> None:
    dead = Queue(aws)
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 2})
    queue = Queue(aws, RedrivePolicy=policy)
    poison = queue.send("poison")
    for _ in range(2):
        assert bodies(queue.receive(VisibilityTimeout=0)) == ["poison"]
    queue.send("good")
    assert bodies(queue.receive()) == ["good"]
    assert queue.counts() == (0, 1, 0)
    [message] = dead.receive()
    assert (message["MessageId"], message["Body"]) == (poison, "poison")
    dead.delete(message)
    assert dead.counts() == (0, 0, 0)


def test_a_long_poll_that_finds_only_a_dead_letter_waits_on(aws) -> None:
    dead = Queue(aws)
    policy = json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    queue = Queue(aws, RedrivePolicy=policy)
    queue.send("poison")
    queue.receive(VisibilityTimeout=0)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(queue.receive, wait=10)
        time.sleep(0.3)
        queue.send("good")
        assert bodies(waiting.result()) == ["good"]
    assert dead.counts() == (1, 0, 0)


def test_a_message_past_its_retention_is_gone(backend) -> None:
    """A minute is the least that a queue keeps a message."""
    queue = backend.create_queue("queue", MessageRetentionPeriod="60")
    for body, age_s in (("old", 61), ("young", 30)):
        backend.send_message("queue", body).arrived -= age_s * 1000
    assert [message.body for message in queue.receive(10, 0, 30)] == ["young"]
    assert queue._counts() == (0, 1, 0)


def test_a_purged_queue_is_empty_and_goes_on(queue) -> None:
    queue.fill(30)
    held = queue.receive()
    queue.sqs.purge_queue(QueueUrl=queue.url)
    assert queue.counts() == (0, 0, 0)
    queue.delete(held[0])
    queue.send("new")
    assert bodies(queue.receive()) == ["new"]


# FIFO


def test_a_fifo_queue_keeps_the_order_of_each_group(aws) -> None:
    queue = Queue(aws, suffix=".fifo", FifoQueue="true")
    for number in range(6):
        group = "even" if number % 2 == 0 else "odd"
        queue.send(str(number), MessageGroupId=group, MessageDeduplicationId=f"d{number}")
    [zero] = queue.receive(most=1)
    [one] = queue.receive(most=1)
    assert bodies([zero, one]) == ["0", "1"]
    assert queue.receive() == []  # both groups wait for what is in flight
    queue.delete(zero)
    assert bodies(queue.receive()) == ["2", "4"]
    queue.sqs.change_message_visibility(QueueUrl=queue.url, ReceiptHandle=one["ReceiptHandle"], VisibilityTimeout=0)
    assert bodies(queue.receive()) == ["1", "3", "5"]


def test_a_fifo_queue_takes_a_message_once(aws) -> None:
    queue = Queue(aws, suffix=".fifo", FifoQueue="true", ContentBasedDeduplication="true")
    for body in ("same", "same", "other"):
        queue.send(body, MessageGroupId="g")
    received = queue.receive()
    assert bodies(received) == ["same", "other"]
    queue.delete(*received)
    queue.send("same", MessageGroupId="g")
    assert queue.counts() == (0, 0, 0)


# Waiting


def test_who_waits_gets_a_message_at_once(queue) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(lambda: (bodies(queue.receive(wait=20)), time.monotonic()))
        time.sleep(0.5)
        sent = time.monotonic()
        queue.send("news")
        received, at = waiting.result()
    assert received == ["news"]
    assert at - sent < 19, "not only when the waiting ends"


def test_waiting_ends_without_a_message_and_costs_no_cpu(aws, queue) -> None:
    server = psutil.Process(aws.account.pid)
    time.sleep(0.5)
    before, started = sum(server.cpu_times()[:2]), time.monotonic()
    with ThreadPoolExecutor() as pool:
        assert list(pool.map(lambda _: queue.receive(wait=2), range(5))) == [[]] * 5
    assert time.monotonic() - started >= 2
    assert sum(server.cpu_times()[:2]) - before < 1, "who looks again and again needs two seconds"


def test_many_wait_and_each_message_reaches_one(queue) -> None:
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(queue.receive, most=1, wait=20) for _ in range(8)]
        time.sleep(0.3)
        queue.fill(8)
        received = [body for future in waiting for body in bodies(future.result())]
    assert sorted(received) == [str(number) for number in range(8)]


def test_who_waits_sees_a_message_that_another_gives_back(queue) -> None:
    queue.send("one")
    [message] = queue.receive(VisibilityTimeout=600)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(queue.receive, wait=20)
        time.sleep(0.3)
        queue.sqs.change_message_visibility(
            QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
        assert bodies(waiting.result()) == ["one"]


def test_who_waits_is_told_that_the_queue_is_deleted(queue) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(queue.receive, wait=20)
        time.sleep(0.3)
        queue.sqs.delete_queue(QueueUrl=queue.url)
        with pytest.raises(ClientError) as caught:
            waiting.result()
    assert "NonExistentQueue" in caught.value.response["Error"]["Code"]


# Many at once


@pytest.mark.deep
def test_many_send_receive_and_delete_at_once_and_nothing_is_lost_or_doubled(aws, queue) -> None:
    """EventBridge's rule, and clients in threads, on one queue."""
    probe = Probe(aws)
    count, done, received = 400, threading.Event(), []

    def consume() -> None:
        sqs = aws.client("sqs")
        while not done.is_set():
            answer = sqs.receive_message(QueueUrl=probe._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            for message in answer.get("Messages", []):
                received.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=probe._url, ReceiptHandle=message["ReceiptHandle"])

    def publish(start: int) -> None:
        events, sqs = aws.client("events"), aws.client("sqs")
        for number in range(start, start + count // 4, 10):
            numbers = range(number, number + 10)
            entries = [entry(probe.source, Detail=json.dumps({"n": n})) for n in numbers]
            events.put_events(Entries=entries)
            bodies = [{"Id": str(n), "MessageBody": json.dumps({"detail": {"n": n + count}})} for n in numbers]
            sqs.send_message_batch(QueueUrl=probe._url, Entries=bodies)

    with ThreadPoolExecutor(8) as pool:
        consumers = [pool.submit(consume) for _ in range(4)]
        for publisher in [pool.submit(publish, start) for start in range(0, count, count // 4)]:
            publisher.result()
        try:
            eventually(lambda: len(received) >= 2 * count)
        finally:
            done.set()
        for consumer in consumers:
            consumer.result()
    assert sorted(message["detail"]["n"] for message in received) == list(range(2 * count))
    assert probe.waiting() == 0


def test_queues_are_created_listed_and_deleted_at_once(aws) -> None:
    prefix = f"many-{uuid.uuid4().hex[:8]}"

    def come_and_go(number: int) -> None:
        sqs = aws.client("sqs")
        for round_ in range(5):
            url = sqs.create_queue(QueueName=f"{prefix}-{number}-{round_}")["QueueUrl"]
            assert url in sqs.list_queues(QueueNamePrefix=prefix)["QueueUrls"]
            sqs.delete_queue(QueueUrl=url)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(come_and_go, range(8)))
    assert "QueueUrls" not in aws.client("sqs").list_queues(QueueNamePrefix=prefix)


def test_a_backlog_makes_nothing_slower(backend) -> None:
    """With 3,000 messages waiting and 500 in flight, a round takes about as many steps as with none."""
    queue = backend.create_queue("queue")

    def round_trip() -> None:
        for _ in range(20):
            backend.send_message("queue", "x")
            [message] = backend.receive_message("queue", 1, 0, 30)
            backend.delete_message("queue", message.receipt_handle)
            queue._counts()

    alone = steps(round_trip)
    for number in range(3500):
        backend.send_message("queue", str(number))
    for _ in range(50):
        backend.receive_message("queue", 10, 0, 600)
    assert queue._counts() == (3000, 500, 0)
    assert steps(round_trip) < 1.5 * alone


@pytest.mark.parametrize(
    ("attribute", "least", "most"),
    [
        ("DelaySeconds", 0, 900),
        ("KmsDataKeyReusePeriodSeconds", 60, 86_400),
        ("MaximumMessageSize", 1024, 1_048_576),
        ("MessageRetentionPeriod", 60, 1_209_600),
        ("ReceiveMessageWaitTimeSeconds", 0, 20),
        ("VisibilityTimeout", 0, 43_200),
    ],
)
def test_an_attribute_has_its_range(queue, attribute, least, most) -> None:
    expected = ("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")

    def now() -> str:
        answer = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])
        return answer["Attributes"].get(attribute)

    for value in (str(least), str(most)):
        queue.sqs.set_queue_attributes(QueueUrl=queue.url, Attributes={attribute: value})
        before = now()
        assert before in (value, None)  # a queue without a KMS key does not tell how long it uses one
    for value in (str(least - 1), str(most + 1), "many", "1.5", ""):
        given = {"Attributes": {attribute: value}}
        assert refused(queue.sqs.set_queue_attributes, QueueUrl=queue.url, **given) == expected
        assert refused(queue.sqs.create_queue, QueueName=f"{queue.name}-other", **given) == expected
    assert now() == before
    assert "QueueUrls" not in queue.sqs.list_queues(QueueNamePrefix=f"{queue.name}-other")


def test_other_attributes_leave_the_policy_alone(aws):
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"})
    assert json.loads(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"])
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Attributes" not in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
