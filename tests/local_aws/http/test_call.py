"""A request is read once, and as whoever sent it meant it: by botocore's model, which SDKs write it by."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.serialize import create_serializer

from helpers.local_aws.account.credentials import random_credentials
from helpers.local_aws.account.service_table import SERVICES, Service, named
from helpers.local_aws.http.call import Ambiguous, Call, Unreadable, read
from helpers.local_aws.http.http1 import Request
from helpers.local_aws.http.signing import Caller

CREDENTIALS = random_credentials()
JSON = {"content-type": "application/x-amz-json-1.1"}


def called(service: str, body: bytes | str = b"", method: str = "POST", target: str = "/", **headers: str) -> Call:
    body = body.encode() if isinstance(body, str) else body
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method, target, given, body)
    return read(request, Caller(CREDENTIALS, named(service), "us-east-1"))


def json_call(target: str, parameters: Any, service: str = "events") -> Call:
    return called(service, json.dumps(parameters), x_amz_target=target, content_type="application/x-amz-json-1.1")


class TestWhatAnSdkSends:
    @pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.endpoint)
    def test_every_operation_is_read_as_it_was_written(self, service: Service):
        for operation, request in written(service):
            call = read(request, Caller(CREDENTIALS, service, "eu-west-1"))
            assert (call.name, call.operation and call.operation.name) == (operation.name, operation.name)
            given = sample(operation.input_shape) if operation.input_shape else {}
            texts = {name: value for name, value in given.items() if isinstance(value, str)}
            read_again = {name: value for name, value in call.input.items() if name in texts}
            assert read_again == texts, operation.name

    def test_a_body_that_was_packed(self):
        packed = gzip.compress(json.dumps({"Namespace": "n"}).encode())
        target = {"x_amz_target": "GraniteServiceVersion20100801.PutMetricData"}
        call = called("monitoring", packed, content_encoding="gzip", **target)
        assert call.input == {"Namespace": "n"} == json.loads(call.request.body)
        with pytest.raises(Unreadable):
            called("monitoring", packed[:-9], content_encoding="gzip", **target)

    def test_what_is_uploaded_is_left_as_it_is(self):
        packed = gzip.compress(b"{}")
        assert called("s3", packed, "PUT", "/bucket/key", content_encoding="gzip").request.body == packed


def written(service: Service) -> Iterator[tuple[OperationModel, Request]]:
    """Every operation of a service as botocore sends it, with all the texts that it may have.

    Left out is what has the address of another: what is deprecated that of its successor, and S3's directory buckets
    that of all buckets, at another host (s3express).
    """
    for model in service.described:
        for operation in map(model.operation_model, model.operation_names):
            if operation.deprecated or operation.name == "ListDirectoryBuckets":
                continue
            protocol = next(p for p in model.metadata.get("protocols") or [model.protocol] if p in PROTOCOLS)
            serializer = create_serializer(protocol, include_validation=False)
            made = serializer.serialize_to_request(sample(operation.input_shape), operation)
            body = made["body"]
            if isinstance(body, dict):
                body = "&".join(f"{key}={value}" for key, value in body.items())
            query = made["query_string"] or {}
            pairs = query.items() if isinstance(query, dict) else query
            path = made["url_path"]
            if pairs:
                path += ("&" if "?" in path else "?") + "&".join(f"{key}={value}" for key, value in pairs)
            headers = {key.lower(): value for key, value in made["headers"].items()}
            yield operation, Request(made["method"], path, headers, body if isinstance(body, bytes) else body.encode())


PROTOCOLS = ("json", "query", "rest-json", "rest-xml")


def sample(shape: Shape | None) -> dict[str, Any]:
    """A value for each text that an input has at its top, and for whatever else it must have."""
    if shape is None:
        return {}
    assert isinstance(shape, StructureShape)
    return {
        name: value_of(each)
        for name, each in shape.members.items()
        if each.type_name == "string" and not each.serialization.get("hostLabel") or name in shape.required_members
    }


def value_of(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return {name: value_of(shape.members[name]) for name in shape.required_members}
    if isinstance(shape, ListShape):
        return [value_of(shape.member)]
    if isinstance(shape, MapShape):
        return {"key": value_of(shape.value)}
    if shape.type_name == "string":
        return (getattr(shape, "enum", None) or ["some-text"])[0]
    return {"boolean": True, "blob": b"bytes", "timestamp": 1_700_000_000}.get(shape.type_name, 1)


class TestWhatIsNoMember:
    def test_it_ends_here_at_every_depth(self):
        entry = {"Source": "s", "DetailType": "t", "Detail": '{"Foreign": 1}'}
        call = json_call("AWSEvents.PutEvents", {"Foreign": 1, "Entries": [entry | {"Foreign": {"a": 1}}, 5, entry]})
        assert call.input == {"Entries": [entry, 5, entry]}
        assert json.loads(call.request.body) == call.input, "what moto reads"
        assert call.for_moto.data == call.request.body

    def test_what_has_none_is_handed_on_byte_by_byte(self):
        body = b'{ "Entries": [ {"Source": "s", "Detail": "{\\"n\\": 1.50}"} ] }'
        call = called("events", body, x_amz_target="AWSEvents.PutEvents")
        assert call.request.body is body

    def test_values_that_may_hold_one_another_are_for_their_service(self):
        item = {"Id": {"S": "1", "Foreign": 1}, "Deep": {"M": {"a": {"Q": "1"}}}}
        call = json_call("DynamoDB_20120810.PutItem", {"Item": item, "TableName": "t", "X": 1}, "dynamodb")
        assert call.input == {"Item": item, "TableName": "t"}

    def test_of_an_operation_that_nobody_knows_everything_is_handed_on(self):
        call = json_call("AWSEvents.Unheard", {"A": 1})
        assert (call.name, call.operation, call.input) == ("Unheard", None, {"A": 1})

    def test_in_the_other_protocols(self):
        form = "Action=GetRole&RoleName=r&PolicyArn=p&Version=2010-05-08"
        call = called("iam", form, content_type="application/x-www-form-urlencoded")
        assert call.input == {"RoleName": "r"}
        body = json.dumps({"Qualifier": "not-here", "FunctionName": "other"})
        call = called("lambda", body, target="/2015-03-31/functions/mine/invocations?Qualifier=1&Foreign=2")
        assert call.names("FunctionName", "Qualifier") == ["mine", "1"]


class TestWhatCannotBeRead:
    @pytest.mark.parametrize("body", [b"[]", b"5", b"{", b"\xff", b"[" * 100_000, b'{"a": ' + b"1" * 5000 + b"}"])
    def test_a_body_that_is_no_json_object(self, body):
        with pytest.raises(Unreadable):
            called("events", body, x_amz_target="AWSEvents.PutEvents")

    def test_an_input_that_is_not_the_models(self):
        call = called("lambda", b"[]", target="/2015-03-31/functions")
        assert call.name == "CreateFunction"
        with pytest.raises(Unreadable):
            call.names("FunctionName")

    @pytest.mark.parametrize(
        ("service", "method", "target"),
        [("lambda", "GET", "/nowhere"), ("lambda", "PATCH", "/2015-03-31/functions"), ("events", "POST", "/")],
    )
    def test_a_request_that_names_no_operation(self, service, method, target):
        call = called(service, b"", method, target)
        assert (call.name, call.operation, call.input) == ("", None, {})


class TestTwoOperations:
    """Beside those of test_attacks, which asks a whole account."""

    @pytest.mark.parametrize(
        ("service", "target", "headers"),
        [
            ("events", "/?Action=DeleteRule&Name=r", {}),
            ("dynamodb", "/?Action=DeleteTable", {"content-type": "application/x-www-form-urlencoded"}),
            ("lambda", "/2015-03-31/functions?Action=ListFunctions", {}),
            ("monitoring", "/service/x/operation/ListMetrics?Action=DeleteAlarms", {}),
            ("monitoring", "/service/x/operation/ListMetrics", {"x-amz-target": "x.DeleteAlarms"}),
            ("lambda", "/2015-03-31/functions", {"x-amz-target": "x.DeleteFunction"}),
            ("iam", "/?Action=GetRole&Action=DeleteRole", {}),
            ("iam", "/", {"x-amz-target": "x.GetRole", "content-type": "application/x-www-form-urlencoded"}),
            ("iam", "/", {"action": "DeleteRole"}),
        ],
    )
    def test_they_are_refused(self, service, target, headers):
        with pytest.raises(Ambiguous):
            called(service, b"x=y", target=target, **headers)

    def test_nor_may_they_be_packed(self):
        packed = gzip.compress(b"Action=GetRole&RoleName=a&RoleName=b")
        with pytest.raises(Ambiguous):
            called("iam", packed, content_type="application/x-www-form-urlencoded", content_encoding="gzip")

    def test_a_form_that_is_not_called_one_names_nothing(self):
        """moto would read such a body as a form, after IAM has been asked about nothing."""
        call = called("iam", "Action=DeleteRole&RoleName=r")
        assert (call.name, call.for_moto.environ["local_aws.call"]) == ("", call)


def test_where_a_call_goes():
    assert json_call("DynamoDB_20120810.ListTables", {}, "dynamodb").host == "dynamodb.us-east-1.amazonaws.com"
    streams = json_call("DynamoDBStreams_20120810.ListStreams", {}, "dynamodb")
    assert streams.host == "streams.dynamodb.us-east-1.amazonaws.com"
    assert streams.operation is not None
    assert called("iam", target="/?Action=ListRoles").host == "iam.amazonaws.com"
    assert named("Nobody.Knows").described == ()
