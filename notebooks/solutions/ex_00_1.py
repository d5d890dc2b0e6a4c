"""Exercise 00-1: accepted is not delivered."""

from helpers.exercises import check

prediction = {
    "failed entries": 0,  # the bus has taken them all, even those for a bus that does not exist
    "handed over": 5,  # Wednesday's, from the right source and on the rule's bus
    "read by nobody": 6,  # four of Monday, one of another source, one on no bus
}

check("00-1", prediction)
