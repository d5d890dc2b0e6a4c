"""Exercise 11-3: a role that Lambda alone may assume, for one scan and one log."""

import json

import boto3

from helpers.exercises import check

iam = boto3.client("iam")
table_arn = boto3.client("dynamodb").describe_table(TableName="sample-table")["Table"]["TableArn"]
region, account = table_arn.split(":")[3:5]
group_arn = f"arn:aws:logs:{region}:{account}:log-group:/aws/lambda/exercise-report"

statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
trust = {"Version": "2012-10-17", "Statement": [statement]}
try:
    iam.create_role(RoleName="exercise-report-role", AssumeRolePolicyDocument=json.dumps(trust))
except iam.exceptions.EntityAlreadyExistsException:
    iam.update_assume_role_policy(RoleName="exercise-report-role", PolicyDocument=json.dumps(trust))

read = {"Effect": "Allow", "Action": "dynamodb:Scan", "Resource": table_arn}
log = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"{group_arn}:*"}
document = {"Version": "2012-10-17", "Statement": [read, log]}
iam.put_role_policy(RoleName="exercise-report-role", PolicyName="report", PolicyDocument=json.dumps(document))

check("11-3")
