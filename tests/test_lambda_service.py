"""Lambda's API, black box through boto3: functions, versions, invocations, and the door for services."""

from __future__ import annotations

import base64
import json
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import moto
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from embedded_aws import LAMBDA_TRUST, zip_of

from helpers.local_aws import lambda_function, lambda_service
from helpers.local_aws.function_runner import Invocation, TooManyRequests

ECHO = "def handler(event, context):\n    return event\n"
WHERE = """
import os
def handler(event, context):
    return {"folder": os.path.dirname(os.path.abspath(__file__)), "version": context.function_version}
"""
RULE = "arn:aws:events:us-east-1:123456789012:rule/sample-rule"
ACCOUNT = "123456789012"
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def lambda_(aws):
    return aws.client("lambda")


@pytest.fixture(scope="module")
def echo(aws) -> str:
    return aws.function(ECHO)


def refusal(call, **parameters: object) -> dict:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response


def answers(value: str, text: str) -> dict:
    return {"main.py": f"def handler(event, context):\n    {text}\n    return {value!r}\n"}


# Functions.


def test_a_function_from_creation_to_deletion(aws, lambda_):
    name = f"function-{uuid.uuid4().hex[:8]}"
    created = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=aws.role(),
        Handler="main.handler",
        Code={"ZipFile": zip_of({"main.py": ECHO})},
    )
    assert created["State"] == "Pending"
    assert created["StateReasonCode"] == "Creating"
    assert (created["Timeout"], created["MemorySize"], created["Version"]) == (3, 128, "$LATEST")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created["LastModified"])
    began = time.perf_counter()
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name)
    assert time.perf_counter() - began < 1  # so the first poll was enough
    described = lambda_.get_function(FunctionName=name)["Configuration"]
    assert (described["State"], described["LastUpdateStatus"]) == ("Active", "Successful")
    assert described["RevisionId"] != created["RevisionId"]
    assert described["RevisionId"] == lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    lambda_.delete_function(FunctionName=name)
    gone = refusal(lambda_.get_function, FunctionName=name)
    assert (
        gone["Error"]["Message"] == f"Function not found: arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    )
    assert refusal(lambda_.delete_function, FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_same_name_again_is_a_conflict_even_at_the_same_moment(aws):
    name, role = f"function-{uuid.uuid4().hex[:8]}", aws.role()

    def create(_: int) -> str:
        try:
            aws.client("lambda").create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="main.handler",
                Code={"ZipFile": zip_of({"main.py": ECHO})},
            )
            return "created"
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 409
            return error.response["Error"]["Message"]

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(create, range(8)))
    assert results == ["Function already exist: " + name] * 7 + ["created"]


def test_an_update_is_in_progress_and_then_done(aws, lambda_):
    name = aws.function(ECHO)
    changes = {
        "Description": "changed",
        "Timeout": 7,
        "MemorySize": 256,
        "Environment": {"Variables": {"TABLE_NAME": "t"}},
        "EphemeralStorage": {"Size": 1024},
        "LoggingConfig": {"LogGroup": "/custom/group"},
    }
    answer = lambda_.update_function_configuration(FunctionName=name, **changes)
    assert answer["LastUpdateStatus"] == "InProgress"
    began = time.perf_counter()
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name)
    assert time.perf_counter() - began < 1
    described = lambda_.get_function_configuration(FunctionName=name)
    assert described["LastUpdateStatus"] == "Successful"
    assert described["RevisionId"] != answer["RevisionId"]
    logging = described.pop("LoggingConfig")
    assert logging == {"LogFormat": "Text", "LogGroup": "/custom/group"}
    del changes["LoggingConfig"]
    assert described.items() >= changes.items()


def test_variables_and_handler_reach_the_function_and_can_be_taken_away(aws, lambda_):
    source = "import os\ndef one(e, c): return os.environ.get('COLOUR')\ndef two(e, c): return 'two'\n"
    name = aws.function(source, "main.one", Environment={"Variables": {"COLOUR": "red"}})
    assert aws.invoke(name)["Json"] == "red"
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": {"COLOUR": "blue"}})
    assert aws.invoke(name)["Json"] == "blue"
    lambda_.update_function_configuration(FunctionName=name, Environment={"Variables": {}})
    assert aws.invoke(name)["Json"] is None
    lambda_.update_function_configuration(FunctionName=name, Handler="main.two")
    assert aws.invoke(name)["Json"] == "two"


def test_a_revision_that_is_out_of_date_changes_nothing(aws, lambda_):
    name = aws.function(ECHO)
    old = lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    lambda_.update_function_configuration(FunctionName=name, Timeout=4)
    for call, change in (
        (lambda_.update_function_configuration, {"Timeout": 5}),
        (lambda_.update_function_code, {"ZipFile": zip_of({"main.py": ECHO})}),
    ):
        error = refusal(call, FunctionName=name, RevisionId=old, **change)
        assert error["Error"]["Code"] == "PreconditionFailedException"
        assert error["ResponseMetadata"]["HTTPStatusCode"] == 412
    assert lambda_.get_function_configuration(FunctionName=name)["Timeout"] == 4


def test_new_code_runs_and_the_folders_of_old_code_go(aws, lambda_):
    name = aws.function(WHERE)
    folders = [Path(aws.invoke(name)["Json"]["folder"])]
    for _ in range(3):
        lambda_.update_function_code(FunctionName=name, ZipFile=zip_of({"main.py": WHERE}))
        folders.append(Path(aws.invoke(name)["Json"]["folder"]))
    assert len(set(folders)) == 4
    # The one before last may still be in use by an invocation that began before the update.
    assert [folder.exists() for folder in folders] == [False, False, True, True]
    lambda_.delete_function(FunctionName=name)
    assert not any(folder.exists() for folder in folders)


def test_a_dry_run_of_new_code_changes_nothing(aws, lambda_):
    name = aws.function(ECHO)
    before = lambda_.get_function_configuration(FunctionName=name)
    lambda_.update_function_code(FunctionName=name, ZipFile=zip_of(answers("new", "pass")), DryRun=True)
    after = lambda_.get_function_configuration(FunctionName=name)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])
    assert aws.invoke(name, "old")["Json"] == "old"


# Versions and aliases.


def test_versions_keep_their_code_and_aliases_point_to_them(aws, lambda_):
    name = aws.function(answers("first", "pass")["main.py"])
    assert lambda_.publish_version(FunctionName=name, Description="one")["Version"] == "1"
    assert lambda_.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    updated = lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of(answers("second", "pass")), Publish=True
    )
    assert updated["Version"] == "2"
    lambda_.update_function_code(FunctionName=name, ZipFile=zip_of(answers("third", "pass")))
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    for wanted, version, value in (
        ({"FunctionName": name}, "$LATEST", "third"),
        ({"FunctionName": name, "Qualifier": "$LATEST"}, "$LATEST", "third"),
        ({"FunctionName": name, "Qualifier": "1"}, "1", "first"),
        ({"FunctionName": f"{name}:2"}, "2", "second"),
        ({"FunctionName": f"{arn}:2", "Qualifier": "2"}, "2", "second"),
        ({"FunctionName": arn}, "$LATEST", "third"),
        ({"FunctionName": f"{ACCOUNT}:function:{name}:live"}, "1", "first"),
        ({"FunctionName": name, "Qualifier": "live"}, "1", "first"),
    ):
        answer = lambda_.invoke(**wanted)
        assert (answer["ExecutedVersion"], json.loads(answer["Payload"].read())) == (version, value), wanted
    lambda_.update_alias(FunctionName=name, Name="live", FunctionVersion="2")
    assert json.loads(lambda_.invoke(FunctionName=name, Qualifier="live")["Payload"].read()) == "second"
    versions = lambda_.list_versions_by_function(FunctionName=name)["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    everything = lambda_.list_functions(FunctionVersion="ALL")["Functions"]
    assert [f["FunctionArn"] for f in everything if f["FunctionName"] == name] == [
        f"{arn}:$LATEST",
        f"{arn}:1",
        f"{arn}:2",
    ]


def test_a_deleted_version_is_gone_and_its_number_is_not_used_again(aws, lambda_):
    name = aws.function(WHERE)
    for number in (1, 2):
        lambda_.update_function_configuration(FunctionName=name, Timeout=10 + number)
        assert lambda_.publish_version(FunctionName=name)["Version"] == str(number)
    assert json.loads(lambda_.invoke(FunctionName=name, Qualifier="1")["Payload"].read())["version"] == "1"
    lambda_.delete_function(FunctionName=name, Qualifier="1")
    assert refusal(lambda_.invoke, FunctionName=name, Qualifier="1")["Error"]["Message"].endswith(f"{name}:1")
    lambda_.update_function_configuration(FunctionName=name, Timeout=20)
    assert lambda_.publish_version(FunctionName=name)["Version"] == "3"
    folder = Path(json.loads(lambda_.invoke(FunctionName=name, Qualifier="2")["Payload"].read())["folder"])
    assert folder.exists()
    error = refusal(lambda_.delete_function, FunctionName=name, Qualifier="$LATEST")
    assert error["Error"]["Code"] == "InvalidParameterValueException"
    lambda_.delete_function(FunctionName=name)
    assert not folder.exists()


def test_a_function_that_is_published_as_it_is_created(aws, lambda_):
    name = aws.function(WHERE, Publish=True)
    assert json.loads(lambda_.invoke(FunctionName=name, Qualifier="1")["Payload"].read())["version"] == "1"
    assert lambda_.publish_version(FunctionName=name)["Version"] == "1"


# Invocations.


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
    name = aws.function(answers("x", "print('one line')")["main.py"])
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
    name = aws.function(
        "def handler(event, context):\n    print('got', event['n'], context.aws_request_id)\n"
    )
    answer = lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 7}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert not answer.keys() & {"ExecutedVersion", "FunctionError", "LogResult"}
    expected = f"got 7 {answer['ResponseMetadata']['RequestId']}\n"
    deadline = time.monotonic() + 10
    while expected not in lines_of(aws, name):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def lines_of(aws, name: str) -> list[str]:
    try:
        return aws.log(name)
    except aws.client("logs").exceptions.ResourceNotFoundException:
        return []


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
    assert (
        error["Error"]["Message"]
        == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    )


def test_the_client_context(aws, lambda_):
    name = aws.function("def handler(event, context):\n    return context.client_context.custom\n")
    context = base64.b64encode(json.dumps({"custom": {"é": "☃\n"}}).encode()).decode()
    assert json.loads(lambda_.invoke(FunctionName=name, ClientContext=context)["Payload"].read()) == {
        "é": "☃\n"
    }
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
        ("GET", "/?Action=ListFunctions", b"", 404, "UnknownOperationException"),
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
    queue = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    lambda_.create_event_source_mapping(EventSourceArn=queue_arn, FunctionName=name)
    sqs.send_message(QueueUrl=queue, MessageBody="a queue")
    topic = sns.create_topic(Name=f"topic-{uuid.uuid4().hex[:8]}")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)
    sns.publish(TopicArn=topic, Message="a topic")
    deadline = time.monotonic() + 10
    while not {"from a queue\n", "from a topic\n"} <= set(lines_of(aws, name)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


# What AWS answered.


def in_general(answer: dict) -> dict:
    """An answer without what differs from call to call, or from account to account."""
    text = json.dumps(
        {k: v for k, v in answer.items() if k not in ("ResponseMetadata", "Payload")}, default=str
    )
    answer = json.loads(re.sub(r"arn:[^\"]*", "arn", re.sub(r"arn:<partition>[^\"]*", "arn", text)))
    for key in (
        "CodeSha256",
        "CodeSize",
        "LastModified",
        "RevisionId",
        "FunctionName",
        "LoggingConfig",
        "Location",
    ):
        for part in (answer, answer.get("Configuration", {}), answer.get("Code", {})):
            if key in part:
                part[key] = "…"
    return answer


def test_as_aws_recorded_the_life_of_a_function(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaFunction::test_function_lifecycle"
    ]
    name = f"function-{uuid.uuid4().hex[:8]}"
    created = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=aws.role(),
        Handler="handler.handler",
        Code={"ZipFile": zip_of({"handler.py": ECHO})},
        MemorySize=256,
        Timeout=5,
        Environment={"Variables": {}},
    )
    ours = {"create_response": created, "get_function_response": lambda_.get_function(FunctionName=name)}
    ours["update_func_conf_response"] = lambda_.update_function_configuration(
        FunctionName=name,
        Runtime="python3.11",
        Description="Changed-Description",
        MemorySize=512,
        Timeout=10,
        Environment={"Variables": {"ENV_A": "a"}},
    )
    ours["get_function_response_postupdate"] = lambda_.get_function(FunctionName=name)
    ours["update_code_response"] = lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of({"handler.py": ECHO, "new.py": ""})
    )
    ours["get_function_response_postcodeupdate"] = lambda_.get_function(FunctionName=name)
    lambda_.delete_function(FunctionName=name)
    ours["delete_postdelete"] = refusal(lambda_.get_function, FunctionName=name)
    for step, answer in ours.items():
        theirs = recorded[step].get("CreateFunctionResponse", recorded[step])
        for text in (theirs, answer):
            text.get("Error", {}).pop("Message", None)
        assert in_general(answer) == in_general(theirs), step


def test_as_aws_recorded_without_variables(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda.snapshot.json")["TestLambdaBaseFeatures::test_function_state"]
    name = f"function-{uuid.uuid4().hex[:8]}"
    created = lambda_.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=aws.role(),
        Handler="handler.handler",
        Code={"ZipFile": zip_of({"handler.py": ECHO})},
    )
    assert in_general(created) == in_general(recorded["create-fn-response"])
    assert in_general(lambda_.get_function(FunctionName=name)) == in_general(recorded["get-fn-response"])


def test_as_aws_recorded_a_published_version(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaPermissions::test_lambda_permission_fn_versioning"
    ]
    name = aws.function(ECHO, Timeout=30, Environment={"Variables": {}})
    ours = in_general(lambda_.publish_version(FunctionName=name))
    ours |= {"Handler": "handler.handler", "Runtime": "python3.12"}
    assert ours == in_general(recorded["publish_version_result"])


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
    theirs = json.dumps(recorded["invoke_function_doesnotexist"])
    for placeholder, value in {
        "<partition>": "aws",
        "<region>": "us-east-1",
        "111111111111": ACCOUNT,
    }.items():
        theirs = theirs.replace(placeholder, value)
    ours = refusal(lambda_.invoke, FunctionName="doesnotexist", Payload=b"{}")
    assert {**ours, "ResponseMetadata": None} == {**json.loads(theirs), "ResponseMetadata": None}


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


# The door for other services, in this process, with a runner that only takes notes.


class Notes:
    """Stands in for a FunctionRunner."""

    events: list[tuple[str, bytes, str]] = []
    full = False

    def __init__(self, spec) -> None:
        self.spec = spec

    def update(self, spec) -> None:
        self.spec = spec

    def invoke(self, payload: bytes, *, request_id: str, client_context: str | None = None) -> Invocation:
        if self.full:
            raise TooManyRequests
        return Invocation(request_id, payload, None, b"")

    def invoke_async(self, payload: bytes, *, request_id: str) -> None:
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
    lambda_service.install(tmp_path)
    with moto.mock_aws():
        role = boto3.client("iam").create_role(
            RoleName="r", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST)
        )
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


def test_taking_an_event_takes_microseconds(inside):
    permit(inside)
    began = time.perf_counter()
    for _ in range(1000):
        send()
    assert time.perf_counter() - began < 0.3  # 15 ms here; a busy machine may take longer
