"""BatchWriteItem: one wrong request refuses all, and nothing of it is stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lambda_requests import refused


@pytest.fixture
def table(aws) -> str:
    return aws.table(keys={"id": "S", "n": "N"})


def put(name: str, number: str = "1", **more: Any) -> dict[str, Any]:
    return {"PutRequest": {"Item": {"id": {"S": name}, "n": {"N": number}, **more}}}


def delete(name: str, number: str = "1") -> dict[str, Any]:
    return {"DeleteRequest": {"Key": {"id": {"S": name}, "n": {"N": number}}}}


TWICE, OTHER = "Provided list of item keys contains duplicates", "The provided key element does not match the schema"
WRONG = {
    "the same key again": ([put("a", more={"S": "x"}), put("a")], TWICE),
    "the same number, written otherwise": ([put("a", "1.0"), put("a", "1")], TWICE),
    "put and deleted": ([put("a"), delete("a")], TWICE),
    "deleted twice": ([delete("a"), delete("a", "1.00")], TWICE),
    "a key that is not whole": ([{"DeleteRequest": {"Key": {"id": {"S": "b"}}}}], OTHER),
    "a key of another type": ([{"DeleteRequest": {"Key": {"id": {"S": "b"}, "n": {"S": "1"}}}}], OTHER),
    "a key with more than the key": ([{"DeleteRequest": {"Key": {"id": {"S": "b"}, "n": {"N": "1"}, "m": {"N": "1"}}}}],
                                     OTHER),
    "an item without its key": ([{"PutRequest": {"Item": {"id": {"S": "b"}}}}], "Missing the key n"),
    "an item with a key of another type": ([{"PutRequest": {"Item": {"id": {"S": "b"}, "n": {"S": "1"}}}}], "mismatch"),
    "an item that is too large": ([put("b", text={"S": "x" * 410_000})], "size"),
    "too many": ([put(f"b{number}") for number in range(26)], "Too many items"),
}  # fmt: skip


@pytest.mark.parametrize("requests, said", WRONG.values(), ids=WRONG)
def test_one_wrong_request_refuses_all(aws, table, requests, said):
    client = aws.client("dynamodb")
    client.put_item(TableName=table, Item=put("old")["PutRequest"]["Item"])
    code, message = refused(client.batch_write_item, RequestItems={table: [put("first"), delete("old"), *requests]})
    assert code == "ValidationException" and said in message
    assert [item["id"]["S"] for item in client.scan(TableName=table)["Items"]] == ["old"]


def test_a_table_that_is_not_there_refuses_all(aws, table):
    client = aws.client("dynamodb")
    code, _ = refused(client.batch_write_item, RequestItems={table: [put("first")], "absent": [put("a")]})
    assert code == "ResourceNotFoundException"
    assert client.scan(TableName=table)["Items"] == []


def test_what_is_right_is_done(aws, table):
    client, other = aws.client("dynamodb"), aws.table(keys={"id": "S", "n": "N"})
    client.put_item(TableName=table, Item=put("old")["PutRequest"]["Item"])
    arn = client.describe_table(TableName=other)["Table"]["TableArn"]
    client.batch_write_item(RequestItems={table: [put("a"), put("a", "2"), delete("old")], arn: [put("a")]})
    assert len(client.scan(TableName=table)["Items"]) == 2 and len(client.scan(TableName=other)["Items"]) == 1
