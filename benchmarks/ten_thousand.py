"""Ten thousand orders into one account: what one more order costs must not depend on how many are there."""

from __future__ import annotations

import time

import psutil

from benchmarks.orders import BATCH, Memory, entry, item, row, seconds, service, wait_for_count
from tests.support.embedded_aws import Aws

MARKS = (1_000, 3_000, 10_000)
FLOOR = 300  # direct put_items before and after each stretch, for the machine's own speed


def main() -> None:
    print(f"{'ten thousand orders, per order of each stretch':58} {'measured':>22}   {'ratio':>10}   goal")
    first, done = None, 0
    with service() as (aws, _):
        for mark in MARKS:
            before = direct(aws)
            with Memory(aws.account.pid) as memory:
                took, cpu = stretch(aws, done, mark)
            put = (before + direct(aws)) / 2
            first = first or (took, cpu)
            what = f"orders {done + 1:,} to {mark:,}"
            row(f"{what}: time, in direct put_items", f"{took * 1000:.2f} ms", f"{took / put:.2f}")
            row("  against the first stretch", "", f"{took / first[0]:.2f}", "about 1")
            row("  CPU time of server and workers", f"{cpu * 1000:.2f} ms", f"{cpu / first[1]:.2f}", "about 1")
            row("  memory of server and workers (peak)", f"{memory.peak / 1e6:.0f} MB, {memory.server / 1e6:.0f} MB")
            scan, log = reading(aws, mark)
            row("  reading all: Scan, FilterLogEvents, per order", f"{scan:.3f} ms, {log:.3f} ms")
            done = mark


def direct(aws: Aws) -> float:
    """Seconds for a put_item of boto3 at this moment; the same few items each time."""
    table = aws.client("dynamodb")
    items = [item(f"D-{number}") for number in range(FLOOR)]
    took = seconds(lambda: [table.put_item(TableName="sample-table", Item=one) for one in items])
    for one in items:
        table.delete_item(TableName="sample-table", Key={"OrderId": one["OrderId"]})
    return took / FLOOR


def stretch(aws: Aws, done: int, mark: int) -> tuple[float, float]:
    """Send the orders up to `mark` and wait until they are stored; seconds and CPU seconds for each."""
    events = aws.client("events")
    cpu, begin = cpu_seconds(aws.account.pid), time.perf_counter()
    for start in range(done, mark, BATCH):
        events.put_events(Entries=[entry(f"K-{number:05}") for number in range(start, start + BATCH)])
    wait_for_count(aws, mark, timeout=600)
    took = time.perf_counter() - begin
    stored = aws.client("dynamodb").describe_table(TableName="sample-table")["Table"]["ItemCount"]
    if stored < mark:
        raise SystemExit(f"only {stored} of {mark} orders were stored")
    return took / (mark - done), (cpu_seconds(aws.account.pid) - cpu) / (mark - done)


def cpu_seconds(pid: int) -> float:
    """What a process and its children, those that have ended included, have used so far."""
    server = psutil.Process(pid)
    total = sum(server.cpu_times()[:4])  # user, system, and both of children that have ended
    for child in server.children(recursive=True):
        try:
            total += sum(child.cpu_times()[:2])
        except psutil.Error:
            continue  # it has just ended
    return total


def reading(aws: Aws, orders: int) -> tuple[float, float]:
    """Milliseconds per order to read the whole table, and the whole log."""
    pages = {
        "scan": aws.client("dynamodb").get_paginator("scan").paginate(TableName="sample-table"),
        "log": aws.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName="/aws/lambda/sample-function"
        ),
    }  # fmt: skip
    took = {name: seconds(lambda of=of: list(of)) for name, of in pages.items()}
    return took["scan"] * 1000 / orders, took["log"] * 1000 / orders
