"""handler.py from outside: an event goes in; an answer, an item in the table and a line in the log come out.

The table is moto's, inside this process. DynamoDB's limits, which several rows stand on:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import ast
import json
import random
import sys
from decimal import Decimal

import boto3
import pytest

from tests.support.tutorial_handler import CONTEXT, SOURCE, create_table, event_with, handler_without_aws, load_handler  # noqa: F401

ORDER = {"OrderId": "A-1", "Item": "lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "air"}
ITEM = {
    "OrderId": {"S": "A-1"},
    "Item": {"S": "lamp"},
    "Amount": {"N": "65.5"},
    "IsMember": {"BOOL": True},
    "ShippingMethod": {"S": "air"},
}


@pytest.fixture(autouse=True)
def table(handler):
    """An empty table for each test; returns a function that reads all of its items."""
    create_table("sample-table")
    yield lambda name="sample-table": boto3.client("dynamodb").scan(TableName=name)["Items"]
    boto3.client("dynamodb").delete_table(TableName="sample-table")


def order_with(**fields):
    return ORDER | fields


def order_without(field):
    return {name: value for name, value in ORDER.items() if name != field}


def ascii_start(value):
    """A short name for a row."""
    return json.dumps(value)[:40]


def nested(levels, core="deep"):
    """So many lists, one in the other, around a core."""
    return [nested(levels - 1, core)] if levels else core


def strict_json(line):
    """Parse JSON as other languages do, who know neither NaN nor Infinity."""
    return json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


# ---------------------------------------------------------------- what is stored

GOOD = {  # name: (what differs from ORDER, what differs from ITEM)
    "the tutorial's order": ({}, {}),
    "whole amount": ({"Amount": 65}, {"Amount": {"N": "65"}}),
    "no amount": ({"Amount": 0}, {"Amount": {"N": "0"}}),
    "refund": ({"Amount": -12.34}, {"Amount": {"N": "-12.34"}}),
    "tenths, which floats cannot hold": ({"Amount": 0.1}, {"Amount": {"N": "0.1"}}),
    "15 digits": ({"Amount": 1234567890123.45}, {"Amount": {"N": "1234567890123.45"}}),
    "the float that a sum gave": ({"Amount": 0.1 + 0.2}, {"Amount": {"N": "0.30000000000000004"}}),
    "large float": ({"Amount": 1e22}, {"Amount": {"N": "1E+22"}}),
    "whole amount of 38 digits": ({"Amount": int("9" * 38)}, {"Amount": {"N": "9" * 38}}),
    "item as a number": ({"Item": 4711}, {"Item": {"N": "4711"}}),
    "item of no letters": ({"Item": ""}, {"Item": {"S": ""}}),
    "not a member": ({"IsMember": False}, {"IsMember": {"BOOL": False}}),
    "other scripts": ({"Item": "ランプ 💡"}, {"Item": {"S": "ランプ 💡"}}),
    "further text": ({"Note": "ring twice"}, {"Note": {"S": "ring twice"}}),
    "further null": ({"Coupon": None}, {"Coupon": {"NULL": True}}),
    "further truth": ({"Gift": True}, {"Gift": {"BOOL": True}}),
    "further list": ({"Tags": ["a", 1, None]}, {"Tags": {"L": [{"S": "a"}, {"N": "1"}, {"NULL": True}]}}),
    "further empties": ({"L": [], "M": {}, "S": ""}, {"L": {"L": []}, "M": {"M": {}}, "S": {"S": ""}}),
    "nested fractions": (
        {"Parcel": {"kg": 0.7, "cm": [10.1, {"depth": 3}]}},
        {"Parcel": {"M": {"kg": {"N": "0.7"}, "cm": {"L": [{"N": "10.1"}, {"M": {"depth": {"N": "3"}}}]}}}},
    ),
    "a field called body": ({"body": "x"}, {"body": {"S": "x"}}),
    "nearly 400 KB": ({"Note": "x" * 404_000}, {"Note": {"S": "x" * 404_000}}),
}


@pytest.mark.parametrize("way", ["object", "text", "direct"])
@pytest.mark.parametrize(("fields", "attributes"), GOOD.values(), ids=GOOD)
def test_good_order_is_stored_as_it_came_and_nothing_else(handler, table, fields, attributes, way):
    order = order_with(**fields)
    ways = {"object": event_with(order), "text": event_with(json.dumps(order)), "direct": {"body": order}}
    assert handler.lambda_handler(ways[way], CONTEXT) == {"status": "stored", "orderId": "A-1"}
    assert table() == [ITEM | attributes]


@pytest.mark.parametrize("order_id", ["x", " ", "x" * 2048, "é" * 1024, "💡" * 512], ids=ascii_start)
def test_order_id_may_have_up_to_2048_bytes(handler, table, order_id):
    answer = handler.lambda_handler(event_with(order_with(OrderId=order_id)), CONTEXT)
    assert answer == {"status": "stored", "orderId": order_id}
    assert table() == [ITEM | {"OrderId": {"S": order_id}}]


NUMBERS = [  # numbers as they stand in JSON text; only a Decimal takes them as they are
    "65.50", "-0.000001", "12345678901234567890.123456789012345678", "0." + "1234567890" * 3 + "12345678",
    "9." + "9" * 37 + "E125", "-9." + "9" * 37 + "e+125", "1E-130", "1." + "2" * 37 + "E-130", "1e125",
    "1" + "0" * 125, "1" + "0" * 38, "2.5" + "0" * 60, "0." + "0" * 200, "3" * 38, "-" + "7" * 38,
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_json_text_keeps_every_digit(handler, table, number):
    text = json.dumps(ORDER)[:-1] + f', "Deep": {{"n": [{number}]}}}}'
    text = text.replace("65.5", number)
    handler.lambda_handler(event_with(text), CONTEXT)
    (item,) = table()
    assert Decimal(item["Amount"]["N"]) == Decimal(number)
    assert Decimal(item["Deep"]["M"]["n"]["L"][0]["N"]) == Decimal(number)


def test_floats_of_15_digits_come_back_as_they_were_written(handler, table):
    written = random.Random(15)
    texts = [f"{written.randrange(10**14, 10**15)}e{written.randrange(-40, 40)}" for _ in range(200)]
    order = order_with(Amounts=[float(text) for text in texts])
    handler.lambda_handler(event_with(order), CONTEXT)
    stored = table()[0]["Amounts"]["L"]
    assert [Decimal(each["N"]) for each in stored] == [Decimal(text) for text in texts]


def test_31_lists_in_each_other_are_stored(handler, table):
    handler.lambda_handler(event_with(order_with(Deep=nested(31))), CONTEXT)
    value = table()[0]["Deep"]
    for _ in range(31):
        (value,) = value["L"]
    assert value == {"S": "deep"}


def test_delivered_twice_is_stored_once(handler, table):
    answers = [handler.lambda_handler(event_with(ORDER), CONTEXT) for _ in range(2)]
    assert answers[0] == answers[1] == {"status": "stored", "orderId": "A-1"}
    assert table() == [ITEM]


def test_a_later_order_with_the_same_id_leaves_nothing_of_the_earlier_one(handler, table):
    handler.lambda_handler(event_with(order_with(Note="old")), CONTEXT)
    handler.lambda_handler(event_with(ORDER), CONTEXT)
    assert table() == [ITEM]


# ---------------------------------------------------------------- what is refused

NAN, INFINITY = float("nan"), float("inf")
DIGITS_39 = int("123456789" * 4 + "123")

BAD = {  # name: (the body, the field that the message names)
    # the body as a whole
    "body null": (None, "body"),
    "body number": (42, "body"),
    "body fraction": (6.5, "body"),
    "body truth": (True, "body"),
    "body list": ([], "body"),
    "body list of orders": ([ORDER], "body"),
    "body empty text": ("", "body"),
    "body plain text": ("one lamp, please", "body"),
    "body half JSON": (json.dumps(ORDER)[:-1], "body"),
    "body two orders": (json.dumps(ORDER) * 2, "body"),
    "body Python instead of JSON": (str(ORDER), "body"),
    "body text of null": ("null", "body"),
    "body text of a list": (json.dumps([ORDER]), "body"),
    "body text of a number": ("42", "body"),
    "body text of NaN": ("NaN", "body"),
    "body text of text": (json.dumps(json.dumps(ORDER)), "body"),
    "body endless brackets": ("[" * 100_000, "body"),
    "body endless braces": ('{"a":' * 100_000, "body"),
    "body exponent beyond reason": (json.dumps(ORDER).replace("65.5", "1e9999999999999999999"), "body"),
    "body 5000 digits": (json.dumps(ORDER).replace("65.5", "1" * 5000), "body"),
    "body empty object": ({}, "OrderId"),
    "item over 400 KB": (order_with(Note="x" * 400 * 1024), "body"),
    "item over 400 KB in small pieces": (order_with(Notes=["é" * 1000] * 220), "body"),
    # one field is missing
    **{f"{field} missing": (order_without(field), field) for field in ORDER},
    **{f"{field} in small letters": (order_without(field) | {field.lower(): ORDER[field]}, field)
       for field in ORDER},
    # one field is of another type
    **{f"{field} null": (order_with(**{field: None}), field) for field in ORDER},
    **{f"{field} list": (order_with(**{field: [ORDER[field]]}), field) for field in ORDER},
    **{f"{field} object": (order_with(**{field: {"value": ORDER[field]}}), field) for field in ORDER},
    **{f"{field} NaN": (order_with(**{field: NAN}), field) for field in ORDER},
    **{f"{field} 400 lists deep": (json.dumps(ORDER)[:-1] + f', "{field}": {"[" * 400 + "]" * 400}}}', field)
       for field in ORDER},
    "OrderId empty": (order_with(OrderId=""), "OrderId"),
    "OrderId 2049 bytes": (order_with(OrderId="x" * 2049), "OrderId"),
    "OrderId 2050 bytes, 1025 letters": (order_with(OrderId="é" * 1025), "OrderId"),
    "OrderId number": (order_with(OrderId=17), "OrderId"),
    "OrderId truth": (order_with(OrderId=True), "OrderId"),
    "OrderId half a surrogate pair": (order_with(OrderId="\ud83d"), "OrderId"),
    "Item truth": (order_with(Item=True), "Item"),
    "Item fraction": (order_with(Item=1.5), "Item"),
    "Item 39 digits": (order_with(Item=DIGITS_39), "Item"),
    "Amount text": (order_with(Amount="65.5"), "Amount"),
    "Amount true": (order_with(Amount=True), "Amount"),
    "Amount false": (order_with(Amount=False), "Amount"),
    "Amount Infinity": (order_with(Amount=INFINITY), "Amount"),
    "Amount -Infinity": (order_with(Amount=-INFINITY), "Amount"),
    "Amount 39 digits": (order_with(Amount=DIGITS_39), "Amount"),
    "Amount 39 digits, a fraction": (json.dumps(ORDER).replace("65.5", "6." + "5" * 38), "Amount"),
    "Amount 1E+126": (order_with(Amount=1e126), "Amount"),
    "Amount -1E+126 in full": (order_with(Amount=-(10**126)), "Amount"),
    "Amount 9.9E-131": (order_with(Amount=9.9e-131), "Amount"),
    "Amount too large for a float": (json.dumps(ORDER).replace("65.5", "1e400"), "Amount"),
    "Amount too small for a float": (json.dumps(ORDER).replace("65.5", "1e-400"), "Amount"),
    "IsMember 1": (order_with(IsMember=1), "IsMember"),
    "IsMember yes": (order_with(IsMember="yes"), "IsMember"),
    "IsMember text": (order_with(IsMember="true"), "IsMember"),
    "ShippingMethod number": (order_with(ShippingMethod=2), "ShippingMethod"),
    "ShippingMethod truth": (order_with(ShippingMethod=False), "ShippingMethod"),
    "ShippingMethod half a surrogate pair": (order_with(ShippingMethod="\udca1"), "ShippingMethod"),
    # a further field holds what DynamoDB cannot
    "a name with half a surrogate pair, inside": (order_with(Note={"a": [{"\ud83d": 1}]}), "Note"),
    "Note NaN": (order_with(Note=NAN), "Note"),
    "Note Infinity": (order_with(Note=INFINITY), "Note"),
    "Note nested NaN": (order_with(Note={"a": [1, {"b": NAN}]}), "Note"),
    "Note nested -Infinity": (order_with(Note=[[-INFINITY]]), "Note"),
    "Note nested 39 digits": (order_with(Note=[{"n": DIGITS_39}]), "Note"),
    "Note nested surrogate": (order_with(Note=["\ud83d"]), "Note"),
    "Note 32 lists deep": (order_with(Note=nested(32)), "Note"),
    "Note 32 objects deep": (order_with(Note=json.loads('{"a":' * 32 + "1" + "}" * 32)), "Note"),
    "Note deep list that looks like a Decimal": (order_with(Note=nested(31, [0, [1], 2])), "Note"),
}  # fmt: skip


@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=BAD)
def test_malformed_order_is_refused_by_name_and_not_stored(handler, table, capsys, body, field):
    ways = [event_with(body), {"body": body}]
    if isinstance(body, dict):
        ways.append(event_with(json.dumps(body)))
    for event in ways:
        with pytest.raises(handler.InvalidOrder) as refusal:
            handler.lambda_handler(event, CONTEXT)
        message = str(refusal.value)
        beginnings = ("must be ", "is missing, it must be ", "cannot be stored: ")
        assert message.startswith(tuple(f"{field} {beginning}" for beginning in beginnings))
        assert len(message) < 200
        entry = strict_json(capsys.readouterr().out)
        assert entry["outcome"] == "invalid"
        assert entry["reason"] == message
    assert table() == []


@pytest.mark.parametrize("name", ["\ud83d", "Note\udca1"])
def test_a_name_that_is_no_text_is_refused_in_words_that_can_be_shown(handler, table, capsys, name):
    (entry,) = log_lines(handler, capsys, event_with(order_with(**{name: "x"})), handler.InvalidOrder)
    assert entry["outcome"] == "invalid"
    shown = name.encode(errors="backslashreplace").decode()
    assert entry["reason"] == f"{shown} must be JSON that DynamoDB can hold, not 'x'"
    assert table() == []


def test_there_are_enough_bad_inputs():
    assert len(BAD) >= 30


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"OrderId": ""}, "OrderId must be text of 1 to 2048 bytes, not ''"),
        ({"Item": None}, "Item must be text or a whole number of at most 38 digits, not None"),
        ({"Amount": "much"}, "Amount must be a number of at most 38 digits, not 'much'"),
        ({"Amount": True}, "Amount must be a number of at most 38 digits, not True"),
        ({"IsMember": "yes"}, "IsMember must be true or false, not 'yes'"),
        ({"Note": NAN}, "Note must be JSON that DynamoDB can hold, not nan"),
        ({"Note": "x" * 420_000}, "body cannot be stored: Item size has exceeded the maximum allowed size"),
    ],
)
def test_message_says_what_was_wanted_and_what_came(handler, fields, message):
    with pytest.raises(handler.InvalidOrder) as refusal:
        handler.lambda_handler(event_with(order_with(**fields)), CONTEXT)
    assert str(refusal.value) == message


def test_message_tells_a_missing_field_from_a_null(handler):
    with pytest.raises(handler.InvalidOrder, match="^ShippingMethod is missing, it must be text$"):
        handler.lambda_handler({"body": order_without("ShippingMethod")}, CONTEXT)


# ---------------------------------------------------------------- what is ignored

NOT_ORDERS = [
    {},
    {"detail": {}},
    {"detail": {"Body": ORDER}},
    {"detail": ORDER},
    {"detail": "body"},
    {"detail": ["body"]},
    {"detail": None},
    {"detail": 7},
    {"id": "event-1", "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
     "detail": {"instance-id": "i-0123456789abcdef0", "state": "running"}},
    ORDER,
    [],
    [ORDER],
    "body",
    7,
    None,
]  # fmt: skip


@pytest.mark.parametrize("event", NOT_ORDERS, ids=ascii_start)
def test_event_without_a_body_is_ignored(handler, table, capsys, event):
    assert handler.lambda_handler(event, CONTEXT) == {"status": "ignored"}
    assert table() == []
    assert strict_json(capsys.readouterr().out)["outcome"] == "ignored"


# ---------------------------------------------------------------- what is logged


def log_lines(handler, capsys, event, error=None):
    """The lines that one invocation writes to stdout; it must write nothing to stderr."""
    capsys.readouterr()
    if error:
        with pytest.raises(error):
            handler.lambda_handler(event, CONTEXT)
    else:
        handler.lambda_handler(event, CONTEXT)
    written = capsys.readouterr()
    assert written.err == ""
    return [strict_json(line) for line in written.out.splitlines()]


def test_one_line_for_a_stored_order(handler, capsys):
    assert log_lines(handler, capsys, event_with(ORDER)) == [
        {"eventId": "event-1", "requestId": "request-1", "orderId": "A-1", "outcome": "stored"}
    ]


def test_one_line_for_an_event_that_is_no_order(handler, capsys):
    assert log_lines(handler, capsys, {"id": "event-2", "detail": {}}) == [
        {"eventId": "event-2", "requestId": "request-1", "orderId": None, "outcome": "ignored"}
    ]


def test_one_line_for_a_malformed_order_that_can_still_be_found_by_its_id(handler, capsys):
    assert log_lines(handler, capsys, event_with(order_with(Amount=NAN)), handler.InvalidOrder) == [
        {"eventId": "event-1", "requestId": "request-1", "orderId": "A-1", "outcome": "invalid",
         "reason": "Amount must be a number of at most 38 digits, not nan"}
    ]  # fmt: skip


def test_one_line_when_aws_fails_and_that_is_not_the_orders_fault(handler, capsys, monkeypatch):
    monkeypatch.setattr(handler, "TABLE_NAME", "no-such-table")
    missing = handler.DYNAMODB.exceptions.ResourceNotFoundException
    assert log_lines(handler, capsys, event_with(ORDER), missing) == [
        {"eventId": "event-1", "requestId": "request-1", "orderId": "A-1", "outcome": "failed"}
    ]


def test_a_direct_invocation_is_followed_by_its_request_id(handler, capsys):
    (entry,) = log_lines(handler, capsys, {"body": ORDER})
    assert entry["eventId"] == entry["requestId"] == "request-1"


def test_line_breaks_in_an_order_id_do_not_break_the_line(handler, capsys):
    (entry,) = log_lines(handler, capsys, event_with(order_with(OrderId="A\n1\u2028💡")))
    assert entry["orderId"] == "A\n1\u2028💡"


# ---------------------------------------------------------------- the file itself


def test_table_name_comes_from_the_environment(handler, table, monkeypatch):
    assert handler.TABLE_NAME == "sample-table"
    monkeypatch.setenv("TABLE_NAME", "other-table")
    create_table("other-table")
    load_handler().lambda_handler(event_with(ORDER), CONTEXT)
    assert table("other-table") == [ITEM]
    assert table("sample-table") == []


def test_client_is_made_at_import_and_never_again(handler, table, monkeypatch):
    monkeypatch.setattr(boto3, "client", lambda *_: pytest.fail("a second client"))
    monkeypatch.setattr(boto3, "resource", lambda *_: pytest.fail("a resource"))
    for number in range(2):
        handler.lambda_handler(event_with(order_with(OrderId=f"B-{number}")), CONTEXT)
    monkeypatch.undo()
    assert sorted(item["OrderId"]["S"] for item in table()) == ["B-0", "B-1"]


def test_file_is_short_and_needs_only_the_standard_library_and_boto3():
    source = SOURCE.read_text(encoding="utf-8")
    assert len(source.splitlines()) < 100
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("relative" if node.level else node.module.split(".")[0])
    assert "boto3" in imported
    assert imported - {"boto3"} <= sys.stdlib_module_names
