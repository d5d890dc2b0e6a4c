"""Exercise 02-1: what five puts and a deletion leave in a table."""

from helpers.exercises import check

prediction = {
    "items": 3,  # under K-1, K-2 and k-2: keys are compared character by character
    "handed back": ["OrderId", "Item", "Quantity"],  # the first version was gone by then
    "left under K-1": ["OrderId", "Amount"],
}

check("02-1", prediction)
