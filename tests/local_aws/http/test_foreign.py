"""What an operation does not have gets no further than where its request is read; what it has passes as it was sent."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.model import OperationModel

from helpers.local_aws.account.credentials import random_credentials
from helpers.local_aws.account.service_table import SERVICES, Service, named
from helpers.local_aws.http.call import Call, read
from helpers.local_aws.http.http1 import Request
from helpers.local_aws.http.signing import Caller
from tests.support.campaign import examples
from tests.support.written_requests import operations, written

CREDENTIALS = random_credentials()
FORM = "application/x-www-form-urlencoded"
MORE = ("autoscaling", "ec2", "rds", "ssm", "kms", "secretsmanager", "kinesis", "scheduler", "firehose", "route53")


def asked(service: Service, request: Request) -> Call:
    return read(request, Caller(CREDENTIALS, service, "us-east-1"))


ALL = [*SERVICES, *map(named, MORE)]


@pytest.mark.parametrize("service", ALL, ids=lambda service: service.endpoint)
def test_all_that_an_operation_has_passes_as_it_was_sent(service: Service):
    for operation in operations(service):
        request = written(operation)
        call = asked(service, request)
        if call.operation is None or call.name != operation.name:
            continue  # one with the same address; test_call says which
        assert (call.request.target, call.request.body) == (request.target, request.body), operation.name
        assert call.request.headers == request.headers, operation.name


#: What would name another resource, if somebody looked at it.
FOREIGN = st.sampled_from(
    ["SourceArn", "Resource", "Rule", "resourceArn", "RoleName", "Statements", "TableName", "QueueUrl", "FunctionName"]
    + ["TopicArn", "Bucket", "Key", "Action2", "Name", "logGroupName", "KeyId", "StreamName", "x", "Tags.member.1.Key"]
)


def with_foreign(call: Call, request: Request, name: str) -> list[Request]:
    """The request with a foreign member in each place where one may be; signatures are not looked at here."""
    method, headers = request.method, request.headers
    if call.protocol == "json":
        given = json.loads(request.body or b"{}")
        return [Request(method, "/", headers, json.dumps({**given, name: "foreign-value"}).encode())]
    if call.protocol in ("query", "ec2"):
        extra = f"{name}=foreign-value"
        joined = f"{request.body.decode()}&{extra}".encode()
        return [Request(method, "/", {**headers, "content-type": FORM}, joined)]
    join = "&" if "?" in request.target else "?"
    found = [
        Request(method, f"{request.target}{join}{name}=foreign-value", headers, request.body),
        Request(method, request.target, {**headers, f"x-foreign-{name.lower()}": "foreign-value"}, request.body),
    ]
    if not request.body:
        found.append(Request(method, request.target, headers, json.dumps({name: "foreign-value"}).encode()))
        if "content-type" not in headers:  # which may be a member
            body = f"{name}=foreign-value".encode()
            found.append(Request(method, request.target, {**headers, "content-type": FORM}, body))
    elif request.body.startswith(b"{") and call.protocol == "rest-json":
        given = {**json.loads(request.body), name: "foreign-value"}
        found.append(Request(method, request.target, headers, json.dumps(given).encode()))
    return found


EVERY = [(service, operation) for service in SERVICES for operation in operations(service)]


@examples(300)
@given(st.sampled_from(EVERY), FOREIGN)
def test_what_it_has_not_is_seen_by_nobody(which: tuple[Service, OperationModel], name: str):
    service, operation = which
    request = written(operation)
    call = asked(service, request)
    shape = call.operation.input_shape if call.operation is not None else None
    own = set(shape.members) if shape is not None else set()
    own |= {each.serialization.get("name", "") for each in shape.members.values()} if shape is not None else set()
    if call.operation is None or name.partition(".")[0] in own or takes_any(call.operation):
        return
    for foreign in with_foreign(call, request, name):
        seen = asked(service, foreign)
        assert seen.name == call.name
        assert seen.input == call.input
        everything = (seen.request.target, seen.request.body, *seen.request.headers.values())
        assert "foreign-value" not in str(everything), operation.name
        assert "foreign-value" not in str(seen.for_moto.environ) and b"foreign-value" not in seen.for_moto.data


def takes_any(operation: OperationModel) -> bool:
    """Whether its body is a text, a file or a document, in which there may be anything."""
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is None or shape is None:
        return False
    inside = shape.members[payload]
    return inside.type_name in ("blob", "string") or getattr(inside, "is_document_type", False)
