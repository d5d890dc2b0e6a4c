"""What Lambda refuses when functions are created and changed: black box, through boto3."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.support.lambda_requests import constraint, refused


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("Timeout", 901, constraint("timeout", 901, "Member must have value less than or equal to 900")),
        ("Timeout", 0, constraint("timeout", 0, "Member must have value greater than or equal to 1")),
        (
            "MemorySize",
            127,
            constraint("memorySize", 127, "Member must have value greater than or equal to 128"),
        ),
        (
            "MemorySize",
            10241,
            constraint("memorySize", 10241, "Member must have value less than or equal to 10240"),
        ),
        (
            "Handler",
            "h" * 129,
            constraint("handler", "h" * 129, "Member must have length less than or equal to 128"),
        ),
        (
            "Handler",
            "main handler",
            constraint("handler", "main handler", r"Member must satisfy regular expression pattern: [^\s]+"),
        ),
        (
            "Description",
            "d" * 257,
            constraint("description", "d" * 257, "Member must have length less than or equal to 256"),
        ),
        (
            "EphemeralStorage",
            {"Size": 10241},
            constraint("ephemeralStorage.size", 10241, "Member must have value less than or equal to 10240"),
        ),
        (
            "Role",
            "microservice-role",
            constraint(
                "role",
                "microservice-role",
                r"Member must satisfy regular expression pattern: "
                r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
            ),
        ),
        (
            "Architectures",
            ["x86_64", "arm64"],
            constraint("architectures", "[x86_64, arm64]", "Member must have length less than or equal to 1"),
        ),
    ],
)
def test_a_parameter_that_breaks_its_constraint(create, parameter, value, message):
    assert refused(create, **{parameter: value}) == ("ValidationException", message)


def test_broken_constraints_are_reported_together(create):
    code, message = refused(create, Timeout=901, MemorySize=1)
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: Value '901' at 'timeout'")
    assert "; Value '1' at 'memorySize'" in message


@pytest.mark.parametrize("changes", [{"Timeout": 1}, {"Timeout": 900}, {"MemorySize": 10240}, {"MemorySize": 128}])
def test_limits_themselves_are_fine(create, changes):
    assert create(**changes).items() >= changes.items()


@pytest.mark.parametrize("name", ["a b", "a.b", "naïve", "a/b", "x:y:z", ""])
def test_a_malformed_name(create, name):
    code, message = refused(create, FunctionName=name)
    assert code == "ValidationException"
    assert message.startswith(constraint("functionName", name, "Member must satisfy regular expression pattern: "))


def test_the_length_of_a_name(create):
    assert create(FunctionName="n" * 64)["FunctionName"] == "n" * 64
    assert refused(create, FunctionName="n" * 65) == (
        "InvalidParameterValueException",
        constraint("functionName", "n" * 65, "Member must have length less than or equal to 64"),
    )


def test_a_name_may_be_an_arn(create):
    name = f"function-{uuid.uuid4().hex[:8]}"
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert create(FunctionName=arn)["FunctionArn"] == arn
    assert refused(create, FunctionName=name) == (
        "ResourceConflictException",
        f"Function already exist: {name}",
    )
    code, message = refused(create, FunctionName=arn.replace("us-east-1", "eu-west-1"))
    assert code == "ResourceNotFoundException"
    assert message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


def test_runtime_and_handler_are_mandatory(create):
    expected = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    assert refused(create, Runtime=None) == ("InvalidParameterValueException", expected)
    assert refused(create, Handler=None) == ("InvalidParameterValueException", expected)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        (
            {"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"}},
            ".zip archive",
        ),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:pandas:1"]}, ".zip archive"),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, "leave LogFormat out"),
    ],
    ids=["image", "layers", "JSON logs"],
)
def test_what_only_real_aws_can_do_is_refused_with_advice(create, changes, advice):
    code, message = refused(create, **changes)
    assert code == "InvalidParameterValueException"
    assert message.startswith("The embedded AWS ")
    assert advice in message


# Environment variables.


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "AWS_SESSION_TOKEN"])
def test_reserved_variables(create, name):
    assert refused(create, Environment={"Variables": {"TABLE_NAME": "t", name: "x"}}) == (
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you "
        "have provided contains reserved keys that are currently not supported for modification. "
        f"Reserved keys used in this request: {name}",
    )


def test_several_reserved_variables_are_all_named(create):
    variables = {"AWS_REGION": "x", "OK": "y", "AWS_ACCESS_KEY_ID": "z"}
    assert refused(create, Environment={"Variables": variables})[1].endswith("request: AWS_REGION, AWS_ACCESS_KEY_ID")


@pytest.mark.parametrize("name", ["a", "1st", "with-dash", "with space", "_HANDLER", ""])
def test_malformed_variable_names(create, name):
    assert refused(create, Environment={"Variables": {name: "secret"}}) == (
        "ValidationException",
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map "
        "keys must satisfy constraint: "
        "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    )


def test_the_environment_has_four_kilobytes_as_json(create):
    room = 4096 - len('{"BIG":""}')
    assert create(Environment={"Variables": {"BIG": "x" * room}})["Environment"]["Variables"]["BIG"]
    code, message = refused(create, Environment={"Variables": {"BIG": "x" * (room + 1)}})
    assert code == "InvalidParameterValueException"
    assert message.endswith('exceeded the 4KB limit. String measured: {"BIG":"' + "x" * (room + 1) + '"}')
    code, _ = refused(create, Environment={"Variables": {"BIG": "é" * (room // 2 + 1)}})
    assert code == "InvalidParameterValueException"


# Changes.


def test_no_code_at_all(create):
    assert refused(create, Code={}) == (
        "InvalidParameterValueException",
        "Please provide a source for function code.",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Timeout": 901}, "ValidationException"),
        ({"Runtime": "python2.7"}, "InvalidParameterValueException"),
        ({"Role": "arn:aws:iam::123456789012:role/missing"}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]}, "InvalidParameterValueException"),
    ],
)
def test_a_refused_change_changes_nothing(aws, create, changes, code):
    lambda_ = aws.client("lambda")
    name = create(Timeout=5)["FunctionName"]
    before = lambda_.get_function_configuration(FunctionName=name)
    assert refused(lambda_.update_function_configuration, FunctionName=name, Description="new", **changes)[0] == code
    after = lambda_.get_function_configuration(FunctionName=name)
    assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}


# What AWS answered.


def test_as_aws_recorded_large_environments(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    for test, answer in (
        ("test_large_environment_variables_fails", "failed_create_fn_result"),
        ("test_large_environment_fails_multiple_keys", "failured_create_fn_result_multi_key"),
    ):
        expected = recorded[f"TestLambdaSizeLimits::{test}"][answer]["Error"]
        variables = json.loads(expected["Message"].partition("String measured: ")[2])
        assert refused(create, Environment={"Variables": variables}) == (
            expected["Code"],
            expected["Message"],
        )
