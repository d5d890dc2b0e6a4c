"""An item's attributes have names: DynamoDB refuses one without, and handler.py says so of the order."""

from __future__ import annotations

import json

import pytest

from helpers.paths import PROJECT
from tests.support.lambda_requests import refused

REFUSED = ("ValidationException", "One or more parameter values were invalid: Empty attribute name")
NAMELESS = {
    "at the top": {"": {"S": "x"}},
    "in a map": {"a": {"M": {"": {"S": "x"}}}},
    "in a map in a list in a map": {"a": {"M": {"b": {"L": [{"S": "x"}, {"M": {"": {"NULL": True}}}]}}}},
}


@pytest.fixture(scope="module")
def table(aws) -> str:
    return aws.table()


@pytest.mark.parametrize("attributes", NAMELESS.values(), ids=NAMELESS)
def test_an_item_with_a_nameless_attribute_is_refused(aws, table, attributes) -> None:
    dynamodb, item = aws.client("dynamodb"), {"OrderId": {"S": "nameless"}, **attributes}
    put = {"TableName": table, "Item": item}
    assert refused(dynamodb.put_item, **put) == REFUSED
    assert refused(dynamodb.batch_write_item, RequestItems={table: [{"PutRequest": {"Item": item}}]}) == REFUSED
    assert refused(dynamodb.transact_write_items, TransactItems=[{"Put": put}]) == REFUSED
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"OrderId": {"S": "nameless"}})


def test_empty_values_are_stored(aws, table) -> None:
    dynamodb = aws.client("dynamodb")
    item = {"OrderId": {"S": "empty"}, "text": {"S": ""}, "map": {"M": {}}, "list": {"L": [{"M": {}}]}}
    dynamodb.put_item(TableName=table, Item=item)
    assert dynamodb.get_item(TableName=table, Key={"OrderId": {"S": "empty"}})["Item"] == item


def test_the_handler_calls_such_an_order_invalid(aws, table) -> None:
    source = (PROJECT / "handler.py").read_text(encoding="utf-8")
    name = aws.function(source, "main.lambda_handler", Environment={"Variables": {"TABLE_NAME": table}})
    order = {"OrderId": "A-1", "Item": "lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "air"}
    assert aws.invoke(name, {"body": order})["Json"] == {"status": "stored", "orderId": "A-1"}
    for more in ({"": 1}, {"box": {"": 1}}):
        answer = aws.invoke(name, {"body": {**order, **more}})
        assert answer["FunctionError"] == "Unhandled"
        assert answer["Json"]["errorType"] == "InvalidOrder"
        assert answer["Json"]["errorMessage"] == f"body cannot be stored: {REFUSED[1]}"
    outcomes = [json.loads(line)["outcome"] for line in aws.log(name) if line.startswith("{")]
    assert outcomes == ["stored", "invalid", "invalid"]
