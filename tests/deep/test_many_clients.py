"""Many at once: twenty clients, thousands of orders, a thousand rules. The benchmarks measure larger numbers."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.async_aws import Queue
from tests.support.embedded_aws import Aws, own_home, zip_of
from tests.support.polling import eventually

CLIENTS, EACH = 20, 50
ORDERS = 2000
RULES = 1000


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An account with the workbook's table, function and rule."""
    home: Path = tmp_path_factory.mktemp("shop")
    with own_home(home):
        account = lifecycle.start()
    aws = Aws(account, home)
    aws.table("sample-table")
    aws.client("lambda").create_function(
        FunctionName="sample-function",
        Runtime="python3.13",
        Role=aws.role(),
        Handler="handler.lambda_handler",
        Code={"ZipFile": zip_of({"handler.py": (PROJECT / "handler.py").read_text(encoding="utf-8")})},
        Timeout=60,
    )
    aws.subscribe("sample-function", "sample-rule", {"source": ["microservice_x"]})
    yield aws
    with own_home(home):
        lifecycle.stop()


def order(order_id: str) -> dict:
    body = {"OrderId": order_id, "Item": "kettle", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
    return {"Source": "microservice_x", "DetailType": "order", "Detail": json.dumps({"body": body})}


def stored(aws: Aws) -> set[str]:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(
        TableName="sample-table", ProjectionExpression="OrderId"
    )  # fmt: skip
    return {item["OrderId"]["S"] for page in pages for item in page["Items"]}


def arrived(aws: Aws, prefix: str, wanted: int) -> set[str]:
    """The orders whose ids begin so, when they are as many as are wanted."""

    def found() -> set[str]:
        time.sleep(0.5)  # each look reads the whole table
        orders = {order_id for order_id in stored(aws) if order_id.startswith(prefix)}
        return orders if len(orders) >= wanted else set()

    return eventually(found, f"{wanted} orders", 600)


def send(events, ids: list[str]) -> None:
    for start in range(0, len(ids), 10):
        answer = events.put_events(Entries=[order(order_id) for order_id in ids[start : start + 10]])
        assert answer["FailedEntryCount"] == 0


def test_twenty_clients_at_once(shop):
    ids = {client: [f"C-{client:02}-{number:02}" for number in range(EACH)] for client in range(CLIENTS)}
    with ThreadPoolExecutor(CLIENTS) as pool:
        for sent in [pool.submit(send, shop.client("events"), ids[client]) for client in range(CLIENTS)]:
            sent.result(600)
    wanted = {order_id for each in ids.values() for order_id in each}
    assert arrived(shop, "C-", len(wanted)) == wanted


def test_a_burst_of_orders_while_others_are_answered(shop):
    """All are stored; meanwhile the account answers other calls, and its memory stays where it was."""
    ids = [f"B-{number:05}" for number in range(ORDERS)]
    server, before = psutil.Process(shop.account.pid), psutil.Process(shop.account.pid).memory_info().rss
    dynamodb, events, slowest = shop.client("dynamodb"), shop.client("events"), 0.0
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(send, shop.client("events"), ids)
        deadline = time.monotonic() + 600
        while dynamodb.describe_table(TableName="sample-table")["Table"]["ItemCount"] < ORDERS:
            begin = time.monotonic()
            assert events.list_rules()["Rules"]
            slowest = max(slowest, time.monotonic() - begin)
            assert time.monotonic() < deadline, "the orders do not arrive"
            time.sleep(0.05)
        sent.result(600)
    assert arrived(shop, "B-", ORDERS) == set(ids)
    assert slowest < 30
    assert server.memory_info().rss - before < 200 * 2**20


def test_a_thousand_rules(shop):
    """One of them wants the event."""
    events, queue, source = shop.client("events"), Queue(shop), f"source-{uuid.uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Resource": queue.arn}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Action": "sqs:SendMessage"}]}
    shop.client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps(policy)})
    for number in range(RULES):
        pattern = {"source": [source], "detail": {"number": [{"numeric": ["=", number]}]}}
        events.put_rule(Name=f"{source}-{number}", EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": queue.arn}
    assert events.put_targets(Rule=f"{source}-{RULES - 1}", Targets=[target])["FailedEntryCount"] == 0
    entries = [
        {"Source": source, "DetailType": "t", "Detail": json.dumps({"number": number})}
        for number in (0, RULES - 1, RULES)
    ]
    assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
    assert [record["detail"] for record in queue.records(1)] == [{"number": RULES - 1}]
    assert queue.records(1, 0.5) == []
