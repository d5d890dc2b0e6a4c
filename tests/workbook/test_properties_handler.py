"""handler.py under whatever an event can be: the order is stored as it was sent, or the handler says why not."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.support.campaign import ANY_JSON, LONG, NUMBERS, STORABLE, TEXT, examples, nested
from tests.support.tutorial_handler import CONTEXT, create_table, event_with, handler_without_aws  # noqa: F401

FIELDS = ("OrderId", "Item", "Amount", "IsMember", "ShippingMethod")
WHOLE = st.integers(-(10**38) + 1, 10**38 - 1)
#: What every order may also have, as deep as DynamoDB goes.
NAME = TEXT.filter(bool)  # DynamoDB's attributes have names, inside maps too
MORE = nested(st.none() | st.booleans() | TEXT | WHOLE | STORABLE, NAME)
ORDERS = st.builds(
    lambda required, more: {**more, **required},
    st.fixed_dictionaries(
        {
            "OrderId": TEXT.filter(bool),
            "Item": TEXT | WHOLE,
            "Amount": WHOLE | STORABLE,
            "IsMember": st.booleans(),
            "ShippingMethod": TEXT,
        }
    ),
    st.dictionaries(NAME, MORE, max_size=3),
)
NEARLY = st.builds(
    lambda order, name, value, drop: {key: each for key, each in {**order, name: value}.items() if key != drop},
    ORDERS,
    st.sampled_from(FIELDS) | TEXT,
    ANY_JSON | LONG | NUMBERS,
    st.none() | st.sampled_from(FIELDS),
)
DEEP: Any = 1
for _ in range(40):
    DEEP = [DEEP]


@pytest.fixture(scope="module", autouse=True)
def table(handler):
    create_table("sample-table")
    CLIENTS[:] = [handler.DYNAMODB]  # making one takes longer than all that a test does with it
    yield
    CLIENTS[0].delete_table(TableName="sample-table")


CLIENTS: list[Any] = []


def items() -> list[dict[str, Any]]:
    return CLIENTS[0].scan(TableName="sample-table")["Items"]


def empty() -> None:
    for item in items():
        CLIENTS[0].delete_item(TableName="sample-table", Key={"OrderId": item["OrderId"]})


def json_text(value: Any) -> str:
    """JSON with a Decimal's digits as they are."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{json_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json_text, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def read(attribute: dict[str, Any]) -> Any:
    """A value of DynamoDB, as JSON has it."""
    ((kind, value),) = attribute.items()
    match kind:
        case "N":
            return Decimal(value)
        case "NULL":
            return None
        case "L":
            return [read(each) for each in value]
        case "M":
            return {name: read(each) for name, each in value.items()}
    return value


def same(stored: Any, sent: Any) -> bool:
    """Equal, and of one type: to Python True is 1, and 1.0 is 1."""
    if isinstance(sent, dict):
        return isinstance(stored, dict) and stored.keys() == sent.keys() and all(same(stored[n], sent[n]) for n in sent)
    if isinstance(sent, list):
        return isinstance(stored, list) and len(stored) == len(sent) and all(map(same, stored, sent))
    if isinstance(sent, bool) or sent is None:
        return stored is sent
    if isinstance(sent, str):
        return stored == sent
    return isinstance(stored, Decimal) and stored == Decimal(repr(sent) if isinstance(sent, float) else sent)


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, inside), default=0)


@examples(80)
@given(ORDERS, st.booleans())
def test_a_valid_order_is_stored_to_the_last_digit(handler, order, repeated):
    empty()
    event = event_with(json_text(order))
    for _ in range(1 + repeated):
        assert handler.lambda_handler(event, CONTEXT) == {"status": "stored", "orderId": order["OrderId"]}
    stored = items()
    assert len(stored) == 1
    assert same({name: read(value) for name, value in stored[0].items()}, order)


@examples(250)
@given(
    NEARLY.map(lambda order: {"body": json.loads(json_text(order))})
    | NEARLY.map(lambda order: {"detail": {"body": json_text(order)}})
    | NEARLY.map(lambda order: {"detail": {"body": json.loads(json_text(order))}})
    | st.dictionaries(
        st.sampled_from(["id", "detail", "body"]), ANY_JSON | LONG | st.fixed_dictionaries({"body": LONG})
    )
    | ANY_JSON,
)
@example({"body": {"OrderId": "A", "Item": "x", "Amount": 0.1 + 0.2, "IsMember": True, "ShippingMethod": "air"}})
@example({"body": {"OrderId": "A", "Item": "x", "Amount": float("nan"), "IsMember": True, "ShippingMethod": "air"}})
@example({"body": {"OrderId": "A", "Item": "x", "Amount": 1, "IsMember": True, "ShippingMethod": "a", "deep": DEEP}})
@example({"body": {"OrderId": "\ud800", "Item": "x", "Amount": 1, "IsMember": True, "ShippingMethod": "air"}})
@example({"body": '{"OrderId": "A", "Amount": 1, "Amount": 2, "Item": 1, "IsMember": true, "ShippingMethod": ""}'})
@example({"body": {"OrderId": "A", "Item": "x" * 1_000_000, "Amount": 1, "IsMember": True, "ShippingMethod": "air"}})
def test_any_event_is_stored_whole_or_refused_in_clear_words(handler, capsys, event):
    # DynamoDB refuses an attribute without a name; moto takes it, and then gives an item that botocore cannot read.
    assume('"":' not in json.dumps(event).replace("\\", ""))
    empty()
    capsys.readouterr()
    try:
        answer = handler.lambda_handler(event, CONTEXT)
    except handler.InvalidOrder as refusal:
        assert str(refusal) and len(str(refusal)) < 3000
        assert items() == []
        answer = {"status": "invalid"}
    line, end, rest = capsys.readouterr().out.partition("\n")
    assert (json.loads(line)["outcome"], end, rest) == (answer["status"], "\n", "")
    if answer["status"] == "ignored":
        assert items() == []
        assert not isinstance(event, dict) or "body" not in event
    if answer["status"] == "stored":
        detail = event.get("detail")
        body = detail["body"] if isinstance(detail, dict) and "body" in detail else event["body"]
        order = json.loads(body, parse_float=Decimal) if isinstance(body, str) else body
        stored = items()
        assert len(stored) == 1
        assert same({name: read(value) for name, value in stored[0].items()}, order)
        assert depth(order) <= 33
