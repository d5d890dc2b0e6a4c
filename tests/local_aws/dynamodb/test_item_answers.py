"""DynamoDB's answers are the same, however they are written."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

EVERY_TYPE = {
    "P": {"S": 'ü€ "quoted" \\ \n'},
    "n": {"N": "123456789012345678901234567890.12345678"},
    "b": {"B": bytes(range(256))},
    "yes": {"BOOL": True},
    "null": {"NULL": True},
    "empty": {"S": ""},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": [b"\x00", b"\xff"]},
    "list": {"L": [{"B": b"\x80"}, {"M": {}}, {"L": []}]},
    "map": {"M": {"inner": {"M": {"deep": {"N": "0.1"}}}}},
}


@pytest.fixture
def table(aws):
    client, name = aws.client("dynamodb"), aws.table(keys={"P": "S"})
    client.put_item(TableName=name, Item=EVERY_TYPE)
    return client, name


def ordered(item):
    return {
        name: {k: sorted(v) if k in ("SS", "NS", "BS") else v for k, v in value.items()} for name, value in item.items()
    }


def test_every_type_comes_back_as_it_went_in(table):
    client, name = table
    answers = [
        client.get_item(TableName=name, Key={"P": EVERY_TYPE["P"]})["Item"],
        *client.scan(TableName=name)["Items"],
        *client.query(
            TableName=name, KeyConditionExpression="P = :p", ExpressionAttributeValues={":p": EVERY_TYPE["P"]}
        )["Items"],
    ]
    assert [ordered(answer) for answer in answers] == [ordered(EVERY_TYPE)] * 3


def test_what_is_not_there_is_not_in_the_answer(table):
    client, name = table
    assert "Item" not in client.get_item(TableName=name, Key={"P": {"S": "absent"}})
    answer = client.scan(TableName=name)
    assert (answer["Count"], answer["ScannedCount"], "LastEvaluatedKey" in answer) == (1, 1, False)
    assert "Items" not in client.scan(TableName=name, Select="COUNT")


def test_pages_and_projections(table):
    client, name = table
    for number in range(5):
        client.put_item(TableName=name, Item={"P": {"S": f"{number}"}, "other": {"N": "1"}})
    pages = list(client.get_paginator("scan").paginate(TableName=name, PaginationConfig={"PageSize": 2}))
    assert sum(page["Count"] for page in pages) == 6
    assert set(pages[0]["LastEvaluatedKey"]) == {"P"}
    answer = client.get_item(TableName=name, Key={"P": {"S": "1"}}, ProjectionExpression="P")
    assert answer["Item"] == {"P": {"S": "1"}}


def test_errors_are_still_errors(table):
    client, _ = table
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.scan(TableName="absent")
