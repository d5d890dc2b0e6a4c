"""Who may do what: the evaluation of policies, and Lambda's resource policies through boto3."""

from __future__ import annotations

import json
import time
import uuid

import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.authorization import AccessRequest, Decision, Policy, decide, role_trusts_service

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:sample-function"
RULE = "arn:aws:events:us-east-1:123456789012:rule/sample-rule"
EVENTS = ("Service", "events.amazonaws.com")
INVOKE = AccessRequest(
    "lambda:InvokeFunction", FUNCTION, EVENTS, {"aws:sourcearn": RULE, "aws:sourceaccount": "123456789012"}
)


def statement(**changes: object) -> dict:
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "lambda:InvokeFunction",
        "Resource": FUNCTION,
    }
    return {key: value for key, value in {**allow, **changes}.items() if value is not None}


def decision(*statements: dict, request: AccessRequest = INVOKE) -> Decision:
    return decide([Policy({"Version": "2012-10-17", "Statement": list(statements)})], request)


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({}, True),
        ({"Action": "lambda:*"}, True),
        ({"Action": "lambda:Invoke*"}, True),
        ({"Action": "LAMBDA:invokefunction"}, True),
        ({"Action": ["s3:GetObject", "lambda:InvokeFunction"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "lambda:Invoke?unction"}, True),
        ({"Action": "lambda:Invoke"}, False),
        ({"Action": "lambda:InvokeFunctionUrl"}, False),
        ({"Action": []}, False),
        ({"Action": None}, False),
        ({"Action": None, "NotAction": "lambda:InvokeFunction"}, False),
        ({"Action": None, "NotAction": "s3:*"}, True),
        ({"Resource": "*"}, True),
        ({"Resource": FUNCTION.replace("sample-function", "sample-*")}, True),
        ({"Resource": FUNCTION + ":1"}, False),
        ({"Resource": FUNCTION.upper()}, False),
        ({"Resource": ["arn:aws:s3:::x", FUNCTION]}, True),
        ({"Resource": None, "NotResource": FUNCTION}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::x"}, True),
        ({"Principal": "*"}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"Service": ["s3.amazonaws.com", "events.amazonaws.com"]}}, True),
        ({"Principal": {"Service": "event.amazonaws.com"}}, False),
        ({"Principal": {"Service": "events.amazonaws.com.evil.example"}}, False),
        ({"Principal": {"AWS": "events.amazonaws.com"}}, False),
        ({"Principal": None, "NotPrincipal": {"Service": "events.amazonaws.com"}}, False),
        ({"Principal": None, "NotPrincipal": {"Service": "s3.amazonaws.com"}}, True),
        ({"Effect": "Deny"}, False),
        ({"Effect": "allow"}, False),
        ({"Effect": None}, False),
    ],
)
def test_a_single_statement(changes, allowed):
    assert (decision(statement(**changes)) is Decision.ALLOW) is allowed


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"ArnLike": {"AWS:SourceArn": RULE}}, True),
        ({"ArnLike": {"aws:SourceArn": RULE}}, True),
        ({"arnlike": {"aws:SourceArn": RULE}}, False),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:123456789012:rule/*"}}, True),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:events:*:rule/*"}}, False),  # one * is one part
        ({"ArnLike": {"aws:SourceArn": "arn:*"}}, False),
        ({"ArnLike": {"aws:SourceArn": "*"}}, True),
        ({"ArnEquals": {"aws:SourceArn": RULE.replace("sample-rule", "sample-????")}}, True),
        ({"ArnEquals": {"aws:SourceArn": RULE + "-2"}}, False),
        ({"ArnNotLike": {"aws:SourceArn": RULE}}, False),
        ({"ArnNotEquals": {"aws:SourceArn": RULE + "-2"}}, True),
        ({"StringEquals": {"AWS:SourceAccount": "123456789012"}}, True),
        ({"StringEquals": {"AWS:SourceAccount": ["999999999999", "123456789012"]}}, True),
        ({"StringEquals": {"AWS:SourceAccount": "999999999999"}}, False),
        ({"StringEquals": {"aws:SourceArn": RULE.upper()}}, False),
        ({"StringEqualsIgnoreCase": {"aws:SourceArn": RULE.upper()}}, True),
        ({"StringLike": {"aws:SourceArn": "*rule/sample*"}}, True),
        ({"StringLike": {"aws:SourceArn": "rule"}}, False),
        ({"StringNotLike": {"aws:SourceArn": "*rule/sample*"}}, False),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "2"]}}, True),
        ({"StringNotEquals": {"aws:SourceAccount": ["1", "123456789012"]}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, False),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"}}, True),
        ({"StringEqualsIfExists": {"aws:SourceAccount": "1"}}, False),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1234567890"}}, True),
        ({"Null": {"aws:PrincipalOrgID": "true"}}, True),
        ({"Null": {"aws:PrincipalOrgID": True}}, True),
        ({"Null": {"aws:PrincipalOrgID": "false"}}, False),
        ({"Null": {"aws:SourceArn": "false"}}, True),
        ({"Null": {"aws:SourceArn": "true"}}, False),
        ({"NumericLessThan": {"aws:SourceAccount": "1000000000000"}}, True),
        ({"NumericGreaterThanEquals": {"aws:SourceAccount": 123456789013}}, False),
        ({"NumericEquals": {"aws:SourceArn": "1"}}, False),
        ({"ArnLike": {"aws:SourceArn": RULE}, "StringEquals": {"aws:SourceAccount": "1"}}, False),
        ({"StringEquals": {"aws:SourceAccount": "123456789012", "aws:SourceArn": RULE}}, True),
        ({"StringEquals": {"aws:SourceAccount": []}}, False),
        ({"SoundsLike": {"aws:SourceArn": RULE}}, False),
        ({}, True),
    ],
)
def test_conditions(condition, allowed):
    assert (decision(statement(Condition=condition)) is Decision.ALLOW) is allowed


def test_a_deny_wins_wherever_it_stands():
    deny = statement(Effect="Deny", Principal="*", Action="lambda:*", Resource="*")
    assert decision(statement(), deny) is Decision.EXPLICIT_DENY
    assert decision(deny, statement()) is Decision.EXPLICIT_DENY
    policies = [Policy({"Statement": statement()}), Policy({"Statement": deny})]
    assert decide(policies, INVOKE) is Decision.EXPLICIT_DENY


def test_a_condition_that_is_not_understood_lets_nobody_in_and_nobody_past_a_deny():
    unknown = {"SoundsLike": {"aws:SourceArn": "something else"}}
    assert decision(statement(Condition=unknown)) is Decision.IMPLICIT_DENY
    assert decision(statement(), statement(Effect="Deny", Condition=unknown)) is Decision.EXPLICIT_DENY


def test_without_policies_nothing_is_allowed():
    assert decide([], INVOKE) is Decision.IMPLICIT_DENY
    assert decide([Policy({})], INVOKE) is Decision.IMPLICIT_DENY


@pytest.mark.parametrize(
    ("principal", "allowed"),
    [
        ("123456789012", True),
        ("arn:aws:iam::123456789012:root", True),
        ("arn:aws:iam::123456789012:user/ada", True),
        ("arn:aws:iam::123456789012:user/ad", False),
        ("999999999999", False),
        ("arn:aws:iam::999999999999:root", False),
    ],
)
def test_an_account_stands_for_everybody_in_it(principal, allowed):
    ada = AccessRequest("lambda:InvokeFunction", FUNCTION, ("AWS", "arn:aws:iam::123456789012:user/ada"))
    assert (decision(statement(Principal={"AWS": principal}), request=ada) is Decision.ALLOW) is allowed


def test_a_statement_of_an_identity_policy_has_no_principal():
    put = AccessRequest("dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:123456789012:table/sample-table")
    table = statement(
        Principal=None, Action=["dynamodb:Put*"], Resource="arn:aws:dynamodb:*:*:table/sample-table"
    )
    assert decision(table, request=put) is Decision.ALLOW


def test_many_wildcards_are_no_trap():
    began = time.perf_counter()
    assert decision(statement(Resource="*" * 500 + "x")) is Decision.IMPLICIT_DENY
    assert time.perf_counter() - began < 1


def test_a_decision_takes_microseconds():
    policy = Policy({"Statement": [statement(Condition={"ArnLike": {"AWS:SourceArn": RULE}})]})
    began = time.perf_counter()
    for _ in range(1000):
        decide((policy,), INVOKE)
    assert (
        time.perf_counter() - began < 0.1
    )  # 3 ms here; a machine that is busy with other things may take longer


def test_trust():
    trust = {"Statement": [statement(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")]}
    del trust["Statement"][0]["Resource"]
    assert role_trusts_service(trust, "lambda.amazonaws.com")
    assert not role_trusts_service(trust, "events.amazonaws.com")
    assert not role_trusts_service({}, "lambda.amazonaws.com")
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert not role_trusts_service(trust, "lambda.amazonaws.com")
    assert role_trusts_service(trust, "lambda.amazonaws.com", {"aws:sourceaccount": "123456789012"})


# Resource policies, through boto3.


@pytest.fixture(scope="module")
def name(aws) -> str:
    return aws.function("def handler(event, context):\n    return event\n")


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


def refusal(call, **parameters: object) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    response = error.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


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
    assert refusal(add, Principal="s3.amazonaws.com") == (
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


@pytest.mark.parametrize(
    "principal", ["events", "events.example.com", "12345", "amazonaws.com", "arn:aws:s3:::x"]
)
def test_an_invalid_principal(add, principal):
    assert refusal(add, Principal=principal) == (
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
    assert refusal(add, **{parameter: value}) == (
        "ValidationException",
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}",
        400,
    )


def test_a_malformed_source_arn_is_named(add):
    code, message, _ = refusal(add, SourceArn="sample-rule")
    assert code == "ValidationException"
    assert message.startswith(
        "1 validation error detected: Value 'sample-rule' at 'sourceArn' failed to satisfy"
    )


def test_a_policy_has_a_largest_size(add):
    big = [f"arn:aws:s3:::{'b' * 2000}-{number}" for number in range(12)]
    with pytest.raises(ClientError) as error:
        for number, arn in enumerate(big):
            add(StatementId=f"s{number}", SourceArn=arn)
    assert error.value.response["Error"]["Code"] == "PolicyLengthExceededException"
    assert error.value.response["Error"]["Message"].endswith("is bigger than the limit (20480).")


def test_revisions(aws, function, add):
    lambda_ = aws.client("lambda")
    assert refusal(add, RevisionId="wrong")[0::2] == ("PreconditionFailedException", 412)
    add(RevisionId=lambda_.get_function_configuration(FunctionName=function)["RevisionId"])
    first = policy_of(aws, function)["RevisionId"]
    add(StatementId="second", RevisionId=first)
    second = policy_of(aws, function)["RevisionId"]
    assert second != first
    remove = {"FunctionName": function, "StatementId": "second"}
    assert refusal(lambda_.remove_permission, **remove, RevisionId=first)[0] == "PreconditionFailedException"
    lambda_.remove_permission(**remove, RevisionId=second)
    assert [s["Sid"] for s in policy_of(aws, function)["Statement"]] == ["events"]


def test_removing_permissions(aws, function, add):
    lambda_ = aws.client("lambda")
    missing = {"FunctionName": function, "StatementId": "missing"}
    no_policy = ("ResourceNotFoundException", "No policy is associated with the given resource.", 404)
    assert refusal(lambda_.remove_permission, **missing) == no_policy
    add()
    assert refusal(lambda_.remove_permission, **missing) == (
        "ResourceNotFoundException",
        "Statement missing is not found in resource policy.",
        404,
    )
    lambda_.remove_permission(FunctionName=function, StatementId="events")
    assert (
        refusal(lambda_.get_policy, FunctionName=function)[1] == "The resource you requested does not exist."
    )
    add()  # the id is free again


def test_versions_and_aliases_have_policies_of_their_own(aws, add):
    lambda_ = aws.client("lambda")
    name = aws.function("def handler(event, context):\n    return event\n")
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    version = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
    for qualifier in (version, "live"):
        assert add(FunctionName=name, Qualifier=qualifier)["Resource"] == f"{arn}:{qualifier}"
        assert [s["Resource"] for s in policy_of(aws, name, Qualifier=qualifier)["Statement"]] == [
            f"{arn}:{qualifier}"
        ]
    assert refusal(lambda_.get_policy, FunctionName=name)[2] == 404
    assert add(FunctionName=f"{arn}:live", StatementId="by-arn")["Resource"] == f"{arn}:live"
    lambda_.remove_permission(FunctionName=name, StatementId="events", Qualifier="live")
    lambda_.remove_permission(FunctionName=name, StatementId="by-arn", Qualifier="live")
    assert refusal(lambda_.get_policy, FunctionName=name, Qualifier="live")[2] == 404
    lambda_.delete_alias(FunctionName=name, Name="live")
    assert refusal(add, FunctionName=name, Qualifier="live")[1] == f"Cannot find alias arn: {arn}:live"


def test_as_aws_recorded_refused_permissions(aws, function, add, conformance):
    answers = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaPermissions::test_permission_exceptions"
    ]
    lambda_ = aws.client("lambda")

    def expected(answer: str) -> tuple[str, str, int]:
        error = answers[answer]["Error"]
        message = as_here(error["Message"], function)
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
        assert refusal(add, **changes) == expected(answer), answer
    remove = lambda_.remove_permission
    assert refusal(remove, FunctionName=function, StatementId="s3") == expected(
        "remove_permission_policy_doesnotexist"
    )
    assert refusal(lambda_.get_policy, FunctionName="doesnotexist") == expected("get_policy_fn_doesnotexist")
    assert refusal(lambda_.get_policy, FunctionName=function, Qualifier="42") == expected(
        "get_policy_fn_version_doesnotexist"
    )
    add(StatementId="s3")
    assert refusal(add, StatementId="s3") == expected("add_permission_conflicting_statement_id")
    assert refusal(remove, FunctionName="doesnotexist", StatementId="s3") == expected(
        "remove_permission_fn_doesnotexist"
    )
    assert refusal(
        remove, FunctionName=function, StatementId="s3", Qualifier="alias-doesnotexist"
    ) == expected("remove_permission_fn_alias_doesnotexist")


def test_as_aws_recorded_statements(function, add, conformance):
    answers = conformance("lambda_/test_lambda_api.snapshot.json")[
        "TestLambdaPermissions::test_add_lambda_permission_fields"
    ]
    token, account = "amzn1.ask.skill.xxxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", "123456789012"
    user = f"arn:aws:iam::{account}:user/ada"
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
        "add_permission_alexa_skill": {"Principal": "*", "EventSourceToken": token},
    }.items():
        recorded = json.dumps(answers[answer]["Statement"])
        for placeholder, value in {
            "<user_arn>": user,
            "function:<resource:1>": f"function:{function}",
            "<resource:2>": "root",
            "<resource:3>": "bucket",
        }.items():
            recorded = recorded.replace(placeholder, value)
        expected = json.loads(as_here(recorded, function))
        assert add(**request, StatementId=expected["Sid"]) == expected, answer


def as_here(text: str, name: str) -> str:
    """A recorded text with this account's values."""
    for placeholder, value in {
        "<partition>": "aws",
        "<region>": "us-east-1",
        "111111111111": "123456789012",
        "<function-name>": name,
        "<function-name:1>": name,
    }.items():
        text = text.replace(placeholder, value)
    return text


def test_names_are_free_again_with_the_function(aws, add):
    lambda_ = aws.client("lambda")
    name = aws.function("def handler(event, context):\n    return event\n")
    add(FunctionName=name)
    lambda_.delete_function(FunctionName=name)
    assert refusal(lambda_.get_policy, FunctionName=name)[2] == 404
    assert refusal(add, FunctionName=f"never-{uuid.uuid4().hex}")[0] == "ResourceNotFoundException"
