"""Wait until a rule that was just made or changed delivers: on AWS that takes a while, and no call tells how long.

https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
"""

import json

import boto3

from helpers.account.state import TABLE
from helpers.waiting import wait_until

PROBE = {"OrderId": "probe", "Item": "probe", "Amount": 0, "IsMember": False, "ShippingMethod": "none"}
TIMEOUT = 180  # seconds


def wait_for_rule() -> None:
    """Send an order over the bus until it is in the table, and delete it there. The wait is seen, and bounded.

    Raises WaitTimeout, and botocore's errors.
    """
    events, dynamodb = boto3.client("events"), boto3.client("dynamodb")
    entry = {
        "Source": "microservice_x", "DetailType": "microservice_x_test_event", "Detail": json.dumps({"body": PROBE}),
    }  # fmt: skip
    where = {"TableName": TABLE, "Key": {"OrderId": {"S": PROBE["OrderId"]}}}

    def send() -> None:
        events.put_events(Entries=[entry])

    send()
    wait_until(
        lambda: "Item" in dynamodb.get_item(**where, ConsistentRead=True),
        waiting_for="the rule to deliver, with an order for a probe",
        timeout=TIMEOUT,
        again=send,
    )
    dynamodb.delete_item(**where)
