"""Exercise 10-3: a queue that hears of stored Express orders, through a rule that alone may send to it."""

import json

import boto3

from helpers.exercises import check
from helpers.waiting import wait_until

events, sqs = boto3.client("events"), boto3.client("sqs")

queue_url = sqs.create_queue(QueueName="exercise-courier")["QueueUrl"]
attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
queue_arn = attributes["QueueArn"]

pattern = {
    "source": ["order_store"],
    "detail-type": ["OrderStored"],
    "detail": {"body": {"ShippingMethod": ["Express"]}},
}
rule_arn = events.put_rule(Name="exercise-courier-rule", EventPattern=json.dumps(pattern))["RuleArn"]

allow = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": queue_arn,
    "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
}
document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": document})
events.put_targets(Rule="exercise-courier-rule", Targets=[{"Id": "courier", "Arn": queue_arn}])

order = {"OrderId": "COURIER-1", "Item": "desk-lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
entry = {"Source": "order_store", "DetailType": "OrderStored", "Detail": json.dumps({"body": order, "hop": 1})}
events.put_events(Entries=[entry])
wait_until(
    lambda: sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=0).get("Messages"),
    waiting_for="the announcement in the courier's queue",
)

check("10-3")
