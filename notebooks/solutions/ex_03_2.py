"""Exercise 03-2: what became of an event, read from the answer of invoke."""

import json

from helpers.exercises import check


def outcome(answer):
    """In one word, what the answer of an invocation of sample-function means."""
    if answer["StatusCode"] == 202:  # in Lambda's queue; the payload is empty
        return "accepted"
    payload = json.load(answer["Payload"])  # once: it is a stream
    if "FunctionError" in answer:
        return "invalid" if payload["errorType"] == "InvalidOrder" else "failed"
    return payload["status"]


check("03-2", outcome)
