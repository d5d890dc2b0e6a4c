"""Check lesson 2: what put_item leaves, numbers that stay exact, and a put that replaces nothing.

02-3 calls the learner's function on the learner's table exercise-orders, and deletes what that has put.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal, Inexact, Rounded
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from helpers.exercises.tools import call, found
from helpers.exercises.verdicts import EarlyVerdict, Verdict, correct, exercise, not_attempted, wrong

# --- 02-1: six calls ---

PUTS = [  # the names of the attributes, put by put
    ("K-1", {"OrderId", "Item", "Amount", "IsMember"}),
    ("K-2", {"OrderId", "Item", "Amount"}),
    ("K-1", {"OrderId", "Item", "Quantity"}),
    ("K-1", {"OrderId", "Amount"}),
    ("k-2", {"OrderId", "Item"}),
]
ITEMS = len({key for key, _ in PUTS})
FIRST, BEFORE, LAST = (names for key, names in PUTS if key == "K-1")
MERGED = FIRST | BEFORE | LAST
NAMES = COUNT, HANDED_BACK, LEFT = ["items", "handed back", "left under K-1"]


@exercise("02-1", takes=dict)
def puts(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the three names in the dict, and put your answers behind them.")
    count, back, left = prediction[COUNT], _names(prediction[HANDED_BACK]), _names(prediction[LEFT])
    if type(count) is not int or back is None or left is None:
        return wrong("The first answer is a whole number; the two others are lists of names of attributes.")
    if count != ITEMS:
        return _about_items(count)
    if left != LAST:
        return _about_what_is_left(left)
    if back == LAST:
        return wrong("Handed back: that is what the put has written. You know that already; what is gone afterwards?")
    if back in (FIRST, FIRST | BEFORE):
        return wrong("Handed back: what had the put before it left of the first?", see="item")
    if back != BEFORE:
        return wrong("Handed back: what was under the key, just before this put?", see="item")
    return correct("A put leaves exactly what it brings, and what was there before is gone, unless you ask for it.")


def _about_items(count: int) -> Verdict:
    if count == len(PUTS):
        return wrong(
            "Items: you have counted the puts. What happens to a put whose key is there already?", see="idempotent"
        )
    if count == len({key.lower() for key, _ in PUTS}):
        return wrong("Items: two keys are the same only if every character is.", see="partition-key")
    if count == ITEMS - 1:
        return wrong("Items: what does deleting do to items that have another key?", see="partition-key")
    return wrong("Items: how many different keys are there in the end?", see="partition-key")


def _about_what_is_left(left: set[Any]) -> Verdict:
    if left in (MERGED, BEFORE | LAST):
        return wrong(
            "Left: you let put_item merge. Section 5 shows what it does with the attributes that it is not given."
        )
    if left == LAST - {"OrderId"}:
        return wrong("Left: without that one attribute, an item could not be found.", see="partition-key")
    if left in (FIRST, BEFORE):
        return wrong("Left: a put does not give way to what is there already. Which one is last?")
    return wrong("Left: which put under this key was the last, and what did it bring?")


def _names(value: object) -> set[Any] | None:
    return set(value) if isinstance(value, (list, tuple, set)) and all(isinstance(v, str) for v in value) else None


# --- 02-2: numbers from a JSON text ---

TEXTS = {  # what the order is about: the order
    "an ordinary amount": '{"OrderId": "T-1", "Item": "mug", "Amount": 65.4, "IsMember": true}',
    "a whole number": '{"OrderId": "T-2", "Item": "lamp", "Amount": 12, "IsMember": false}',
    "more than one fraction": '{"OrderId": "T-3", "Item": "rug", "Amount": 129.9, "Weight": 2.125, "IsMember": true}',
}
LONG = '{"OrderId": "T-4", "Item": "yacht", "Amount": 90071992547409.93, "IsMember": true}'
SERIALIZE, DESERIALIZE = TypeSerializer().serialize, TypeDeserializer().deserialize


@exercise("02-2", takes=Callable)
def exact_numbers(function: Callable[..., Any]) -> Verdict:
    for what, text in TEXTS.items():
        problem = _about_order(call(function, text), _exact(text))
        if problem:
            return wrong(f"An order with {what}: {problem}", see="decimal")
    if _about_order(call(function, LONG), _exact(LONG)):
        return wrong(
            "Fine for ordinary amounts. But one of sixteen digits comes out different from what the text says: "
            "there has been a float on the way. Who made it?",
            see="decimal",
        )
    return correct("Every digit of the text has arrived, because there never was a float.")


def _exact(text: str) -> dict[str, Any]:
    order: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return order


def _about_order(order: Any, exact: dict[str, Any]) -> str:
    """Say what is wrong with the order that the learner's function has made; empty if nothing is."""
    if not isinstance(order, dict):
        return "your function must return a dict, as table.put_item takes it."
    if any(value is ... for value in order.values()):
        raise EarlyVerdict(not_attempted())
    if set(order) != set(exact):
        return "its attributes are not those in the text."
    for name, value in order.items():
        try:
            stored = DESERIALIZE(SERIALIZE(value))
        except TypeError:
            return f"{name} cannot be put, since it is a {type(value).__name__}."
        except (Inexact, Rounded):
            return f"{name} has more digits than DynamoDB keeps. Of what was your Decimal made?"
        if isinstance(value, dict):
            return f"{name} is wrapped in its type, which the resource will do once more. Whom is your order for?"
        if type(stored) is not type(DESERIALIZE(SERIALIZE(exact[name]))):
            return f"{name} would be stored as another type. Could one add it up, or ask whether it is true?"
        if stored != exact[name]:
            return f"{name} is not what the text says."
    return ""


# --- 02-3: who comes first stays ---

TABLE = "exercise-orders"
ID = "check-{}"  # of the orders that the check has stored, and deletes again
READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "ExecuteStatement")


@exercise("02-3", takes=Callable)
def first_one_stays(function: Callable[..., Any]) -> Verdict:
    description = found(boto3.client("dynamodb"), "describe_table", TableName=TABLE)
    if description is None:
        return not_attempted(f"There is no table {TABLE} in the account yet.")
    problem = _about_table(description["Table"])
    if problem:
        return wrong(problem, see="partition-key")
    with _table() as table:
        unsafe = _about_puts(function, table) or _about_rivals(function, table) or _about_errors(function, table)
    return unsafe or correct(
        "Whoever comes first stays, however many come at the same moment: the table itself decides."
    )


def _about_table(table: dict[str, Any]) -> str:
    declared = {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]}
    if [each["AttributeName"] for each in table["KeySchema"]] != ["OrderId"] or declared["OrderId"] != "S":
        return "Your table does not find its orders by the OrderId, a string, alone. Delete it and create it anew."
    return "" if table["TableStatus"] == "ACTIVE" else "Your table is not active yet. How does the lesson wait for one?"


@contextmanager
def _table() -> Iterator[Any]:
    """Yield the learner's table, without the orders of this check before and after."""
    table = boto3.resource("dynamodb").Table(TABLE)
    try:
        for each in (1, 2, 3):
            table.delete_item(Key={"OrderId": ID.format(each)})
        yield table
    finally:
        for each in (1, 2, 3):
            table.delete_item(Key={"OrderId": ID.format(each)})


def _order(number: int, **more: Any) -> dict[str, Any]:
    return {"OrderId": ID.format(number), "Item": "mug", "Amount": Decimal("12.9"), "IsMember": False} | more


def _stored(order: dict[str, Any]) -> dict[str, Any] | None:
    table = boto3.resource("dynamodb").Table(TABLE)  # not the one that the learner's function has got
    item: dict[str, Any] | None = table.get_item(Key={"OrderId": order["OrderId"]}, ConsistentRead=True).get("Item")
    return item


def _about_puts(function: Callable[..., Any], table: Any) -> Verdict | None:
    """One after the other: a new order, another one under its key, and one under a key that has only a note."""
    first, second = _order(1), _order(1, Item="rug")
    answer = call(function, table, dict(first))
    if _stored(first) != first:
        return wrong("A new order is not in the table that your function was given.")
    if answer is not True:
        return wrong("A new order has been stored, and your function does not return True.")
    answer = call(function, table, dict(second))
    if _stored(first) != first:
        return wrong("The second order has replaced the first. What does put_item do, unless you set a condition?")
    if answer is not False:
        return wrong("The second order was not stored, and your function does not return False.")
    note = {"OrderId": ID.format(2), "Note": "call before delivery"}
    table.put_item(Item=note)
    call(function, table, _order(2))
    if _stored(note) != note:
        return wrong(
            "There was an item under the key that had only a note, and your function has replaced it. "
            "Which attribute has every item?",
            see="partition-key",
        )
    return None


def _about_rivals(function: Callable[..., Any], table: Any) -> Verdict | None:
    """Somebody else stores an order under the same key right after the function has looked."""
    order, rival = _order(3), _order(3, Item="rug")
    came: list[dict[str, Any]] = []

    def rush_in(model: Any, **_: Any) -> None:
        if model.name in READS and not came:
            came.append(rival)
            boto3.resource("dynamodb").Table(TABLE).put_item(Item=rival)

    table.meta.client.meta.events.register("after-call.dynamodb", rush_in)
    answer = call(function, table, dict(order))
    table.meta.client.meta.events.unregister("after-call.dynamodb", rush_in)
    if came and (_stored(order) != rival or answer is not False):
        return wrong(
            "Your function looks first and then puts. In between, another program has stored an order under this key, "
            "and now it is gone. Who could look and put in one step?"
        )
    return None


def _about_errors(function: Callable[..., Any], table: Any) -> Verdict | None:
    """Check that an order without a key is refused for another reason than one that is there already."""
    order = _order(1)
    del order["OrderId"]
    try:
        answer = function(table, order)
    except Exception:  # DynamoDB's, or the function's own: the caller hears of it
        return None
    if answer is False:
        return wrong(
            "An order without an OrderId: your function says that it was there already. Which errors mean that?"
        )
    return wrong("An order without an OrderId cannot be stored, and your function hides the error that says so.")
