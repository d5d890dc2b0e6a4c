"""What learners get wrong in lesson 13."""

from __future__ import annotations

from contextlib import suppress

import boto3
from botocore.exceptions import WaiterError

from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 13-1 ---

secrets("13-1", "0", "empty", "untouched alone", "Role and Function")
RIGHT = {"A": "in place", "B": "in place", "C": "replaced", "D": "untouched", "E": "untouched", "F": "replaced"}


def predicted(orders: object = 0, along: object = ("Function", "Role"), **letters: str) -> tuple[dict]:
    return (RIGHT | letters | {"orders after F": orders, "along with F": along},)


@wrong_answer("13-1", "A: you have set the memory")
def every_change_makes_a_new_one():
    return predicted(A="replaced", B="replaced")


@wrong_answer("13-1", "B: put_rule")
def a_pattern_cannot_be_changed():
    return predicted(B="replaced")


@wrong_answer("13-1", "renames a rule")
def a_name_is_a_setting_like_others():
    return predicted(C="in place")


@wrong_answer("13-1", "D: what does a comment say")
def every_line_counts():
    return predicted(D="in place")


@wrong_answer("13-1", "look into the bucket")
def a_new_package_is_noticed():
    return predicted(E="in place")


@wrong_answer("13-1", "renames a table")
def a_table_is_renamed():
    return predicted(F="in place")


@wrong_answer("13-1", "carry items")
def the_orders_move_house():
    return predicted(orders=3)


@wrong_answer("13-1", "who has put anything")
def the_update_is_an_order():
    return predicted(orders=1)


@wrong_answer("13-1", "Rule does not mention")
def the_rule_depends_on_everything():
    return predicted(along=["Function", "Rule"])


@wrong_answer("13-1", "one is missing")
def the_policy_is_forgotten():
    return predicted(along=["Function"])


@wrong_answer("13-1", "as they are spelt")
def physical_ids():
    return predicted(along=["stack-role", "stack-function"])


@wrong_answer("13-1", "is one of three")
def words_of_my_own():
    return predicted(A="changed")


# --- 13-2 ---

secrets("13-2", "!GetAtt Waiting.Arn", "!Ref Waiting", "!Sub", "!GetAtt Late.Arn")
QUEUE, RULE = "!GetAtt Waiting.Arn", "!GetAtt Late.Arn"


def filled(target=QUEUE, queues="!Ref Waiting", resource=QUEUE, condition=RULE, variable="!Ref Waiting",
           log="!Sub /aws/lambda/${Caller}") -> tuple[dict]:  # fmt: skip
    gaps = {"target": target, "queues": queues, "resource": resource, "condition": condition, "variable": variable}
    return (gaps | {"log group": log},)


@wrong_answer("13-2", "target: that gives the queue's URL")
def a_reference_is_a_reference():
    return filled(target="!Ref Waiting", resource="!Ref Waiting")


@wrong_answer("13-2", "queues: that gives the queue's ARN")
def arns_everywhere():
    return filled(queues=QUEUE, variable=QUEUE)


@wrong_answer("13-2", "condition: that gives the rule's name")
def the_name_of_the_rule():
    return filled(condition="!Ref Late")


@wrong_answer("13-2", "condition: that leads to the queue")
def the_other_end():
    return filled(condition=QUEUE)


@wrong_answer("13-2", "variable: that gives the queue's name")
def the_name_of_the_queue():
    return filled(variable="!GetAtt Waiting.QueueName")


@wrong_answer("13-2", "target: that is a fixed text")
def an_arn_by_heart():
    return filled(target="arn:aws:sqs:us-east-1:123456789012:Waiting")


@wrong_answer("13-2", "one value alone")
def the_function_is_its_log_group():
    return filled(log="!Ref Caller")


@wrong_answer("13-2", "letter by letter")
def a_text_with_a_gap_that_nobody_fills():
    return filled(log="/aws/lambda/${Caller}")


@wrong_answer("13-2", "the beginning is right")
def the_arn_behind_the_slash():
    return filled(log='!Sub "/aws/lambda/${Caller.Arn}"')


@wrong_answer("13-2", "takes a logical id alone")
def an_attribute_for_ref():
    return filled(resource="!Ref Waiting.Arn")


@wrong_answer("13-2", "has two parts")
def no_attribute_for_getatt():
    return filled(resource="!GetAtt Waiting")


@wrong_answer("13-2", "no attribute of that name")
def an_attribute_in_capitals():
    return filled(resource="!GetAtt Waiting.ARN")


@wrong_answer("13-2", "no resource with that logical id")
def a_physical_id():
    return filled(target="!GetAtt waiting.Arn")


@wrong_answer("13-2", "no YAML")
def a_function_that_does_not_exist():
    return filled(target="!Arn Waiting")


# --- 13-3 ---

secrets("13-3", "DeletionPolicy", "Retain")
NAME, PATIENCE = "exercise-stack", {"Delay": 0.05, "MaxAttempts": 12000}
RETAIN, KEY = "\n    DeletionPolicy: Retain", "OrderId"


def table(policy: str = RETAIN, key: str = KEY) -> str:
    return f"""
  Kept:
    Type: AWS::DynamoDB::Table{policy}
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{{AttributeName: {key}, AttributeType: S}}]
      KeySchema: [{{AttributeName: {key}, KeyType: HASH}}]"""


def queue(policy: str = "") -> str:
    return f"\n  Gone:\n    Type: AWS::SQS::Queue{policy}\n"


def delete(stack: str) -> None:
    cloudformation = boto3.client("cloudformation")
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=PATIENCE)


def create(*resources: str, name: str = NAME) -> str:
    """Make the stack anew; its ARN, whether that has worked or not."""
    delete(name)
    cloudformation = boto3.client("cloudformation")
    body = "Resources:" + "".join(resources)
    stack_id = cloudformation.create_stack(StackName=name, TemplateBody=body)["StackId"]
    with suppress(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack_id, WaiterConfig=PATIENCE)
    return stack_id


def table_of(stack_id: str) -> str:
    resources = boto3.client("cloudformation").describe_stack_resources(StackName=stack_id)["StackResources"]
    return next(each["PhysicalResourceId"] for each in resources if each["LogicalResourceId"] == "Kept")


def store(stack_id: str, key: str = KEY) -> None:
    boto3.client("dynamodb").put_item(TableName=table_of(stack_id), Item={key: {"S": "KEEP-1"}})


def outlived(*resources: str, key: str = KEY) -> tuple[str]:
    """Create, store, delete."""
    stack_id = create(*resources)
    store(stack_id, key)
    delete(stack_id)
    return (stack_id,)


@undo("13-3")
def no_stack_and_nothing_left_of_it():
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    delete(NAME)
    for each in dynamodb.list_tables()["TableNames"]:
        if each.startswith(f"{NAME}-"):
            dynamodb.delete_table(TableName=each)
            dynamodb.get_waiter("table_not_exists").wait(TableName=each, WaiterConfig=PATIENCE)
    for url in sqs.list_queues(QueueNamePrefix=f"{NAME}-").get("QueueUrls", []):
        sqs.delete_queue(QueueUrl=url)


@wrong_answer("13-3", "given its name back")
def the_name_of_the_stack():
    outlived(table(), queue())
    return (NAME,)


@wrong_answer("13-3", "not the ARN of a stack")
def another_stack():
    stack_id = create(queue(), name="exercise-other")
    delete(stack_id)
    return (stack_id,)


@wrong_answer("13-3", "not deleted yet")
def the_stack_stays():
    stack_id = create(table(), queue())
    store(stack_id)
    return (stack_id,)


@wrong_answer("13-3", "gone with its stack")
def nothing_said_about_deleting():
    return outlived(table(""), queue())


@wrong_answer("13-3", "stayed as well")
def both_are_kept():
    return outlived(table(), queue(RETAIN))


@wrong_answer("13-3", "never made a table")
def the_table_is_made_by_hand():
    stack_id = create(queue())
    delete(stack_id)
    return (stack_id,)


@wrong_answer("13-3", "never made a queue")
def a_table_alone():
    return outlived(table())


@wrong_answer("13-3", "no order KEEP-1")
def no_order():
    stack_id = create(table(), queue())
    delete(stack_id)
    return (stack_id,)


@wrong_answer("13-3", "first FAILED")
def a_key_that_no_attribute_defines():
    return (create(table().replace("OrderId, AttributeType", "Id, AttributeType"), queue()),)


@wrong_answer("13-3", "made afterwards")
def the_table_is_made_again():
    stack_id = create(table(""), queue())
    name = table_of(stack_id)
    delete(stack_id)
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": KEY, "AttributeType": "S"}],
    )
    return (stack_id,)


@wrong_answer("13-3", "its key is not")
def another_key():
    return outlived(table(key="Id"), queue(), key="Id")
