"""What waits in memory has a limit: PutEvents and Invoke throttle there as AWS does. What was accepted is not lost."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from botocore.exceptions import ClientError

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.local_aws.account.backlog import Backlog
from helpers.target import refused_entries
from tests.support.async_aws import Queue, role
from tests.support.embedded_aws import Aws, own_home
from tests.support.lambda_requests import lines_of
from tests.support.polling import eventually

LIMIT = 50
#: Waits until a file is there, then says what it was given.
GATED = """
import os, time
def handler(event, context):
    while not os.path.exists({gate!r}):
        time.sleep(0.02)
    print("got", event["detail"]["number"] if "detail" in event else event["number"])
"""


@contextlib.contextmanager
def limited(home: Path, **limits: object) -> Iterator[Aws]:
    """An account whose limits are small."""
    names = {f"LOCAL_AWS_MAX_{name}": str(value) for name, value in limits.items()}
    os.environ.update(names)
    try:
        with own_home(home):
            account = lifecycle.start()
    finally:
        for name in names:
            del os.environ[name]
    yield Aws(account, home)
    with own_home(home):
        lifecycle.stop()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    with limited(tmp_path_factory.mktemp("small"), EVENTS=LIMIT) as aws:
        yield aws


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "gate"


def to_function(aws: Aws, gate: Path) -> tuple[str, str]:
    """The names of a source of events and of the gated function that gets them."""
    name, source = aws.function(GATED.format(gate=str(gate)), Timeout=600), f"source-{uuid.uuid4().hex[:8]}"
    aws.subscribe(name, source, {"source": [source]})
    return source, name


def entries(source: str, numbers: range) -> list[dict]:
    return [{"Source": source, "DetailType": "t", "Detail": json.dumps({"number": number})} for number in numbers]


def got(aws: Aws, name: str) -> list[int]:
    return sorted(int(line.split()[1]) for line in lines_of(aws, name) if line.startswith("got "))


def fill(aws: Aws, source: str) -> list[int]:
    """Put events until none is accepted any more; the numbers of those that were."""
    events, accepted = aws.client("events"), []
    for start in range(0, 4 * LIMIT, 10):
        answer = events.put_events(Entries=entries(source, range(start, start + 10)))
        results = answer["Entries"]
        assert answer["FailedEntryCount"] == sum("ErrorCode" in result for result in results)
        for number, result in enumerate(results, start):
            if "EventId" in result:
                accepted.append(number)
            else:
                assert result == {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
    return accepted


def accepts(aws: Aws, source: str, number: int) -> bool:
    answer = aws.client("events").put_events(Entries=entries(source, range(number, number + 1)))
    return not answer["FailedEntryCount"]


def test_put_events_throttles_and_accepts_again(small, gate):
    source, name = to_function(small, gate)
    accepted = fill(small, source)
    assert LIMIT <= len(accepted) < LIMIT + 10
    assert not accepts(small, source, 999), "it stays full while nothing is taken"
    assert small.client("events").describe_event_bus()["Name"] == "default", "other calls are answered"
    gate.touch()
    assert eventually(lambda: len(got(small, name)) == len(accepted))
    assert got(small, name) == accepted, "nothing that was accepted is lost, and nothing else arrives"
    assert eventually(lambda: accepts(small, source, 1000))
    assert eventually(lambda: 1000 in got(small, name))


def test_asynchronous_invoke_throttles_and_accepts_again(small, gate):
    name = small.function(GATED.format(gate=str(gate)), Timeout=600)
    lambda_ = small.client("lambda")
    accepted = 0
    with pytest.raises(ClientError) as error:
        for number in range(3 * LIMIT):
            lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"number": number}))
            accepted += 1
    answer = error.value.response
    assert answer["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert answer["Reason"] == "CallerRateLimitExceeded"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert accepted == LIMIT
    gate.touch()
    assert eventually(lambda: len(got(small, name)) == accepted)
    assert got(small, name) == list(range(accepted))
    assert lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"number": 99}')["StatusCode"] == 202


def test_the_workbooks_clients_put_refused_entries_again(small, gate, monkeypatch):
    source, name = to_function(small, gate)
    accepted = fill(small, source)
    monkeypatch.setenv("AWS_ENDPOINT_URL", small.account.endpoint_url)
    session = Aws(small.account).session
    refused_entries.install(session)
    gate.touch()
    answer = session.client("events").put_events(Entries=entries(source, range(500, 510)))
    assert answer["FailedEntryCount"] == 0
    assert eventually(lambda: got(small, name) == [*accepted, *range(500, 510)])


def test_deliveries_that_are_tried_again_count(small):
    """A queue that is not there yet keeps no event; a role that may not be assumed yet would. Here: a closed port."""
    events, iam_role = small.client("events"), role(small, "events:InvokeApiDestination")
    source = f"source-{uuid.uuid4().hex[:8]}"
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    )
    small.client("iam").update_assume_role_policy(RoleName=iam_role.rpartition("/")[2], PolicyDocument=trust)
    connection = events.create_connection(
        Name=source,
        AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "k", "ApiKeyValue": "v"}},
    )["ConnectionArn"]
    destination = events.create_api_destination(
        Name=source, ConnectionArn=connection, InvocationEndpoint="http://127.0.0.1:9/", HttpMethod="POST"
    )["ApiDestinationArn"]
    parked = Queue(small)
    small.client("sqs").set_queue_attributes(
        QueueUrl=parked.url,
        Attributes={
            "Policy": json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": parked.arn,
                        }
                    ],
                }
            )
        },
    )
    events.put_rule(Name=source, EventPattern=json.dumps({"source": [source]}))
    target = {
        "Id": "api",
        "Arn": destination,
        "RoleArn": iam_role,
        "DeadLetterConfig": {"Arn": parked.arn},
        "RetryPolicy": {"MaximumRetryAttempts": 6, "MaximumEventAgeInSeconds": 3600},
    }
    assert events.put_targets(Rule=source, Targets=[target])["FailedEntryCount"] == 0
    accepted = fill(small, source)
    assert LIMIT <= len(accepted) < 4 * LIMIT
    messages = parked.records(len(accepted))
    assert sorted(message["detail"]["number"] for message in messages) == accepted
    assert eventually(lambda: accepts(small, source, 1000))


def test_deleting_a_function_frees_what_waited_for_it(small, gate):
    source, name = to_function(small, gate)
    fill(small, source)
    assert not accepts(small, source, 999)
    small.client("lambda").delete_function(FunctionName=name)
    assert eventually(lambda: accepts(small, source, 1000))


def test_payloads_have_a_limit_too(tmp_path, gate):
    with limited(tmp_path / "home", EVENT_MB=4) as aws:
        source, name = to_function(aws, gate)
        memory = psutil.Process(aws.account.pid)
        events, accepted, before = aws.client("events"), 0, memory.memory_info().rss
        for number in range(20):
            large = {"Source": source, "DetailType": "t", "Detail": json.dumps({"number": number, "x": "x" * 500_000})}
            accepted += not events.put_events(Entries=[large])["FailedEntryCount"]
        assert 7 <= accepted <= 12
        assert memory.memory_info().rss - before < 100 * 2**20
        gate.touch()
        assert eventually(lambda: len(got(aws, name)) == accepted)


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_a_limit_that_is_none(tmp_path, value):
    with pytest.raises(WorkbookError) as error, limited(tmp_path, EVENTS=value):
        pass
    assert str(error.value).startswith(f"LOCAL_AWS_MAX_EVENTS is '{value}'; it must be a whole number from 1 up")
    assert "\n" not in str(error.value)


def test_one_event_larger_than_all_is_accepted_when_there_is_no_other():
    backlog = Backlog(max_events=2, max_bytes=10)
    assert backlog.take(100)
    assert backlog.full()
    assert not backlog.take(1)
    backlog.done(100)
    assert backlog.take(6)
    assert not backlog.take(6)
    assert backlog.take(4)
    assert not backlog.take(0)
    assert (backlog.events, backlog.size) == (2, 10)
