"""A rule with a schedule, in a real account: it starts a function, and goes on doing so after a stop and a kill."""

from __future__ import annotations

import json

import pytest

from helpers.local_aws import lifecycle
from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support.polling import eventually

SAVING = """
import boto3, json
table = boto3.resource("dynamodb").Table("orders")
def handler(event, context):
    table.put_item(Item={"OrderId": event["id"], "event": json.dumps(event)})
"""


@pytest.fixture
def scheduled(account) -> Account:  # noqa: F811
    """An account in which a function stores what AWS's minute brings."""
    account.make_table()
    name = account.aws.function(SAVING)
    events, lambda_ = account.client("events"), account.client("lambda")
    arn = events.put_rule(Name="every-minute", ScheduleExpression="rate(1 minute)")["RuleArn"]
    lambda_.add_permission(
        FunctionName=name, StatementId="rule", Action="lambda:InvokeFunction", Principal="events.amazonaws.com",
        SourceArn=arn,
    )  # fmt: skip
    function = lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    events.put_targets(Rule="every-minute", Targets=[{"Id": "function", "Arn": function}])
    return account


def test_a_schedule_outlives_its_server(scheduled):
    assert eventually(lambda: len(scheduled.stored()) >= 2)
    item = scheduled.client("dynamodb").scan(TableName="orders")["Items"][0]
    event = json.loads(item["event"]["S"])
    assert (event["source"], event["detail-type"]) == ("aws.events", "Scheduled Event")
    assert event["resources"] == ["arn:aws:events:us-east-1:123456789012:rule/every-minute"]
    for end in (scheduled.kill, lifecycle.stop):
        end()
        scheduled.start()
        before = scheduled.stored()
        assert eventually(lambda before=before: scheduled.stored() > before), "nobody has asked for it"


def test_a_deleted_schedule_ends(scheduled):
    events = scheduled.client("events")
    assert eventually(scheduled.stored)
    events.remove_targets(Rule="every-minute", Ids=["function"])
    events.delete_rule(Name="every-minute")
    scheduled.restart()
    assert scheduled.client("events").list_rules()["Rules"] == []
