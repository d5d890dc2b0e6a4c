"""The roles and runtimes that functions can be created with: black box, through boto3."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.support.lambda_requests import ACCOUNT, refused

# Roles.


TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
NOT_ASSUMABLE = (
    "InvalidParameterValueException",
    "The role defined for the function cannot be assumed by Lambda.",
)


def policy(statement: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_a_role_that_is_not_there(create):
    assert refused(create, Role=f"arn:aws:iam::{ACCOUNT}:role/missing") == NOT_ASSUMABLE


@pytest.mark.parametrize(
    "changes",
    [
        {"Principal": {"Service": "ec2.amazonaws.com"}},
        {"Action": "sts:TagSession"},
        {"Effect": "Deny"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}},
    ],
    ids=["for another service", "for another action", "denied", "for another account"],
)
def test_a_role_that_lambda_cannot_assume(aws, create, changes):
    name = f"role-{uuid.uuid4().hex[:8]}"
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy({**TRUST, **changes}))["Role"]
    assert refused(create, Role=role["Arn"]) == NOT_ASSUMABLE


def test_trust_that_is_taken_back(aws, create):
    iam, name = aws.client("iam"), f"role-{uuid.uuid4().hex[:8]}"
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(TRUST))["Role"]["Arn"]
    assert create(Role=arn)
    other = {**TRUST, "Principal": {"Service": "states.amazonaws.com"}}
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy(other))
    assert refused(create, Role=arn) == NOT_ASSUMABLE


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Principal": {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}},
        {"Action": "sts:*"},
        {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}},
    ],
)
def test_roles_that_lambda_can_assume(aws, create, changes):
    arn = aws.client("iam").create_role(
        RoleName=f"role-{uuid.uuid4().hex[:8]}",
        Path="/service/",
        AssumeRolePolicyDocument=policy({**TRUST, **changes}),
    )["Role"]["Arn"]
    assert create(Role=arn)["Role"] == arn


def test_a_role_of_another_account(create):
    assert refused(create, Role="arn:aws:iam::999999999999:role/theirs") == (
        "AccessDeniedException",
        "Cross-account pass role is not allowed.",
    )


# Runtimes.


@pytest.mark.parametrize("runtime", ["python2.7", "python3.6", "python3.7", "nodejs14.x", "java8", "go1.x"])
def test_a_runtime_that_aws_no_longer_creates_functions_for(create, runtime):
    assert refused(create, Runtime=runtime) == (
        "InvalidParameterValueException",
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
        "functions. We recommend you use a supported runtime while creating or updating functions.",
    )


@pytest.mark.parametrize("runtime", ["python", "python3", "python3.99", "PYTHON3.13", "cobol", "python3.13 "])
def test_an_unknown_runtime(create, runtime):
    code, message = refused(create, Runtime=runtime)
    assert code == "InvalidParameterValueException"
    assert message.startswith(f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum")
    assert "python3.13" in message
    assert message.endswith("] or be a valid ARN")


@pytest.mark.parametrize("runtime", ["nodejs22.x", "java21", "ruby3.4", "dotnet8", "provided.al2023"])
def test_a_runtime_that_cannot_run_here_says_so(create, runtime):
    code, message = refused(create, Runtime=runtime)
    assert code == "InvalidParameterValueException"
    assert message.startswith(f"The embedded AWS runs Python functions only, not {runtime}")
    assert "\n" not in message


@pytest.mark.parametrize("runtime", ["python3.9", "python3.11", "python3.14"])
def test_python_runtimes_that_aws_still_accepts(create, runtime):
    assert create(Runtime=runtime)["Runtime"] == runtime


# What AWS answered.


def test_as_aws_recorded_refused_functions(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    answers = recorded["TestLambdaFunction::test_create_lambda_exceptions"]
    for name, changes in {
        "invalid_role_arn_exc": {"Role": "r1"},
        "multiple_architectures": {"Architectures": ["x86_64", "arm64"]},
        "uppercase_architecture": {"Architectures": ["X86_64"]},
        "invalid_zip_exc": {"Code": {"ZipFile": b"this is not a zip file, just a random string"}},
    }.items():
        expected = answers[name]["Error"]
        assert refused(create, **changes) == (expected["Code"], expected["Message"])
    for name, runtime in {
        "invalid_runtime_exc": "non-existent-runtime",
        "uppercase_runtime_exc": "PYTHON3.9",
    }.items():
        code, message = refused(create, Runtime=runtime)
        assert code == answers[name]["Error"]["Code"]
        # AWS lists the runtimes in no order, and more of them by now.
        assert message.split("[")[0] == answers[name]["Error"]["Message"].split("[")[0]
        assert runtimes_in(message) >= runtimes_in(answers[name]["Error"]["Message"])


def runtimes_in(message: str) -> set[str]:
    return set(message.split("[")[1].split("]")[0].split(", "))


def test_as_aws_recorded_blocked_runtimes(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    names = [name for name in recorded if "test_create_deprecated_function_runtime" in name]
    assert len(names) >= 8
    for name in names:
        expected = recorded[name]["deprecation_error"]["Error"]
        runtime = name.split("[")[1].rstrip("]")
        assert refused(create, Runtime=runtime) == (expected["Code"], expected["Message"])
