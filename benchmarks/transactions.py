"""Transactions in a full table against an empty one, and puts into a table whose stream has grown against its first."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable
from functools import partial

from benchmarks.orders import item, row, seconds
from benchmarks.rules import account
from tests.support.embedded_aws import Aws, table_request

#: Items of the full table, measurements of each kind, and records that are in the stream in the end.
ITEMS, TIMES, RECORDS = 5_000, 30, 1_500
EMPTY, FULL, STREAM = "empty", "full", "with-a-stream"

Write = Callable[[str, int], None]  # given a table and a number


def main() -> None:
    print(f"{'transactions, and puts into a table with a stream':58} {'measured':>22}   {'ratio':>10}   goal")
    with account() as aws:
        for name in (EMPTY, FULL):
            aws.table(name)
        fill(aws, FULL)
        for kind, write in kinds(aws).items():
            took: dict[str, list[float]] = {EMPTY: [], FULL: []}
            for number in range(TIMES):
                for table, measured in took.items():
                    measured.append(seconds(partial(write, table, number)))
            compare(f"{kind}, {ITEMS:,} items, empty table", took[FULL], took[EMPTY])
        stream(aws)


def kinds(aws: Aws) -> dict[str, Write]:
    """Transactions of every kind. Those that follow a put find its items."""
    client = aws.client("dynamodb")

    def transact(*items: dict) -> None:
        client.transact_write_items(TransactItems=list(items))

    def put(table: str, number: int) -> dict:
        return {"Put": {"TableName": table, "Item": item(f"T-{number}")}}

    def refused(table: str, number: int) -> None:
        with contextlib.suppress(client.exceptions.TransactionCanceledException):
            transact(put(table, number), check(table, f"absent-{number}"))
            raise SystemExit("a transaction whose condition is not met was not refused")

    def execute(statement: str) -> None:
        client.execute_transaction(TransactStatements=[{"Statement": statement}])

    return {
        "Put": lambda table, number: transact(put(table, number)),
        "ConditionCheck": lambda table, number: transact(check(table, f"T-{number}")),
        "Put, and a ConditionCheck that fails": refused,
        "Update": lambda table, number: transact(update(table, f"T-{number}")),
        "Delete": lambda table, number: transact({"Delete": target(table, f"T-{number}")}),
        "INSERT": lambda table, number: execute(f"INSERT INTO {table} VALUE {{'OrderId': 'P-{number}'}}"),
        "DELETE": lambda table, number: execute(f"DELETE FROM {table} WHERE OrderId = 'P-{number}'"),
    }


def target(table: str, order: str) -> dict:
    return {"TableName": table, "Key": {"OrderId": {"S": order}}}


def check(table: str, order: str) -> dict:
    return {"ConditionCheck": {**target(table, order), "ConditionExpression": "attribute_exists(OrderId)"}}


def update(table: str, order: str) -> dict:
    settings = {"UpdateExpression": "SET Seen = :yes", "ExpressionAttributeValues": {":yes": {"BOOL": True}}}
    return {"Update": {**target(table, order), **settings}}


def fill(aws: Aws, table: str) -> None:
    client = aws.client("dynamodb")
    for start in range(0, ITEMS, 25):
        puts = [{"PutRequest": {"Item": item(f"X-{number:06}")}} for number in range(start, min(start + 25, ITEMS))]
        client.batch_write_item(RequestItems={table: puts})


def stream(aws: Aws) -> None:
    """Put items one by one into a table with a stream: the first of them, and the last."""
    client = aws.client("dynamodb")
    specification = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    client.create_table(**table_request(STREAM, StreamSpecification=specification))
    client.put_item(TableName=STREAM, Item=item("S-first"))
    took = [seconds(partial(client.put_item, TableName=STREAM, Item=item(f"S-{number}"))) for number in range(RECORDS)]
    compare(f"put_item after {RECORDS:,} records in the stream, at first", took[-TIMES:], took[:TIMES])


def compare(what: str, later: list[float], first: list[float]) -> None:
    many, few = statistics.median(later), statistics.median(first)
    row(what, f"{many * 1000:.2f}, {few * 1000:.2f} ms", f"{many / few:.2f}", "below 2")
