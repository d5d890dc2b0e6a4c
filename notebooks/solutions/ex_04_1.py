"""Exercise 04-1: how far an order gets when one thing on its way has changed."""

from helpers.exercises import check

prediction = {
    "A": "bus",  # a disabled rule matches nothing
    "B": "bus",  # a match without a target has no consequence
    "C": "bus",  # Lambda refuses: the permission is another rule's
    "D": "function",  # invoked, and then not allowed to store
    "E": "bus",  # the order's source does not match
    "F": "table",  # same name, same ARN: the permission fits the new rule as well
    "failed entries": 0,  # all six were accepted
}

check("04-1", prediction)
