"""IAM is asked about the stack itself, however a request names it."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.test_attacks import Session
from tests.support.embedded_aws import Aws
from tests.support.raw_requests import address_of_aws  # noqa: F401
from tests.support.stacks import QUEUE, Stacks, name


def denied(call, **given) -> bool:
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"] == "AccessDenied"
    return False


def says(aws: Aws, session: Session, *statements: tuple[str, str]) -> None:
    listed = [{"Effect": effect, "Action": "cloudformation:*", "Resource": where} for effect, where in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": listed})
    aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="own", PolicyDocument=document)


@pytest.fixture
def stacks(aws: Aws) -> Stacks:
    return Stacks(aws)


@pytest.fixture
def two(aws: Aws, stacks: Stacks) -> tuple[Session, str, str]:
    return Session(aws), stacks.create({"Q": QUEUE}), stacks.create({"Q": QUEUE})


def test_a_stack_by_its_name_and_by_its_arn(aws, two):
    session, arn, other = two
    theirs = session.client("cloudformation")
    for statements in ((("Allow", "*"), ("Deny", arn)), (("Allow", other),)):
        says(aws, session, *statements)
        for each in (arn, arn.split("/")[1]):
            assert denied(theirs.describe_stacks, StackName=each) and denied(theirs.delete_stack, StackName=each)
        assert not denied(theirs.describe_stacks, StackName=other.split("/")[1])


def test_a_change_set_of_another_stack(aws, two):
    session, arn, other = two
    template = json.dumps({"Resources": {"Q": QUEUE, "R": QUEUE}})
    made = aws.client("cloudformation").create_change_set(
        StackName=arn, ChangeSetName=name("change"), TemplateBody=template
    )["Id"]
    theirs = session.client("cloudformation")
    says(aws, session, ("Allow", other), ("Allow", "arn:aws:cloudformation:*:*:changeSet/*"))
    assert denied(theirs.execute_change_set, StackName=other, ChangeSetName=made)
    assert denied(theirs.execute_change_set, ChangeSetName=made) and denied(
        theirs.delete_change_set, ChangeSetName=made
    )
    says(aws, session, ("Allow", arn))
    assert not denied(theirs.describe_change_set, ChangeSetName=made)
    assert not denied(theirs.describe_change_set, StackName=arn.split("/")[1], ChangeSetName=made)
    assert not denied(theirs.describe_change_set, StackName=arn, ChangeSetName=made.split("/")[1])
