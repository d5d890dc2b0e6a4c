"""Exercise 05-2: what to do about each order of a batch that may have failed in part."""

from helpers.exercises import check


def next_steps(batch, answer):
    """{OrderId: "nothing", "send again" or "mend"} for the orders of one request and the answer to it."""
    steps = {}
    for order, result in zip(batch, answer["Entries"], strict=True):  # position connects them
        if "ErrorCode" not in result:
            steps[order["OrderId"]] = "nothing"
        elif result["ErrorCode"] in {"ThrottlingException", "InternalFailure"}:
            steps[order["OrderId"]] = "send again"
        else:
            steps[order["OrderId"]] = "mend"
    return steps


check("05-2", next_steps)
