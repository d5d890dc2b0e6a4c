"""Exercise 00-3: an entry whose event fits a pattern."""

import json

from helpers.exercises import check

rule = {
    "Name": "returns-rule",
    "EventBusName": "default",
    "EventPattern": {
        "source": ["microservice_x"],
        "detail-type": ["OrderCancelled", "OrderReturned"],
        "detail": {"body": {"ShippingMethod": ["Express", "Pickup"]}},
    },
}

entry = {
    "Source": "microservice_x",
    "DetailType": "OrderReturned",  # one of the values that the pattern accepts
    "Detail": json.dumps({"body": {"OrderId": "A-1", "ShippingMethod": "Express"}}),  # more fields do not matter
}

check("00-3", entry)
