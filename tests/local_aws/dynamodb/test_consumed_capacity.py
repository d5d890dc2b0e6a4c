"""What reading and writing costs, as DynamoDB counts it."""

from __future__ import annotations

import pytest

from helpers.local_aws.dynamodb.consumed_capacity import item_size


@pytest.fixture
def table(aws):
    """A client and a table with 200 items of about 1,000 bytes each under one partition key."""
    client, name = aws.client("dynamodb"), aws.table(keys={"P": "S", "S": "S"})
    items = [  # 1 + 1 + 1 + 3 + 4 + 989
        {"P": {"S": "p"}, "S": {"S": f"{number:03}"}, "text": {"S": "x" * 989}} for number in range(200)
    ]
    for start in range(0, 200, 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        client.batch_write_item(RequestItems={name: puts})
    return client, name


def units(answer) -> float:
    return answer["ConsumedCapacity"]["CapacityUnits"]


ASK = {"ReturnConsumedCapacity": "TOTAL"}


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"OrderId": {"S": "X-0001"}}, 7 + 6),
        ({"ü": {"S": "€"}}, 2 + 3),
        ({"n": {"N": "0"}}, 1 + 2),
        ({"n": {"N": "12345"}}, 1 + 4),
        ({"n": {"N": "-12.50"}}, 1 + 4),
        ({"b": {"BOOL": True}, "z": {"NULL": True}}, 4),
        ({"l": {"L": [{"S": "ab"}, {"N": "1"}]}}, 1 + 3 + 1 + 2 + 1 + 2),
        ({"m": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
        ({"s": {"SS": ["a", "bc"]}}, 1 + 3),
    ],
)
def test_the_size_of_an_item(attributes, size):
    assert item_size(attributes) == size


def test_a_scan_costs_what_it_looks_at(table):
    client, name = table
    blocks = -(-200 * 999 // 4096)  # 49 times 4 KB
    assert units(client.scan(TableName=name, **ASK)) == blocks / 2
    assert units(client.scan(TableName=name, ConsistentRead=True, **ASK)) == blocks
    assert units(client.scan(TableName=name, Select="COUNT", **ASK)) == blocks / 2, "counting reads all the same"


def test_a_filter_makes_a_scan_no_cheaper(table):
    client, name = table
    answer = client.scan(
        TableName=name,
        FilterExpression="#s = :one",
        ProjectionExpression="P",
        ExpressionAttributeNames={"#s": "S"},
        ExpressionAttributeValues={":one": {"S": "001"}},
        **ASK,
    )
    assert (answer["Count"], answer["ScannedCount"]) == (1, 200)
    assert units(answer) == 24.5


def test_a_page_costs_its_own_items(table):
    client, name = table
    pages = client.get_paginator("scan").paginate(TableName=name, PaginationConfig={"PageSize": 50}, **ASK)
    assert [units(page) for page in pages if page["ScannedCount"]] == [6.5] * 4


def test_a_query_costs_what_its_key_condition_selects(table):
    client, name = table
    question = {
        "TableName": name,
        "KeyConditionExpression": "P = :p AND begins_with(S, :s)",
        "ExpressionAttributeValues": {":p": {"S": "p"}, ":s": {"S": "00"}},
    }
    assert units(client.query(**question, **ASK)) == 1.5  # ten items, three times 4 KB
    filtered = client.query(**question, FilterExpression="attribute_not_exists(P)", **ASK)
    assert (filtered["Count"], units(filtered)) == (0, 1.5)


def test_a_get_costs_by_the_size_of_the_item(table):
    client, name = table
    large = {"P": {"S": "large"}, "S": {"S": "1"}, "text": {"S": "x" * 9000}}
    assert units(client.put_item(TableName=name, Item=large, **ASK)) == 9.0
    key = {"P": {"S": "large"}, "S": {"S": "1"}}
    assert units(client.get_item(TableName=name, Key=key, **ASK)) == 1.5
    assert units(client.get_item(TableName=name, Key=key, ConsistentRead=True, **ASK)) == 3.0
    absent = {"P": {"S": "absent"}, "S": {"S": "1"}}
    assert units(client.get_item(TableName=name, Key=absent, **ASK)) == 0.5


def test_a_put_is_charged_for_the_larger_of_old_and_new(table):
    client, name = table
    key = {"P": {"S": "same"}, "S": {"S": "1"}}
    client.put_item(TableName=name, Item={**key, "text": {"S": "x" * 5000}})
    assert units(client.put_item(TableName=name, Item=key, **ASK)) == 5.0
    assert units(client.put_item(TableName=name, Item=key, **ASK)) == 1.0


def test_nothing_is_said_unasked(table):
    client, name = table
    assert "ConsumedCapacity" not in client.scan(TableName=name)
