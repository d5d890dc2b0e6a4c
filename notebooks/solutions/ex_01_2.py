"""Exercise 01-2: the role's one trust policy, rewritten to name both services."""

import json
from contextlib import suppress

import boto3

from helpers.exercises import check

iam = boto3.client("iam")
statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
policy = {"Version": "2012-10-17", "Statement": [statement]}
with suppress(iam.exceptions.EntityAlreadyExistsException):
    iam.create_role(RoleName="exercise-role", AssumeRolePolicyDocument=json.dumps(policy))

# One statement for both; two statements, one for each service, mean the same.
statement["Principal"] = {"Service": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]}
iam.update_assume_role_policy(RoleName="exercise-role", PolicyDocument=json.dumps(policy))

check("01-2")
