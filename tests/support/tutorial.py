"""The tutorial in plain boto3, as short as it can be: role, table, function, rule, and an order on its way.

It imports nothing of the tests', so that it runs wherever boto3 does.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import boto3

from helpers.paths import PROJECT

FUNCTION, TABLE, RULE, ROLE = "sample-function", "sample-table", "sample-rule", "microservice-role"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICIES = ("AmazonDynamoDBFullAccess", "service-role/AWSLambdaBasicExecutionRole")


def build(handler: str | None = None) -> None:
    """Build everything. handler: another source than the tutorial's own handler.py."""
    rule = boto3.client("events").put_rule(Name=RULE, EventPattern=json.dumps({"source": ["microservice_x"]}))
    _make_table()
    lambda_ = boto3.client("lambda")
    function = lambda_.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Role=_make_role(),
        Handler="handler.lambda_handler",
        Code={"ZipFile": _zipped(handler or (PROJECT / "handler.py").read_text(encoding="utf-8"))},
    )
    lambda_.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)
    lambda_.add_permission(
        FunctionName=FUNCTION,
        StatementId="rule",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule["RuleArn"],
    )
    boto3.client("events").put_targets(Rule=RULE, Targets=[{"Id": "function", "Arn": function["FunctionArn"]}])


def put(order_id: str) -> None:
    """Put one order's event."""
    body = {"OrderId": order_id, "Item": "kettle", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
    entry = {"Source": "microservice_x", "DetailType": "order", "Detail": json.dumps({"body": body})}
    assert boto3.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def stored() -> list[str]:
    """Return the ids of the orders in the table."""
    items: list[dict[str, Any]] = boto3.client("dynamodb").scan(TableName=TABLE)["Items"]
    return sorted(item["OrderId"]["S"] for item in items)


def _make_role() -> str:
    iam = boto3.client("iam")
    role: str = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    for policy in POLICIES:
        iam.attach_role_policy(RoleName=ROLE, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return role


def _make_table() -> None:
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "OrderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "OrderId", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=TABLE)


def _zipped(source: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("handler.py", source)
    return package.getvalue()
