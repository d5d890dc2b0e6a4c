"""Invoke, black box through boto3: its kinds, payloads, limits and errors, and who else invokes functions."""

from __future__ import annotations

import base64
import json
import re
import uuid

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from tests.support.lambda_requests import ACCOUNT, ECHO, UUID, as_here, in_general, lines_of, refusal
from tests.support.polling import eventually


@pytest.fixture(scope="module")
def lambda_(aws):
    return aws.client("lambda")


@pytest.fixture(scope="module")
def echo(aws) -> str:
    return aws.function(ECHO)


def test_the_answer_to_a_synchronous_invocation(aws, echo):
    answer = aws.invoke(echo, {"order": 1})
    assert answer["Json"] == {"order": 1}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "LogResult" not in answer
    assert "FunctionError" not in answer
    assert re.fullmatch(UUID, answer["ResponseMetadata"]["RequestId"])


def test_the_request_id_is_the_functions(aws):
    name = aws.function("def handler(event, context):\n    return context.aws_request_id\n")
    answer = aws.invoke(name)
    assert answer["Json"] == answer["ResponseMetadata"]["RequestId"]


def test_the_tail_of_the_log(aws):
    name = aws.function("def handler(event, context):\n    print('one line')\n")
    log = base64.b64decode(aws.invoke(name, LogType="Tail")["LogResult"]).decode()
    assert log.startswith("START RequestId: ")
    assert "\none line\n" in log
    assert "\nREPORT RequestId: " in log


def test_no_payload_is_an_empty_object(lambda_, echo):
    assert lambda_.invoke(FunctionName=echo)["Payload"].read() == b"{}"
    assert lambda_.invoke(FunctionName=echo, Payload=b"")["Payload"].read() == b"{}"


@pytest.mark.parametrize("payload", ["null", "0", '"text"', "[]", '{"é": "☃"}', ' {"a" : 1.50} '])
def test_any_json_may_be_a_payload(lambda_, echo, payload):
    answer = lambda_.invoke(FunctionName=echo, Payload=payload.encode())
    assert json.loads(answer["Payload"].read()) == json.loads(payload)


def test_an_asynchronous_invocation(aws, lambda_):
    name = aws.function("def handler(event, context):\n    print('got', event['n'], context.aws_request_id)\n")
    answer = lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 7}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert not answer.keys() & {"ExecutedVersion", "FunctionError", "LogResult"}
    expected = f"got 7 {answer['ResponseMetadata']['RequestId']}\n"
    assert eventually(lambda: expected in lines_of(aws, name))


def test_a_dry_run_runs_nothing(aws, lambda_):
    name = aws.function("raise SystemExit\n")
    answer = lambda_.invoke(FunctionName=name, InvocationType="DryRun")
    assert (answer["StatusCode"], answer["Payload"].read()) == (204, b"")
    assert lines_of(aws, name) == []
    assert refusal(lambda_.invoke, FunctionName="missing", InvocationType="DryRun")["Error"]["Code"] == (
        "ResourceNotFoundException"
    )


def test_an_unknown_kind_of_invocation(lambda_, echo):
    error = refusal(lambda_.invoke, FunctionName=echo, InvocationType="Later")
    assert error["Error"]["Code"] == "ValidationException"
    assert "'Later' at 'invocationType'" in error["Error"]["Message"]


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"order", "Unrecognized token 'order': was expecting"),
        (b"{'a': 1}", "Unexpected character (''' (code 39))"),
        (b'{"a": }', "Unexpected character ('}' (code 125))"),
        (b'{"a": 1', "Unexpected end-of-input"),
        (b'{"a": NaN}', "Non-standard token 'NaN'"),
        (b'{"a": "\xff"}', "Invalid UTF-8 start byte 0xff"),
        ('{"a": 1}'.encode("utf-16"), "Unexpected character"),
        (b"[" * 100_000, "Document nesting depth"),
    ],
)
@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_a_payload_that_is_no_json(lambda_, echo, payload, problem, kind):
    error = refusal(lambda_.invoke, FunctionName=echo, Payload=payload, InvocationType=kind)
    assert error["Error"]["Code"] == "InvalidRequestContentException"
    assert error["Error"]["Message"].startswith(
        f"Could not parse request body into json: Could not parse payload into json: {problem}"
    )


def test_the_largest_payloads(lambda_, echo):
    megabyte = 1024 * 1024
    largest = b'"' + b"x" * (megabyte - 2) + b'"'
    assert lambda_.invoke(FunctionName=echo, InvocationType="Event", Payload=largest)["StatusCode"] == 202
    error = refusal(lambda_.invoke, FunctionName=echo, InvocationType="Event", Payload=largest + b" ")
    assert error["Error"] == {
        "Code": "RequestEntityTooLargeException",
        "Message": "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)",
    }
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 413
    largest = b'"' + b"x" * (6 * megabyte - 2) + b'"'
    assert lambda_.invoke(FunctionName=echo, Payload=largest)["Payload"].read() == largest
    error = refusal(lambda_.invoke, FunctionName=echo, Payload=largest + b" ")
    assert error["Error"]["Message"] == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def test_the_client_context(aws, lambda_):
    name = aws.function("def handler(event, context):\n    return context.client_context.custom\n")
    context = base64.b64encode(json.dumps({"custom": {"é": "☃\n"}}).encode()).decode()
    assert json.loads(lambda_.invoke(FunctionName=name, ClientContext=context)["Payload"].read()) == {"é": "☃\n"}
    for broken in ("no base64!", base64.b64encode(b"no json").decode()):
        error = refusal(lambda_.invoke, FunctionName=name, ClientContext=broken)
        assert error["Error"]["Code"] == "InvalidRequestContentException"


def test_a_function_of_another_region_or_nobody(lambda_, echo):
    error = refusal(lambda_.invoke, FunctionName=f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:{echo}")
    assert error["Error"]["Code"] == "ResourceNotFoundException"
    error = refusal(lambda_.invoke, FunctionName=f"arn:aws:lambda:us-east-1:999999999999:function:{echo}")
    assert error["Error"]["Code"] == "ResourceNotFoundException"
    error = refusal(lambda_.invoke, FunctionName=f"{echo}:1", Qualifier="2")
    assert error["Error"]["Message"].startswith("The derived qualifier from the function name does not match")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/2015-03-31/nothing", b"", 404, "UnknownOperationException"),
        # refused before Lambda sees it: an operation in a place where Lambda's are not (local_aws.http.call)
        ("GET", "/?Action=ListFunctions", b"", 400, "ValidationException"),
        ("POST", "/2015-03-31/functions", b"{", 400, "InvalidRequestContentException"),
        ("POST", "/2015-03-31/functions", b"\xff", 400, "InvalidRequestContentException"),
        ("POST", "/2015-03-31/functions/f/policy", b"nonsense", 400, "InvalidRequestContentException"),
    ],
)
def test_requests_that_no_sdk_sends(aws, method, path, body, status, code):
    request = AWSRequest(method, aws.account.endpoint_url + path, data=body)
    SigV4Auth(aws.session.get_credentials(), "lambda", aws.account.region).add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    assert (answer.status_code, answer.headers.get("x-amzn-ErrorType")) == (status, code)
    assert json.loads(answer.content)["message"]


def test_a_queue_and_a_topic_invoke_the_function_too(aws, lambda_):
    name = aws.function(
        "def handler(event, context):\n    r = event['Records'][0]\n"
        "    print('from', r.get('body') or r['Sns']['Message'])\n"
    )
    arn = lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    sqs, sns = aws.client("sqs"), aws.client("sns")
    queue = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}", Attributes={"VisibilityTimeout": "60"})[
        "QueueUrl"
    ]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    role = lambda_.get_function(FunctionName=name)["Configuration"]["Role"].split("/")[-1]
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
    aws.client("iam").attach_role_policy(RoleName=role, PolicyArn=policy)
    lambda_.create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=name)
    sqs.send_message(QueueUrl=queue, MessageBody="a queue")
    topic = sns.create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="a topic")
    assert eventually(lambda: {"from a queue\n", "from a topic\n"} <= set(lines_of(aws, name)))


# What AWS answered.


@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_as_aws_recorded_invocations_without_a_result(aws, lambda_, conformance, kind):
    recorded = conformance("lambda_/test_lambda.snapshot.json")[
        f"TestLambdaFeatures::test_invocation_type_no_return_payload[python-{kind}]"
    ]["invoke-result"]
    name = aws.function("def handler(event, context):\n    return None\n")
    answer = lambda_.invoke(FunctionName=name, InvocationType=kind, Payload=b"{}")
    assert answer["Payload"].read().decode() == recorded["Payload"]
    assert in_general(answer) == in_general(recorded)


@pytest.mark.parametrize("kind", ["request_response", "event", "dry_run"])
def test_as_aws_recorded_kinds_of_invocation(lambda_, echo, conformance, kind):
    recorded = conformance("lambda_/test_lambda.snapshot.json")[
        f"TestLambdaFeatures::test_invocation_type_{kind}[python3.10]"
    ]["invoke-result"]
    invocation_type = {"request_response": "RequestResponse", "event": "Event", "dry_run": "DryRun"}[kind]
    answer = lambda_.invoke(FunctionName=echo, InvocationType=invocation_type, Payload=b"{}")
    payload = answer["Payload"].read().decode()
    assert (json.loads(payload) if payload else "") == recorded["Payload"]
    assert in_general(answer) == in_general(recorded)


def test_as_aws_recorded_a_function_that_is_not_there(lambda_, conformance):
    recorded = conformance("lambda_/test_lambda.snapshot.json")["TestLambdaFeatures::test_invoke_exceptions"]
    theirs = as_here(recorded["invoke_function_doesnotexist"])
    ours = refusal(lambda_.invoke, FunctionName="doesnotexist", Payload=b"{}")
    assert {**ours, "ResponseMetadata": None} == {**theirs, "ResponseMetadata": None}


def test_as_aws_recorded_payloads_that_are_no_text(lambda_, echo, conformance):
    recorded = conformance("lambda_/test_lambda.snapshot.json")
    names = [name for name in recorded if "test_lambda_invoke_payload_encoding_error" in name]
    assert len(names) == 2
    for name in names:
        theirs = next(iter(recorded[name].values()))
        escaped = name.split("[", 1)[1].rstrip("]").partition("-")[2]
        payload = escaped.encode("latin-1").decode("unicode_escape").encode("latin-1")
        ours = refusal(lambda_.invoke, FunctionName=echo, Payload=payload)
        assert (ours["Error"], ours["Type"], ours["message"]) == (theirs["Error"], "User", theirs["message"])
