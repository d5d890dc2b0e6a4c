"""Who may do what: the evaluation of policies, and Lambda's resource policies through boto3."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide, role_trusts_service
from helpers.paths import PROJECT

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
    table = statement(Principal=None, Action=["dynamodb:Put*"], Resource="arn:aws:dynamodb:*:*:table/sample-table")
    assert decision(table, request=put) is Decision.ALLOW


def test_many_wildcards_are_no_trap():
    """Tried in a process that can be ended: who walks into the trap does not come back from it."""
    program = (
        "from tests.local_aws.iam import test_authorization as t; "
        "print(t.decision(t.statement(Resource='*' * 500 + 'x')).value)"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.stdout == "implicit deny\n", done.stderr


def test_a_policy_is_read_once(monkeypatch):
    """Its wildcards are compiled when it is read, so a decision takes microseconds."""
    policy = Policy({"Statement": [statement(Condition={"ArnLike": {"AWS:SourceArn": RULE}})]})
    assert decide((policy,), INVOKE) is Decision.ALLOW
    monkeypatch.setattr(re, "compile", lambda *_: pytest.fail("a pattern is compiled"))
    monkeypatch.setattr(json, "loads", lambda *_: pytest.fail("a document is parsed"))
    for number in range(100):
        other = AccessRequest("lambda:InvokeFunction", f"{FUNCTION}-{number}", EVENTS, INVOKE.context)
        assert decide((policy,), other) is Decision.IMPLICIT_DENY


def test_trust():
    trust = {"Statement": [statement(Principal={"Service": "lambda.amazonaws.com"}, Action="sts:AssumeRole")]}
    del trust["Statement"][0]["Resource"]
    assert role_trusts_service(trust, "lambda.amazonaws.com")
    assert not role_trusts_service(trust, "events.amazonaws.com")
    assert not role_trusts_service({}, "lambda.amazonaws.com")
    trust["Statement"][0]["Condition"] = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert not role_trusts_service(trust, "lambda.amazonaws.com")
    assert role_trusts_service(trust, "lambda.amazonaws.com", {"aws:sourceaccount": "123456789012"})
