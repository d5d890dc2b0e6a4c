"""The account in its caller's interpreter beside the server: one order, warm, and a lesson's cells.

In process nothing is sent, nobody is woken and nothing runs at the same time: an order takes what the work takes.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

from benchmarks.orders import POLL, item, row, seconds, service, until_stored
from helpers.local_aws import in_process
from helpers.local_aws.lifecycle import Access
from helpers.paths import NOTEBOOKS, PROJECT

ORDERS, UNCOUNTED = 200, 20
LESSON = "05_send_events"
PLUGIN = "tests.support.in_process"


def main() -> None:
    print(f"{'in process, beside a server':58} {'measured':>22}   {'ratio':>10}")
    server, put = orders(inside=False)
    with ProcessPoolExecutor(1, get_context("spawn")) as other:  # an interpreter can have one account in its life
        inside, put_inside = other.submit(orders, inside=True).result()
    row("direct put_item, by a server (median)", f"{put:.2f} ms", "1")
    row("  in process", f"{put_inside:.2f} ms", f"{put_inside / put:.2f}")
    row("warm: PutEvents -> order readable, by a server (median)", f"{server:.2f} ms", "1")
    row("  in process", f"{inside:.2f} ms", f"{inside / server:.2f}")
    kernel = seconds(lambda: lesson({}))
    row(f"{LESSON}: kernel, server, all cells compared", f"{kernel:.1f} s", "1")
    alone = seconds(lambda: lesson({"WORKBOOK_CLOCK": "machine"}, "-p", PLUGIN))
    row("  in one process, with the machine's clock", f"{alone:.1f} s", f"{alone / kernel:.2f}")
    quick = seconds(lambda: lesson({"WORKBOOK_CLOCK": "quick"}, "-p", PLUGIN))
    row("  in one process, with a clock that nobody waits for", f"{quick:.1f} s", f"{quick / kernel:.2f}")


@contextmanager
def here(_: Path) -> Iterator[Access]:
    """The account in this interpreter, in memory."""
    with in_process() as account:
        yield account.access


def orders(inside: bool) -> tuple[float, float]:
    """Return median milliseconds of an order's way, and of a direct put_item; one of each in turn."""
    ways, puts = [], []
    with service(here) if inside else service() as (aws, _):
        events, table = aws.client("events"), aws.client("dynamodb")
        for number in range(UNCOUNTED + ORDERS):
            # Who looks runs what is due first: in process there is nothing to wait for.
            ways.append(until_stored(aws, events, table, f"W-{number}", 0 if inside else POLL) * 1000)
            direct = item(f"D-{number}")
            puts.append(seconds(lambda direct=direct: table.put_item(TableName="sample-table", Item=direct)) * 1000)
    return statistics.median(ways[UNCOUNTED:]), statistics.median(puts[UNCOUNTED:])


def lesson(variables: dict[str, str], *options: str) -> None:
    """Run a lesson's cells as a test."""
    command = [sys.executable, "-m", "pytest", "-q", *options, str(NOTEBOOKS / f"{LESSON}.ipynb")]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **variables}, check=True, capture_output=True)
