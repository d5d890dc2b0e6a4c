"""The door through which services invoke functions: in this process, with a runner that takes notes."""

from __future__ import annotations

import json
import re
import uuid

import boto3
import moto
import pytest
from botocore.config import Config
from moto.awslambda.models import lambda_backends

from helpers.local_aws.awslambda import function_code, lambda_function, lambda_service
from helpers.local_aws.awslambda.function_runner import Invocation, TooManyRequests
from tests.support.embedded_aws import LAMBDA_TRUST, zip_of
from tests.support.lambda_requests import ACCOUNT, ECHO, RULE, UUID, refusal
from tests.support.steps import steps


class Notes:
    """Stands in for a FunctionRunner."""

    events: list[tuple[str, bytes, str]] = []
    full = False

    def __init__(self, spec, *_: object) -> None:
        self.spec = spec

    def update(self, spec) -> None:
        self.spec = spec

    def invoke(self, payload: bytes, *, request_id: str, **_: object) -> Invocation:
        if self.full:
            raise TooManyRequests(reserved=False)
        return Invocation(request_id, payload, None, b"")

    def invoke_async(self, payload: bytes, *, request_id: str, **_: object) -> None:
        self.events.append((self.spec.version, payload, request_id))

    def close(self) -> None:
        pass


@pytest.fixture
def inside(tmp_path, monkeypatch):
    """A Lambda client of moto in this process, with our Lambda, and one function called `f`."""
    monkeypatch.setattr(lambda_function, "FunctionRunner", Notes)
    monkeypatch.setattr(Notes, "events", [])
    for name, value in {
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "y",
        "DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(lambda_backends, "backend", lambda_service.LambdaService)
    monkeypatch.setattr(function_code, "_root", None)
    function_code.set_root(tmp_path)
    lambda_backends.clear()
    with moto.mock_aws():
        role = boto3.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
        client = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))
        client.create_function(
            FunctionName="f",
            Runtime="python3.13",
            Role=role["Role"]["Arn"],
            Handler="main.handler",
            Code={"ZipFile": zip_of({"main.py": ECHO})},
        )
        yield client
    assert list(tmp_path.iterdir()) == []  # the account is reset, and its functions' folders go


ARN = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"


def send(arn: str = ARN, payload: bytes = b"{}", **changes: str) -> str:
    sender = {"service": "events.amazonaws.com", "source_arn": RULE, "source_account": ACCOUNT}
    return lambda_service.invoke_as_service(arn, payload, **{**sender, **changes})


def permit(client, name: str = "f", **changes: str) -> None:
    client.add_permission(
        **{
            "FunctionName": name,
            "StatementId": f"s{uuid.uuid4().hex}",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            "SourceArn": RULE,
            **changes,
        }
    )


def test_a_service_needs_a_permission(inside):
    with pytest.raises(lambda_service.InvocationRefused) as refused:
        send()
    assert refused.value.code == "AccessDeniedException"
    assert Notes.events == []
    permit(inside)
    request_id = send(payload=b'{"detail": 1}')
    assert re.fullmatch(UUID, request_id)
    assert Notes.events == [("$LATEST", b'{"detail": 1}', request_id)]


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "s3.amazonaws.com"},
        {"source_arn": RULE + "-2"},
        {"source_arn": RULE.replace("us-east-1", "eu-west-1")},
    ],
)
def test_a_permission_is_for_one_source(inside, changes):
    permit(inside)
    with pytest.raises(lambda_service.InvocationRefused):
        send(**changes)


def test_a_permission_ends_when_it_is_removed(inside):
    permit(inside, StatementId="only")
    send()
    inside.remove_permission(FunctionName="f", StatementId="only")
    with pytest.raises(lambda_service.InvocationRefused):
        send()


def test_a_permission_is_for_the_function_or_for_what_its_qualifier_names(inside):
    permit(inside)
    inside.publish_version(FunctionName="f")
    inside.create_alias(FunctionName="f", Name="live", FunctionVersion="1")
    for qualifier in ("1", "live"):
        with pytest.raises(lambda_service.InvocationRefused) as refused:
            send(f"{ARN}:{qualifier}")
        assert refused.value.code == "AccessDeniedException"
    permit(inside, Qualifier="live")
    send(f"{ARN}:live")
    assert Notes.events[-1][0] == "1"


@pytest.mark.parametrize(
    "arn",
    [
        ARN + "2",
        ARN + ":9",
        ARN.replace("us-east-1", "nowhere"),
        ARN.replace(ACCOUNT, "999999999999"),
        "f",
        "",
    ],
)
def test_a_function_that_is_not_there(inside, arn):
    with pytest.raises(lambda_service.InvocationRefused) as refused:
        send(arn)
    assert refused.value.code == "ResourceNotFoundException"
    assert arn in refused.value.message


def test_an_event_that_is_too_large(inside):
    permit(inside)
    with pytest.raises(lambda_service.InvocationRefused) as refused:
        send(payload=b"x" * (1024 * 1024 + 1))
    assert refused.value.code == "RequestEntityTooLargeException"


def test_when_no_environment_can_be_had(inside, monkeypatch):
    monkeypatch.setattr(Notes, "full", True)
    error = refusal(inside.invoke, FunctionName="f")
    assert error["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert error["Reason"] == "ConcurrentInvocationLimitExceeded"


def test_taking_an_event_takes_few_steps(inside):
    permit(inside)
    send()
    assert steps(send) < 250  # lines of Python; 150, some 15 µs, here
