"""A clock that is set an hour on or back, and a machine that wakes: seen by the account and its caller alike.

The whole account in one interpreter, on a clock of its own: nothing is lost, and nothing comes sooner or later than
without that. What ages in its own part is tested there (`sqs`, `events`, `awslambda`).
"""

from __future__ import annotations

import importlib.util
import json

import pytest

from helpers.local_aws.cloudwatch import metric_alarms
from helpers.local_aws.engine.clock import ManualClock
from helpers.local_aws.execution.environment import RUNTIME
from tests.local_aws.test_in_process import run
from tests.support.one_thread import one_thread

#: Seconds by which the time of day jumps: an hour on and back, a night's sleep of the machine, back by almost AWS's
#: fifteen minutes, and to another year, as with an empty battery.
JUMPS = [3600, -3600, 13 * 3600, -890, 400 * 86_400]
#: A function that writes to its table, and fails.
FRAGILE = """
import builtins, time, boto3
def lambda_handler(event, context):
    boto3.client("dynamodb").put_item(TableName="sample-table", Item={"OrderId": {"S": str(len(builtins.tried))}})
    builtins.tried.append(round(time.monotonic() - builtins.began, 3))
    raise ValueError("again")
"""


def test_orders_arrive_and_failures_are_tried_again_in_their_time():
    """A worker that is warm keeps its credentials, clients sign with the time that is, and waits go on as they were."""
    result = run(
        """
        import builtins, json, sys, time
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import ManualClock
        clock = ManualClock()
        builtins.tried = []
        with in_process(clock=clock, scale=1/60) as account:
            from tests.support import tutorial
            tutorial.build(sys.argv[1])
            result = []
            for jump in json.loads(sys.argv[2]):
                builtins.tried.clear()
                builtins.began = time.monotonic()
                tutorial.put("order")
                time.sleep(0.5)
                clock.set_on(jump)
                time.sleep(5)
                result.append(builtins.tried[:])
            result.append(account.client("dynamodb").describe_table(TableName="sample-table")["Table"]["ItemCount"])
    """,
        FRAGILE,
        json.dumps(JUMPS),
    )
    *times, stored = result
    assert times == [[0, 1, 3]] * len(JUMPS), "one minute after the first failure, two after the second"
    assert stored == 3


@pytest.mark.deep
def test_what_is_made_has_the_accounts_time():
    """moto's own times, too."""
    result = run("""
        import time
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import ManualClock
        clock = ManualClock(start=2_000_000_000.0)
        with in_process(clock=clock) as account:
            clock.set_on(86_400)
            dynamodb, sqs, iam, logs, sts = map(account.client, ("dynamodb", "sqs", "iam", "logs", "sts"))
            key = dict(KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                       AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}])
            made = [dynamodb.create_table(TableName="table", **key)["TableDescription"]["CreationDateTime"].timestamp()]
            url = sqs.create_queue(QueueName="queue")["QueueUrl"]
            asked = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["CreatedTimestamp"])
            made.append(float(asked["Attributes"]["CreatedTimestamp"]))
            trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},'
            trust += ' "Action": "sts:AssumeRole"}]}'
            role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]
            made.append(role["CreateDate"].timestamp())
            assumed = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="me", DurationSeconds=900)["Credentials"]
            made.append(assumed["Expiration"].timestamp() - 900)
            logs.create_log_group(logGroupName="group")
            made.append(logs.describe_log_groups()["logGroups"][0]["creationTime"] / 1000)
            logs.create_log_stream(logGroupName="group", logStreamName="stream")
            said = [{"timestamp": int(time.time() * 1000), "message": "now"}]
            logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=said)
            kept = logs.get_log_events(logGroupName="group", logStreamName="stream")["events"]
            result = [[round(each - 2_000_086_400) for each in made], [each["message"] for each in kept]]
    """)
    assert result == [[0] * 5, ["now"]]


@pytest.mark.deep
def test_a_session_ends_when_the_client_was_told():
    """By the calendar, which both of them see: a client that asks for a new one in time is never refused."""
    result = run("""
        from botocore.exceptions import ClientError
        from helpers.local_aws import in_process
        from helpers.local_aws.engine.clock import ManualClock
        import boto3
        clock = ManualClock()
        trust = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"},'
        trust += ' "Action": "sts:AssumeRole"}]}'
        with in_process(clock=clock) as account:
            role = account.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
            keys = account.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
            given = [keys[name] for name in ("AccessKeyId", "SecretAccessKey", "SessionToken")]
            result = []
            for jump in (3500, -7200, 7400):
                clock.set_on(jump)
                left = keys["Expiration"].timestamp() - clock.now() > 0
                session = boto3.session.Session(*given)
                try:
                    session.client("sts", endpoint_url=account.access.endpoint_url).get_caller_identity()
                    result.append((left, "answered"))
                except ClientError as error:
                    result.append((left, error.response["Error"]["Code"]))
    """)
    assert result == [[True, "answered"], [True, "answered"], [False, "ExpiredToken"]]


@pytest.mark.parametrize("jump_s", JUMPS)
def test_a_function_is_told_the_time_that_is_left(monkeypatch, jump_s):
    clock = ManualClock()
    for name in ("TASK_ROOT", "RUNTIME_DIR"):
        monkeypatch.setenv(f"LAMBDA_{name}", "x")
    found = importlib.util.spec_from_file_location("runtime", RUNTIME)
    runtime = importlib.util.module_from_spec(found)
    found.loader.exec_module(runtime)
    runtime.now, runtime.passed = clock.now, clock.monotonic
    for name in ("FUNCTION_NAME", "FUNCTION_VERSION", "FUNCTION_MEMORY_SIZE", "LOG_GROUP_NAME", "LOG_STREAM_NAME"):
        monkeypatch.setenv(f"AWS_LAMBDA_{name}", "x")
    headers = {
        "aws-request-id": "id",
        "invoked-function-arn": "arn",
        "deadline-ms": str(int(clock.now() * 1000) + 3000),
    }
    context = runtime.LambdaContext({f"lambda-runtime-{name}": value for name, value in headers.items()})
    clock.advance(1)
    clock.set_on(jump_s)
    assert context.get_remaining_time_in_millis() == pytest.approx(2000, abs=2)
    clock.advance(5)
    assert context.get_remaining_time_in_millis() == 0


@pytest.mark.parametrize("jump_s", JUMPS)
def test_an_alarm_s_state_that_somebody_has_set_stays_as_long_as_ever(jump_s):
    with one_thread():
        clock = ManualClock()
        metric_alarms.clock.use(clock)
        backend = metric_alarms.Backend("us-east-1", "123456789012")
        alarm = backend.put_metric_alarm(
            "alarm", "nowhere", "none", "GreaterThanThreshold", 1, 60, 1.0, "Sum", "", dimensions=[], alarm_actions=[]
        )
        backend.set_alarm_state("alarm", "a drill", "{}", "ALARM")
        clock.advance(metric_alarms.SET_STATE_STAYS - 1)
        clock.set_on(jump_s)
        metric_alarms.evaluate(backend)
        assert alarm.state_value == "ALARM"
        clock.advance(2)
        metric_alarms.evaluate(backend)
        assert alarm.state_value == "INSUFFICIENT_DATA"
