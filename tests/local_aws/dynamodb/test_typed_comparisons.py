"""DynamoDB never finds values of different types equal, greater or smaller; and it does not fail over them either."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

ITEM = {
    "P": {"S": "one"},
    "n": {"N": "1"},
    "s": {"S": "1"},
    "yes": {"BOOL": True},
    "b": {"B": b"1"},
    "nil": {"NULL": True},
}


@pytest.fixture(scope="module")
def table(aws):
    client, name = aws.client("dynamodb"), aws.table(keys={"P": "S"})
    client.put_item(TableName=name, Item=ITEM)
    return client, name


@pytest.mark.parametrize("expression, value, found", [
    ("n >= :v", {"N": "1"}, True),
    ("n > :v", {"N": "1"}, False),
    ("n >= :v", {"S": "1"}, False),
    ("n < :v", {"S": "2"}, False),
    ("s <= :v", {"N": "5"}, False),
    ("s <= :v", {"S": "5"}, True),
    ("n = :v", {"BOOL": True}, False),
    ("n = :v", {"N": "1.0"}, True),
    ("yes = :v", {"N": "1"}, False),
    ("yes = :v", {"BOOL": True}, True),
    ("s = :v", {"B": b"1"}, False),
    ("s <> :v", {"B": b"1"}, True),
    ("yes > :v", {"BOOL": False}, False),
    ("nil = :v", {"NULL": True}, True),
    ("lacking = :v", {"NULL": True}, False),
    ("lacking <> :v", {"N": "1"}, True),
    ("n BETWEEN :v AND :v", {"N": "1"}, True),
    ("n BETWEEN :v AND :v", {"S": "1"}, False),
    ("size(s) = :v", {"N": "1"}, True),
    ("size(s) >= :v", {"S": "1"}, False),
])  # fmt: skip
def test_types_are_compared_first(table, expression, value, found):
    client, name = table
    answer = client.scan(TableName=name, FilterExpression=expression, ExpressionAttributeValues={":v": value})
    assert answer["Count"] == found


def test_a_condition_of_another_type_is_not_met(table):
    client, name = table
    with pytest.raises(ClientError, match="ConditionalCheckFailedException"):
        client.put_item(
            TableName=name, Item=ITEM, ConditionExpression="n < :v", ExpressionAttributeValues={":v": {"S": "9"}}
        )
