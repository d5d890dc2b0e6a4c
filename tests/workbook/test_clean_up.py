"""Clean-up deletes what the workbook made, found by its tag, and nothing else: by command and by lesson 99."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from helpers import workbook
from helpers.account import inventory
from helpers.authoring.isolation import isolated
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from helpers.target import connection, tagging
from tests.support.embedded_aws import LAMBDA_TRUST, Aws, table_request, zip_of

PREFIX = "team1-"
STACK = """
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: exercise-stack-queue}}
  Kept:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      TableName: exercise-kept
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: Id, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: Id, AttributeType: S}]
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """An account of this module's own, and this process as a kernel of the workbook in it, with a prefix."""
    before, folder = dict(os.environ), Path.cwd()
    with isolated(tmp_path_factory.mktemp("clean-up")):
        aws = Aws(lifecycle.start())
        os.environ |= aws.account.environment() | {"WORKBOOK_TARGET": "endpoint", "WORKBOOK_PREFIX": PREFIX}
        connection._connected = None
        yield aws
        connection._connected = None
        lifecycle.stop()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


def clean_up(*options: str) -> tuple[int, list[str]]:
    """The command in a process of its own, which knows nothing but the account: as from another machine."""
    command = [sys.executable, "-m", "helpers.account.clean_up", *options]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, encoding="utf-8")
    assert "Traceback" not in run.stderr, run.stderr
    return run.returncode, (run.stdout or run.stderr).splitlines()


def make_everything() -> None:
    """What the lessons leave behind, and one more of each kind, as exercises and interrupted cells leave it."""
    workbook.begin("13_deploy_as_code")
    session = boto3.DEFAULT_SESSION
    session.client("cloudformation").create_stack(StackName="exercise-stack", TemplateBody=STACK)
    session.client("cloudformation").get_waiter("stack_create_complete").wait(
        StackName="exercise-stack", WaiterConfig={"Delay": 0.1}
    )
    s3 = session.client("s3")
    s3.create_bucket(Bucket="sample-stack-code-123456789012")
    s3.put_object(Bucket="sample-stack-code-123456789012", Key="handler.zip", Body=b"code")
    session.client("cloudwatch").put_metric_alarm(
        AlarmName="sample-function-errors", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    session.client("events").create_event_bus(Name="exercise-bus")
    there = {"EventBusName": "exercise-bus", "EventPattern": '{"source": ["x"]}'}
    session.client("events").put_rule(Name="exercise-rule", **there)
    # A learner's own experiment, whose name no lesson knows:
    session.client("dynamodb").create_table(**table_request("my-diary"))


def make_look_alikes(aws: Aws) -> set[tuple[str, str]]:
    """Somebody else's things, named like the workbook's, prefix and all, but without the tag or with another value."""
    name = f"{PREFIX}sample-thing"
    events, sqs, logs = aws.client("events"), aws.client("sqs"), aws.client("logs")
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    aws.table(name)
    other_team = [{"Key": tagging.KEY, "Value": f"team2-{tagging.VALUE}"}]
    aws.table("team2-sample-table", Tags=other_team)
    no_prefix = [{"Key": tagging.KEY, "Value": tagging.VALUE}]
    aws.table("sample-table", Tags=no_prefix)
    events.put_rule(Name=name, EventPattern='{"source": ["theirs"]}', Tags=[{"Key": "created-by", "Value": "hand"}])
    bus = events.describe_event_bus(Name="default")["Arn"]
    events.create_archive(ArchiveName=name, EventSourceArn=bus, Description="created-by: somebody")
    sqs.create_queue(QueueName=name)
    logs.create_log_group(logGroupName=f"/aws/lambda/{name}")
    aws.client("s3").create_bucket(Bucket=name)
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name, Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum", Period=60,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
    )  # fmt: skip
    aws.client("lambda").create_function(
        FunctionName=name, Runtime="python3.13", Handler="main.handler", Role=aws.role(),
        Code={"ZipFile": zip_of({"main.py": "def handler(event, context): pass"})},
    )  # fmt: skip
    return everything()


def everything() -> set[tuple[str, str]]:
    """(kind, name) of all there is, as the workbook reads it."""
    return {(each.kind, each.name) for kind in inventory.KINDS for each in kind.found()}


def test_all_that_the_workbook_made_goes_and_nothing_else(account):
    connection.connect()
    theirs = make_look_alikes(account)
    assert len({kind for kind, _ in theirs}) >= 9
    make_everything()
    made = everything() - theirs
    assert {kind for kind, _ in made} == {kind.name for kind in inventory.KINDS}

    status, said = clean_up("--dry-run")
    would = {line.removeprefix("Would delete ") for line in said if line.startswith("Would delete ")}
    # The queue of the stack goes with the stack; the tag of the stack is on it, too.
    assert status == 0 and would == {f"{kind} {name}" for kind, name in made}
    assert everything() == theirs | made

    status, said = clean_up()
    assert everything() == theirs, said
    assert status == 0 and said[-1] == "By the account's own lists, nothing of this workbook is left."
    left_alone = {line.rpartition(": ")[2] for line in said if line.startswith("Left alone, as it does not carry")}
    assert left_alone >= {f"{kind} sample-thing" for kind in ("rule", "function", "queue", "table", "role", "bucket")}

    status, said = clean_up()
    assert status == 0 and not any(line.startswith("Deleted") for line in said)
    assert everything() == theirs


@pytest.mark.deep
def test_what_cannot_be_deleted_stops_nothing_else_and_can_be_made_up_for(account):
    workbook.begin("07_match_only_orders")
    table = {"TableName": f"{PREFIX}sample-table"}
    account.client("dynamodb").update_table(**table, DeletionProtectionEnabled=True)
    status, said = clean_up()
    assert status == 1 and said[-1] == "Run this again to go on."
    assert any(line.startswith("Still there: table sample-table. ") for line in said)
    assert not {("function", "sample-function"), ("rule", "sample-rule"), ("role", "microservice-role")} & everything()
    account.client("dynamodb").update_table(**table, DeletionProtectionEnabled=False)
    assert clean_up()[0] == 0
    assert ("table", "sample-table") not in everything()


@pytest.mark.deep
def test_lesson_99_does_the_same(account):
    connection.connect()
    theirs = everything()
    make_everything()
    # Lesson 99 looks at the default bus alone, as all lessons do.
    boto3.client("events").delete_rule(Name="exercise-rule", EventBusName="exercise-bus")
    boto3.client("events").delete_event_bus(Name="exercise-bus")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--target-as-set", "--nbval-lax",
         "notebooks/99_clean_up.ipynb"],
        cwd=PROJECT, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-3000:]
    assert everything() == theirs


def test_without_an_account_there_is_nothing_to_clean_up(tmp_path, monkeypatch):
    for name in ("WORKBOOK_TARGET", "WORKBOOK_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path))
    assert clean_up() == (0, ["The embedded AWS has no account yet, so there is nothing to delete."])
    assert not any(tmp_path.iterdir())


def test_bad_settings_are_one_line(monkeypatch):
    monkeypatch.setenv("WORKBOOK_TARGET", "aws")
    monkeypatch.delenv("WORKBOOK_ACCOUNT", raising=False)
    status, said = clean_up("--dry-run")
    assert status == 2 and len(said) == 1 and "needs WORKBOOK_ACCOUNT" in said[0]
