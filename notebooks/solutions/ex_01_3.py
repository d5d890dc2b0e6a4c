"""Exercise 01-3: a role that your account may assume and that may read DynamoDB, and its credentials."""

import json
from contextlib import suppress

import boto3
from botocore.exceptions import ClientError

from helpers.exercises import check
from helpers.waiting import wait_until

iam, sts = boto3.client("iam"), boto3.client("sts")
account = sts.get_caller_identity()["Account"]
statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
trust = {"Version": "2012-10-17", "Statement": [statement]}

with suppress(iam.exceptions.EntityAlreadyExistsException):
    iam.create_role(RoleName="exercise-visitor", AssumeRolePolicyDocument=json.dumps(trust))
policy_arn = "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess"
iam.attach_role_policy(RoleName="exercise-visitor", PolicyArn=policy_arn)


def visit():
    """What assume_role answers, as soon as the role and its policy are known everywhere."""
    with suppress(ClientError):
        answer = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/exercise-visitor", RoleSessionName="exercise")
        visitor = boto3.client(
            "dynamodb",
            aws_access_key_id=answer["Credentials"]["AccessKeyId"],
            aws_secret_access_key=answer["Credentials"]["SecretAccessKey"],
            aws_session_token=answer["Credentials"]["SessionToken"],
        )
        visitor.list_tables()
        return answer


credentials = wait_until(visit, waiting_for="the visitor's role")["Credentials"]

check("01-3", credentials)
