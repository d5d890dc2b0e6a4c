"""Exercise 09-3: one order of three, archived before anybody listened, replayed to one rule."""

import json
import time
from datetime import UTC, datetime, timedelta

import boto3

from helpers.exercises import check
from helpers.waiting import wait_until

events, sqs = boto3.client("events"), boto3.client("sqs")
night_bus = events.describe_event_bus()["Arn"]
night_pattern = json.dumps({"source": ["night_shop"]})
two_o_clock = (datetime.now(UTC) - timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)

# 1. The archive comes first.
try:
    events.create_archive(ArchiveName="exercise-archive", EventSourceArn=night_bus, EventPattern=night_pattern)
except events.exceptions.ResourceAlreadyExistsException:
    pass  # it is there from an earlier try


def night_archive():
    return events.describe_archive(ArchiveName="exercise-archive")


# 2. Three orders that nobody hears.
if night_archive()["EventCount"] < 3:
    for number in (1, 2, 3):
        entry = {
            "Time": two_o_clock + timedelta(hours=number - 2),
            "Source": "night_shop",
            "DetailType": "OrderPlaced",
            "Detail": json.dumps({"body": {"OrderId": f"NIGHT-{number}"}}),
        }
        events.put_events(Entries=[entry])
wait_until(lambda: night_archive()["EventCount"] >= 3, waiting_for="the archive", timeout=1800)

# 3. A queue that listens from now on.
night_queue = sqs.create_queue(QueueName="exercise-night")["QueueUrl"]
attributes = sqs.get_queue_attributes(QueueUrl=night_queue, AttributeNames=["QueueArn"])["Attributes"]
night_rule = events.put_rule(Name="exercise-night-rule", EventPattern=night_pattern)["RuleArn"]
allow = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": attributes["QueueArn"],
    "Condition": {"ArnEquals": {"aws:SourceArn": night_rule}},
}
policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
sqs.set_queue_attributes(QueueUrl=night_queue, Attributes={"Policy": policy})
events.put_targets(Rule="exercise-night-rule", Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])

# 4. Half an hour on either side of two o'clock, for this rule alone.
events.start_replay(
    ReplayName=f"exercise-{time.time_ns()}",
    EventSourceArn=night_archive()["ArchiveArn"],
    EventStartTime=two_o_clock - timedelta(minutes=30),
    EventEndTime=two_o_clock + timedelta(minutes=30),
    Destination={"Arn": night_bus, "FilterArns": [night_rule]},
)


def in_the_queue():
    return sqs.receive_message(QueueUrl=night_queue, VisibilityTimeout=0, WaitTimeSeconds=1).get("Messages")


wait_until(in_the_queue, waiting_for="the order of two o'clock", timeout=1800)

check("09-3")
