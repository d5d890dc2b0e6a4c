"""A value has exactly one of DynamoDB's types, wherever a request brings it."""

from __future__ import annotations

import pytest

from tests.support.lambda_requests import refused

EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
SEVERAL = EMPTY.replace("is empty", "has more than one datatypes set")


@pytest.fixture(scope="module")
def table(aws) -> str:
    return aws.table()


@pytest.mark.parametrize(("value", "message"), [({}, EMPTY), ({"S": "1", "N": "1"}, SEVERAL)])
def test_a_value_without_a_type_or_with_two_is_refused(aws, table, value, message) -> None:
    dynamodb, wrong = aws.client("dynamodb"), ("ValidationException", message)
    key = {"OrderId": {"S": "typed"}}
    for inside in (value, {"L": [value]}, {"M": {"b": {"M": {"c": value}}}}):
        put = {"TableName": table, "Item": {**key, "a": inside}}
        batch = {table: [{"PutRequest": {"Item": put["Item"]}}]}
        assert refused(dynamodb.put_item, **put) == wrong
        assert refused(dynamodb.batch_write_item, RequestItems=batch) == wrong
        assert refused(dynamodb.transact_write_items, TransactItems=[{"Put": put}]) == wrong
    keyed = {"TableName": table, "Key": {"OrderId": value}}
    assert refused(dynamodb.get_item, **keyed) == wrong
    assert refused(dynamodb.delete_item, **keyed) == wrong
    assert refused(dynamodb.transact_get_items, TransactItems=[{"Get": keyed}]) == wrong
    assert refused(dynamodb.batch_get_item, RequestItems={table: {"Keys": [keyed["Key"]]}}) == wrong
    valued = {"TableName": table, "ExpressionAttributeValues": {":v": value}}
    assert refused(dynamodb.query, KeyConditionExpression="OrderId = :v", **valued) == wrong
    assert refused(dynamodb.update_item, Key=key, UpdateExpression="SET a = :v", **valued) == wrong
    assert "Item" not in dynamodb.get_item(TableName=table, Key=key)


def test_a_transaction_has_an_action_in_each_place(aws, table) -> None:
    dynamodb, put = aws.client("dynamodb"), {"Put": {"TableName": table, "Item": {"OrderId": {"S": "acted"}}}}
    code, message = refused(dynamodb.transact_write_items, TransactItems=[put, {}])
    assert (code, "should contain" in message) == ("ValidationException", True)
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"OrderId": {"S": "acted"}})
