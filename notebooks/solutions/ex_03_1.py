"""Exercise 03-1: what a counter at module level says."""

from helpers.exercises import check

prediction = {
    "in a row": [1, 2, 3],  # one environment: cold, then warm and warm
    "after the update": [1, 2],  # a new one, in which the file is imported again
    "at the same moment": [3, 1],  # one event gets the warm environment, the other needs a new one
    "cold starts": 3,  # one for each environment
}

check("03-1", prediction)
