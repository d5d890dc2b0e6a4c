"""Scans in pages: black box, through boto3."""

from __future__ import annotations

import pytest


def pages_of(aws, name: str, size: int):
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=name, PaginationConfig={"PageSize": size})
    return [page["Items"] for page in pages]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
@pytest.mark.parametrize("keys", [[("id", "S")], [("id", "N")], [("id", "N"), ("at", "S")]])
def test_pages_together_are_the_table(aws, keys, size):
    dynamodb, name = aws.client("dynamodb"), aws.table(keys=dict(keys))
    stored = [
        {key: {kind: str(number % 4 if len(keys) > 1 and key == "id" else number)} for key, kind in keys}
        for number in range(20)
    ]
    for item in stored:
        dynamodb.put_item(TableName=name, Item=item)
    pages = pages_of(aws, name, size)
    assert max(map(len, pages)) == min(size, 20)
    found = [item for page in pages for item in page]
    assert sorted(map(str, found)) == sorted(map(str, stored))


def test_changes_between_two_pages_are_seen(aws):
    dynamodb, name = aws.client("dynamodb"), aws.table(keys={"id": "S"})
    for letter in "bdfh":
        dynamodb.put_item(TableName=name, Item={"id": {"S": letter}, "n": {"N": "1"}})
    first = dynamodb.scan(TableName=name, Limit=2)
    assert [item["id"]["S"] for item in first["Items"]] == ["b", "d"]
    dynamodb.put_item(TableName=name, Item={"id": {"S": "a"}})
    dynamodb.put_item(TableName=name, Item={"id": {"S": "e"}})
    dynamodb.put_item(TableName=name, Item={"id": {"S": "f"}, "n": {"N": "2"}})
    dynamodb.delete_item(TableName=name, Key={"id": {"S": "h"}})
    dynamodb.delete_item(TableName=name, Key={"id": {"S": "d"}})  # the page after it begins where it was
    dynamodb.update_item(
        TableName=name,
        Key={"id": {"S": "e"}},
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "3"}},
    )
    rest = dynamodb.scan(TableName=name, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert rest["Items"] == [{"id": {"S": "e"}, "n": {"N": "3"}}, {"id": {"S": "f"}, "n": {"N": "2"}}]
    assert [item["id"]["S"] for item in dynamodb.scan(TableName=name)["Items"]] == ["a", "b", "e", "f"]


def test_a_transaction_that_fails_leaves_the_order_as_it_was(aws):
    dynamodb, name = aws.client("dynamodb"), aws.table(keys={"id": "S"})
    for letter in "ac":
        dynamodb.put_item(TableName=name, Item={"id": {"S": letter}})
    pages_of(aws, name, 1)
    fails = {"TableName": name, "Key": {"id": {"S": "x"}}, "ConditionExpression": "attribute_exists(id)"}
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(
            TransactItems=[{"Put": {"TableName": name, "Item": {"id": {"S": "b"}}}}, {"ConditionCheck": fails}]
        )
    assert [page[0]["id"]["S"] for page in pages_of(aws, name, 1) if page] == ["a", "c"]
