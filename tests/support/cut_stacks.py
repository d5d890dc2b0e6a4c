"""What is done with a stack in accounts that are cut off, and what is in such an account then."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.stacks import BAD_QUEUE, IAM, QUEUE, ROLE, table

STACK = "shop"
_RANDOM = re.compile(rf"((?:{STACK}|stack)-[A-Za-z]+)-[A-Za-z0-9]{{12}}")
ALLOW_PUT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "*"}],
}
_INDEX = {
    "IndexName": "by-day",
    "KeySchema": [{"AttributeName": "Day", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}


def _arn(name: str) -> dict:
    return {"Fn::GetAtt": [name, "Arn"]}


def template(version: int, broken: bool = False) -> str:
    """A service with each type of resource. The second version changes, replaces, adds and removes some."""
    second = version == 2
    attributes = [{"AttributeName": each, "AttributeType": "S"} for each in ("OrderId", *(["Day"] if second else []))]
    # A stream that was disabled cannot be enabled again in moto: what is rolled back has none.
    streams = second and not broken
    streaming: dict[str, Any] = {"StreamSpecification": {"StreamViewType": "NEW_IMAGE"}} if streams else {}
    indexed: dict[str, Any] = {"GlobalSecondaryIndexes": [_INDEX]} if second else {}
    send = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    resources: dict[str, Any] = {
        "Role": ROLE,
        "Table": table(
            AttributeDefinitions=attributes,
            TimeToLiveSpecification={"AttributeName": "Until", "Enabled": not second},
            **streaming,
            **indexed,
        ),
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 40 if second else 50}},
        "QueuePolicy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [{"Ref": "Queue"}],
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [send | {"Resource": _arn("Queue")}]},
            },
        },
        "Group": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": f"/shop/{version}", "RetentionInDays": 7},  # replaced
        },
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": "shop-bus"}},
        "Archive": {"Type": "AWS::Events::Archive", "Properties": {"SourceArn": _arn("Bus"), "RetentionDays": version}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "FunctionName": "shop-function",
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": _arn("Role"),
                "Environment": {"Variables": {"VERSION": str(version)}},
                "Code": {"ZipFile": f"def handler(event, context):\n    return {version}\n"},
            },
        },
        "Invocation": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": version - 1,
            },
        },
        "Rule": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventBusName": {"Ref": "Bus"},
                "EventPattern": {"source": [f"shop-{version}"]},
                "Targets": [{"Id": f"target-{version}", "Arn": _arn("Function")}],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunction",
                "Principal": "events.amazonaws.com",
                "SourceArn": _arn("Rule"),
            },
        },
        "Managed": {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"PolicyDocument": ALLOW_PUT, "Roles": [{"Ref": "Role"}]},
        },
        "Inline": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "inline", "PolicyDocument": ALLOW_PUT, "Roles": [{"Ref": "Role"}]},
        },
        "OfRole": {
            "Type": "AWS::IAM::RolePolicy",
            "Properties": {"PolicyName": f"of-{version}", "RoleName": {"Ref": "Role"}, "PolicyDocument": ALLOW_PUT},
        },
    }
    if second:
        resources["Added"] = QUEUE
    else:
        resources["Removed"] = QUEUE
    if broken:
        resources["Broken"] = BAD_QUEUE | {"DependsOn": sorted(resources)}
    return json.dumps({"Resources": resources})


# Deeds


def create(account: Any, body: str) -> str:
    stacks = account.client("cloudformation")
    stacks.create_stack(StackName=STACK, TemplateBody=body, Capabilities=IAM)
    return settled(stacks)


def update(account: Any, body: str) -> str:
    stacks = account.client("cloudformation")
    stacks.update_stack(StackName=STACK, TemplateBody=body, Capabilities=IAM)
    return settled(stacks)


def carry_out(account: Any, body: str) -> str:
    """What `update` does, by a change set."""
    stacks = account.client("cloudformation")
    stacks.create_change_set(StackName=STACK, ChangeSetName="next", TemplateBody=body, Capabilities=IAM)
    stacks.execute_change_set(StackName=STACK, ChangeSetName="next")
    return settled(stacks)


def delete(account: Any) -> str:
    stacks = account.client("cloudformation")
    stacks.delete_stack(StackName=STACK)
    return settled(stacks)


def settled(stacks: Any) -> str:
    """The stack's status once nothing is in progress; "" without a stack."""
    while True:
        found = [each for each in stacks.describe_stacks()["Stacks"] if each["StackName"] == STACK]
        status = found[0]["StackStatus"] if found else ""
        if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
            return status


def come_to_rest(account: Any) -> tuple[str, dict, str, dict]:
    """The stack's status and all there is, when it has gone on as far as it can; and both after its deletion."""
    status = settled(account.client("cloudformation"))
    there = inventory(account)
    return status, there, delete(account), inventory(account)


# What there is


def inventory(account: Any) -> dict[str, Any]:
    """All that a stack may make, as it is, without what is random."""
    parts = {
        "tables": _tables(account.client("dynamodb")),
        "queues": _queues(account.client("sqs")),
        "groups": [
            (each["logGroupName"], each.get("retentionInDays"))
            for each in account.client("logs").describe_log_groups()["logGroups"]
        ],
        **_events(account.client("events")),
        "functions": _functions(account.client("lambda")),
        **_iam(account.client("iam")),
    }
    return json.loads(_RANDOM.sub(r"\1", json.dumps(parts, sort_keys=True, default=str)))


def _tables(dynamodb: Any) -> list:
    found = []
    for name in dynamodb.list_tables()["TableNames"]:
        table = dynamodb.describe_table(TableName=name)["Table"]
        ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"].get("TimeToLiveStatus")
        indexes = [index["IndexName"] for index in table.get("GlobalSecondaryIndexes") or []]
        found.append((name, (table.get("StreamSpecification") or {}).get("StreamEnabled", False), ttl, indexes))
    return sorted(found)


def _queues(sqs: Any) -> list:
    names = ["VisibilityTimeout", "Policy"]
    return sorted(
        (url.rpartition("/")[2], sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names).get("Attributes", {}))
        for url in sqs.list_queues().get("QueueUrls", [])
    )


def _events(events: Any) -> dict[str, Any]:
    buses = [bus["Name"] for bus in events.list_event_buses()["EventBuses"]]
    rules = []
    for bus in buses:
        for rule in events.list_rules(EventBusName=bus)["Rules"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"], EventBusName=bus)["Targets"]
            rules.append((bus, rule["Name"], rule.get("EventPattern"), [target["Id"] for target in targets]))
    archives = [(each["ArchiveName"], each["RetentionDays"]) for each in events.list_archives()["Archives"]]
    return {"buses": sorted(buses), "rules": sorted(rules), "archives": archives}


def _functions(functions: Any) -> list:
    found = []
    for each in functions.list_functions()["Functions"]:
        name = each["FunctionName"]
        configs = functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]
        try:
            statements = json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]
        except functions.exceptions.ResourceNotFoundException:
            statements = []
        retries = [config["MaximumRetryAttempts"] for config in configs]
        found.append((name, each["CodeSha256"], each["Environment"], retries, [each["Sid"] for each in statements]))
    return found


def _iam(iam: Any) -> dict[str, Any]:
    roles = {}
    for role in iam.list_roles()["Roles"]:
        name = role["RoleName"]
        attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
        inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
        roles[name] = [sorted(each["PolicyName"] for each in attached), sorted(inline)]
    return {"roles": roles, "policies": [each["PolicyName"] for each in iam.list_policies(Scope="Local")["Policies"]]}
