"""A queue takes events from a rule only when its policy, or the target's role, says so."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.support.event_probe import entry, open_to_events

RULE = "arn:aws:events:us-east-1:123456789012:rule/"


@pytest.fixture(scope="module")
def events(aws):
    return aws.client("events")


class Queue:
    """A queue that one rule sends to; `receive` gives what it got."""

    def __init__(self, aws, **target: object) -> None:
        self.name = f"policy-{uuid.uuid4().hex[:8]}"
        self.arn = f"arn:aws:sqs:us-east-1:123456789012:{self.name}"
        self.rule_arn = RULE + self.name
        self.sqs, self.events = aws.client("sqs"), aws.client("events")
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        self.events.put_rule(Name=self.name, EventPattern=json.dumps({"source": [self.name]}))
        self.events.put_targets(Rule=self.name, Targets=[{"Id": "q", "Arn": self.arn, **target}])

    def set_policy(self, attributes: dict[str, str]) -> None:
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes=attributes)

    def receives(self, seconds: int = 1) -> bool:
        """Does an event that is sent now arrive?"""
        self.events.put_events(Entries=[entry(self.name)])
        answer = self.sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=seconds)
        for message in answer.get("Messages", []):
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bool(answer.get("Messages"))


def policy(**changes: object) -> dict[str, str]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": "*",
    }
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement | changes]})}


def test_without_a_policy_nothing_arrives(aws) -> None:
    queue = Queue(aws)
    assert not queue.receives()
    queue.set_policy(open_to_events(queue.arn, queue.rule_arn))
    assert queue.receives()
    queue.set_policy({"Policy": ""})
    assert not queue.receives()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"Action": "sqs:*"}, True),
        ({"Action": "SQS:SendMessage"}, True),
        ({"Action": "sqs:ReceiveMessage"}, False),
        ({"Principal": "*"}, True),
        ({"Principal": {"Service": "sns.amazonaws.com"}}, False),
        ({"Resource": "arn:aws:sqs:us-east-1:123456789012:another"}, False),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": "{rule}"}}}, True),
        ({"Condition": {"ArnEquals": {"aws:SourceArn": RULE + "another"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": RULE + "*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}, True),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}, False),
        ({"Effect": "Deny"}, False),
    ],
)
def test_what_a_policy_must_say(aws, changes: dict, expected: bool) -> None:
    queue = Queue(aws)
    text = json.dumps(changes).replace("{rule}", queue.rule_arn)
    queue.set_policy(policy(**json.loads(text)))
    assert queue.receives(5 if expected else 1) is expected


def role(aws, service: str = "events.amazonaws.com", action: str = "sqs:SendMessage") -> str:
    iam, name = aws.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_role_policy(RoleName=name, PolicyName="send", PolicyDocument=document)
    return arn


def test_a_role_of_the_target_may_send_without_a_policy_of_the_queue(aws) -> None:
    assert Queue(aws, RoleArn=role(aws)).receives()


@pytest.mark.parametrize("wrong", [{"service": "lambda.amazonaws.com"}, {"action": "sqs:ReceiveMessage"}])
def test_a_role_must_trust_eventbridge_and_be_allowed_to_send(aws, wrong: dict) -> None:
    queue = Queue(aws, RoleArn=role(aws, **wrong))
    queue.set_policy(open_to_events(queue.arn))  # does not count where the target has a role
    assert not queue.receives()


def test_a_topic_takes_events_when_its_policy_says_so(aws, events) -> None:
    sns, sqs, name = aws.client("sns"), aws.client("sqs"), f"topic-{uuid.uuid4().hex[:8]}"
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:123456789012:{name}")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": topic}])
    events.put_events(Entries=[entry(name)])
    assert "Messages" not in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1)
    allowed = policy(Action="sns:Publish", Resource=topic)["Policy"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=allowed)
    [sent] = events.put_events(Entries=[entry(name)])["Entries"]
    [message] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
    assert json.loads(json.loads(message["Body"])["Message"])["id"] == sent["EventId"]


def test_a_stream_gets_events_through_a_role(aws, events) -> None:
    kinesis, name = aws.client("kinesis"), f"stream-{uuid.uuid4().hex[:8]}"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    arn = f"arn:aws:kinesis:us-east-1:123456789012:stream/{name}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    target = {
        "Id": "s",
        "Arn": arn,
        "RoleArn": role(aws, action="kinesis:PutRecord*"),
        "KinesisParameters": {"PartitionKeyPath": "$.detail.customer"},
    }
    events.put_targets(Rule=name, Targets=[target])
    [sent] = events.put_events(Entries=[entry(name, Detail='{"customer": "c-1"}')])["Entries"]
    shard = kinesis.get_shard_iterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )
    iterator, found = shard["ShardIterator"], []
    while not found:
        answer = kinesis.get_records(ShardIterator=iterator)
        found, iterator = answer["Records"], answer["NextShardIterator"]
    assert json.loads(found[0]["Data"])["id"] == sent["EventId"]
    assert found[0]["PartitionKey"] == "c-1"
