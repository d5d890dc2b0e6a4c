"""Exercise 06-1: what a filter saves."""

from helpers.exercises import check

prediction = {
    "requests without the filter": 5,  # four full pages, and the last one with fifty orders
    "requests with it": 5,  # the page size counts what is read, and the filter works afterwards
    "orders paid for with it": 450,  # whatever is read
}

check("06-1", prediction)
