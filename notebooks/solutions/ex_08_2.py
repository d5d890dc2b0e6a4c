"""Exercise 08-2: event and reason, out of a message of either queue."""

import json

from helpers.exercises import check


def unpack(message):
    """(the event, the reason) of a parked message, whichever of the two queues it is from."""
    body = json.loads(message["Body"])
    if "requestPayload" in body:  # Lambda's record
        return body["requestPayload"], body["requestContext"]["condition"]
    return body, message["MessageAttributes"]["ERROR_CODE"]["StringValue"]


check("08-2", unpack)
