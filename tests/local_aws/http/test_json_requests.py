"""Requests that the embedded AWS reads a short way mean the same as before: items of every type, sizes, counts, ids."""

from __future__ import annotations

import re
import uuid

import pytest
from botocore.exceptions import ClientError

ITEM = {
    "Id": {"S": "a=b&c=d"},  # as a query, which other protocols have in the body, this would mean something
    "Number": {"N": "65.50"},
    "Truth": {"BOOL": False},
    "Nothing": {"NULL": True},
    "Bytes": {"B": b"\x00\xff"},
    "Texts": {"SS": ["x", "y"]},
    "Numbers": {"NS": ["1", "2"]},
    "Blobs": {"BS": [b"\x00", b"\x01"]},
    "List": {"L": [{"S": ""}, {"B": b"\xfe"}, {"M": {"In": {"N": "1"}}}]},
    "Map": {"M": {"S": {"S": "a key that is called like a type"}, "Bytes": {"B": b"\xfd"}}},
}


@pytest.fixture
def dynamodb(aws):
    return aws.client("dynamodb")


@pytest.fixture
def table(aws):
    return aws.table(keys={"Id": "S"})


def test_an_item_of_every_type_comes_back(dynamodb, table):
    dynamodb.put_item(TableName=table, Item=ITEM)
    assert dynamodb.get_item(TableName=table, Key={"Id": ITEM["Id"]})["Item"] == ITEM


def test_what_put_item_answers(dynamodb, table):
    """The old item, where it is asked for, and otherwise nothing."""
    first = dynamodb.put_item(TableName=table, Item=ITEM, ReturnValues="ALL_OLD", ReturnConsumedCapacity="TOTAL")
    assert "Attributes" not in first and first["ConsumedCapacity"]["CapacityUnits"] == 1
    again = dynamodb.put_item(TableName=table, Item=ITEM | {"Number": {"N": "1"}}, ReturnValues="ALL_OLD")
    assert again["Attributes"] == ITEM
    assert again.keys() == {"Attributes", "ResponseMetadata"}


def test_a_condition_that_fails(dynamodb, table):
    dynamodb.put_item(TableName=table, Item=ITEM)
    with pytest.raises(ClientError) as refused:
        dynamodb.put_item(
            TableName=table,
            Item=ITEM,
            ConditionExpression="#n = :n",
            ExpressionAttributeNames={"#n": "Number"},
            ExpressionAttributeValues={":n": {"N": "1"}},
        )
    assert refused.value.response["Error"]["Code"] == "ConditionalCheckFailedException"


@pytest.mark.parametrize("parts", [1, 8])
def test_an_item_that_is_too_large(dynamodb, table, parts):
    """DynamoDB's limit is 400 KB for the whole item, however many attributes share it."""
    fits = {"Id": {"S": "1"}} | {f"Part{n}": {"S": "x" * (400_000 // parts)} for n in range(parts)}
    dynamodb.put_item(TableName=table, Item=fits)
    with pytest.raises(ClientError) as refused:
        dynamodb.put_item(TableName=table, Item=fits | {"More": {"S": "x" * 10_000}})
    assert refused.value.response["Error"]["Code"] == "ValidationException"
    assert "size" in refused.value.response["Error"]["Message"]


@pytest.mark.parametrize("keys", [["Id"], ["Id", "Sort"]])
def test_describe_table_counts_the_items(aws, dynamodb, keys):
    table = aws.table(keys=dict.fromkeys(keys, "S"))
    for number in range(6):
        item = {"Id": {"S": str(number // 2)}, "Sort": {"S": str(number % 2)}}
        dynamodb.put_item(TableName=table, Item=item)
    expected = 3 if len(keys) == 1 else 6
    assert dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] == expected


def test_each_answer_has_an_id_of_its_own(dynamodb, table):
    """52 capital letters and digits, as DynamoDB's."""
    answers = [dynamodb.describe_table(TableName=table)["ResponseMetadata"] for _ in range(5)]
    ids = [answer["HTTPHeaders"]["x-amzn-requestid"] for answer in answers]
    assert len(set(ids)) == 5 and all(re.fullmatch("[0-9A-Z]{52}", each) for each in ids)
    assert answers[0]["RequestId"] == ids[0]


def test_other_services_of_the_same_protocol(aws):
    """The region is the one that was signed for, and the account the embedded one."""
    logs = aws.session.client("logs", endpoint_url=aws.account.endpoint_url, region_name="eu-west-1")
    name = f"/group/{uuid.uuid4().hex}"
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName="/nobody's")
    logs.create_log_group(logGroupName=name)
    group = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
    assert group["arn"].startswith(f"arn:aws:logs:eu-west-1:{aws.account.account_id}:log-group:{name}")
    elsewhere = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)
    assert elsewhere["logGroups"] == []
