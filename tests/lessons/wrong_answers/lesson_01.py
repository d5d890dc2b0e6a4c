"""What learners get wrong in lesson 1."""

from __future__ import annotations

import json
from contextlib import suppress

import boto3

from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 01-1 ---

secrets("01-1", "[]", "nothing works")


def predicted(A="created stores", B="", C="created logs", D="created") -> tuple[dict]:
    return ({role: words.split() for role, words in {"A": A, "B": B, "C": C, "D": D}.items()},)


@wrong_answer("01-1", "make up for the trust policy")
def permissions_are_all_that_counts():
    return predicted(B="created stores logs")


@wrong_answer("01-1", "Full access to what")
def full_access_is_access_to_everything():
    return predicted(A="created stores logs")


@wrong_answer("01-1", "Role A: for a function to be created")
def no_logs_no_function():
    return predicted(A="")


@wrong_answer("01-1", "Role A: does a function that may not write logs")
def no_logs_no_order():
    return predicted(A="created")


@wrong_answer("01-1", "Role C: which of its policies")
def an_execution_role_can_do_everything():
    return predicted(C="created stores logs")


@wrong_answer("01-1", "The name misleads")
def a_role_within_a_role():
    return predicted(C="created")


@wrong_answer("01-1", "Role D: for a function to be created")
def a_role_without_policies_is_useless():
    return predicted(D="")


@wrong_answer("01-1", "Role D: trusting a service")
def who_is_trusted_may_write_logs():
    return predicted(D="created logs")


@wrong_answer("01-1", "never been created")
def stores_without_being_there():
    return predicted(C="logs")


@wrong_answer("01-1", "in these words")
def words_of_my_own():
    return ({"A": ["works"], "B": [], "C": ["works"], "D": []},)


@wrong_answer("01-1", "Keep the four roles")
def one_role_is_gone():
    return ({"A": ["created"], "B": [], "C": []},)


# --- 01-2 ---

secrets("01-2", "scheduler.amazonaws.com", "update_assume_role_policy")
LAMBDA, SCHEDULER = "lambda.amazonaws.com", "scheduler.amazonaws.com"


def create(role: str, *statements: dict) -> None:
    iam, document = boto3.client("iam"), json.dumps({"Version": "2012-10-17", "Statement": statements})
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=document)
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=document)


def delete(role: str) -> None:
    iam = boto3.client("iam")
    with suppress(iam.exceptions.NoSuchEntityException):
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=role)


def allow(principal: dict | str, effect: str = "Allow") -> dict:
    return {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}


@undo("01-2")
def no_role():
    delete("exercise-role")


def trust(*statements: dict) -> tuple[()]:
    create("exercise-role", *statements)
    return ()


@wrong_answer("01-2", "runs event buses")
def the_service_of_rules():
    return trust(allow({"Service": [LAMBDA, "events.amazonaws.com"]}))


@wrong_answer("01-2", "neither Lambda nor the Scheduler")
def a_name_that_sounds_right():
    return trust(allow({"Service": [LAMBDA, "eventbridge-scheduler.amazonaws.com"]}))


@wrong_answer("01-2", "exactly one trust policy")
def lambda_is_gone():
    return trust(allow({"Service": SCHEDULER}))


@wrong_answer("01-2", "lets everybody in")
def everybody():
    return trust(allow({"Service": LAMBDA}), allow("*"))


@wrong_answer("01-2", "has no need to")
def both_services_of_eventbridge():
    return trust(allow({"Service": [LAMBDA, SCHEDULER, "events.amazonaws.com"]}))


@wrong_answer("01-2", "lets in people")
def the_whole_account():
    return trust(allow({"Service": [LAMBDA, SCHEDULER], "AWS": "123456789012"}))


@wrong_answer("01-2", "no statement lets it in")
def named_in_a_deny():
    return trust(allow({"Service": LAMBDA}), allow({"Service": SCHEDULER}, "Deny"))


@wrong_answer("01-2", "given the role permissions")
def a_policy_of_the_scheduler():
    trust(allow({"Service": LAMBDA}))
    policy = "arn:aws:iam::aws:policy/AmazonEventBridgeSchedulerFullAccess"
    boto3.client("iam").attach_role_policy(RoleName="exercise-role", PolicyArn=policy)
    return ()


# --- 01-3 ---

secrets("01-3", "AmazonDynamoDBReadOnlyAccess", "attach_role_policy", "sts:AssumeRole")
OWN_ACCOUNT = allow({"AWS": "123456789012"})


@undo("01-3")
def no_visitor():
    delete("exercise-visitor")
    delete("visitor")


def visit(*policies: str, role: str = "exercise-visitor") -> dict:
    create(role, OWN_ACCOUNT)
    for policy in policies:
        boto3.client("iam").attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    arn = f"arn:aws:iam::123456789012:role/{role}"
    return boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="wrong")["Credentials"]


@wrong_answer("01-3", "may not read what is in a table")
def a_role_without_a_policy():
    return (visit(),)


@wrong_answer("01-3", "may change a table")
def the_lesson_s_policy():
    return (visit("AmazonDynamoDBFullAccess"),)


@wrong_answer("01-3", "may change other things")
def may_read_tables_and_do_everything_to_functions():
    return (visit("AmazonDynamoDBReadOnlyAccess", "AWSLambda_FullAccess"),)


@wrong_answer("01-3", "another role's credentials")
def a_role_of_another_name():
    return (visit("AmazonDynamoDBReadOnlyAccess", role="visitor"),)


@wrong_answer("01-3", "still yourself")
def a_session_of_my_own():
    own = boto3.Session().get_credentials()
    return ({"AccessKeyId": own.access_key, "SecretAccessKey": own.secret_key, "SessionToken": ""},)


@wrong_answer("01-3", "does not know these credentials")
def made_up():
    return ({"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "SessionToken": "token"},)


@wrong_answer("01-3", "what assume_role answers")
def the_role_itself():
    create("exercise-visitor", OWN_ACCOUNT)
    return (boto3.client("iam").get_role(RoleName="exercise-visitor")["Role"],)
