"""Exercise 09-1: what a replay brings back, and what it leaves."""

from helpers.exercises import check

prediction = {
    "events": ["R", "S", "U"],  # P came before the archive, T is no OrderPlaced, Q and V lie outside the span
    "orders in the table": 2,  # R and S are the same order
    "added to the archive": 0,  # its rule ignores events with a replay-name
    "matched by the mail rule": 0,  # and so does this one
}

check("09-1", prediction)
