"""Stacks: created, described, rolled back and deleted, as CloudFormation does it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from botocore.exceptions import WaiterError

from tests.support.embedded_aws import Aws
from tests.support.polling import eventually
from tests.support.stacks import BAD_QUEUE, IAM, QUEUE, ROLE, Stacks, name, table

SERVICE = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Prefix: {Type: String}
Resources:
  Permission:
    Type: AWS::Lambda::Permission
    Properties:
      FunctionName: !Ref Function
      Action: lambda:InvokeFunction
      Principal: events.amazonaws.com
      SourceArn: !GetAtt Rule.Arn
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Name: !Sub "${Prefix}-rule"
      EventPattern:
        source: [!Ref Prefix]
      Targets:
        - Id: the-function
          Arn: !GetAtt Function.Arn
          DeadLetterConfig: {Arn: !GetAtt DeadLetters.Arn}
          RetryPolicy: {MaximumRetryAttempts: 3}
  DeadLetters:
    Type: AWS::SQS::Queue
  DeadLettersPolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref DeadLetters]
      PolicyDocument:
        Version: 2012-10-17
        Statement:
          - Effect: Allow
            Principal: {Service: events.amazonaws.com}
            Action: sqs:SendMessage
            Resource: !GetAtt DeadLetters.Arn
  Function:
    Type: AWS::Lambda::Function
    Properties:
      FunctionName: !Sub "${Prefix}-function"
      Runtime: python3.13
      Handler: index.handler
      Role: !GetAtt Role.Arn
      MemorySize: "256"
      Environment:
        Variables: {TABLE_NAME: !Ref Table}
      Code:
        ZipFile: |
          import boto3, os
          def handler(event, context):
              item = {"OrderId": {"S": event["detail"]["id"]}}
              boto3.client("dynamodb").put_item(TableName=os.environ["TABLE_NAME"], Item=item)
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "${Prefix}-role"
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]
      Policies:
        - PolicyName: store
          PolicyDocument:
            Version: 2012-10-17
            Statement: [{Effect: Allow, Action: "dynamodb:PutItem", Resource: !GetAtt Table.Arn}]
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: OrderId, AttributeType: S}]
      KeySchema: [{AttributeName: OrderId, KeyType: HASH}]
Outputs:
  Table: {Value: !Ref Table}
"""


@pytest.fixture(scope="module")
def stacks(aws: Aws) -> Stacks:
    return Stacks(aws)


@pytest.fixture(scope="module")
def service(aws: Aws, stacks: Stacks):
    """A whole service from one template: (its stack's ARN, the prefix of its names)."""
    prefix = name("shop")
    arn = stacks.client.create_stack(
        StackName=prefix,
        TemplateBody=SERVICE,
        Parameters=[{"ParameterKey": "Prefix", "ParameterValue": prefix}],
        Capabilities=IAM,
        Tags=[{"Key": "team", "Value": "orders"}],
    )["StackId"]
    stacks.wait("stack_create_complete", arn)
    yield arn, prefix
    stacks.delete(arn)


def test_a_service_from_one_template_works(aws: Aws, stacks: Stacks, service):
    arn, prefix = service
    entry = {"Source": prefix, "DetailType": "order", "Detail": json.dumps({"id": "O-1"})}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    dynamodb = aws.client("dynamodb")
    key = {"TableName": stacks.outputs(arn)["Table"], "Key": {"OrderId": {"S": "O-1"}}}
    assert eventually(lambda: dynamodb.get_item(**key).get("Item")) == {"OrderId": {"S": "O-1"}}


def test_the_services_have_what_the_template_says(aws: Aws, service):
    _, prefix = service
    configuration = aws.client("lambda").get_function_configuration(FunctionName=f"{prefix}-function")
    assert (configuration["MemorySize"], configuration["Handler"]) == (256, "index.handler")
    events = aws.client("events")
    assert json.loads(events.describe_rule(Name=f"{prefix}-rule")["EventPattern"]) == {"source": [prefix]}
    [target] = events.list_targets_by_rule(Rule=f"{prefix}-rule")["Targets"]
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 3
    iam = aws.client("iam")
    assert iam.list_role_policies(RoleName=f"{prefix}-role")["PolicyNames"] == ["store"]
    statement = json.loads(aws.client("lambda").get_policy(FunctionName=f"{prefix}-function")["Policy"])["Statement"][0]
    assert statement["Condition"]["ArnLike"]["AWS:SourceArn"].endswith(f"rule/{prefix}-rule")


def test_tags_say_which_stack_made_a_resource(aws: Aws, stacks: Stacks, service):
    arn, prefix = service
    lambda_ = aws.client("lambda")
    function = lambda_.get_function_configuration(FunctionName=f"{prefix}-function")["FunctionArn"]
    assert lambda_.list_tags(Resource=function)["Tags"] == {
        "team": "orders",
        "aws:cloudformation:stack-name": prefix,
        "aws:cloudformation:stack-id": arn,
        "aws:cloudformation:logical-id": "Function",
    }


def test_dependencies_come_first_and_every_step_is_an_event(stacks: Stacks):
    after_the_first = {"Fn::Join": ["-", [{"Fn::GetAtt": ["First", "QueueName"]}, 2]]}
    resources = {
        "Second": {**QUEUE, "Properties": {"QueueName": after_the_first}},
        "Third": {**QUEUE, "DependsOn": ["Second"]},
        "First": QUEUE,
    }
    arn = stacks.create(resources)
    expected = ["stack CREATE_IN_PROGRESS"]
    for each in ("First", "Second", "Third"):
        expected += [f"{each} CREATE_IN_PROGRESS", f"{each} CREATE_IN_PROGRESS", f"{each} CREATE_COMPLETE"]
    assert stacks.events(arn) == [*expected, "stack CREATE_COMPLETE"]
    stacks.delete(arn)
    deleted = [event for event in stacks.events(arn) if "DELETE_COMPLETE" in event]
    assert deleted == [f"{each} DELETE_COMPLETE" for each in ("Third", "Second", "First", "stack")]


def test_generated_names_tell_stack_and_resource(stacks: Stacks):
    arn = stacks.create({"OrdersTable": table()}, stack="name-giver")
    assert stacks.physical(arn)["OrdersTable"].startswith("name-giver-OrdersTable-")
    stacks.delete(arn)


def test_a_failure_takes_everything_back(aws: Aws, stacks: Stacks):
    queue = name("kept")
    resources = {"Good": {**QUEUE, "Properties": {"QueueName": queue}}, "Bad": {**BAD_QUEUE, "DependsOn": "Good"}}
    arn = stacks.create(resources, waiter=None)
    with pytest.raises(WaiterError, match="ROLLBACK_COMPLETE"):
        stacks.wait("stack_create_complete", arn)
    assert stacks.stack(arn)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert stacks.events(arn)[-6:] == [
        "Bad CREATE_FAILED",
        "stack ROLLBACK_IN_PROGRESS",
        "Bad DELETE_COMPLETE",
        "Good DELETE_IN_PROGRESS",
        "Good DELETE_COMPLETE",
        "stack ROLLBACK_COMPLETE",
    ]
    reason = stacks.reason(arn, "CREATE_FAILED")
    assert 'Resource handler returned message: "Can only include alphanumeric characters' in reason
    why = "The following resource(s) failed to create: [Bad]. Rollback requested by user."
    assert stacks.reason(arn, "ROLLBACK_IN_PROGRESS") == why
    assert "QueueUrls" not in aws.client("sqs").list_queues(QueueNamePrefix=queue)


def test_a_stack_that_was_rolled_back_can_only_be_deleted(stacks: Stacks):
    arn = stacks.create({"Bad": BAD_QUEUE}, waiter=None)
    assert stacks.settled(arn)["StackStatus"] == "ROLLBACK_COMPLETE"
    code, message = stacks.refusal(stacks.update, arn=arn, resources={"Good": QUEUE})
    assert (code, message) == ("ValidationError", f"Stack:{arn} is in ROLLBACK_COMPLETE state and can not be updated.")
    stacks.delete(arn)


@pytest.mark.parametrize(
    ("setting", "status"),
    [({"DisableRollback": True}, "CREATE_FAILED"), ({"OnFailure": "DO_NOTHING"}, "CREATE_FAILED"),
     ({"OnFailure": "DELETE"}, "DELETE_COMPLETE"), ({"OnFailure": "ROLLBACK"}, "ROLLBACK_COMPLETE")],
)  # fmt: skip
def test_on_failure(stacks: Stacks, setting, status):
    arn = stacks.create({"Good": QUEUE, "Bad": {**BAD_QUEUE, "DependsOn": "Good"}}, waiter=None, **setting)
    assert stacks.settled(arn)["StackStatus"] == status
    good = [event for event in stacks.events(arn) if event.startswith("Good")][-1]
    assert good == ("Good CREATE_COMPLETE" if status == "CREATE_FAILED" else "Good DELETE_COMPLETE")
    stacks.delete(arn)


def test_what_exists_already_is_not_taken_over(aws: Aws, stacks: Stacks):
    queue = name("theirs")
    url = aws.client("sqs").create_queue(QueueName=queue)["QueueUrl"]
    arn = stacks.create({"Queue": {**QUEUE, "Properties": {"QueueName": queue}}}, waiter=None)
    assert stacks.settled(arn)["StackStatus"] == "ROLLBACK_COMPLETE"
    expected = f"Resource of type 'AWS::SQS::Queue' with identifier '{queue}' already exists."
    assert expected in stacks.reason(arn, "CREATE_FAILED")
    assert aws.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"] == url


def test_permissions_are_those_of_whoever_asks(aws: Aws, stacks: Stacks):
    """The requests behind a stack are signed by its creator: a service's refusal ends the stack."""
    import boto3

    iam, user = aws.client("iam"), name("user")
    iam.create_user(UserName=user)
    statement = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="stacks-only", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    theirs = boto3.client(
        "cloudformation",
        endpoint_url=aws.account.endpoint_url,
        region_name=aws.account.region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    template = json.dumps({"Resources": {"Table": table()}})
    arn = theirs.create_stack(StackName=name(), TemplateBody=template)["StackId"]
    assert stacks.settled(arn)["StackStatus"] == "ROLLBACK_COMPLETE"
    reason = stacks.reason(arn, "CREATE_FAILED")
    assert "is not authorized to perform: dynamodb:CreateTable" in reason
    assert "HandlerErrorCode: AccessDenied" in reason


def test_retained_resources_stay(aws: Aws, stacks: Stacks):
    arn = stacks.create({"Kept": {**QUEUE, "DeletionPolicy": "Retain"}, "Gone": QUEUE})
    urls = stacks.physical(arn)
    stacks.delete(arn)
    assert "Kept DELETE_SKIPPED" in stacks.events(arn)
    sqs = aws.client("sqs")
    assert sqs.get_queue_attributes(QueueUrl=urls["Kept"])
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_attributes(QueueUrl=urls["Gone"])


def test_what_cannot_be_deleted_and_how_to_leave_it(aws: Aws, stacks: Stacks):
    """Somebody has put another policy into the role: IAM does not delete it then, and neither does CloudFormation."""
    arn = stacks.create({"Role": ROLE, "Queue": QUEUE})
    role = stacks.physical(arn)["Role"]
    statement = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=role, PolicyName="by-hand", PolicyDocument=document)
    stacks.client.delete_stack(StackName=arn)
    stack = stacks.settled(arn)
    assert stack["StackStatus"] == "DELETE_FAILED"
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Role]. "
    assert "Queue DELETE_COMPLETE" in stacks.events(arn)
    stacks.delete(arn, RetainResources=["Role"])
    assert aws.client("iam").get_role(RoleName=role)


def test_a_deletion_overtakes_a_creation(stacks: Stacks):
    many = {f"Queue{number}": QUEUE for number in range(60)}
    arn = stacks.create(many, waiter=None)
    stacks.delete(arn)
    assert stacks.stack(arn)["StackStatus"] == "DELETE_COMPLETE"
    assert "stack CREATE_COMPLETE" not in stacks.events(arn)


def test_a_deleted_stack_is_known_by_its_arn_alone(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE})
    stack = arn.split("/")[1]
    stacks.delete(arn)
    assert stacks.stack(arn)["StackStatus"] == "DELETE_COMPLETE"
    refusal = stacks.refusal(stacks.client.describe_stacks, StackName=stack)
    assert refusal == ("ValidationError", f"Stack with id {stack} does not exist")
    summaries = stacks.client.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert arn in [each["StackId"] for each in summaries]
    stacks.client.delete_stack(StackName=stack)  # no error, as on AWS


def test_errors_for_stacks_that_are_not_there(stacks: Stacks):
    client = stacks.client
    assert stacks.refusal(client.describe_stack_events, StackName="none")[1] == "Stack [none] does not exist"
    assert stacks.refusal(client.describe_stack_resources, StackName="none")[1] == "Stack with id none does not exist"
    assert stacks.refusal(client.get_template, StackName="none")[1] == "Stack with id none does not exist"
    template = json.dumps({"Resources": {"Queue": QUEUE}})
    refusal = stacks.refusal(client.update_stack, StackName="none", TemplateBody=template)
    assert refusal == ("ValidationError", "Stack [none] does not exist")


def test_a_name_is_taken_once(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE}, stack="taken")
    refusal = stacks.refusal(stacks.create, resources={"Queue": QUEUE}, stack="taken")
    assert refusal == ("AlreadyExistsException", "Stack [taken] already exists")
    stacks.delete(arn)


def test_a_protected_stack(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE}, stack="protected", EnableTerminationProtection=True)
    code, message = stacks.refusal(stacks.client.delete_stack, StackName="protected")
    assert message == "Stack [protected] cannot be deleted while TerminationProtection is enabled"
    stacks.client.update_termination_protection(StackName="protected", EnableTerminationProtection=False)
    stacks.delete(arn)


def test_resources_can_be_asked_for_in_three_ways(stacks: Stacks):
    arn = stacks.create({"Queue": QUEUE})
    [resource] = stacks.client.describe_stack_resources(StackName=arn)["StackResources"]
    assert (resource["ResourceType"], resource["ResourceStatus"]) == ("AWS::SQS::Queue", "CREATE_COMPLETE")
    [summary] = stacks.client.list_stack_resources(StackName=arn)["StackResourceSummaries"]
    assert summary["PhysicalResourceId"] == resource["PhysicalResourceId"]
    answer = stacks.client.describe_stack_resource(StackName=arn, LogicalResourceId="Queue")
    assert answer["StackResourceDetail"]["LogicalResourceId"] == "Queue"
    by_id = stacks.client.describe_stack_resources(PhysicalResourceId=resource["PhysicalResourceId"])
    assert by_id["StackResources"][0]["StackId"] == arn
    assert stacks.client.get_template(StackName=arn)["TemplateBody"] == {"Resources": {"Queue": QUEUE}}
    stacks.delete(arn)


def test_an_operation_that_is_not_there_says_so(stacks: Stacks):
    refusal = stacks.refusal(stacks.client.list_stack_sets)
    assert refusal == ("NotImplemented", "The embedded AWS cannot do this yet: ListStackSets of CloudFormation.")


def test_starting_the_account_imports_nothing_of_it():
    program = (
        "import sys, helpers.local_aws.cloudformation as it\n"
        "print([name for name in sys.modules if name.startswith(it.__name__ + '.')])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
