"""Exercise 08-3: an event that could not be delivered, parked, and brought to where it belongs."""

import json

import boto3

from helpers.exercises import check
from helpers.waiting import wait_until

events, sqs = boto3.client("events"), boto3.client("sqs")


def queue_for(name):
    """(URL, ARN) of a queue, which is made if it is not there, and loses its policy."""
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": ""})
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]
    return queue_url, attributes["QueueArn"]


def let_in(queue_url, queue_arn, source_arn):
    """Let one rule, and nobody else, send to a queue."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": source_arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": policy})


# 1. The desk's queue has no policy yet; its net has one.
desk_url, desk_arn = queue_for("exercise-desk")
net_url, net_arn = queue_for("exercise-desk-dlq")
pattern = json.dumps({"source": ["vip_desk"]})
desk_rule = events.put_rule(Name="exercise-desk-rule", EventPattern=pattern)["RuleArn"]
let_in(net_url, net_arn, desk_rule)
target_of_desk = {"Id": "desk", "Arn": desk_arn, "DeadLetterConfig": {"Arn": net_arn}}
events.put_targets(Rule="exercise-desk-rule", Targets=[target_of_desk])

# 2. The order cannot be delivered.
detail = json.dumps({"body": {"OrderId": "VIP-1", "Item": "mug", "Amount": 12.9}})
events.put_events(Entries=[{"Source": "vip_desk", "DetailType": "OrderPlaced", "Detail": detail}])


def in_the_net():
    answer = sqs.receive_message(QueueUrl=net_url, MessageAttributeNames=["All"], WaitTimeSeconds=1)
    return answer.get("Messages")


parked = wait_until(in_the_net, waiting_for="VIP-1 in the dead-letter queue")[0]

# 3. Mend the cause. 4. Redrive: first put in, then take out.
let_in(desk_url, desk_arn, desk_rule)
sqs.send_message(QueueUrl=desk_url, MessageBody=parked["Body"])
sqs.delete_message(QueueUrl=net_url, ReceiptHandle=parked["ReceiptHandle"])

check("08-3", parked)
