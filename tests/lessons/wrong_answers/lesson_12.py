"""What learners get wrong in lesson 12."""

from __future__ import annotations

from helpers.exercises.lesson_12 import TODAY, bill
from tests.lessons.wrong_answers import secrets, wrong_answer

# --- 12-1 ---

secrets("12-1", "500", "310")


def predicted(rate: float = 500, half: float = 300, twice: float = 600) -> tuple[dict]:
    names = ["orders per second", "p50 of 300 orders in ms", "p50 of 600 orders in ms"]
    return (dict(zip(names, [rate, half, twice], strict=True)),)


@wrong_answer("12-1", "what one environment stores")
def one_after_the_other():
    return predicted(rate=50, half=3000, twice=6000)


@wrong_answer("12-1", "how many environments are there")
def all_at_once():
    return predicted(rate=15000)


@wrong_answer("12-1", "p50 of 300 orders: the handler runs that long")
def latency_is_duration():
    return predicted(half=20, twice=20)


@wrong_answer("12-1", "p50 of 300 orders: that is how long the last order")
def the_last_for_the_middle():
    return predicted(half=600, twice=1200)


@wrong_answer("12-1", "p50 of 600 orders: as many a second")
def the_same_throughput_so_the_same_latency():
    return predicted(twice=300)


@wrong_answer("12-1", "without its unit")
def with_units():
    return predicted("500/s", "300 ms", "600 ms")


# --- 12-2 ---

secrets("12-2", "Billed Duration", "Memory Size", "1024")


def priced(time="Billed Duration", memory="Memory Size", gigabyte=1024.0, second=1000.0, request=0.2e-6):
    """A function for 12-2 that reads these fields."""

    def price_of(line):
        fields = dict(field.split(": ", 1) for field in line.removeprefix("REPORT ").strip().split("\t"))
        milliseconds = sum(float(fields.get(name, "0").split()[0]) for name in time.split("+"))
        return milliseconds / second * float(fields[memory].split()[0]) / gigabyte * 16.6667e-6 + request

    return (price_of,)


@wrong_answer("12-2", "how long the handler ran")
def the_duration():
    return priced(time="Duration")


@wrong_answer("12-2", "what the function used")
def the_memory_that_was_used():
    return priced(memory="Max Memory Used")


@wrong_answer("12-2", "charge for besides time")
def no_price_for_the_request():
    return priced(request=0)


@wrong_answer("12-2", "are one GB")
def a_thousand_megabytes():
    return priced(gigabyte=1000)


@wrong_answer("12-2", "the line has milliseconds")
def milliseconds_for_seconds():
    return priced(second=1)


@wrong_answer("12-2", "contain already")
def the_init_is_added_again():
    return priced(time="Billed Duration+Init Duration")


@wrong_answer("12-2", "Check the units")
def not_per_million():
    return priced(request=0.2)


@wrong_answer("12-2", "Your function raises")
def texts_are_multiplied():
    return (lambda line: line["Billed Duration"] / 1000,)


@wrong_answer("12-2", "must return a number")
def a_price_for_people():
    return (lambda line: "0.0000002 USD",)


# --- 12-3 ---

secrets("12-3", "10.79", "on demand is cheaper", *(str(bundle) for bundle in range(5, 10)))


def planned(usd: float | None = None, **changes: int | str) -> tuple[dict, float]:
    plan = TODAY | {name.replace("_", " "): value for name, value in changes.items()}
    return plan, bill(plan) if usd is None else usd


@wrong_answer("12-3", "today's plan")
def nothing_changed():
    return planned()


@wrong_answer("12-3", "You save on Lambda's time")
def another_processor():
    return planned(processor="arm64")


@wrong_answer("12-3", "Less memory, and more seconds")
def less_memory_costs_less():
    return planned(memory=128)


@wrong_answer("12-3", "Which of the two is billed")
def full_requests():
    return planned(entries_per_request=10)


@wrong_answer("12-3", "are paid for at night")
def provisioned_for_the_peak():
    return planned(write_units=20, orders_per_event=8)


@wrong_answer("12-3", "the table throttles")
def provisioned_for_the_average():
    return planned(write_units=4, orders_per_event=8)


@wrong_answer("12-3", "not far enough")
def three_orders_in_an_event():
    return planned(orders_per_event=3, processor="arm64")


@wrong_answer("12-3", "too slow")
def a_hundred_orders_in_an_event():
    return planned(orders_per_event=100)


@wrong_answer("12-3", "the memory eats")
def bundles_and_much_memory():
    return planned(orders_per_event=5, memory=1024)


@wrong_answer("12-3", "for a million orders")
def the_bill_of_a_million():
    return planned(usd=bill(planned(orders_per_event=8)[0]) / 10, orders_per_event=8)


@wrong_answer("12-3", "the log of today")
def the_log_is_not_shared():
    plan, usd = planned(orders_per_event=8)
    return plan, usd + 10 * 0.33 * (1 - 1 / 8) * 0.5


@wrong_answer("12-3", "which count events")
def everything_divided():
    return planned(usd=21.58 / 8, orders_per_event=8)
