"""Exercise 05-3: one event, delivered twice, because the rule has the function for a target twice."""

import json

import boto3

from helpers.exercises import check
from helpers.waiting import wait_until

events, logs, dynamodb = boto3.client("events"), boto3.client("logs"), boto3.client("dynamodb")
order = {"OrderId": "E-0001", "Item": "mug", "Amount": 12.9, "IsMember": False, "ShippingMethod": "Pickup"}

function_arn = boto3.client("lambda").get_function_configuration(FunctionName="sample-function")["FunctionArn"]


def two_lines(event_id):
    """The function's log lines about one event, as dicts, as soon as there are two."""
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName="/aws/lambda/sample-function", filterPattern=f'"{event_id}"'
    )
    lines = [json.loads(message["message"]) for page in pages for message in page["events"]]
    return lines if len(lines) >= 2 else None


events.put_targets(Rule="sample-rule", Targets=[{"Id": "exercise-again", "Arn": function_arn}])
try:
    entry = {"Source": "microservice_x", "DetailType": "OrderPlaced", "Detail": json.dumps({"body": order})}
    receipt = events.put_events(Entries=[entry])["Entries"][0]
    evidence = wait_until(lambda: two_lines(receipt["EventId"]), waiting_for="two log lines about one event")
finally:
    events.remove_targets(Rule="sample-rule", Ids=["exercise-again"])
    dynamodb.delete_item(TableName="sample-table", Key={"OrderId": {"S": "E-0001"}})

check("05-3", evidence)
