"""The way of an order to its function through a queue, and through a table's stream, beside that through the bus."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from benchmarks.orders import BATCH, BURST, POLL, entry, item, row, seconds, service, wait_for_count
from tests.support.embedded_aws import Aws
from tests.support.polling import eventually

WARM = 200
#: The tutorial's function, for events of the bus and for records of queues and streams.
WRAPPER = """
import json
import handler

def order_of(record):
    if "body" in record:
        return json.loads(record["body"])
    return json.loads(record["dynamodb"]["NewImage"]["Detail"]["S"])

def lambda_handler(event, context):
    if "Records" not in event:
        return handler.lambda_handler(event, context)
    for record in event["Records"]:
        order = {"source": "microservice_x", "detail-type": "microservice_x_test_event", "detail": order_of(record)}
        handler.lambda_handler(order, context)
"""


def main() -> None:
    print(f"{'what':58} {'measured':>22}   {'ratio':>10}   goal")
    with service(wrapper=WRAPPER) as (aws, _):
        ways = Ways(aws)
        warm(ways)
    for kind in ("bus", "queue"):
        with service(wrapper=WRAPPER) as (aws, _):
            burst(Ways(aws), kind)


class Ways:
    """Three ways to send an order to the same function."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        lambda_, iam, sqs = aws.client("lambda"), aws.client("iam"), aws.client("sqs")
        role = lambda_.get_function(FunctionName="sample-function")["Configuration"]["Role"].split("/")[-1]
        policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
        iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        self.url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        aws.table("source", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"})
        stream = aws.client("dynamodb").describe_table(TableName="source")["Table"]["LatestStreamArn"]
        queue = "arn:aws:sqs:us-east-1:123456789012:orders"
        made = [
            lambda_.create_event_source_mapping(EventSourceArn=source, FunctionName="sample-function", **settings)
            for source, settings in ((queue, {}), (stream, {"StartingPosition": "LATEST"}))
        ]
        for mapping in made:
            eventually(lambda uuid=mapping["UUID"]: state(lambda_, uuid) == "Enabled", "a mapping")
        self.send: dict[str, Callable[[str], object]] = {
            "bus": self._put_event, "queue": self._send_message, "stream": self._put_item,
        }  # fmt: skip

    def _put_event(self, order_id: str) -> None:
        self.aws.client("events").put_events(Entries=[entry(order_id)])

    def _send_message(self, order_id: str) -> None:
        self.aws.client("sqs").send_message(QueueUrl=self.url, MessageBody=entry(order_id)["Detail"])

    def _put_item(self, order_id: str) -> None:
        given = {"OrderId": {"S": order_id}, "Detail": {"S": entry(order_id)["Detail"]}}
        self.aws.client("dynamodb").put_item(TableName="source", Item=given)

    def until_stored(self, kind: str, order_id: str) -> float:
        """Seconds from the call until the order can be read."""
        begin, table = time.perf_counter(), self.aws.client("dynamodb")
        self.send[kind](order_id)
        while True:
            time.sleep(POLL)
            if "Item" in table.get_item(TableName="sample-table", Key={"OrderId": {"S": order_id}}):
                return time.perf_counter() - begin
            if time.perf_counter() - begin > 30:
                raise SystemExit(f"order {order_id} was not stored within 30 seconds")


def state(lambda_: Any, uuid: str) -> str:
    found: str = lambda_.get_event_source_mapping(UUID=uuid)["State"]
    return found


def warm(ways: Ways) -> None:
    """One order at a time, by each way in turn, with a direct put_item between."""
    times: dict[str, list[float]] = {kind: [] for kind in (*ways.send, "direct")}
    table = ways.aws.client("dynamodb")
    for kind in ways.send:
        ways.until_stored(kind, f"first-{kind}")
    for number in range(WARM):
        for kind in ways.send:
            times[kind].append(ways.until_stored(kind, f"{kind}-{number}") * 1000)
        direct = item(f"D-{number}")
        times["direct"].append(
            seconds(lambda direct=direct: table.put_item(TableName="sample-table", Item=direct)) * 1000
        )
    put = statistics.median(times.pop("direct"))
    row("direct put_item, round trip (median)", f"{put:.2f} ms", "1")
    names = {"bus": "PutEvents", "queue": "SendMessage", "stream": "PutItem, its stream"}
    for kind, measured in times.items():
        way = statistics.median(measured)
        row(f"warm: {names[kind]} -> function -> order readable (median)", f"{way:.2f} ms", f"{way / put:.2f}")


def burst(ways: Ways, kind: str) -> None:
    """1,000 orders in calls of ten, until all of them are stored."""
    events, sqs = ways.aws.client("events"), ways.aws.client("sqs")
    ways.until_stored(kind, "first")
    begin = time.perf_counter()
    for start in range(0, BURST, BATCH):
        ten = [entry(f"B-{number:04}") for number in range(start, start + BATCH)]
        if kind == "bus":
            events.put_events(Entries=ten)
        else:
            sqs.send_message_batch(
                QueueUrl=ways.url,
                Entries=[{"Id": str(place), "MessageBody": each["Detail"]} for place, each in enumerate(ten)],
            )
    wait_for_count(ways.aws, BURST + 1)
    rate = BURST / (time.perf_counter() - begin)
    row(f"burst: {BURST} orders through the {kind}, all stored", f"{rate:.0f} orders/s")
