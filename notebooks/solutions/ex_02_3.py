"""Exercise 02-3: a table, and a put that the table itself refuses when the key is there."""

from contextlib import suppress

import boto3

from helpers.exercises import check

dynamodb = boto3.client("dynamodb")
with suppress(dynamodb.exceptions.ResourceInUseException):
    dynamodb.create_table(
        TableName="exercise-orders",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "OrderId", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "OrderId", "AttributeType": "S"}],
    )
dynamodb.get_waiter("table_exists").wait(TableName="exercise-orders", WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def store_first(table, order):
    """Store the order unless its OrderId is there already; return True if it was stored, or else False."""
    try:
        table.put_item(Item=order, ConditionExpression="attribute_not_exists(OrderId)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False  # only this error means that the key is there; every other one is somebody's to see
    return True


check("02-3", store_first)
