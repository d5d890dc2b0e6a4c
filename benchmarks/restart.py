"""What it costs that an account outlives its server: per order, on disk, and when the next server starts."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.orders import item, row, seconds, service
from benchmarks.ten_thousand import direct, stretch
from helpers.local_aws import lifecycle
from helpers.local_aws.account.account_owner import IN_MEMORY
from tests.support.embedded_aws import Aws, own_home

#: Orders of a measurement, and how often it is made with and without the store, in turn.
ORDERS, ROUNDS = 2_000, 3
MARKS = (10_000, 100_000)  # items in the account when its server dies


def main() -> None:
    print(f"{'an account that outlives its server':58} {'measured':>22}   {'ratio':>10}   goal")
    cost()
    starting()


def cost() -> None:
    """Orders into a stored account and into one in memory, in turn: time in direct put_items, and CPU time."""
    took: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    puts: dict[bool, list[float]] = {True: [], False: []}
    for number in range(ROUNDS * 2):
        stored = number % 2 == 0
        with in_memory(not stored), service() as (aws, _):
            stretch(aws, 0, 200)  # workers are warm
            puts[stored].append(direct(aws))
            took[stored].append(stretch(aws, 200, 200 + ORDERS))
    for name, part, unit in (("time", 0, 1000), ("CPU time of server and workers", 1, 1000)):
        kept, lost = (statistics.median(each[part] for each in took[stored]) for stored in (True, False))
        measured = f"{kept * unit:.2f}, {lost * unit:.2f} ms"
        row(f"one order, stored and in memory: {name}", measured, f"{kept / lost:.3f}")
    kept, lost = statistics.median(puts[True]), statistics.median(puts[False])
    row("one direct put_item", f"{kept * 1000:.2f}, {lost * 1000:.2f} ms", f"{kept / lost:.3f}")


def starting() -> None:
    """Kill a server whose table has many items; how long until the next one is ready, against an empty account."""
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder)):
        empty = seconds(lifecycle.start)
        lifecycle.stop()
    row("start to ready, empty account", f"{empty:.2f} s")
    with service() as (aws, _):
        done = 0
        for mark in MARKS:
            fill(aws, done, mark)
            done = mark
            server = psutil.Process(aws.account.pid)
            server.kill()
            server.wait(60)
            size = sum(path.stat().st_size for path in Path(os.environ["LOCAL_AWS_HOME"]).glob("account.sqlite*"))
            ready = seconds(lambda: setattr(aws, "account", lifecycle.start()))
            what = f"start to ready after a kill, {mark:,} orders"
            row(what, f"{ready:.2f} s, {size / 1e6:.1f} MB", f"{ready / empty:.2f}")
            count = aws.client("dynamodb").describe_table(TableName="sample-table")["Table"]["ItemCount"]
            if count != mark:
                raise SystemExit(f"{count} of {mark} items came back")


def fill(aws: Aws, done: int, mark: int) -> None:
    """Put items with the numbers `done` to `mark` into the table."""
    table = aws.client("dynamodb")
    for start in range(done, mark, 25):
        puts = [{"PutRequest": {"Item": item(f"R-{number:06}")}} for number in range(start, min(mark, start + 25))]
        table.batch_write_item(RequestItems={"sample-table": puts})


@contextmanager
def in_memory(wanted: bool) -> Iterator[None]:
    """Accounts that are started meanwhile live in memory alone."""
    if wanted:
        os.environ[IN_MEMORY] = "1"
    try:
        yield
    finally:
        os.environ.pop(IN_MEMORY, None)
