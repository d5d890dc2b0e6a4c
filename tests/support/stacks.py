"""What the tests of CloudFormation share: a template's parts, and short ways to work on a stack."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable

import pytest

from tests.support.embedded_aws import LAMBDA_TRUST, Aws
from tests.support.polling import PATIENCE

IAM = ["CAPABILITY_NAMED_IAM"]
ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {
        "AssumeRolePolicyDocument": LAMBDA_TRUST,
        "ManagedPolicyArns": ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"],
    },
}
QUEUE = {"Type": "AWS::SQS::Queue"}
#: Fails whoever makes it: SQS takes no such name.
BAD_QUEUE = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "not/a/name"}}


def table(key: str = "OrderId", **properties: object) -> dict:
    return {
        "Type": "AWS::DynamoDB::Table",
        "Properties": {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            **properties,
        },
    }


def name(prefix: str = "stack") -> str:
    return f"{prefix}-{uuid.uuid4().hex[:8]}"


class Stacks:
    """Stacks of one account."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.client = aws, aws.client("cloudformation")

    def create(self, resources: dict, waiter: str | None = "stack_create_complete", **settings: object) -> str:
        """Create a stack from resources (and other blocks of the template in lower case), and return its ARN."""
        arn = self.client.create_stack(
            StackName=settings.pop("stack", None) or name(),
            TemplateBody=body(resources, settings),
            Capabilities=IAM,
            **settings,
        )["StackId"]
        if waiter:
            self.wait(waiter, arn)
        return arn

    def update(self, arn: str, resources: dict, waiter: str | None = "stack_update_complete", **settings) -> None:
        template = body(resources, settings)
        self.client.update_stack(StackName=arn, TemplateBody=template, Capabilities=IAM, **settings)
        if waiter:
            self.wait(waiter, arn)

    def delete(self, arn: str, **settings: object) -> None:
        self.client.delete_stack(StackName=arn, **settings)
        self.wait("stack_delete_complete", arn)

    def wait(self, waiter: str, arn: str) -> None:
        config = {"Delay": 0.05, "MaxAttempts": int(PATIENCE / 0.05)}
        self.client.get_waiter(waiter).wait(StackName=arn, WaiterConfig=config)

    def stack(self, arn: str) -> dict:
        return self.client.describe_stacks(StackName=arn)["Stacks"][0]

    def settled(self, arn: str) -> dict:
        """The stack once nothing is in progress any more."""
        while (stack := self.stack(arn))["StackStatus"].endswith("IN_PROGRESS"):
            pass
        return stack

    def outputs(self, arn: str) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.stack(arn).get("Outputs", [])}

    def physical(self, arn: str) -> dict[str, str]:
        resources = self.client.describe_stack_resources(StackName=arn)["StackResources"]
        return {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}

    def events(self, arn: str, after: int = 0) -> list[str]:
        """ "logical id, status", oldest first; without the first `after` events."""
        events = self.client.describe_stack_events(StackName=arn)["StackEvents"]
        stack = arn.split("/")[1]
        names = [("stack" if e["LogicalResourceId"] == stack else e["LogicalResourceId"], e) for e in events]
        return [f"{logical} {event['ResourceStatus']}" for logical, event in reversed(names)][after:]

    def reason(self, arn: str, status: str) -> str:
        """Why something has this status; the newest event counts."""
        events = self.client.describe_stack_events(StackName=arn)["StackEvents"]
        return next(event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == status)

    def refusal(self, call: Callable, **parameters: object) -> tuple[str, str]:
        """The code and message with which a call is refused."""
        with pytest.raises(self.client.exceptions.ClientError) as caught:
            call(**parameters)
        error = caught.value.response["Error"]
        return error["Code"], error["Message"]


def body(resources: dict, settings: dict) -> str:
    """A template; takes the settings that are blocks of it, such as outputs=…, out of the settings."""
    blocks = ("conditions", "description", "mappings", "outputs", "parameters")
    others = {each.capitalize(): settings.pop(each) for each in blocks if each in settings}
    return json.dumps({"Resources": resources, **others})
