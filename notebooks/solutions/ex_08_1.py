"""Exercise 08-1: where orders end that fail, and how often the function has run."""

from helpers.exercises import check

prediction = {
    "A": ("failures", 3),  # Lambda's three tries, all in vain
    "B": ("dlq", 0),  # EventBridge is refused, and does not try again
    "C": ("stored", 3),  # tries at 0 s and 60 s fail, the one at 180 s succeeds
    "D": ("failures", 0),  # delivered to Lambda, which may run nothing
    "E": ("stored", 1),  # it waits in Lambda's queue until there is room
    "F": ("nowhere", 0),  # no rule wants it
}

check("08-1", prediction)
