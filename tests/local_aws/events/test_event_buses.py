"""Custom event buses: what they may be called, their policies, and events that go from one to another."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from tests.support.event_probe import Probe, entry, open_to_events
from tests.support.polling import eventually

ARN = "arn:aws:events:us-east-1:123456789012:event-bus/"


@pytest.fixture(scope="module")
def events(aws):
    return aws.client("events")


@pytest.fixture
def name() -> str:
    return f"bus-{uuid.uuid4().hex[:8]}"


def refusal(call: Callable, **arguments: object) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


def test_create_describe_list_update_delete(events, name: str) -> None:
    queue = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q"}
    created = events.create_event_bus(Name=name, Description="orders", DeadLetterConfig=queue)
    created.pop("ResponseMetadata")
    assert created == {"EventBusArn": ARN + name, "Description": "orders", "DeadLetterConfig": queue}
    described = events.describe_event_bus(Name=name)
    assert described["Arn"] == ARN + name
    assert (described["Name"], described["Description"]) == (name, "orders")
    assert "Policy" not in described
    assert [bus["Name"] for bus in events.list_event_buses(NamePrefix=name)["EventBuses"]] == [name]
    updated = events.update_event_bus(Name=name, Description="all orders")
    assert (updated["Name"], updated["Arn"], updated["Description"]) == (name, ARN + name, "all orders")
    described = events.describe_event_bus(Name=name)
    assert (described["Description"], described["DeadLetterConfig"]) == ("all orders", queue)
    events.delete_event_bus(Name=name)
    events.delete_event_bus(Name=name)  # nothing to delete is no error
    assert events.list_event_buses(NamePrefix=name)["EventBuses"] == []


def test_the_default_bus_is_there_and_stays(events) -> None:
    assert events.describe_event_bus()["Name"] == "default"
    assert refusal(events.delete_event_bus, Name="default") == (
        "ValidationException",
        "Cannot delete event bus default.",
    )
    assert refusal(events.create_event_bus, Name="default")[0] == "ResourceAlreadyExistsException"


def test_recorded_errors(events, conformance, name: str) -> None:
    recorded = conformance("events/test_events.snapshot.json")

    def error(test: str, key: str, bus: str) -> tuple[str, str]:
        expected = recorded[f"TestEventBus::{test}"][key]["Error"]
        return expected["Code"], expected["Message"].replace("<bus-name>", bus).replace("<custom-event-bus>", bus)

    events.create_event_bus(Name=name)
    again = error("test_create_multiple_event_buses_same_name", "create-multiple-event-buses-same-name", name)
    assert refusal(events.create_event_bus, Name=name) == again
    missing = error(
        "test_describe_delete_not_existing_event_bus", "describe-not-existing-event-bus-error", "no-such-bus"
    )
    assert refusal(events.describe_event_bus, Name="no-such-bus") == missing
    assert missing == error("test_put_events_nonexistent_event_bus", "non-existent-bus-error", "no-such-bus")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("a b", r"satisfy regular expression pattern: [/\.\-_A-Za-z0-9]+"),
        ("x" * 257, "have length less than or equal to 256"),
        ("a/b", "Event bus name must not contain '/'."),
        ("aws.partner", "Event bus name starting with 'aws.' is not valid."),
    ],
)
def test_refuses_names(events, bad: str, message: str) -> None:
    code, found = refusal(events.create_event_bus, Name=bad)
    assert code == "ValidationException"
    assert message in found


def test_refuses_settings(events, name: str) -> None:
    assert "at 'description'" in refusal(events.create_event_bus, Name=name, Description="x" * 513)[1]
    fifo = {"Arn": "arn:aws:sqs:us-east-1:123456789012:q.fifo"}
    assert "standard SQS queue" in refusal(events.create_event_bus, Name=name, DeadLetterConfig=fifo)[1]


def test_a_bus_with_rules_cannot_be_deleted(events, name: str) -> None:
    events.create_event_bus(Name=name)
    events.put_rule(Name="r", EventBusName=name, EventPattern='{"source": ["x"]}')
    assert refusal(events.delete_event_bus, Name=name) == (
        "ValidationException",
        "EventBus can't be deleted since it has rules.",
    )
    events.delete_rule(Name="r", EventBusName=name)
    events.delete_event_bus(Name=name)


def test_a_hundred_buses_are_the_limit(aws) -> None:
    events = aws.session.client("events", region_name="eu-west-3", endpoint_url=aws.account.endpoint_url)
    for number in range(99):
        events.create_event_bus(Name=f"b-{number}")
    assert refusal(events.create_event_bus, Name="one-more")[0] == "LimitExceededException"


# Policies


def statements(events, bus: str) -> list[dict]:
    policy = events.describe_event_bus(Name=bus).get("Policy")
    return json.loads(policy)["Statement"] if policy else []


def test_permissions_are_kept_and_removed(events, name: str) -> None:
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    allow = {"EventBusName": name, "Action": "events:PutEvents"}
    events.put_permission(**allow, Principal="111122223333", StatementId="partner")
    events.put_permission(
        **allow,
        Principal="*",
        StatementId="us",
        Condition={"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"},
    )
    common = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": arn}
    assert statements(events, name) == [
        common | {"Sid": "partner", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}},
        common | {"Sid": "us", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
    ]
    events.remove_permission(EventBusName=name, StatementId="partner")
    assert [statement["Sid"] for statement in statements(events, name)] == ["us"]
    missing = refusal(events.remove_permission, EventBusName=name, StatementId="partner")
    assert missing == ("ResourceNotFoundException", "Statement with the provided id does not exist.")
    events.remove_permission(EventBusName=name, RemoveAllPermissions=True)
    assert statements(events, name) == []


def test_a_whole_policy(events, name: str) -> None:
    arn = events.create_event_bus(Name=name)["EventBusArn"]
    statement = {"Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "events:*", "Resource": arn}
    events.put_permission(EventBusName=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert statements(events, name) == [statement]
    assert refusal(events.put_permission, EventBusName=name, Policy="{")[0] == "ValidationException"
    assert refusal(events.put_permission, EventBusName=name, Policy='{"Statement": [{}]}')[0] == "ValidationException"


# From one bus to another


def role(aws, action: str = "events:PutEvents", resource: str = "*") -> str:
    iam, name = aws.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    allowed = {"Effect": "Allow", "Action": action, "Resource": resource}
    version = {"Version": "2012-10-17"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(version | {"Statement": [trust]}))
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(version | {"Statement": [allowed]}))
    return arn["Role"]["Arn"]


class Way:
    """A rule on one bus whose target is another bus, and a probe there."""

    def __init__(self, aws, name: str, target_region: str = "us-east-1", **target: object) -> None:
        self.events, self.name = aws.client("events"), name
        there = aws.session.client("events", region_name=target_region, endpoint_url=aws.account.endpoint_url)
        self.arn = there.create_event_bus(Name=name)["EventBusArn"]
        self.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        self.events.put_targets(Rule=name, Targets=[{"Id": "bus", "Arn": self.arn, **target}])

    def send(self) -> str:
        return self.events.put_events(Entries=[entry(self.name, Detail='{"n": 65.50}')])["Entries"][0]["EventId"]


@pytest.mark.parametrize("with_role", [False, True])
def test_within_an_account_a_role_is_optional(aws, name: str, with_role: bool) -> None:
    way = Way(aws, name, **({"RoleArn": role(aws, resource=ARN + name)} if with_role else {}))
    probe = Probe(aws, {"source": [name]}, bus=name)
    sent = way.send()
    [text] = probe.texts()
    assert json.loads(text)["id"] == sent
    assert text.endswith('"detail":{"n":65.50}}')


@pytest.mark.parametrize("wrong", [{"action": "events:PutRule"}, {"resource": ARN + "another"}])
def test_a_role_that_may_not_put_events(aws, name: str, wrong: dict) -> None:
    queue_arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
    url = aws.client("sqs").create_queue(QueueName=name, Attributes=open_to_events(queue_arn))["QueueUrl"]
    way = Way(aws, name, RoleArn=role(aws, **wrong), DeadLetterConfig={"Arn": queue_arn})
    probe = Probe(aws, {"source": [name]}, bus=name)
    sent = way.send()
    [message] = (
        aws.client("sqs")
        .receive_message(QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"])
        .get("Messages", [])
    )
    assert json.loads(message["Body"])["id"] == sent
    assert message["MessageAttributes"]["ERROR_CODE"]["StringValue"] == "NO_PERMISSIONS"
    assert probe.texts(1, seconds=0.2) == []


def test_a_bus_in_another_region_needs_a_role(aws, events, name: str) -> None:
    arn = (ARN + name).replace("us-east-1", "eu-west-1")
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    refused = refusal(events.put_targets, Rule=name, Targets=[{"Id": "bus", "Arn": arn}])
    assert refused == ("ValidationException", f"RoleArn is required for target {arn}.")
    way = Way(aws, name, "eu-west-1", RoleArn=role(aws, resource=arn))
    assert way.arn == arn
    there = aws.session.client("events", region_name="eu-west-1", endpoint_url=aws.account.endpoint_url)
    logs = aws.session.client("logs", region_name="eu-west-1", endpoint_url=aws.account.endpoint_url)
    group = f"/aws/events/{name}"
    logs.create_log_group(logGroupName=group)
    group_arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{group}"
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "logs:*",
        "Resource": "*",
    }
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    logs.put_resource_policy(policyName=name, policyDocument=document)
    there.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": [name]}))
    there.put_targets(Rule=name, EventBusName=name, Targets=[{"Id": "log", "Arn": group_arn}])
    sent = way.send()
    found = eventually(lambda: logs.filter_log_events(logGroupName=group)["events"])
    assert [json.loads(event["message"])["id"] for event in found] == [sent]
