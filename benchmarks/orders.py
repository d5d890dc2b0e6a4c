"""The way of an order through the embedded AWS: PutEvents, rule, function, table."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psutil

from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws, own_home, zip_of

WARM, BURST, BATCH, COLD, STARTS = 300, 1000, 10, 5, 3
#: Seconds between two looks whether an order is there.
POLL = 0.001
#: What starting has to import at the least: the moto services that the lessons use.
MOTO = "import " + ", ".join(
    f"moto.{name}.responses" for name in ("awslambda", "dynamodb", "events", "iam", "logs", "sts")
)


def main() -> None:
    print(f"{'what':58} {'measured':>22}   {'ratio':>10}   goal")
    starting()
    with service() as (aws, deploy):
        cold(aws, deploy)
        put_ms = warm(aws)
    burst(put_ms)


def row(what: str, measured: str, ratio: str = "", goal: str = "") -> None:
    print(f"{what:58} {measured:>22}   {ratio:>10}   {goal}", flush=True)


def seconds(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def starting() -> None:
    """Start to ready, against a Python process that imports moto and ends."""
    imports = statistics.median(
        seconds(lambda: subprocess.run([sys.executable, "-c", MOTO], check=True)) for _ in range(STARTS)
    )
    ready = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder, own_home(Path(folder)):
            ready.append(seconds(lifecycle.start))
            lifecycle.stop()
    row("importing moto's services in a process of their own", f"{imports:.2f} s")
    row("start to ready", f"{statistics.median(ready):.2f} s", f"{statistics.median(ready) / imports:.2f}", "<= 1.5")


@contextmanager
def plain(folder: Path) -> Iterator[lifecycle.Access]:
    """The embedded AWS as everybody starts it."""
    try:
        yield lifecycle.start()
    finally:
        lifecycle.stop()


@contextmanager
def service(
    serve: Callable[[Path], AbstractContextManager[lifecycle.Access]] = plain, wrapper: str = ""
) -> Iterator[tuple[Aws, Callable[[str], None]]]:
    """A fresh account with the tutorial's table and rule, and a way to (re)make its function.

    serve: what runs the account in a folder; wrapper: source of a module whose handler calls the tutorial's.
    """
    files = {"handler.py": (PROJECT / "handler.py").read_text(encoding="utf-8")}
    files |= {"wrapper.py": wrapper} if wrapper else {}
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        own_home(Path(folder)),
        serve(Path(folder)) as account,
    ):
        aws = Aws(account)
        role = aws.role()
        aws.client("dynamodb").create_table(
            TableName="sample-table",
            KeySchema=[{"AttributeName": "OrderId", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "OrderId", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        events = aws.client("events")
        pattern = json.dumps({"source": ["microservice_x"]})
        rule = events.put_rule(Name="sample-rule", EventPattern=pattern)["RuleArn"]

        def deploy(name: str) -> None:
            lambda_ = aws.client("lambda")
            arn = lambda_.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler=f"{'wrapper' if wrapper else 'handler'}.lambda_handler",
                Code={"ZipFile": zip_of(files)},
                Timeout=30,
            )["FunctionArn"]
            lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
            lambda_.add_permission(
                FunctionName=name,
                StatementId="rule",
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=rule,
            )
            events.put_targets(Rule="sample-rule", Targets=[{"Id": "function", "Arn": arn}])

        deploy("sample-function")
        yield aws, deploy


def entry(order_id: str) -> dict:
    body = {"OrderId": order_id, "Item": "kettle", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
    detail = json.dumps({"body": body})
    return {"Source": "microservice_x", "DetailType": "microservice_x_test_event", "Detail": detail}


def item(order_id: str) -> dict:
    return {
        "OrderId": {"S": order_id},
        "Item": {"S": "kettle"},
        "Amount": {"N": "65.5"},
        "IsMember": {"BOOL": True},
        "ShippingMethod": {"S": "Express"},
    }


def until_stored(aws: Aws, events, table, order_id: str, pause: float = POLL) -> float:
    """Seconds from the call of PutEvents until the order can be read; `pause`: before the first look."""
    return looked_for(events, table, order_id, pause)[0]


def looked_for(events, table, order_id: str, pause: float) -> tuple[float, int]:
    """The same, and how many looks it took."""
    begin, looks = time.perf_counter(), 0
    events.put_events(Entries=[entry(order_id)])
    while True:
        # Asking without a pause would take one of two cores away from those who do the work.
        time.sleep(POLL if looks else pause)
        looks += 1
        if "Item" in table.get_item(TableName="sample-table", Key={"OrderId": {"S": order_id}}):
            return time.perf_counter() - begin, looks
        if time.perf_counter() - begin > 30:
            raise SystemExit(f"order {order_id} was not stored within 30 seconds")


class WellTimed:
    """A reader who learns when to look: the pause grows when a look came too early and shrinks a third as much when it
    did not, so that three of four first looks find the order (a weighted up-down staircase, Kaernbach 1991).

    The other reader, who looks every millisecond, measures his own habits too: on average half of a look comes on top.
    """

    def __init__(self, step: float = 0.0002) -> None:
        self._pause, self._step = POLL, step

    def __call__(self, events, table, order_id: str) -> float:
        took, looks = looked_for(events, table, order_id, self._pause)
        self._pause = max(0.0, self._pause + (self._step if looks > 1 else -self._step / 3))
        return took


def cold(aws: Aws, deploy: Callable[[str], None]) -> None:
    events, table = aws.client("events"), aws.client("dynamodb")
    measured = []
    for number in range(COLD):
        deploy(f"cold-{number}")
        measured.append(until_stored(aws, events, table, f"cold-{number}"))
    row("cold: first event of a new function -> order readable", f"{statistics.median(measured):.2f} s", "", "<= 0.6 s")
    deploy("warm")
    until_stored(aws, events, table, "warm-up")


def warm(aws: Aws) -> float:
    """The warm way, with a direct put_item between any two, so that both see the same machine."""
    events, table = aws.client("events"), aws.client("dynamodb")
    ways, timed, puts, batches, well_timed = [], [], [], [], WellTimed()
    for number in range(WARM):
        ways.append(until_stored(aws, events, table, f"W-{number}") * 1000)
        timed.append(well_timed(events, table, f"V-{number}") * 1000)
        direct = item(f"D-{number}")
        puts.append(seconds(lambda direct=direct: table.put_item(TableName="sample-table", Item=direct)) * 1000)
    for number in range(30):
        ten = [entry(f"T-{number}-{index}") for index in range(BATCH)]
        batches.append(seconds(lambda ten=ten: events.put_events(Entries=ten)) * 1000)
        time.sleep(0.05)  # let the ten be stored: this is about an idle bus
    put = statistics.median(puts)
    way, p95 = statistics.median(ways), statistics.quantiles(ways, n=20)[-1]
    row("direct put_item, round trip (median)", f"{put:.2f} ms", "1")
    row("warm: PutEvents -> order readable (median)", f"{way:.2f} ms", f"{way / put:.2f}", "<= 3")
    row("warm: PutEvents -> order readable (p95)", f"{p95:.2f} ms", f"{p95 / put:.2f}")
    way = statistics.median(timed[WARM // 3 :])  # until then the reader was learning
    row("warm: the same, read at the right moment (median)", f"{way:.2f} ms", f"{way / put:.2f}", "<= 2.2")
    ten = statistics.median(batches)
    row("PutEvents of ten answers, idle (median)", f"{ten:.2f} ms", f"{ten / put:.2f}", "<= 5")
    return put


def burst(put_ms: float) -> None:
    """1,000 orders, directly and as events, each into a fresh server."""
    with service() as (aws, _):
        table = aws.client("dynamodb")
        table.put_item(TableName="sample-table", Item=item("first"))
        direct = [item(f"F-{number:04}") for number in range(BURST)]
        floor = BURST / seconds(lambda: [table.put_item(TableName="sample-table", Item=one) for one in direct])
    row("floor: direct put_item, one after the other", f"{floor:.0f} orders/s", "1")
    with service() as (aws, _), Memory(aws.account.pid) as memory:
        events, answers = aws.client("events"), []
        begin = time.perf_counter()
        for start in range(0, BURST, BATCH):
            ten = [entry(f"B-{number:04}") for number in range(start, start + BATCH)]
            answers.append(seconds(lambda ten=ten: events.put_events(Entries=ten)) * 1000)
        sent = time.perf_counter() - begin
        wait_for_count(aws, BURST)
        rate = BURST / (time.perf_counter() - begin)
        lost = BURST - count(aws)
    row(f"burst: {BURST} events in batches of ten, all stored", f"{rate:.0f} orders/s", f"{rate / floor:.2f}", ">= 0.8")
    row("  of them lost", str(lost), "", "0")
    row("  sending alone", f"{BURST / sent:.0f} events/s")
    ten, p95 = statistics.median(answers), statistics.quantiles(answers, n=20)[-1]
    row("  PutEvents of ten answers, during the burst (median)", f"{ten:.2f} ms", f"{ten / put_ms:.2f}", "<= 5")
    row("  PutEvents of ten answers, during the burst (p95)", f"{p95:.2f} ms", f"{p95 / put_ms:.2f}")
    row("  memory of server and workers together (peak)", f"{memory.peak / 1e6:.0f} MB", "", "<= 350 MB")
    row("  memory of the server alone (peak), workers", f"{memory.server / 1e6:.0f} MB, {memory.workers}")


def count(aws: Aws) -> int:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName="sample-table", Select="COUNT")
    return sum(page["Count"] for page in pages)


def wait_for_count(aws: Aws, wanted: int, timeout: float = 120) -> None:
    """Wait until so many orders are stored; their number is asked for, not the orders, which would be work."""
    table, deadline = aws.client("dynamodb"), time.perf_counter() + timeout
    while table.describe_table(TableName="sample-table")["Table"]["ItemCount"] < wanted:
        if time.perf_counter() > deadline:
            return  # what is missing is counted as lost
        time.sleep(0.02)


class Memory:
    """Watches the resident memory of a process and its children, in bytes, while the context lasts."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._over = threading.Event()
        self.peak = self.server = self.workers = 0

    def __enter__(self) -> Memory:
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            try:
                children = self._process.children(recursive=True)
                server = self._process.memory_info().rss
            except psutil.Error:
                return
            together = server
            for child in children:
                try:
                    together += child.memory_info().rss
                except psutil.Error:
                    continue
            self.peak, self.server = max(self.peak, together), max(self.server, server)
            self.workers = max(self.workers, len(children))
