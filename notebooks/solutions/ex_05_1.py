"""Exercise 05-1: what two requests do, of which the second repeats the first."""

from helpers.exercises import check

prediction = {
    "FailedEntryCount": 2,  # two details are not JSON; the other entries are accepted all the same
    "invocations": 3 + 5,  # the accepted entries of the first request, and all of the second
    "orders": 5,  # the same key is stored in the same place
}

check("05-1", prediction)
