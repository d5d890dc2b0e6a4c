"""Permissions on functions: AddPermission, RemovePermission and GetPolicy, through boto3."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.support.lambda_requests import ACCOUNT, ECHO, RULE, as_here, constraint, refusal


@pytest.fixture(scope="module")
def name(aws) -> str:
    return aws.function(ECHO)


@pytest.fixture
def function(aws, name):
    """The name of a function without permissions."""
    yield name
    lambda_ = aws.client("lambda")
    try:
        policy = json.loads(lambda_.get_policy(FunctionName=name)["Policy"])
    except lambda_.exceptions.ResourceNotFoundException:
        return
    for permission in policy["Statement"]:
        lambda_.remove_permission(FunctionName=name, StatementId=permission["Sid"])


@pytest.fixture
def add(aws, function):
    """add(**changes): AddPermission for EventBridge, with changes."""

    def add(**changes: object) -> dict:
        request = {
            "FunctionName": function,
            "StatementId": "events",
            "Action": "lambda:InvokeFunction",
            "Principal": "events.amazonaws.com",
            **changes,
        }
        return json.loads(aws.client("lambda").add_permission(**request)["Statement"])

    return add


def refused(call, **parameters: object) -> tuple[str, str, int]:
    """The code, message and HTTP status that a call is refused with."""
    error = refusal(call, **parameters)
    return error["Error"]["Code"], error["Error"]["Message"], error["ResponseMetadata"]["HTTPStatusCode"]


def policy_of(aws, name: str, **qualifier: str) -> dict:
    answer = aws.client("lambda").get_policy(FunctionName=name, **qualifier)
    return {**json.loads(answer["Policy"]), "RevisionId": answer["RevisionId"]}


def test_a_permission_is_a_statement_of_the_policy(aws, function, add):
    added = add(SourceArn=RULE, SourceAccount="123456789012")
    assert added == {
        "Sid": "events",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": f"arn:aws:lambda:us-east-1:123456789012:function:{function}",
        "Condition": {
            "StringEquals": {"AWS:SourceAccount": "123456789012"},
            "ArnLike": {"AWS:SourceArn": RULE},
        },
    }
    policy = policy_of(aws, function)
    assert policy["Statement"] == [added]
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "default")


def test_the_same_statement_id_twice(aws, function, add):
    add()
    assert refused(add, Principal="s3.amazonaws.com") == (
        "ResourceConflictException",
        "The statement id (events) provided already exists. Please provide a new statement id, or remove the "
        "existing statement.",
        409,
    )
    assert len(policy_of(aws, function)["Statement"]) == 1


@pytest.mark.parametrize(
    ("principal", "stored"),
    [
        ("*", "*"),
        ("s3.amazonaws.com", {"Service": "s3.amazonaws.com"}),
        ("logs.us-east-1.amazonaws.com", {"Service": "logs.us-east-1.amazonaws.com"}),
        ("alexa-appkit.amazon.com", {"Service": "alexa-appkit.amazon.com"}),
        ("123456789012", {"AWS": "arn:aws:iam::123456789012:root"}),
        ("arn:aws:iam::123456789012:role/caller", {"AWS": "arn:aws:iam::123456789012:role/caller"}),
    ],
)
def test_principals(add, principal, stored):
    assert add(Principal=principal)["Principal"] == stored


@pytest.mark.parametrize("principal", ["events", "events.example.com", "12345", "amazonaws.com", "arn:aws:s3:::x"])
def test_an_invalid_principal(add, principal):
    assert refused(add, Principal=principal) == (
        "InvalidParameterValueException",
        "The provided principal was invalid. Please check the principal and try again.",
        400,
    )


@pytest.mark.parametrize(
    ("parameter", "value", "name", "pattern"),
    [
        ("StatementId", "with space", "statementId", "([a-zA-Z0-9-_]+)"),
        ("Action", "InvokeFunction", "action", "(lambda:[*]|lambda:[a-zA-Z]+|[*])"),
        ("Action", "s3:GetObject", "action", "(lambda:[*]|lambda:[a-zA-Z]+|[*])"),
        ("SourceAccount", "12", "sourceAccount", r"\d{12}"),
        ("PrincipalOrgID", "organisation-1", "principalOrgID", "o-[a-z0-9]{10,32}"),
    ],
)
def test_malformed_parameters(add, parameter, value, name, pattern):
    assert refused(add, **{parameter: value}) == (
        "ValidationException",
        constraint(name, value, f"Member must satisfy regular expression pattern: {pattern}"),
        400,
    )


def test_a_malformed_source_arn_is_named(add):
    code, message, _ = refused(add, SourceArn="sample-rule")
    assert code == "ValidationException"
    assert message.startswith(constraint("sourceArn", "sample-rule", "Member must satisfy regular expression"))


def test_a_policy_has_a_largest_size(add):
    big = [f"arn:aws:s3:::{'b' * 2000}-{number}" for number in range(12)]
    with pytest.raises(ClientError) as error:
        for number, arn in enumerate(big):
            add(StatementId=f"s{number}", SourceArn=arn)
    assert error.value.response["Error"]["Code"] == "PolicyLengthExceededException"
    assert error.value.response["Error"]["Message"].endswith("is bigger than the limit (20480).")


def test_revisions(aws, function, add):
    lambda_ = aws.client("lambda")
    assert refused(add, RevisionId="wrong")[0::2] == ("PreconditionFailedException", 412)
    add(RevisionId=lambda_.get_function_configuration(FunctionName=function)["RevisionId"])
    first = policy_of(aws, function)["RevisionId"]
    add(StatementId="second", RevisionId=first)
    second = policy_of(aws, function)["RevisionId"]
    assert second != first
    remove = {"FunctionName": function, "StatementId": "second"}
    assert refused(lambda_.remove_permission, **remove, RevisionId=first)[0] == "PreconditionFailedException"
    lambda_.remove_permission(**remove, RevisionId=second)
    assert [s["Sid"] for s in policy_of(aws, function)["Statement"]] == ["events"]


def test_removing_permissions(aws, function, add):
    lambda_ = aws.client("lambda")
    missing = {"FunctionName": function, "StatementId": "missing"}
    no_policy = ("ResourceNotFoundException", "No policy is associated with the given resource.", 404)
    assert refused(lambda_.remove_permission, **missing) == no_policy
    add()
    assert refused(lambda_.remove_permission, **missing) == (
        "ResourceNotFoundException",
        "Statement missing is not found in resource policy.",
        404,
    )
    lambda_.remove_permission(FunctionName=function, StatementId="events")
    assert refused(lambda_.get_policy, FunctionName=function)[1] == "The resource you requested does not exist."
    add()  # the id is free again


def test_versions_and_aliases_have_policies_of_their_own(aws, add):
    lambda_ = aws.client("lambda")
    name = aws.function(ECHO)
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    version = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for qualifier in (version, "live"):
        assert add(FunctionName=name, Qualifier=qualifier)["Resource"] == f"{arn}:{qualifier}"
        assert [s["Resource"] for s in policy_of(aws, name, Qualifier=qualifier)["Statement"]] == [f"{arn}:{qualifier}"]
    assert refused(lambda_.get_policy, FunctionName=name)[2] == 404
    assert add(FunctionName=f"{arn}:live", StatementId="by-arn")["Resource"] == f"{arn}:live"
    lambda_.remove_permission(FunctionName=name, StatementId="events", Qualifier="live")
    lambda_.remove_permission(FunctionName=name, StatementId="by-arn", Qualifier="live")
    assert refused(lambda_.get_policy, FunctionName=name, Qualifier="live")[2] == 404
    lambda_.delete_alias(FunctionName=name, Name="live")
    assert refused(add, FunctionName=name, Qualifier="live")[1] == f"Cannot find alias arn: {arn}:live"


def test_as_aws_recorded_refused_permissions(aws, function, add, conformance):
    answers = conformance("lambda_/test_lambda_api.snapshot.json")["TestLambdaPermissions::test_permission_exceptions"]
    lambda_ = aws.client("lambda")

    def expected(answer: str) -> tuple[str, str, int]:
        error = answers[answer]["Error"]
        message = as_here(error["Message"], function_name=function)
        return error["Code"], message, answers[answer]["ResponseMetadata"]["HTTPStatusCode"]

    for answer, changes in {
        "add_permission_invalid_statement_id": {"StatementId": "example.com"},
        "add_permission_fn_qualifier_mismatch": {
            "FunctionName": f"{function}:alias-not-42",
            "Qualifier": "42",
        },
        "add_permission_fn_qualifier_latest": {"Qualifier": "$LATEST"},
        "add_permission_principal_invalid": {"Principal": "invalid.nonaws.com"},
        "add_permission_fn_doesnotexist": {"FunctionName": "doesnotexist"},
        "add_permission_fn_alias_doesnotexist": {"Qualifier": "alias-doesnotexist"},
        "add_permission_fn_version_doesnotexist": {"Qualifier": "42"},
        "add_permission_fn_qualifier_invalid": {"Qualifier": "invalid-qualifier-with-?-char"},
        "add_permission_fn_qualifier_valid_doesnotexist": {"Qualifier": "valid-with-$-but-doesnotexist"},
    }.items():
        assert refused(add, **changes) == expected(answer), answer
    remove = lambda_.remove_permission
    assert refused(remove, FunctionName=function, StatementId="s3") == expected("remove_permission_policy_doesnotexist")
    assert refused(lambda_.get_policy, FunctionName="doesnotexist") == expected("get_policy_fn_doesnotexist")
    assert refused(lambda_.get_policy, FunctionName=function, Qualifier="42") == expected(
        "get_policy_fn_version_doesnotexist"
    )
    add(StatementId="s3")
    assert refused(add, StatementId="s3") == expected("add_permission_conflicting_statement_id")
    assert refused(remove, FunctionName="doesnotexist", StatementId="s3") == expected(
        "remove_permission_fn_doesnotexist"
    )
    assert refused(remove, FunctionName=function, StatementId="s3", Qualifier="alias-doesnotexist") == expected(
        "remove_permission_fn_alias_doesnotexist"
    )


def test_as_aws_recorded_statements(function, add, conformance):
    answers = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaPermissions::test_add_lambda_permission_fields"
    ]
    skill = answers["add_permission_alexa_skill"]["Statement"]["Condition"]["StringEquals"]
    user, account = f"arn:aws:iam::{ACCOUNT}:user/ada", ACCOUNT
    optional = {
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "SourceArn": "arn:aws:s3:::bucket",
        "SourceAccount": account,
        "PrincipalOrgID": "o-1234567890",
        "FunctionUrlAuthType": "NONE",
    }
    for answer, request in {
        "add_permission_principal_wildcard": {"Principal": "*", "SourceAccount": account},
        "add_permission_principal_service": {"Principal": "lambda.amazonaws.com", "SourceAccount": account},
        "add_permission_principal_account": {"Principal": account},
        "add_permission_principal_arn": {"Principal": user, "SourceAccount": account},
        "add_permission_optional_fields": optional,
        "add_permission_alexa_skill": {
            "Principal": "*",
            "EventSourceToken": skill["lambda:EventSourceToken"],
        },
    }.items():
        recorded = json.dumps(answers[answer]["Statement"]).replace("<resource:1>", function)
        expected = as_here(json.loads(recorded), user_arn=user, **{"resource:2": "root", "resource:3": "bucket"})
        assert add(**request, StatementId=expected["Sid"]) == expected, answer


def test_names_are_free_again_with_the_function(aws, add):
    lambda_ = aws.client("lambda")
    name = aws.function(ECHO)
    add(FunctionName=name)
    lambda_.delete_function(FunctionName=name)
    assert refused(lambda_.get_policy, FunctionName=name)[2] == 404
    assert refused(add, FunctionName=f"never-{uuid.uuid4().hex}")[0] == "ResourceNotFoundException"
