"""Exercise 04-3: a function, a rule, a target and a permission of their own for the auditors' events."""

import io
import json
import zipfile

import boto3

from helpers.exercises import check
from helpers.waiting import wait_until

events, lambda_client, logs = boto3.client("events"), boto3.client("lambda"), boto3.client("logs")
role_arn = boto3.client("iam").get_role(RoleName="microservice-role")["Role"]["Arn"]

code = """
def lambda_handler(event, context):
    print("from", event["source"])
"""
entry = zipfile.ZipInfo("handler.py", date_time=(2026, 1, 1, 0, 0, 0))
entry.create_system = 3
entry.external_attr = 0o644 << 16
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr(entry, code)

try:
    lambda_client.create_function(
        FunctionName="exercise-audit",
        Runtime="python3.13",
        Role=role_arn,
        Handler="handler.lambda_handler",
        Code={"ZipFile": buffer.getvalue()},
    )
except lambda_client.exceptions.ResourceConflictException:  # it is there from an earlier try
    lambda_client.update_function_code(FunctionName="exercise-audit", ZipFile=buffer.getvalue())
lambda_client.get_waiter("function_active_v2").wait(FunctionName="exercise-audit")
lambda_client.get_waiter("function_updated_v2").wait(FunctionName="exercise-audit")
function_arn = lambda_client.get_function_configuration(FunctionName="exercise-audit")["FunctionArn"]

audit_rule = events.put_rule(Name="exercise-audit", EventPattern=json.dumps({"source": ["audit.demo"]}))
events.put_targets(Rule="exercise-audit", Targets=[{"Id": "exercise-audit", "Arn": function_arn}])
try:
    lambda_client.add_permission(
        FunctionName="exercise-audit",
        StatementId="exercise-audit",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=audit_rule["RuleArn"],
    )
except lambda_client.exceptions.ResourceConflictException:
    pass  # the statement is there from an earlier try


def written():
    """The function's log lines about events of the auditors; none yet while there is no log group."""
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName="/aws/lambda/exercise-audit", filterPattern='"audit.demo"'
        )
        return [line["message"] for page in pages for line in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []


events.put_events(Entries=[{"Source": "audit.demo", "DetailType": "AuditStarted", "Detail": "{}"}])
wait_until(written, waiting_for="the auditors' line in the log")

check("04-3")
