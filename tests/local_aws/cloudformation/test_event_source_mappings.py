"""Event source mappings of a stack."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.stacks import QUEUE, ROLE, Stacks, table

POLICIES = [
    f"arn:aws:iam::aws:policy/service-role/AWSLambda{name}ExecutionRole" for name in ("SQSQueue", "DynamoDB", "Basic")
]


@pytest.fixture(scope="module")
def stacks(aws) -> Stacks:
    return Stacks(aws)


def resources(source: dict, **settings: Any) -> dict:
    """A function, a queue, a table with a stream, and a mapping of one of these."""
    role = {**ROLE, "Properties": {**ROLE["Properties"], "ManagedPolicyArns": POLICIES}}
    function = {
        "Handler": "index.handler", "Runtime": "python3.13", "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        "Code": {"ZipFile": "def handler(event, context):\n    pass\n"},
    }  # fmt: skip
    mapping = {"FunctionName": {"Ref": "Function"}, "EventSourceArn": source, **settings}
    return {
        "Role": role,
        "Queue": QUEUE,
        "Table": table(StreamSpecification={"StreamViewType": "KEYS_ONLY"}),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
    }


def test_a_mapping_is_made_changed_replaced_and_deleted(aws, stacks):
    lambda_ = aws.client("lambda")

    def mapped(arn: str) -> dict:
        return lambda_.get_event_source_mapping(UUID=stacks.physical(arn)["Mapping"])

    queue, stream = {"Fn::GetAtt": ["Queue", "Arn"]}, {"Fn::GetAtt": ["Table", "StreamArn"]}
    settings = {"BatchSize": "5", "FilterCriteria": {"Filters": [{"Pattern": '{"body": ["x"]}'}]}}
    outputs = {"Id": {"Value": {"Fn::GetAtt": ["Mapping", "Id"]}}}
    arn = stacks.create(resources(queue, **settings), outputs=outputs)
    first = mapped(arn)
    assert (first["State"], first["BatchSize"]) == ("Enabled", 5)
    assert stacks.stack(arn)["Outputs"][0]["OutputValue"] == first["UUID"]
    tags = lambda_.list_tags(Resource=first["EventSourceMappingArn"])["Tags"]
    assert tags["aws:cloudformation:logical-id"] == "Mapping"
    stacks.update(arn, resources(queue, Enabled=False))
    changed = mapped(arn)
    assert (changed["UUID"], changed["State"], changed["BatchSize"]) == (first["UUID"], "Disabled", 10)
    assert "FilterCriteria" not in changed
    stacks.update(arn, resources(stream, StartingPosition="TRIM_HORIZON"))
    other = mapped(arn)
    assert other["UUID"] != first["UUID"] and ":dynamodb:" in other["EventSourceArn"]
    stacks.delete(arn)
    for made in (first, other):
        with pytest.raises(lambda_.exceptions.ResourceNotFoundException):
            lambda_.get_event_source_mapping(UUID=made["UUID"])


def test_what_lambda_refuses_ends_the_stack(stacks):
    arn = stacks.create(resources({"Fn::GetAtt": ["Table", "StreamArn"]}), waiter=None)
    assert stacks.settled(arn)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "Value null at 'startingPosition'" in stacks.reason(arn, "CREATE_FAILED")
