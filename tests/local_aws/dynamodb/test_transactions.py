"""A transaction changes all that it names, or nothing: items, what indexes and streams say of them, and sizes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

GSI = {
    "IndexName": "by-group",
    "KeySchema": [{"AttributeName": "group", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
#: What is in the table before.
ITEMS = [{"id": {"S": name}, "at": {"S": "1"}, "group": {"S": "g"}, "n": {"N": "0"}} for name in "abc"]


class Subject:
    """A table with an index and a stream, and everything that can be seen of it."""

    def __init__(self, aws: Any) -> None:
        self.client, self.streams = aws.client("dynamodb"), aws.client("dynamodbstreams")
        kinds = {"id": "S", "at": "S", "group": "S"}
        self.name = aws.table(
            f"things_{uuid.uuid4().hex}",
            keys={"id": "S", "at": "S"},
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()],
            GlobalSecondaryIndexes=[GSI],
            StreamSpecification=STREAM,
        )
        described = self.client.describe_table(TableName=self.name)["Table"]
        self.arn, self.stream = described["TableArn"], described["LatestStreamArn"]
        for item in ITEMS:
            self.client.put_item(TableName=self.name, Item=item)

    def seen(self) -> dict[str, Any]:
        question = {
            "KeyConditionExpression": "#g = :g",
            "ExpressionAttributeNames": {"#g": "group"},
            "ExpressionAttributeValues": {":g": {"S": "g"}},
        }
        scanned = self.client.scan(TableName=self.name, ReturnConsumedCapacity="TOTAL")
        return {
            "items": scanned["Items"],
            "units": scanned["ConsumedCapacity"]["CapacityUnits"],
            "pages": [page["Items"] for page in self.client.get_paginator("scan").paginate(
                TableName=self.name, PaginationConfig={"PageSize": 1})],
            "index": self.client.query(TableName=self.name, IndexName="by-group", **question)["Items"],
            "count": self.client.describe_table(TableName=self.name)["Table"]["ItemCount"],
            "records": self.records(),
        }  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        (shard,) = self.streams.describe_stream(StreamArn=self.stream)["StreamDescription"]["Shards"]
        place = {"StreamArn": self.stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = self.streams.get_shard_iterator(**place)["ShardIterator"]
        return self.streams.get_records(ShardIterator=iterator)["Records"]

    def transact(self, *writes: dict[str, dict[str, Any]], table: str = "") -> None:
        named = [{kind: {"TableName": table or self.name, **what} for kind, what in write.items()} for write in writes]
        self.client.transact_write_items(TransactItems=named)


@pytest.fixture
def subject(aws) -> Subject:
    return Subject(aws)


def key(name: str) -> dict[str, Any]:
    return {"id": {"S": name}, "at": {"S": "1"}}


def setting(name: str, value: str) -> dict[str, Any]:
    return {"Key": key(name), "UpdateExpression": "SET n = :n", "ExpressionAttributeValues": {":n": {"N": value}}}


NEW = {**key("new"), "group": {"S": "g"}, "text": {"S": "x" * 9000}}
WRITES = {
    "put of a new item": {"Put": {"Item": NEW}},
    "put over another": {"Put": {"Item": {**key("a"), "group": {"S": "h"}}}},
    "update": {"Update": setting("a", "7")},
    "update of what is not there": {"Update": setting("new", "7")},
    "update of the index's key": {"Update": {**setting("a", "7"), "UpdateExpression": "SET n = :n REMOVE #g",
                                             "ExpressionAttributeNames": {"#g": "group"}}},
    "delete": {"Delete": {"Key": key("a")}},
    "delete of what is not there": {"Delete": {"Key": key("new")}},
}  # fmt: skip
UNMET = {"ConditionExpression": "attribute_exists(absent)"}
REFUSALS = {
    "a check": {"ConditionCheck": {"Key": key("b"), **UNMET}},
    "a put's condition": {"Put": {"Item": key("b"), **UNMET}},
    "a delete's condition": {"Delete": {"Key": key("b"), **UNMET}},
    "an update's condition": {"Update": {**setting("b", "1"), **UNMET}},
    "an update that cannot be": {"Update": {**setting("b", "1"), "UpdateExpression": "SET n = absent + :n"}},
    "an item that is named twice": {"Put": {"Item": ITEMS[0] | key("c")}},
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_transaction_that_fails_changes_nothing(subject, write, refusal):
    before = subject.seen()
    with pytest.raises(subject.client.exceptions.ClientError):
        subject.transact(write, {"Delete": {"Key": key("c")}}, refusal)
    assert subject.seen() == before


def test_a_transaction_may_name_its_table_by_arn(subject):
    before = subject.seen()
    with pytest.raises(subject.client.exceptions.TransactionCanceledException):
        subject.transact(WRITES["put of a new item"], REFUSALS["a check"], table=subject.arn)
    assert subject.seen() == before
    subject.transact(WRITES["put of a new item"], table=subject.arn)
    assert subject.seen()["count"] == 4


def test_a_transaction_over_two_tables_is_taken_back_in_both(aws, subject):
    other = Subject(aws)
    before = subject.seen(), other.seen()
    puts = [{"Put": {"TableName": each.name, "Item": NEW}} for each in (subject, other)]
    check = {"ConditionCheck": {"TableName": other.name, "Key": key("b"), **UNMET}}
    with pytest.raises(subject.client.exceptions.TransactionCanceledException):
        subject.client.transact_write_items(TransactItems=[*puts, check])
    assert (subject.seen(), other.seen()) == before
    subject.client.transact_write_items(TransactItems=puts)
    assert (subject.seen()["count"], other.seen()["count"]) == (4, 4)


def test_a_transaction_says_once_in_the_stream_what_has_become_of_each_item(subject):
    before = len(subject.records())
    subject.transact(
        {"Put": {"Item": NEW}},
        {"Update": setting("a", "7")},
        {"Update": setting("made", "1")},
        {"Delete": {"Key": key("b")}},
        {"ConditionCheck": {"Key": key("c"), "ConditionExpression": "attribute_exists(n)"}},
        {"Delete": {"Key": key("absent")}},
    )
    told = [(record["eventName"], record["dynamodb"]) for record in subject.records()[before:]]
    assert [(name, what.get("OldImage"), what.get("NewImage")) for name, what in told] == [
        ("INSERT", None, NEW),
        ("MODIFY", ITEMS[0], {**ITEMS[0], "n": {"N": "7"}}),
        ("INSERT", None, {**key("made"), "n": {"N": "1"}}),
        ("REMOVE", ITEMS[1], None),
    ]
    assert {item["id"]["S"] for item in subject.seen()["items"]} == {"a", "c", "made", "new"}


def test_an_update_that_fails_in_the_middle_changes_nothing(subject):
    before = subject.seen()
    too_large = {
        "UpdateExpression": "SET n = :n, more = :l",
        "ExpressionAttributeValues": {":n": {"N": "9"}, ":l": {"S": "x" * 410_000}},
    }
    for name in ("a", "absent"):
        with pytest.raises(subject.client.exceptions.ClientError, match="size"):
            subject.client.update_item(TableName=subject.name, Key=key(name), **too_large)
    assert subject.seen() == before


def test_an_update_that_makes_an_item_says_so_once(subject):
    before = len(subject.records())
    subject.client.update_item(TableName=subject.name, **setting("made", "1"))
    assert [record["eventName"] for record in subject.records()[before:]] == ["INSERT"]


def test_a_transaction_in_partiql_that_fails_changes_nothing(subject):
    before = subject.seen()
    done = [
        f"INSERT INTO {subject.name} VALUE {{'id': 'new', 'at': '1'}}",
        f"UPDATE {subject.name} SET n='7' WHERE id='a' AND at='1'",
        f"DELETE FROM {subject.name} WHERE id='b' AND at='1'",
    ]
    with pytest.raises(subject.client.exceptions.ResourceNotFoundException):
        subject.client.execute_transaction(
            TransactStatements=[{"Statement": each} for each in (*done, "SELECT * FROM absent WHERE id = 'a'")]
        )
    assert subject.seen() == before
    subject.client.execute_transaction(TransactStatements=[{"Statement": each} for each in done])
    changed = {item["id"]["S"]: item.get("n") for item in subject.seen()["items"]}
    assert changed == {"a": {"S": "7"}, "c": {"N": "0"}, "new": None}
