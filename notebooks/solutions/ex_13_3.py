"""Exercise 13-3: a stack whose table stays when it is deleted."""

import boto3

from helpers.exercises import check

cloudformation, dynamodb = boto3.client("cloudformation"), boto3.client("dynamodb")
patience = {"Delay": 1, "MaxAttempts": 600}

template = """
Resources:
  Kept:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: OrderId, AttributeType: S}]
      KeySchema: [{AttributeName: OrderId, KeyType: HASH}]
  Gone:
    Type: AWS::SQS::Queue
"""

cloudformation.delete_stack(StackName="exercise-stack")  # one of an earlier attempt may be in the way
cloudformation.get_waiter("stack_delete_complete").wait(StackName="exercise-stack", WaiterConfig=patience)
stack_id = cloudformation.create_stack(StackName="exercise-stack", TemplateBody=template)["StackId"]
cloudformation.get_waiter("stack_create_complete").wait(StackName=stack_id, WaiterConfig=patience)

resources = cloudformation.describe_stack_resources(StackName=stack_id)["StackResources"]
table = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources}["Kept"]
dynamodb.put_item(TableName=table, Item={"OrderId": {"S": "KEEP-1"}})

cloudformation.delete_stack(StackName=stack_id)
cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig=patience)

check("13-3", stack_id)
