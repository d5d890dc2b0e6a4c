"""Orders by the tens of thousands, and twenty clients: nothing lost, memory bounded, other calls answered meanwhile."""

from __future__ import annotations

import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from botocore.config import Config

from benchmarks.orders import BATCH, Memory, entry, row, service
from benchmarks.ten_thousand import cpu_seconds
from tests.support.embedded_aws import Aws

#: LOAD_ORDERS=2000 makes a short run of it.
ORDERS = tuple(int(number) for number in os.environ.get("LOAD_ORDERS", "10000,50000").split(","))
CLIENTS, EACH = 20, 500
#: Seconds after which a run is given up, for each thousand orders.
PATIENCE = 60


def main() -> None:
    print(f"{'many orders at once, each run in a fresh account':58} {'measured':>22}   {'ratio':>10}   goal")
    first = None
    for number in ORDERS:
        with service() as (aws, _):
            figures = burst(aws, number, senders=1)
        first = first or figures["each"]
        report(f"{number:,} orders, one client", number, figures, first)
    with service() as (aws, _):
        report(f"{CLIENTS} clients with {EACH} orders each", CLIENTS * EACH, burst(aws, CLIENTS * EACH, CLIENTS), first)


def report(what: str, number: int, figures: dict, first: float) -> None:
    row(f"{what}: lost", str(figures["lost"]), "", "0")
    row("  all stored, per order", f"{figures['each'] * 1000:.2f} ms", f"{figures['each'] / first:.2f}", "about 1")
    row("  sending alone, entries throttled", f"{number / figures['sent']:.0f}/s, {figures['throttled']}")
    row("  CPU time of server and workers, per order", f"{figures['cpu'] * 1000:.2f} ms")
    row("  memory of server and workers (peak)", f"{figures['peak'] / 1e6:.0f} MB, {figures['server'] / 1e6:.0f} MB")
    for name, took in figures["others"].items():
        hundredths = statistics.quantiles(took, n=100)
        times = f"{hundredths[49]:.0f}, {hundredths[98]:.0f}, {max(took):.0f} ms"
        row(
            f"  {name} meanwhile (p50, p99, max of {len(took)})", times, f"{hundredths[49] / figures['idle'][name]:.1f}"
        )


def burst(aws: Aws, number: int, senders: int) -> dict:
    """Send so many orders, from so many clients, and wait until they are stored."""
    others = Others(aws)
    idle = others.ask(50)
    cpu, begin = cpu_seconds(aws.account.pid), time.perf_counter()
    with Memory(aws.account.pid) as memory, others:
        shares = [range(start, number, senders) for start in range(senders)]
        with ThreadPoolExecutor(senders) as pool:
            throttled = sum(pool.map(lambda share: send(aws, share), shares))
        sent = time.perf_counter() - begin
        stored = wait(aws, number)
        took = time.perf_counter() - begin
    return {
        "lost": number - stored,
        "each": took / number,
        "sent": sent,
        "throttled": throttled,
        "cpu": (cpu_seconds(aws.account.pid) - cpu) / number,
        "peak": memory.peak,
        "server": memory.server,
        "others": others.took,
        "idle": {name: statistics.median(times) for name, times in idle.items()},
    }


def send(aws: Aws, numbers: range) -> int:
    """Put the orders with these numbers; entries that are throttled again. How many were."""
    events = client(aws, "events")
    waiting, throttled = [entry(f"L-{number:06}") for number in reversed(numbers)], 0
    while waiting:
        batch = [waiting.pop() for _ in range(min(BATCH, len(waiting)))]
        results = events.put_events(Entries=batch)["Entries"]
        refused = [one for one, result in zip(batch, results, strict=True) if "ErrorCode" in result]
        if refused:
            throttled += len(refused)
            waiting.extend(refused)
            time.sleep(0.1)
    return throttled


def wait(aws: Aws, wanted: int) -> int:
    """Wait until so many orders are stored; how many are."""
    table, deadline = client(aws, "dynamodb"), time.perf_counter() + PATIENCE * max(1, wanted // 1000)
    while True:
        stored = table.describe_table(TableName="sample-table")["Table"]["ItemCount"]
        if stored >= wanted or time.perf_counter() > deadline:
            return stored
        time.sleep(0.1)


def client(aws: Aws, service_name: str):
    return aws.session.client(
        service_name, endpoint_url=aws.account.endpoint_url, config=Config(retries={"total_max_attempts": 1})
    )


class Others:
    """Asks the account other things while the context lasts; `took` has milliseconds for each."""

    def __init__(self, aws: Aws) -> None:
        table, events = client(aws, "dynamodb"), client(aws, "events")
        self._calls = {
            "DescribeTable": lambda: table.describe_table(TableName="sample-table"),
            "ListRules": events.list_rules,
        }
        self.took: dict[str, list[float]] = {name: [] for name in self._calls}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def ask(self, times: int) -> dict[str, list[float]]:
        """Ask so many times; milliseconds of each call."""
        took: dict[str, list[float]] = {name: [] for name in self._calls}
        for _ in range(times):
            for name, call in self._calls.items():
                begin = time.perf_counter()
                call()
                took[name].append((time.perf_counter() - begin) * 1000)
        return took

    def _run(self) -> None:
        while not self._over.wait(0.05):
            for name, took in self.ask(1).items():
                self.took[name] += took

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
