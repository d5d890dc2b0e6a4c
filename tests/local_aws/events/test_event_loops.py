"""Functions that publish what invokes them again: the local safety net ends it, and says so."""

from __future__ import annotations

import json
import time
import uuid

import pytest

from helpers.local_aws.events import loops
from helpers.local_aws.events.delivery_errors import DeliveryFailed
from helpers.local_aws.events.put_events import check_entry, make_event
from helpers.local_aws.execution.invocation import lineage_of, new_trace_id
from tests.support.event_probe import entry, open_to_events
from tests.support.polling import eventually

PUBLISHER = """
import json, boto3
events = boto3.client("events")
COPIES, SOURCES, MORE = {copies}, {sources}, {more}

def handler(event, context):
    print("round", event["detail"]["round"])
    if event["detail"]["round"] < MORE:
        detail = json.dumps({{"round": event["detail"]["round"] + 1}})
        entry = {{"DetailType": "t", "Detail": detail}}
        events.put_events(Entries=[entry | {{"Source": source}} for source in SOURCES for _ in range(COPIES)])
"""
ARN = "arn:aws:lambda:us-east-1:123456789012:function:"


@pytest.fixture(scope="module")
def role_arn(aws) -> str:
    """A role for functions that publish."""
    arn = aws.role()
    statement = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=arn.split("/")[-1], PolicyName="publish", PolicyDocument=document)
    return arn


class Loop:
    """A function with a rule for events of one source."""

    def __init__(self, aws, role: str, source: str, *publishes: str, copies: int = 1, more: int = 10**6) -> None:
        code = PUBLISHER.format(copies=copies, sources=publishes or (source,), more=more)
        self.aws, self.source = aws, source
        self.name = aws.function(code, Role=role)
        self.rule = f"loop-{uuid.uuid4().hex[:8]}"
        events, queue_arn = aws.client("events"), f"arn:aws:sqs:us-east-1:123456789012:{self.rule}"
        self.sqs = aws.client("sqs")
        self.url = self.sqs.create_queue(QueueName=self.rule, Attributes=open_to_events(queue_arn))["QueueUrl"]
        arn = events.put_rule(Name=self.rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
        target = {"Id": "f", "Arn": ARN + self.name, "DeadLetterConfig": {"Arn": queue_arn}}
        events.put_targets(Rule=self.rule, Targets=[target])
        aws.client("lambda").add_permission(
            FunctionName=self.name,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=arn,
        )

    def start(self) -> None:
        first = entry(self.source, Detail='{"round": 1}')
        self.aws.client("events").put_events(Entries=[first])

    def rounds(self) -> list[int]:
        return [int(line.split()[1]) for line in self.log() if line.startswith("round")]

    def stopped(self) -> list[str]:
        return [line for line in self.log() if line.startswith("LOCAL SAFETY NET")]

    def log(self) -> list[str]:
        try:
            return self.aws.log(self.name)
        except self.aws.client("logs").exceptions.ResourceNotFoundException:
            return []

    def parked(self) -> int:
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def source() -> str:
    return f"source-{uuid.uuid4().hex[:8]}"


def test_a_function_that_publishes_to_itself(aws, role_arn, source) -> None:
    loop = Loop(aws, role_arn, source)
    loop.start()
    assert eventually(lambda: loop.stopped() and loop.parked() and len(loop.rounds()) >= loops.MAX_ROUNDS)
    time.sleep(0.5)  # for a round that must not come
    assert sorted(loop.rounds()) == list(range(1, loops.MAX_ROUNDS + 1))
    [message] = loop.stopped()
    assert f"loop stopped after {loops.MAX_ROUNDS} rounds" in message
    assert loop.name in message and loop.rule in message
    assert message in aws.server_log()
    streams = aws.client("logs").describe_log_streams(logGroupName=f"/aws/lambda/{loop.name}")["logStreams"]
    assert loops.LOG_STREAM in [stream["logStreamName"] for stream in streams]
    assert loop.parked() == 1


def test_a_parked_event_says_who_stopped_it(aws, role_arn, source) -> None:
    loop = Loop(aws, role_arn, source)
    loop.start()
    answer = loop.sqs.receive_message(QueueUrl=loop.url, WaitTimeSeconds=20, MessageAttributeNames=["All"])
    [message] = answer["Messages"]
    assert json.loads(message["Body"])["detail"] == {"round": loops.MAX_ROUNDS + 1}
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "LOCAL_SAFETY_NET"


def test_two_functions_in_a_circle(aws, role_arn, source) -> None:
    there = Loop(aws, role_arn, source, f"{source}-back")
    back = Loop(aws, role_arn, f"{source}-back", source)
    there.start()
    assert eventually(lambda: there.stopped() or back.stopped())
    eventually(lambda: len(there.rounds()) + len(back.rounds()) >= loops.MAX_ROUNDS)
    time.sleep(0.5)  # for a round that must not come
    assert len(there.rounds()) + len(back.rounds()) == loops.MAX_ROUNDS


@pytest.mark.deep
def test_a_loop_that_doubles_each_round_ends_too(aws, role_arn, source) -> None:
    loop = Loop(aws, role_arn, source, copies=3)
    loop.start()
    assert eventually(lambda: loop.stopped() and loop.parked() and len(loop.rounds()) > loops.MAX_REPETITIONS)
    time.sleep(1.5)  # for a repetition that must not come
    assert len(loop.rounds()) == loops.MAX_REPETITIONS + 1
    assert len(loop.stopped()) == 1
    assert f"after {loops.MAX_REPETITIONS + 1} repetitions" in loop.stopped()[0]


def test_what_ends_by_itself_is_left_alone(aws, role_arn, source) -> None:
    loop = Loop(aws, role_arn, source, more=loops.MAX_ROUNDS)
    loop.start()
    assert eventually(lambda: len(loop.rounds()) == loops.MAX_ROUNDS)
    time.sleep(0.3)
    assert (loop.stopped(), loop.parked()) == ([], 0)


# The net, without a server


def event_after(net: loops.SafetyNet, trace: str):
    sent = entry()
    event = make_event(sent, check_entry(sent), "default", "123456789012", "us-east-1", 0)
    event.hops, event.root = net.published(trace)
    return event


def trace(function: str, hops: int, root: str = "1-0-a") -> str:
    return f"Root={root};Sampled=0;Lineage=1:{lineage_of(ARN + function)}:{hops}"


RULE = "arn:aws:events:us-east-1:123456789012:rule/r"


def test_a_long_chain_of_different_functions_is_no_loop() -> None:
    net = loops.SafetyNet()
    for number in range(50):
        event = event_after(net, trace(f"f-{number}", number + 1))
        net.check(event, f"{ARN}f-{number + 1}", RULE)


def test_thousands_of_events_from_one_function_are_no_loop() -> None:
    net = loops.SafetyNet()
    for _ in range(3000):
        event = event_after(net, trace("importer", 1))
        net.check(event, ARN + "store", RULE)
        net.check(event_after(net, trace("store", 2)), ARN + "announce:live", RULE)


def test_events_that_no_function_published_have_no_past() -> None:
    net = loops.SafetyNet()
    for header in (None, "", "Root=1-0-a", "Root=1-0-a;Lineage=1:xyz:3", "nonsense"):
        assert net.published(header) == (0, "")
    assert net.published(new_trace_id(lineage_of(ARN + "f"), 4))[0] == 5


def test_a_loop_through_a_version_or_alias() -> None:
    net = loops.SafetyNet()
    event = event_after(net, trace("f", loops.MAX_ROUNDS))
    with pytest.raises(DeliveryFailed, match="LOCAL SAFETY NET"):
        net.check(event, ARN + "f:live", RULE)


def test_old_chains_are_forgotten(monkeypatch) -> None:
    monkeypatch.setattr(loops, "MAX_CHAINS", 3)
    net = loops.SafetyNet()
    for number in range(10):
        net.published(trace("f", 1, f"1-0-{number}"))
    assert list(net._chains) == ["1-0-7", "1-0-8", "1-0-9"]
