"""Check lesson 12: a queue in front of ten environments, the price of an invocation, and half a bill."""

import math
from collections.abc import Callable, Iterator
from itertools import islice
from numbers import Number
from typing import Any, SupportsFloat, cast

import boto3

from helpers.exercises.tools import call, found
from helpers.exercises.verdicts import Verdict, correct, exercise, wrong

# --- 12-1: ten environments, 20 ms for an order ---

ENVIRONMENTS, HANDLER_MS, ORDERS = 10, 20, 300
RATE = ENVIRONMENTS * 1000 // HANDLER_MS
NAMES = ["orders per second", "p50 of 300 orders in ms", "p50 of 600 orders in ms"]


@exercise("12-1", takes=dict)
def queue_in_front(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the three names in the dict, and give each a number.")
    if not all(_is_number(each) for each in prediction.values()):
        return wrong("Each of the three predictions is a number, without its unit.")
    rate, half, half_of_twice = (prediction[name] for name in NAMES)
    if rate == 1000 / HANDLER_MS:
        return wrong("That many a second is what one environment stores.", see="execution-environment")
    if rate != RATE:
        return wrong("Orders per second: how many does one environment store, and how many environments are there?")
    return (
        _about_p50(half, ORDERS)
        or _about_p50(half_of_twice, 2 * ORDERS)
        or correct("Nothing became slower, and still the latency has doubled: under a burst it measures the queue.")
    )


def _about_p50(answer: float, orders: int) -> Verdict | None:
    """Say what is wrong with a median latency in ms, or None; the round that serves the middle order decides."""
    middle = orders / 2 / ENVIRONMENTS * HANDLER_MS
    if middle <= answer <= middle + HANDLER_MS / 2:  # between the two orders in the middle may lie a round
        return None
    where = f"p50 of {orders} orders: "
    if answer == HANDLER_MS:
        return wrong(
            f"{where}the handler runs that long. What does an order do before its turn comes?", see="percentile"
        )
    if answer == 2 * middle:
        return wrong(f"{where}that is how long the last order waits. Which order is p50?", see="percentile")
    if answer == ORDERS / 2 / ENVIRONMENTS * HANDLER_MS:
        return wrong(f"{where}as many a second as before, and more orders. Who is ahead of the middle one now?")
    return wrong(f"{where}which order is in the middle, and in which round of {ENVIRONMENTS} does its turn come?")


def _is_number(value: object) -> bool:
    return (
        isinstance(value, Number)
        and not isinstance(value, (bool, complex))
        and math.isfinite(cast(SupportsFloat, value))
    )


# --- 12-2: the price of an invocation ---

PER_GB_SECOND, PER_REQUEST = 16.6667e-6, 0.20e-6  # USD, x86: notebooks/PRICES_AND_QUOTAS.md
TOLERANCE = 1e-3  # of the whole: who rounds the price to two decimals is right as well
CASES = [  # a warm invocation, a cold one, and one that failed
    "REPORT RequestId: a\tDuration: 5.86 ms\tBilled Duration: 6 ms\tMemory Size: 256 MB\tMax Memory Used: 47 MB\t\n",
    "REPORT RequestId: b\tDuration: 812.40 ms\tBilled Duration: 1075 ms\tMemory Size: 512 MB\tMax Memory Used: 90 MB\t"
    "Init Duration: 262.30 ms\t\n",
    "REPORT RequestId: c\tDuration: 3000.00 ms\tBilled Duration: 3000 ms\tMemory Size: 1024 MB\tMax Memory Used: 51 MB"
    "\tStatus: timeout\n",
]
LIVE_LINES = 25
MISTAKEN = [  # what somebody took for the price: the arguments of _price, and what to say
    (("Billed Duration", "Memory Size", 1024, 0), "The time is paid for. What does Lambda charge for besides time?"),
    (
        ("Duration", "Memory Size", 1024, PER_REQUEST),
        "That is how long the handler ran. Is it the time that the line says you pay for? Look at a cold start.",
    ),
    (
        ("Billed Duration", "Max Memory Used", 1024, PER_REQUEST),
        "You pay by what the function used. Does Lambda give the rest of its memory to anybody else?",
    ),
    (("Billed Duration", "Memory Size", 1000, PER_REQUEST), "Nearly. How many of Lambda's MB are one GB?"),
    (
        ("Billed Duration", "Memory Size", 1.024, PER_REQUEST),
        "Too much by a thousand times: Lambda's price is for a second, and the line has milliseconds.",
    ),
]  # fmt: skip


@exercise("12-2", takes=Callable)
def price_of_an_invocation(function: Callable[..., Any]) -> Verdict:
    prices = []
    for line in [*CASES, *_live_lines()]:
        usd = call(function, line)
        if not _is_number(usd):
            return wrong("Your function must return a number: the USD for the invocation of one line.", see="gb-second")
        prices.append((line, float(usd)))
    if all(_close(usd, _price(line)) for line, usd in prices):
        return correct("Right for three lines of ours, and for lines that your own function has written.")
    for how, message in MISTAKEN:
        if all(_close(usd, _price(line, *how)) for line, usd in prices[: len(CASES)]):
            return wrong(message, see="gb-second")
    if all(_close(usd, _price(line)) for line, usd in prices if "Init" not in line):
        return wrong(
            "Right when warm, wrong when cold. What does the billed duration contain already?", see="cold-start"
        )
    return wrong(
        "Not the price of these invocations. Check the units: seconds, GB, and USD per million.", see="gb-second"
    )


def _price(
    line: str,
    time: str = "Billed Duration",
    memory: str = "Memory Size",
    mb_in_gb: float = 1024.0,
    request: float = PER_REQUEST,
) -> float:
    fields = dict(field.split(": ", 1) for field in line.removeprefix("REPORT ").strip().split("\t"))
    milliseconds, megabytes = (float(fields[name].split()[0]) for name in (time, memory))
    return milliseconds / 1000 * megabytes / mb_in_gb * PER_GB_SECOND + request


def _close(answer: float, price: float) -> bool:
    return math.isclose(answer, price, rel_tol=TOLERANCE)


def _live_lines() -> Iterator[str]:
    """Yield some REPORT lines of the learner's own function; none when it has not run yet."""
    asked = {"logGroupName": "/aws/lambda/sample-function", "filterPattern": "REPORT"}
    logs = boto3.client("logs")
    if found(logs, "filter_log_events", **asked, limit=1):
        pages = logs.get_paginator("filter_log_events").paginate(**asked)
        lines = (event["message"] for page in pages for event in page["events"])
        yield from islice((line for line in lines if line.startswith("REPORT")), LIVE_LINES)


# --- 12-3: half the bill ---

MILLIONS, SECONDS_TO_WAIT, AVERAGE, PEAK, HOURS = 10, 2, 4, 20, 730  # orders per second, hours in a month
ORDER_MS = {128: 44, 256: 20, 512: 13, 1024: 10}  # memory in MB: milliseconds for one order
GB_SECONDS = {"x86_64": 16.6667, "arm64": 13.3334}  # USD per million
TODAY = {"memory": 256, "processor": "x86_64", "entries per request": 1, "orders per event": 1, "write units": 0}
LARGEST_BUNDLE = 1 + SECONDS_TO_WAIT * AVERAGE  # the first order waits for all the others


def bill(plan: dict[str, Any]) -> float:
    """Return the costs of a plan in USD a month."""
    bundle, memory, units = plan["orders per event"], plan["memory"], plan["write units"]
    time = memory / 1024 * ORDER_MS[memory] / 1000 * GB_SECONDS[plan["processor"]]
    logs = (0.17 + 0.33 / bundle) * 0.50
    table = units * 0.00065 * HOURS if units else MILLIONS * 0.625
    total: float = MILLIONS * ((1.00 + 0.20) / bundle + time + logs) + table
    return total


HALF = bill(TODAY) / 2


@exercise("12-3", takes=(dict, (int, float)))
def half_the_bill(plan: dict[str, Any], usd: float) -> Verdict:
    return (
        _malformed(plan)
        or _unmet(plan)
        or _too_dear(plan)
        or _miscounted(plan, usd)
        or correct(
            "Half the bill, and its price: orders share a fate now. If one of an event fails, all of it is tried again."
        )
    )


def _malformed(plan: dict[str, Any]) -> Verdict | None:
    if set(plan) != set(TODAY):
        return wrong("Keep the five names in the plan, and change only what stands behind them.")
    if plan["memory"] not in ORDER_MS or plan["processor"] not in GB_SECONDS:
        return wrong("The plan has a memory size or a processor for which the task names no time or price.")
    counts = {name: plan[name] for name in ("entries per request", "orders per event", "write units")}
    if any(type(count) is not int or count < (name != "write units") for name, count in counts.items()):
        return wrong("Entries and orders are whole numbers from 1 on, write units from 0 on.")
    if plan["entries per request"] > 10:
        return wrong("AWS refuses such a request: how many entries may one have?", see="batch")
    return None


def _unmet(plan: dict[str, Any]) -> Verdict | None:
    """Return the verdict on the condition of the task that the plan does not meet, or None."""
    if plan["orders per event"] > LARGEST_BUNDLE:
        return wrong("Cheap, but too slow: how long does the first order of such a bundle wait for the last one?")
    if 0 < plan["write units"] < PEAK:
        return wrong("In the busiest hour the table throttles. Units are provisioned for the peak.", see="throttling")
    return None


def _too_dear(plan: dict[str, Any]) -> Verdict | None:
    """Why the plan's bill is more than half of today's, by the misconception behind it; None when it is not."""
    if bill(plan) <= HALF:
        return None
    if plan["write units"]:
        return wrong(
            "Provisioned units are paid for at night, too. What do enough of them for the peak cost a month, "
            "and what does the table cost on demand?"
        )
    if plan["orders per event"] > 1:
        if bill(plan | {"memory": TODAY["memory"]}) <= HALF:
            return wrong("The bundles would do, but the memory eats what they save: GB times seconds.", see="gb-second")
        return wrong("A lever that moves something, but not far enough. How long may an order wait?")
    if plan["entries per request"] > 1:
        return wrong(
            "More entries in a request: fewer requests, as many events. Which of the two is billed?", see="batch"
        )
    if plan["memory"] < TODAY["memory"]:
        return wrong("Less memory, and more seconds: multiply them. And how much of the bill is this?", see="gb-second")
    if plan == TODAY:
        return wrong("This is today's plan, at today's price.")
    return wrong("You save on Lambda's time. How much of the bill would be left if that cost nothing?", see="gb-second")


def _miscounted(plan: dict[str, Any], usd: float) -> Verdict | None:
    right = bill(plan)
    if abs(usd - right) <= 0.02:
        return None
    if abs(usd - right / MILLIONS) <= 0.01:
        return wrong("The plan is good. But your bill is the one for a million orders.")
    if math.isclose(usd, right - MILLIONS * (0.17 + 0.33 / plan["orders per event"] - 0.5) * 0.5, abs_tol=0.02):
        return wrong("The plan is good. But your bill has the log of today: which part is written once per bundle?")
    return wrong(
        "The plan is good, but this is not what it costs. Which rows of the bill count orders, which count events?"
    )
