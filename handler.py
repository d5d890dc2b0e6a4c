"""Store the orders that Amazon EventBridge delivers in an Amazon DynamoDB table.

In:  an event with an order at event["detail"]["body"], an object or its JSON text; or, to test, just
     {"body": {"OrderId": "A-1", "Item": "desk-lamp", "Amount": 65.5, "IsMember": true, "ShippingMethod": "Express"}}
Out: {"status": "stored", "orderId": "A-1"}; {"status": "ignored"} without a body; or InvalidOrder raised
"""

import json
import os
from contextlib import suppress
from decimal import Context, Decimal, Inexact, Overflow, Subnormal
from reprlib import repr as short

import boto3

TABLE_NAME = os.environ.get("TABLE_NAME", "sample-table")
DYNAMODB = boto3.client("dynamodb")  # made once, at import: every later invocation finds it ready
# The numbers that DynamoDB holds. Whatever does not fit raises an error: nothing is ever rounded.
NUMBERS = Context(prec=38, Emin=-130, Emax=125, traps=[Inexact, Overflow, Subnormal])
FIELDS = {  # what every order must have: the types that fit (exactly, as True is an int) and the same in words
    "OrderId": ([str], "text of 1 to 2048 bytes"),
    "Item": ([str, int], "text or a whole number of at most 38 digits"),
    "Amount": ([int, Decimal], "a number of at most 38 digits"),
    "IsMember": ([bool], "true or false"),
    "ShippingMethod": ([str], "text"),
}


class InvalidOrder(ValueError):
    """The order is malformed and was not stored; the message names the field and what is wrong."""


def lambda_handler(event, context):
    """Store the order of one event, and log in one line of JSON what became of it."""
    event = event if isinstance(event, dict) else {}
    request = context.aws_request_id
    log = {"eventId": event.get("id", request), "requestId": request, "orderId": None, "outcome": "failed"}
    try:
        match event:
            case {"detail": {"body": body}} | {"body": body}:
                order = read_order(body)
            case _:  # a rule that matches every event also delivers what is not an order
                log["outcome"] = "ignored"
                return {"status": "ignored"}
        log["orderId"] = read_field(order, "OrderId")["S"]
        store({field: read_field(order, field) for field in FIELDS | order})
        log["outcome"] = "stored"
        return {"status": "stored", "orderId": order["OrderId"]}
    except InvalidOrder as problem:
        log.update(outcome="invalid", reason=str(problem))
        raise
    finally:
        print(json.dumps(log))  # logging.info would put level, time and request id before the JSON


def read_order(body):
    """Return the order as a dict, its fractions as Decimals: JSON text keeps every digit."""
    with suppress(ValueError, ArithmeticError, RecursionError):
        # An object's 65.5 is a float by now; dumps writes it as 65.5 again, exact up to 15 digits.
        order = json.loads(body if isinstance(body, str) else json.dumps(body), parse_float=Decimal)
        if isinstance(order, dict):
            return order
    raise InvalidOrder(f"body must be a JSON object, not {short(body)}")


def read_field(order, field):
    """Return one field of the order as a DynamoDB attribute value, if it is right."""
    value = order.get(field)
    types, expected = FIELDS.get(field, ([type(value)], "JSON that DynamoDB can hold"))
    with suppress(ArithmeticError, TypeError, UnicodeError):
        if type(value) in types and (field != "OrderId" or 1 <= len(value.encode()) <= 2048):
            return attribute_value({field: value}, below=32)["M"][field]
    problem = f"must be {expected}, not {short(value)}" if field in order else f"is missing, it must be {expected}"
    raise InvalidOrder(f"{field} {problem}".encode(errors="backslashreplace").decode())  # half a pair, escaped


def attribute_value(value, below=31):  # DynamoDB takes 32 levels: this one and 31 below
    """Return a JSON value as DynamoDB takes it, such as {"S": "desk-lamp"} or {"N": "65.5"}."""
    match value:
        case dict() if below:
            return {"M": {name.encode().decode(): attribute_value(each, below - 1) for name, each in value.items()}}
        case list() if below:
            return {"L": [attribute_value(each, below - 1) for each in value]}
        case str():
            return {"S": value.encode().decode()}  # fails for half a surrogate pair, which is not text
        case bool() | None:
            return {"NULL": True} if value is None else {"BOOL": value}
    return {"N": str(NUMBERS.plus(value))}  # an error for NaN, and for what is nested deeper


def store(item):
    """Put the item into the table."""
    try:
        # Idempotent: a second delivery of the event puts the same item in the place of the first.
        DYNAMODB.put_item(TableName=TABLE_NAME, Item=item)
    except DYNAMODB.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ValidationException":
            raise
        raise InvalidOrder(f"body cannot be stored: {error.response['Error']['Message']}") from None
