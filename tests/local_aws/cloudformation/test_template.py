"""Templates: the functions, parameters and conditions, and what is refused before any work begins."""

from __future__ import annotations

import json

import pytest

from tests.support.embedded_aws import Aws
from tests.support.stacks import QUEUE, ROLE, Stacks, table


@pytest.fixture(scope="module")
def stacks(aws: Aws) -> Stacks:
    return Stacks(aws)


def given(**parameters: str) -> list[dict[str, str]]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


#: Each function, and what it gives in a stack "evaluated" with the queue "Queue" and the parameters below.
VALUES = {
    "Parameter": ({"Ref": "Word"}, "hello"),
    "Region": ({"Ref": "AWS::Region"}, "us-east-1"),
    "Account": ({"Fn::Sub": "${AWS::AccountId} ${AWS::Partition} ${AWS::URLSuffix}"}, "123456789012 aws amazonaws.com"),
    "StackName": ({"Ref": "AWS::StackName"}, "evaluated"),
    "Attribute": ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:aws:sqs:us-east-1:123456789012:evaluated-queue"),
    "AttributeAsText": ({"Fn::GetAtt": "Queue.QueueName"}, "evaluated-queue"),
    "Sub": ({"Fn::Sub": "${Word}, ${Queue.QueueName}: ${!Literal}"}, "hello, evaluated-queue: ${Literal}"),
    "SubWithVariables": ({"Fn::Sub": ["${Word} ${More}", {"More": {"Ref": "Number"}}]}, "hello 7"),
    "Join": ({"Fn::Join": ["-", ["a", {"Ref": "Word"}, 3, True]]}, "a-hello-3-true"),
    "JoinList": ({"Fn::Join": ["+", {"Ref": "List"}]}, "x+y"),
    "Select": ({"Fn::Select": ["1", {"Ref": "List"}]}, "y"),
    "Split": ({"Fn::Select": [2, {"Fn::Split": [":", {"Fn::GetAtt": ["Queue", "Arn"]}]}]}, "sqs"),
    "If": ({"Fn::If": ["IsHello", "yes", "no"]}, "yes"),
    "IfNot": ({"Fn::If": ["Neither", "yes", "no"]}, "no"),
    "FindInMap": ({"Fn::FindInMap": ["Sizes", {"Ref": "Word"}, "Memory"]}, "256"),
    "Base64": ({"Fn::Base64": "abc"}, "YWJj"),
}
BLOCKS = {
    "parameters": {
        "Word": {"Type": "String", "Default": "hello"},
        "Number": {"Type": "Number", "Default": 7},
        "List": {"Type": "CommaDelimitedList", "Default": "x, y"},
    },
    "mappings": {"Sizes": {"hello": {"Memory": 256}}},
    "conditions": {
        "IsHello": {"Fn::Equals": [{"Ref": "Word"}, "hello"]},
        "IsOther": {"Fn::Not": [{"Condition": "IsHello"}]},
        "Neither": {"Fn::And": [{"Condition": "IsHello"}, {"Condition": "IsOther"}]},
        "Either": {"Fn::Or": [{"Condition": "IsHello"}, {"Condition": "IsOther"}]},
    },
}


def test_functions(stacks: Stacks):
    arn = stacks.create(
        {"Queue": {**QUEUE, "Properties": {"QueueName": {"Fn::Sub": "${AWS::StackName}-queue"}}}},
        stack="evaluated",
        outputs={name: {"Value": value} for name, (value, _) in VALUES.items()},
        **BLOCKS,
    )
    outputs = stacks.outputs(arn)
    stacks.delete(arn)
    assert outputs == {name: expected for name, (_, expected) in VALUES.items()}


def test_conditions_decide_what_is_made(stacks: Stacks):
    arn = stacks.create(
        {
            "Made": {**QUEUE, "Condition": "Either"},
            "Unmade": {**QUEUE, "Condition": "IsOther"},
            "Plain": {**QUEUE, "Properties": {"DelaySeconds": {"Fn::If": ["IsOther", 5, {"Ref": "AWS::NoValue"}]}}},
        },
        outputs={"Unmade": {"Condition": "IsOther", "Value": {"Ref": "Unmade"}}},
        **BLOCKS,
    )
    assert sorted(stacks.physical(arn)) == ["Made", "Plain"] and stacks.outputs(arn) == {}
    stacks.delete(arn)


def test_short_forms_of_yaml(stacks: Stacks):
    template = """
AWSTemplateFormatVersion: 2010-09-09
Conditions:
  Always: !Not [!Equals [a, b]]
  Still: !And [!Condition Always, !Or [!Condition Always, !Equals [a, b]]]
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Condition: Still
Outputs:
  Dotted: {Value: !GetAtt Queue.QueueName}
  Listed: {Value: !GetAtt [Queue, QueueName]}
  Nested: {Value: !Select [0, !Split ["-", !Join ["-", [!Ref "AWS::Region", x]]]]}
  Chosen: {Value: !If [Always, !Sub "${AWS::Region}!", never]}
  Coded: {Value: !Base64 abc}
"""
    arn = stacks.client.create_stack(StackName="short-forms", TemplateBody=template)["StackId"]
    stacks.wait("stack_create_complete", arn)
    outputs = stacks.outputs(arn)
    stacks.delete(arn)
    assert outputs.pop("Dotted") == outputs.pop("Listed")
    assert outputs == {"Nested": "us", "Chosen": "us-east-1!", "Coded": "YWJj"}


def test_exports_are_imported_and_hold_their_stack(stacks: Stacks):
    first = stacks.create({"Queue": QUEUE}, outputs={"Out": {"Value": "5", "Export": {"Name": "the-delay"}}})
    delay = {"Fn::ImportValue": "the-delay"}
    second = stacks.create({"Queue": {**QUEUE, "Properties": {"DelaySeconds": delay}}}, stack="importer")
    assert stacks.client.list_imports(ExportName="the-delay")["Imports"] == ["importer"]
    assert [each["Value"] for each in stacks.client.list_exports()["Exports"] if each["Name"] == "the-delay"] == ["5"]
    stacks.client.delete_stack(StackName=first)
    reason = stacks.settled(first)["StackStatusReason"]
    assert reason == "Export the-delay cannot be deleted as it is in use by importer"
    stacks.delete(second)
    stacks.delete(first)


PARAMETERS = [
    ({"Type": "String"}, None, "Parameters: [It] must have values"),
    ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'It' must be one of AllowedValues"),
    ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "Parameter 'It' must match pattern [a-z]+"),
    ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'It' must contain at least 3 characters"),
    ({"Type": "String", "MaxLength": "1"}, "ab", "Parameter 'It' must contain at most 1 characters"),
    ({"Type": "Number"}, "x", "Parameter 'It' must be a number"),
    ({"Type": "Number", "MinValue": 5}, "4", "Parameter 'It' must be a number not less than 5"),
    ({"Type": "List<Number>", "MaxValue": 5}, "4,6", "Parameter 'It' must be a number not greater than 5"),
    (
        {"Type": "String", "AllowedValues": ["a"], "ConstraintDescription": "be an a"},
        "b",
        "Parameter It failed to satisfy constraint: be an a",
    ),
]


@pytest.mark.parametrize(("rules", "value", "message"), PARAMETERS, ids=[each[2] for each in PARAMETERS])
def test_parameters_that_do_not_fit(stacks: Stacks, rules, value, message):
    settings = {"parameters": {"It": rules}, "Parameters": given(It=value) if value else []}
    assert stacks.refusal(stacks.create, resources={"Queue": QUEUE}, **settings) == ("ValidationError", message)


def test_a_parameter_that_nobody_asked_for(stacks: Stacks):
    refusal = stacks.refusal(stacks.create, resources={"Queue": QUEUE}, Parameters=given(Other="1"))
    assert refusal == ("ValidationError", "Parameters: [Other] do not exist in the template")


def test_secrets_are_masked(stacks: Stacks):
    secret = {"Secret": {"Type": "String", "NoEcho": True}}
    arn = stacks.create({"Queue": QUEUE}, parameters=secret, Parameters=given(Secret="rosebud"))
    assert stacks.stack(arn)["Parameters"] == given(Secret="****")
    stacks.delete(arn)


CIRCLE = {
    "A": {**QUEUE, "DependsOn": "B"},
    "B": {**QUEUE, "Properties": {"QueueName": {"Ref": "A"}}},
    "C": {**QUEUE, "DependsOn": "A"},
}
REFUSED = [
    ({"Resources": {}}, "Template format error: At least one Resources member must be defined."),
    ({"Resources": CIRCLE}, "Circular dependency between resources: [A, B]"),
    (
        {"Resources": {"A": {**QUEUE, "Properties": {"QueueName": {"Ref": "Nothing"}}}}},
        "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template",
    ),
    (
        {"Resources": {"A": {**QUEUE, "DependsOn": "Nothing"}}},
        "Template format error: Unresolved resource dependencies [Nothing] in the Resources block of the template",
    ),
    (
        {"Resources": {"A": QUEUE}, "Outputs": {"It": {"Value": {"Fn::Sub": "${Nothing}"}}}},
        "Template format error: Unresolved resource dependencies [Nothing] in the Outputs block of the template",
    ),
    (
        {"Resources": {"A": {**QUEUE, "Properties": {"QueueName": {"Fn::GetAtt": ["Nothing", "Arn"]}}}}},
        "Template error: instance of Fn::GetAtt references undefined resource Nothing",
    ),
    (
        {"Resources": {"A": QUEUE, "B": {**QUEUE, "Properties": {"QueueName": {"Fn::GetAtt": ["A", "Size"]}}}}},
        "Template error: resource A does not support attribute type Size in Fn::GetAtt",
    ),
    (
        {"Resources": {"A": {**QUEUE, "Condition": "Nothing"}}},
        "Template format error: Unresolved condition dependency Nothing in the Resources block of the template",
    ),
    (
        {"Resources": {"A": QUEUE}, "Conditions": {"C": {"Fn::Equals": [{"Ref": "A"}, "a"]}}},
        "Template format error: Unresolved dependencies [A]. "
        "Cannot reference resources in the Conditions block of the template",
    ),
    ({"Resources": {"A": QUEUE}, "Recources": {}}, "Invalid template property or properties [Recources]"),
    ({"Resources": {"A": {**QUEUE, "DependOn": "B"}}}, "Invalid template resource property 'DependOn'"),
    (
        {"Resources": {"A": {"Properties": {}}}},
        "Template format error: [/Resources/A] Every Resources object must contain a Type member.",
    ),
    (
        {"Resources": {"A": QUEUE}, "Parameters": {"P": "text"}},
        "Template format error: [/Parameters/P] Every Parameters object must contain a Type member.",
    ),
    (
        {"Resources": {"A": QUEUE}, "Outputs": {"O": {"Description": "no value"}}},
        "Template format error: [/Outputs/O] Every Outputs member must contain a Value object",
    ),
    (
        {"Resources": {"A": {**QUEUE, "DependsOn": 5}}},
        "Template format error: Every DependsOn value must be a string or a list of strings.",
    ),
    ({"Resources": {"my-queue": QUEUE}}, "Template format error: Resource name my-queue is non alphanumeric."),
]


@pytest.mark.parametrize(("template", "message"), REFUSED, ids=[each[1][:60] for each in REFUSED])
def test_templates_that_are_refused(stacks: Stacks, template, message):
    body = json.dumps(template)
    refusal = stacks.refusal(stacks.client.create_stack, StackName="refused", TemplateBody=body)
    assert refusal == ("ValidationError", message)
    assert "refused" not in [each["StackName"] for each in stacks.client.list_stacks()["StackSummaries"]]


def test_a_resource_that_a_condition_leaves_out_cannot_be_referred_to(stacks: Stacks):
    resources = {"A": {**QUEUE, "Condition": "IsOther"}, "B": {**QUEUE, "Properties": {"QueueName": {"Ref": "A"}}}}
    code, message = stacks.refusal(stacks.create, resources=resources, **BLOCKS)
    assert message.startswith("Template format error: Unresolved resource dependencies [A]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"Resources": }', "Template format error: JSON not well-formed. (line 1, column 15)"),
        ("Resources:\n  A: [", "Template format error: YAML not well-formed. (line 2, column 7)"),
        ("Resources: !Nonsense x", "Template format error: YAML not well-formed. Unknown tag !Nonsense"),
        ("just text", "Template format error: unsupported structure."),
    ],
)
def test_texts_that_are_no_templates(stacks: Stacks, text, message):
    assert stacks.refusal(stacks.client.validate_template, TemplateBody=text) == ("ValidationError", message)


def test_types_that_are_not_there_are_named(stacks: Stacks):
    template = json.dumps({"Resources": {"A": {"Type": "AWS::EC2::Instance"}, "B": QUEUE}})
    code, message = stacks.refusal(stacks.client.validate_template, TemplateBody=template)
    assert message.startswith("Template format error: Unrecognized resource types: [AWS::EC2::Instance].")


def test_too_large_a_template(stacks: Stacks):
    template = json.dumps({"Description": "x" * 51_200, "Resources": {"A": QUEUE}})
    code, message = stacks.refusal(stacks.client.validate_template, TemplateBody=template)
    assert message.endswith("Member must have length less than or equal to 51200")


def test_capabilities_must_be_acknowledged(stacks: Stacks):
    named = {"Role": {**ROLE, "Properties": {**ROLE["Properties"], "RoleName": "some-role"}}}
    for resources, needed in (({"Role": ROLE}, "CAPABILITY_IAM"), (named, "CAPABILITY_NAMED_IAM")):
        template = json.dumps({"Resources": resources})
        answer = stacks.client.validate_template(TemplateBody=template)
        assert answer["Capabilities"] == [needed]
        assert answer["CapabilitiesReason"] == "The following resource(s) require capabilities: [AWS::IAM::Role]"
        refusal = stacks.refusal(stacks.client.create_stack, StackName="incapable", TemplateBody=template)
        assert refusal == ("InsufficientCapabilitiesException", f"Requires capabilities : [{needed}]")


def test_a_summary_tells_what_a_template_wants(stacks: Stacks):
    rules = {"Size": {"Type": "Number", "Default": 3, "AllowedValues": [3, 5]}}
    template = json.dumps({"Parameters": rules, "Resources": {"Queue": QUEUE, "Table": table()}})
    summary = stacks.client.get_template_summary(TemplateBody=template)
    assert summary["ResourceTypes"] == ["AWS::DynamoDB::Table", "AWS::SQS::Queue"]
    [size] = summary["Parameters"]
    assert (size["ParameterType"], size["DefaultValue"]) == ("Number", "3")
    assert size["ParameterConstraints"] == {"AllowedValues": ["3", "5"]}


def test_a_template_in_a_bucket(aws: Aws, stacks: Stacks):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="the-templates")
    s3.put_object(Bucket="the-templates", Key="a/queue.json", Body=json.dumps({"Resources": {"Queue": QUEUE}}))
    url = "https://the-templates.s3.us-east-1.amazonaws.com/a/queue.json"
    arn = stacks.client.create_stack(StackName="from-bucket", TemplateURL=url)["StackId"]
    stacks.wait("stack_create_complete", arn)
    stacks.delete(arn)
    code, message = stacks.refusal(stacks.client.validate_template, TemplateURL=url.replace("queue", "none"))
    assert (code, message[:10]) == ("ValidationError", "S3 error: ")


def test_properties_are_checked(stacks: Stacks):
    arn = stacks.create({"Queue": {**QUEUE, "Properties": {"QueueNames": "x"}}}, waiter=None)
    stacks.settled(arn)
    problem = "[#: extraneous key [QueueNames] is not permitted]"
    reason = f"Properties validation failed for resource Queue with message:\n{problem}"
    assert stacks.reason(arn, "CREATE_FAILED") == reason
    keyless = table()
    del keyless["Properties"]["KeySchema"]
    arn = stacks.create({"Table": keyless}, waiter=None)
    stacks.settled(arn)
    assert "[#: required key [KeySchema] not found]" in stacks.reason(arn, "CREATE_FAILED")


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ("x", "#/Tags: expected type: JSONArray, found: String"),
        ([1], "#/Tags/0: expected type: JSONObject, found: Integer"),
        ([{"Key": "a"}], "#/Tags/0: required key [Value] not found"),
        ([{"Key": ["a"], "Value": "b"}], "#/Tags/0/Key: expected type: String, found: JSONArray"),
    ],
)
def test_shapes_of_properties_are_checked(stacks: Stacks, tags, problem):
    arn = stacks.create({"Queue": {**QUEUE, "Properties": {"Tags": tags}}}, waiter=None)
    stacks.settled(arn)
    assert f"[{problem}]" in stacks.reason(arn, "CREATE_FAILED")
