"""What learners get wrong in lesson 2."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal

import boto3
from botocore.exceptions import ClientError

from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 02-1 ---

secrets("02-1", "3", "three items", "Quantity", "OrderId")


def predicted(items: int = 3, back: str = "OrderId Item Quantity", left: str = "OrderId Amount") -> tuple[dict]:
    return ({"items": items, "handed back": back.split(), "left under K-1": left.split()},)


@wrong_answer("02-1", "you have counted the puts")
def every_put_is_an_item():
    return predicted(items=5)


@wrong_answer("02-1", "every character")
def keys_in_capitals():
    return predicted(items=2)


@wrong_answer("02-1", "how many different keys")
def deleting_makes_an_item():
    return predicted(items=4)


@wrong_answer("02-1", "you let put_item merge")
def a_put_merges():
    return predicted(left="OrderId Item Amount IsMember Quantity")


@wrong_answer("02-1", "could not be found")
def the_key_is_no_attribute():
    return predicted(left="Amount")


@wrong_answer("02-1", "give way")
def the_first_one_stays():
    return predicted(left="OrderId Item Amount IsMember")


@wrong_answer("02-1", "that is what the put has written")
def the_new_item_is_handed_back():
    return predicted(back="OrderId Amount")


@wrong_answer("02-1", "what had the put before it left")
def the_very_first_is_handed_back():
    return predicted(back="OrderId Item Amount IsMember")


@wrong_answer("02-1", "just before this put")
def only_what_has_gone():
    return predicted(back="Item Quantity")


@wrong_answer("02-1", "lists of names")
def numbers_of_attributes():
    return ({"items": 3, "handed back": 3, "left under K-1": 2},)


@wrong_answer("02-1", "Keep the three names")
def another_dict():
    return ({"K-1": ["OrderId"]},)


# --- 02-2 ---

secrets("02-2", "parse_float", "parse_float=Decimal")


def with_numbers(convert):
    """A function as the exercise wants it, which converts the numbers with fractions its own way."""

    def order_from(text):
        return {name: convert(v) if isinstance(v, float) else v for name, v in json.loads(text).items()}

    return (order_from,)


@wrong_answer("02-2", "since it is a float")
def json_alone():
    return (json.loads,)


@wrong_answer("02-2", "Of what was your Decimal made")
def decimals_of_floats():
    return with_numbers(Decimal)


@wrong_answer("02-2", "stored as another type")
def numbers_as_text():
    return with_numbers(str)


@wrong_answer("02-2", "a whole number: Amount would be stored as another type")
def whole_numbers_as_text():
    return (lambda text: json.loads(text, parse_float=Decimal, parse_int=str),)


@wrong_answer("02-2", "sixteen digits")
def decimals_of_what_a_float_shows():
    return with_numbers(lambda number: Decimal(str(number)))


@wrong_answer("02-2", "Weight is not what the text says")
def rounded_to_cents():
    return with_numbers(lambda number: Decimal(f"{number:.2f}"))


@wrong_answer("02-2", "Weight cannot be put")
def only_the_amount():
    def order_from(text):
        order = json.loads(text)
        return order | {"Amount": Decimal(str(order["Amount"]))}

    return (order_from,)


@wrong_answer("02-2", "wrapped in its type")
def in_dynamodb_s_own_language():
    def order_from(text):
        order = json.loads(text, parse_float=str)
        return order | {"Amount": {"N": str(order["Amount"])}}

    return (order_from,)


@wrong_answer("02-2", "must return a dict")
def the_amount_alone():
    return (lambda text: json.loads(text, parse_float=Decimal)["Amount"],)


# --- 02-3 ---

secrets("02-3", "attribute_not_exists", "ConditionExpression")


@undo("02-3")
def no_table():
    dynamodb = boto3.client("dynamodb")
    with suppress(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.delete_table(TableName="exercise-orders")
    dynamodb.get_waiter("table_not_exists").wait(
        TableName="exercise-orders", WaiterConfig={"Delay": 0.05, "MaxAttempts": 12000}
    )


def create(key: str = "OrderId", kind: str = "S") -> None:
    dynamodb = boto3.client("dynamodb")
    with suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(
            TableName="exercise-orders", BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind}],
        )  # fmt: skip


def put_if(condition: str, fails=ClientError, otherwise=False):
    """A function that puts on a condition, with what it takes for a refusal and what it returns then."""

    def store_first(table, order):
        try:
            table.put_item(Item=order, ConditionExpression=condition)
        except fails:
            return otherwise
        return True

    create()
    return (store_first,)


@wrong_answer("02-3", "has replaced the first")
def an_unconditional_put():
    def store_first(table, order):
        table.put_item(Item=order)
        return True

    create()
    return (store_first,)


@wrong_answer("02-3", "looks first and then puts")
def look_and_put():
    def store_first(table, order):
        if "Item" in table.get_item(Key={"OrderId": order["OrderId"]}, ConsistentRead=True):
            return False
        table.put_item(Item=order)
        return True

    create()
    return (store_first,)


@wrong_answer("02-3", "Which errors mean that")
def every_error_means_that_it_was_there():
    return put_if("attribute_not_exists(OrderId)")


@wrong_answer("02-3", "Which attribute has every item")
def a_condition_on_another_attribute():
    return put_if("attribute_not_exists(Amount)")


@wrong_answer("02-3", "raises ConditionalCheckFailed")
def the_refusal_is_not_caught():
    create()
    return put_if("attribute_not_exists(OrderId)", fails=ZeroDivisionError)


@wrong_answer("02-3", "does not return False")
def nothing_is_returned():
    return put_if("attribute_not_exists(OrderId)", otherwise=None)


@wrong_answer("02-3", "that your function was given")
def only_if_it_is_there():
    return put_if("attribute_exists(OrderId)")


@wrong_answer("02-3", "a string, alone")
def a_number_for_a_key():
    create(kind="N")
    return put_if("attribute_not_exists(OrderId)")
