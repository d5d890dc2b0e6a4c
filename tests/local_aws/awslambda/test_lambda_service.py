"""Functions and their versions, from creation to deletion: black box, through boto3."""

from __future__ import annotations

import json
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.support.embedded_aws import zip_of
from tests.support.lambda_requests import ACCOUNT, ECHO, as_here, create_function, in_general, refusal
from tests.support.polling import eventually

WHERE = """
import os
def handler(event, context):
    return {"folder": os.path.dirname(os.path.abspath(__file__)), "version": context.function_version}
"""
#: A function is ready when the call that made it returns, so a waiter need not wait.
ONE_LOOK = {"MaxAttempts": 1}


@pytest.fixture(scope="module")
def lambda_(aws):
    return aws.client("lambda")


def answering(value: str) -> str:
    """The source of a function that returns `value`."""
    return f"def handler(event, context):\n    return {value!r}\n"


def test_a_function_from_creation_to_deletion(aws, lambda_):
    created = create_function(aws, aws.role())
    name = created["FunctionName"]
    assert created["State"] == "Pending"
    assert created["StateReasonCode"] == "Creating"
    assert (created["Timeout"], created["MemorySize"], created["Version"]) == (3, 128, "$LATEST")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000", created["LastModified"])
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=ONE_LOOK)
    described = lambda_.get_function(FunctionName=name)["Configuration"]
    assert (described["State"], described["LastUpdateStatus"]) == ("Active", "Successful")
    assert described["RevisionId"] != created["RevisionId"]
    assert described["RevisionId"] == lambda_.get_function_configuration(FunctionName=name)["RevisionId"]
    lambda_.delete_function(FunctionName=name)
    gone = refusal(lambda_.get_function, FunctionName=name)
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    assert gone["Error"]["Message"] == f"Function not found: {arn}"
    assert refusal(lambda_.delete_function, FunctionName=name)["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_the_same_name_again_is_a_conflict_even_at_the_same_moment(aws):
    name, role = f"function-{uuid.uuid4().hex[:8]}", aws.role()

    def create(_: int) -> str:
        try:
            create_function(aws, role, FunctionName=name)
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
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=ONE_LOOK)
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
    # An environment that runs old code ends after the update, and then its folder goes.
    eventually(lambda: [folder.exists() for folder in folders] == [False, False, False, True], "old folders to go")
    lambda_.delete_function(FunctionName=name)
    eventually(lambda: not folders[-1].exists(), "the last folder to go")


def test_a_dry_run_of_new_code_changes_nothing(aws, lambda_):
    name = aws.function(ECHO)
    before = lambda_.get_function_configuration(FunctionName=name)
    lambda_.update_function_code(FunctionName=name, ZipFile=zip_of({"main.py": answering("new")}), DryRun=True)
    after = lambda_.get_function_configuration(FunctionName=name)
    assert (after["CodeSha256"], after["RevisionId"]) == (before["CodeSha256"], before["RevisionId"])
    assert aws.invoke(name, "old")["Json"] == "old"


# Versions and aliases.


def test_versions_keep_their_code_and_aliases_point_to_them(aws, lambda_):
    name = aws.function(answering("first"))
    assert lambda_.publish_version(FunctionName=name, Description="one")["Version"] == "1"
    assert lambda_.publish_version(FunctionName=name)["Version"] == "1"  # nothing has changed
    updated = lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of({"main.py": answering("second")}), Publish=True
    )
    assert updated["Version"] == "2"
    lambda_.update_function_code(FunctionName=name, ZipFile=zip_of({"main.py": answering("third")}))
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


def test_what_moto_does_for_functions_still_works(aws, lambda_):
    name = aws.function(ECHO, Tags={"course": "events"})
    arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
    lambda_.tag_resource(Resource=arn, Tags={"lesson": "3"})
    lambda_.untag_resource(Resource=arn, TagKeys=["course"])
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"lesson": "3"}
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=2)
    assert lambda_.get_function(FunctionName=name)["Concurrency"] == {"ReservedConcurrentExecutions": 2}
    lambda_.delete_function_concurrency(FunctionName=name)
    assert "Concurrency" not in lambda_.get_function(FunctionName=name)
    lambda_.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    assert lambda_.get_function_event_invoke_config(FunctionName=name)["MaximumRetryAttempts"] == 1
    assert name in [function["FunctionName"] for function in lambda_.list_functions()["Functions"]]
    layer = lambda_.publish_layer_version(LayerName="l", Content={"ZipFile": zip_of({"x.py": ""})})
    assert layer["Version"] == 1


# What AWS answered.

AS_RECORDED = {
    "Runtime": "python3.12",
    "Handler": "handler.handler",
    "Code": {"ZipFile": zip_of({"handler.py": ECHO})},
}


def test_as_aws_recorded_the_life_of_a_function(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")["TestLambdaFunction::test_function_lifecycle"]
    created = create_function(aws, aws.role(), **AS_RECORDED, MemorySize=256, Timeout=5, Environment={"Variables": {}})
    name = created["FunctionName"]
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
    for step, answer in ours.items():
        theirs = recorded[step].get("CreateFunctionResponse", recorded[step])
        assert in_general(answer) == in_general(theirs), step
    lambda_.delete_function(FunctionName=name)
    gone = refusal(lambda_.get_function, FunctionName=name)
    theirs = as_here(recorded["delete_postdelete"], function_name=name)
    assert {**gone, "ResponseMetadata": None} == {**theirs, "ResponseMetadata": None}


def test_as_aws_recorded_without_variables(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda.snapshot.json")["TestLambdaBaseFeatures::test_function_state"]
    created = create_function(aws, aws.role(), **AS_RECORDED)
    described = lambda_.get_function(FunctionName=created["FunctionName"])
    assert in_general(created) == in_general(recorded["create-fn-response"])
    assert in_general(described) == in_general(recorded["get-fn-response"])


def test_as_aws_recorded_a_published_version(aws, lambda_, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaPermissions::test_lambda_permission_fn_versioning"
    ]
    created = create_function(aws, aws.role(), **AS_RECORDED, Timeout=30, Environment={"Variables": {}})
    published = lambda_.publish_version(FunctionName=created["FunctionName"])
    assert in_general(published) == in_general(recorded["publish_version_result"])
