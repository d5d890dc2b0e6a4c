"""Where the time of one order goes: from the call of PutEvents until get_item has it, station by station.

The moments are taken inside one run by `timed_aws`, in the processes where they happen; the median of each stretch is
printed as a table in Markdown. One order at a time is on its way, so that the stretches follow one another.
"""

from __future__ import annotations

import json
import statistics
import time
from bisect import bisect_left, bisect_right
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from benchmarks.orders import BATCH, POLL, item, service, until_stored
from tests.support.embedded_aws import Aws
from tests.support.timed_aws import TIMED_HANDLER, timed_aws

ORDERS, UNCOUNTED = 300, 30
PUT = "PutItem by the function"
#: The stations in their order, and what the stretch before each of them is.
STATIONS = {
    "call": "",
    "PutEvents sent": "client: boto3 validates, serialises, signs",
    "PutEvents read": "HTTP: request sent, connection's thread wakes, request read",
    "PutEvents authenticated": "server: signature verified",
    "PutEvents authorised": "server: authorised",
    "bus: matching": "server: moto hands over, entry checked, dispatcher's thread wakes",
    "Lambda: queued": "bus: rule matched, permission checked",
    "environment: woken": "Lambda: environment's thread wakes",
    "Runtime API: answered": "environment: START line, event sent",
    "handler begins": "Runtime API: worker wakes, reads the event",
    "put sent": "handler, boto3: order checked, request validated, serialised, signed",
    f"{PUT} read": "HTTP: request sent, connection's thread wakes, request read",
    f"{PUT} authenticated": "server: signature verified",
    f"{PUT} authorised": "server: authorised, with the role's policies",
    f"{PUT} done": "server: moto's put_item; the order is in the table",
    "look": "reader: until the look that finds it begins",
    "GetItem sent": "reader, boto3: validates, serialises, signs",
    "GetItem read": "HTTP: request sent, connection's thread wakes, request read",
    "GetItem done": "server: signature, moto's get_item",
    "found": "HTTP and boto3: answer read and parsed",
}
#: What happens meanwhile, in nobody's way: (from, to, what it is).
BESIDE = (
    ("PutEvents authorised", "PutEvents answered", "PutEvents: accepted until answered"),
    (f"{PUT} done", "handler ends", "handler: the answer of put_item, its log line"),
    ("handler ends", "environment: has the answer", "Runtime API: the handler's answer"),
    ("environment: has the answer", "environment: finished", "environment: END and REPORT, metrics"),
)


def main() -> None:
    puts, journeys = journey_times()
    put = statistics.median(puts)
    whole = statistics.median(one["found"] - one["call"] for one in journeys) / 1e6
    print(f"| Stretch of an order's way (median of {len(journeys)}) | ms | of a direct put_item |")
    print("|---|---:|---:|")
    for before, after in pairwise(STATIONS):
        line(STATIONS[after], statistics.median(one[after] - one[before] for one in journeys) / 1e6, put)
    line("**all of it, measured from end to end**", whole, put)
    line("**until it is in the table**", between(journeys, "call", f"{PUT} done"), put)
    for before, after, what in BESIDE:
        line(f"*meanwhile:* {what}", between(journeys, before, after), put)
    line("a direct put_item, for comparison", put, put)


def line(what: str, ms: float, put: float) -> None:
    print(f"| {what} | {ms:.2f} | {ms / put:.2f} |")


def between(journeys: list[dict[str, int]], before: str, after: str) -> float:
    """The median milliseconds of a stretch."""
    return statistics.median(one[after] - one[before] for one in journeys if {before, after} <= one.keys()) / 1e6


def journey_times() -> tuple[list[float], list[dict[str, int]]]:
    """Milliseconds of direct put_items, and for each order the moment (ns) of each station."""
    spans: list[tuple[int, int, list[tuple[str, int]]]] = []
    puts: list[float] = []
    marks: list[tuple[str, int]] = []

    @contextmanager
    def serve(folder: Path):
        with timed_aws(folder) as account:
            yield account
        marks.extend(json.loads(text) for text in (folder / "marks.jsonl").read_text(encoding="utf-8").splitlines())

    with service(serve, TIMED_HANDLER) as (aws, _):
        travel(aws, spans, puts)
    marks.sort(key=lambda mark: mark[1])
    moments = [moment for _, moment in marks]
    journeys = []
    for begin, end, own in spans[UNCOUNTED:]:
        journey = of_one_order(marks[bisect_left(moments, begin) : bisect_right(moments, end)], own)
        if journey.keys() >= STATIONS.keys():
            journeys.append(journey)
    if len(journeys) < (len(spans) - UNCOUNTED) * 0.9:
        raise SystemExit(f"only {len(journeys)} of {len(spans)} orders passed every station")
    return puts[UNCOUNTED:], journeys


def travel(aws: Aws, spans: list[tuple[int, int, list[tuple[str, int]]]], puts: list[float]) -> None:
    """Send orders, one after the other, with a direct put_item between any two; note the client's own moments."""
    events, table = aws.client("events"), aws.client("dynamodb")
    own: list[tuple[str, int]] = []
    for client, call in ((events, "events.PutEvents"), (table, "dynamodb.GetItem")):
        sent = f"{call.rpartition('.')[2]} sent"
        client.meta.events.register(f"before-send.{call}", lambda sent=sent, **_: own.append(note(sent)))
        client.meta.events.register_first(f"provide-client-params.{call}", lambda **_: own.append(note("look")))
    until_stored(aws, events, table, "first")  # the cold start
    for number in range(ORDERS + UNCOUNTED):
        own.clear()
        begin = time.perf_counter_ns()
        until_stored(aws, events, table, f"W-{number}")
        end = time.perf_counter_ns()
        table.put_item(TableName="sample-table", Item=item(f"D-{number}"))  # at once, as in `orders`: a pause slows it
        puts.append((time.perf_counter_ns() - end) / 1e6)
        time.sleep(POLL * BATCH)  # what goes on beside is part of this order's marks
        spans.append((begin, time.perf_counter_ns(), [("call", begin), *own, ("found", end)]))


def note(station: str) -> tuple[str, int]:
    return station, time.perf_counter_ns()


def of_one_order(marks: list[tuple[str, int]], own: list[tuple[str, int]]) -> dict[str, int]:
    """The moment of each station. Of the reader's looks only the last counts, of everything else the first."""
    journey: dict[str, int] = {}
    for station, moment in sorted([*marks, *own], key=lambda mark: mark[1]):
        if station.startswith("GetItem") or station == "look":
            journey[station] = moment
        else:
            journey.setdefault(station, moment)
    return journey
