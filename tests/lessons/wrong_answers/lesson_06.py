"""What learners get wrong in lesson 6."""

from __future__ import annotations

from decimal import Decimal

import boto3

from tests.lessons.wrong_answers import secrets, wrong_answer

# --- 06-1 ---

secrets("06-1", "5", "450", "five")


def predicted(without: int = 5, filtered: int = 5, paid: int = 450) -> tuple[dict]:
    return ({"requests without the filter": without, "requests with it": filtered, "orders paid for with it": paid},)


@wrong_answer("06-1", "the full pages")
def the_last_page_is_forgotten():
    return predicted(without=4, filtered=4)


@wrong_answer("06-1", "Begin without the filter")
def everything_in_one_page():
    return predicted(without=1, filtered=1)


@wrong_answer("06-1", "would fit on one page")
def the_page_size_counts_what_passes():
    return predicted(filtered=1, paid=30)


@wrong_answer("06-1", "before a page is read")
def empty_pages_are_left_out():
    return predicted(filtered=3)


@wrong_answer("06-1", "what comes back")
def a_filter_saves_money():
    return predicted(paid=30)


@wrong_answer("06-1", "count every page as full")
def full_pages_are_paid_for():
    return predicted(paid=500)


@wrong_answer("06-1", "leave unread")
def the_matching_ones_cost_twice():
    return predicted(paid=480)


@wrong_answer("06-1", "is a whole number")
def numbers_with_a_unit():
    return ({"requests without the filter": "5", "requests with it": "5", "orders paid for with it": "450 orders"},)


@wrong_answer("06-1", "Keep the three names")
def a_name_is_changed():
    return ({"requests": 5},)


# --- 06-2 ---

secrets("06-2", "LastEvaluatedKey", "ExclusiveStartKey", "paginator", "Decimal(order")
TABLE = {"TableName": "sample-table"}


def report(read, number=Decimal):
    """A report as the exercise wants it, with a way to read and a type of number of its own."""

    def revenue(dynamodb):
        totals = {}
        for order in read(dynamodb):
            item = order["Item"]["S"]
            totals[item] = totals.get(item, 0) + number(order["Amount"]["N"])
        return totals

    return revenue


def all_items(dynamodb):
    return [item for page in dynamodb.get_paginator("scan").paginate(**TABLE) for item in page["Items"]]


def first_page(dynamodb):
    return dynamodb.scan(**TABLE)["Items"]


@wrong_answer("06-2", "says that there is more")
def as_it_was():
    return (report(first_page, float),)


@wrong_answer("06-2", "the sums are floats")
def every_page_but_floats():
    def revenue(dynamodb):
        return {item: round(total, 2) for item, total in report(all_items, float)(dynamodb).items()}

    return (revenue,)


@wrong_answer("06-2", "a Decimal made from a float")
def decimals_of_floats():
    return (report(all_items, lambda text: Decimal(float(text))),)


@wrong_answer("06-2", "again and again")
def the_next_request_begins_at_the_start():
    def turning(dynamodb):
        items, answer = [], {"LastEvaluatedKey": None}
        while "LastEvaluatedKey" in answer:
            answer = dynamodb.scan(**TABLE)
            items += answer["Items"]
        return items

    return (report(turning),)


@wrong_answer("06-2", "missing or counted twice")
def totals_begin_anew_with_each_page():
    def revenue(dynamodb):
        for page in dynamodb.get_paginator("scan").paginate(**TABLE):
            of_page = report(lambda _, items=page["Items"]: items)(dynamodb)
            totals = dict.fromkeys(totals_of_all, 0) | of_page
        return totals

    totals_of_all = report(all_items)(boto3.client("dynamodb"))
    return (revenue,)


@wrong_answer("06-2", "not those in the table")
def by_the_wrong_column():
    def revenue(dynamodb):
        totals = {}
        for order in all_items(dynamodb):
            method = order["ShippingMethod"]["S"]
            totals[method] = totals.get(method, 0) + Decimal(order["Amount"]["N"])
        return totals

    return (revenue,)


@wrong_answer("06-2", "The amounts are text")
def formatted_for_people():
    return (lambda dynamodb: {item: f"{total:.2f}" for item, total in report(all_items)(dynamodb).items()},)


@wrong_answer("06-2", "must stay what it was")
def one_total():
    return (lambda dynamodb: sum(report(all_items)(dynamodb).values()),)


@wrong_answer("06-2", "with the client that it was given")
def a_client_of_its_own():
    return (lambda dynamodb: report(all_items)(boto3.client("dynamodb")),)


@wrong_answer("06-2", "returns nothing")
def printed_instead_of_returned():
    return (lambda dynamodb: report(all_items)(dynamodb) and None,)


# --- 06-3 ---

secrets("06-3", "FilterExpression", "ReturnConsumedCapacity", "paginator", "LastEvaluatedKey", "BOOL", "X-0024")
MEMBERS, EXPRESS, AMOUNT = "IsMember = :yes", "ShippingMethod = :express", "Amount >= :least"
COSTS = {"ReturnConsumedCapacity": "TOTAL"}


def request(least, *conditions: str, **types) -> dict:
    """A scan with these conditions (default: the right ones)."""
    expression = " AND ".join(conditions or (MEMBERS, EXPRESS, AMOUNT))
    values = {":yes": {"BOOL": True}, ":express": {"S": "Express"}, ":least": {"N": str(least)}} | types
    used = {name: value for name, value in values.items() if name in expression}
    return {**TABLE, **COSTS, "FilterExpression": expression, "ExpressionAttributeValues": used}


def answered(dynamodb, arguments: dict) -> tuple[list[str], float]:
    """The OrderIds of all pages and the units of all pages."""
    pages = list(dynamodb.get_paginator("scan").paginate(**arguments))
    ids = [item["OrderId"]["S"] for page in pages for item in page["Items"]]
    return ids, sum(page.get("ConsumedCapacity", {}).get("CapacityUnits", 0) for page in pages)


@wrong_answer("06-3", "stops reading")
def one_page_alone():
    def first(dynamodb, least):
        page = dynamodb.scan(**request(least))
        return [item["OrderId"]["S"] for item in page["Items"]], page["ConsumedCapacity"]["CapacityUnits"]

    return (first,)


@wrong_answer("06-3", "Is an empty page the last one")
def until_a_page_is_empty():
    def until(dynamodb, least):
        ids, units, start = [], 0, {}
        while True:
            page = dynamodb.scan(**request(least), **start)
            ids += [item["OrderId"]["S"] for item in page["Items"]]
            units += page["ConsumedCapacity"]["CapacityUnits"]
            if not page["Items"] or "LastEvaluatedKey" not in page:
                return ids, units
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    return (until,)


@wrong_answer("06-3", "again and again")
def the_same_page():
    def same(dynamodb, least):
        while "LastEvaluatedKey" in dynamodb.scan(**request(least)):
            pass

    return (same,)


@wrong_answer("06-3", "are never equal")
def the_amount_as_text():
    return (lambda dynamodb, least: answered(dynamodb, request(least, **{":least": {"S": str(least)}})),)


@wrong_answer("06-3", "raises ParamValidationError")
def a_value_without_its_type():
    return (lambda dynamodb, least: answered(dynamodb, request(least, **{":least": least})),)


@wrong_answer("06-3", "guests' orders")
def guests_too():
    return (lambda dynamodb, least: answered(dynamodb, request(least, EXPRESS, AMOUNT)),)


@wrong_answer("06-3", "not sent by express")
def every_shipping_method():
    return (lambda dynamodb, least: answered(dynamodb, request(least, MEMBERS, AMOUNT)),)


@wrong_answer("06-3", "too small")
def every_amount():
    return (lambda dynamodb, least: answered(dynamodb, request(least, MEMBERS, EXPRESS)),)


@wrong_answer("06-3", "exactly the least amount")
def above_instead_of_from():
    return (lambda dynamodb, least: answered(dynamodb, request(least, MEMBERS, EXPRESS, "Amount > :least")),)


@wrong_answer("06-3", "the choosing")
def python_chooses():
    def choose(dynamodb, least):
        ids, units = answered(dynamodb, request(least))
        _, all_units = answered(dynamodb, request(least, "Amount >= :least"))
        return ids, units + all_units

    return (choose,)


@wrong_answer("06-3", "those of the pages before")
def the_list_begins_anew():
    def last(dynamodb, least):
        ids, units = answered(dynamodb, request(least))
        return ids[-1:], units

    return (last,)


@wrong_answer("06-3", "the units of one request")
def the_last_page_is_the_price():
    def last(dynamodb, least):
        pages = list(dynamodb.get_paginator("scan").paginate(**request(least)))
        ids = [item["OrderId"]["S"] for page in pages for item in page["Items"]]
        return ids, pages[-1]["ConsumedCapacity"]["CapacityUnits"]

    return (last,)


@wrong_answer("06-3", "only if asked to")
def nobody_asks_what_it_costs():
    def free(dynamodb, least):
        arguments = request(least)
        del arguments["ReturnConsumedCapacity"]
        return answered(dynamodb, arguments)

    return (free,)


@wrong_answer("06-3", "not those that DynamoDB reported")
def units_from_the_lesson():
    return (lambda dynamodb, least: (answered(dynamodb, request(least))[0], 2.0),)


@wrong_answer("06-3", "must be a number")
def capacity_as_it_came():
    return (lambda dynamodb, least: (answered(dynamodb, request(least))[0], {"CapacityUnits": 2.0}),)


@wrong_answer("06-3", "must return two things")
def orders_without_a_price():
    return (lambda dynamodb, least: answered(dynamodb, request(least))[0],)


@wrong_answer("06-3", "as plain text")
def items_instead_of_ids():
    def items(dynamodb, least):
        ids, units = answered(dynamodb, request(least))
        return [{"S": each} for each in ids], units

    return (items,)
