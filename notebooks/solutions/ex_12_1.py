"""Exercise 12-1: throughput and latency of a burst, from the number of environments and the time of one order."""

from helpers.exercises import check

per_second = 10 * 1000 / 20  # ten environments, each with fifty orders a second

prediction = {
    "orders per second": per_second,
    "p50 of 300 orders in ms": 150 / per_second * 1000,  # half of the orders are stored by then
    "p50 of 600 orders in ms": 300 / per_second * 1000,
}

check("12-1", prediction)
