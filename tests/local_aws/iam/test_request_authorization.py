"""IAM on the way of every request, inside one process: what it costs, and how long credentials last."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from helpers.local_aws.account.credentials import ACCOUNT_ID, CredentialStore, random_credentials
from helpers.local_aws.account.service_table import named
from helpers.local_aws.http.call import read
from helpers.local_aws.http.http1 import Request
from helpers.local_aws.http.signing import Caller
from helpers.local_aws.iam import access_control
from tests.support.steps import steps

TABLE = f"arn:aws:dynamodb:us-east-1:{ACCOUNT_ID}:table/sample-table"


@pytest.fixture
def role():
    """A role in this process's own moto; no server is involved."""
    iam = iam_backends[ACCOUNT_ID]["aws"]
    role = iam.create_role(f"role-{uuid.uuid4().hex[:8]}", "{}", "/", None, "", [], None)
    yield role
    for name in list(role.policies):
        role.delete_policy(name)
    iam.delete_role(role.name)


def allow(role, **statement: object) -> None:
    statement = {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE, **statement}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam_backends[ACCOUNT_ID]["aws"].put_role_policy(role.name, "policy", policy)


def put_item_by(role) -> tuple[Caller, Request]:
    credentials = CredentialStore(random_credentials()).for_role(role.arn, "sample-function")
    item = {"OrderId": {"S": "X-0001"}, "Item": {"S": "teapot"}, "Amount": {"N": "65.55"}, "IsMember": {"BOOL": True}}
    headers = {"x-amz-target": "DynamoDB_20120810.PutItem", "content-type": "application/x-amz-json-1.0"}
    request = Request("POST", "/", headers, json.dumps({"TableName": "sample-table", "Item": item}).encode())
    return Caller(credentials, named("dynamodb"), "us-east-1"), request


def test_a_request_costs_few_steps(role):
    allow(role)
    caller, request = put_item_by(role)
    call = read(request, caller)
    assert access_control.refuse(call) is None
    assert steps(lambda: access_control.refuse(call)) < 250  # lines of Python; 180, some 15 µs, here


def test_it_is_forgotten_when_iam_changes(role):
    caller, request = put_item_by(role)
    for _ in range(3):
        assert access_control.refuse(read(request, caller)) is not None
        assert not access_control.role_may(role.arn, "dynamodb:PutItem", TABLE)
        allow(role)
        assert access_control.refuse(read(request, caller)) is None
        assert access_control.role_may(role.arn, "dynamodb:PutItem", TABLE)
        role.delete_policy("policy")


def test_role_may_takes_condition_keys(role):
    allow(
        role, Action="sqs:SendMessage", Resource="*", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:*"}}
    )
    queue = f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:queue"
    source = {"aws:sourcearn": f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:f"}
    assert access_control.role_may(role.arn, "sqs:SendMessage", queue, source)
    assert not access_control.role_may(role.arn, "sqs:SendMessage", queue)
    assert not access_control.role_may(f"{role.arn}-not", "sqs:SendMessage", queue, source)


def test_an_assumed_role_is_over_when_its_time_is(role):
    issued = sts_backends[ACCOUNT_ID]["aws"].assume_role(
        region_name="us-east-1",
        role_session_name="session",
        role_arn=role.arn,
        policy="",
        duration=900,
        external_id="",
    )
    issued.role_id = role.id  # the server sees to that
    found = CredentialStore(random_credentials()).find(issued.access_key_id)
    assert 890 < found.expires_at - time.time() <= 900


def mapping_call(role, method: str, path: str, **body: object) -> object:
    credentials = CredentialStore(random_credentials()).for_role(role.arn, "sample-function")
    request = Request(method, f"/2015-03-31/event-source-mappings{path}", {}, json.dumps(body).encode())
    return read(request, Caller(credentials, named("lambda"), "us-east-1"))


def test_making_a_mapping_is_about_no_resource_and_changing_one_about_that_mapping(role):
    """https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html"""
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:function:f"
    make = mapping_call(role, "POST", "", FunctionName="f", EventSourceArn=f"arn:aws:sqs:us-east-1:{ACCOUNT_ID}:q")
    change = mapping_call(role, "PUT", "/the-id", FunctionName="f", BatchSize=1)
    allow(role, Action="lambda:*", Resource=function)
    assert access_control.refuse(make) is not None and access_control.refuse(change) is not None
    for function_arn, refused in ((function, False), (f"{function}2", True)):
        allow(role, Action="lambda:*", Resource="*", Condition={"ArnEquals": {"lambda:FunctionArn": function_arn}})
        assert (access_control.refuse(make) is not None) is refused
    allow(role, Action="lambda:*", Resource=f"arn:aws:lambda:us-east-1:{ACCOUNT_ID}:event-source-mapping:the-id")
    assert access_control.refuse(make) is not None and access_control.refuse(change) is None
