"""What learners get wrong in lesson 0."""

from __future__ import annotations

import json

from tests.lessons.wrong_answers import secrets, wrong_answer

# --- 00-1 ---

secrets("00-1", "0", "5", "6", "five")


def predicted(failed: int = 0, handed_over: int = 5, gone: int = 6) -> tuple[dict]:
    return ({"failed entries": failed, "handed over": handed_over, "read by nobody": gone},)


@wrong_answer("00-1", "when you misspelled the bus")
def a_bus_that_does_not_exist_is_a_failure():
    return predicted(failed=1)


@wrong_answer("00-1", "What do they count")
def not_delivered_is_failed():
    return predicted(failed=6)


@wrong_answer("00-1", "keep Monday's events")
def the_bus_keeps_events():
    return predicted(handed_over=9, gone=2)


@wrong_answer("00-1", "does it choose")
def a_rule_takes_everything():
    return predicted(handed_over=7, gone=4)


@wrong_answer("00-1", "Does each reach the rule")
def any_bus_will_do():
    return predicted(handed_over=6, gone=5)


@wrong_answer("00-1", "while the rule exists")
def mondays_only():
    return predicted(handed_over=4, gone=7)


@wrong_answer("00-1", "where are Monday's events")
def no_failure_no_loss():
    return predicted(gone=0)


@wrong_answer("00-1", "those are Monday's")
def gone_before_there_was_a_rule():
    return predicted(gone=4)


@wrong_answer("00-1", "or it is gone")
def one_is_forgotten():
    return predicted(gone=5)


@wrong_answer("00-1", "is a whole number")
def words():
    return ({"failed entries": "none", "handed over": "five", "read by nobody": "six"},)


@wrong_answer("00-1", "Keep the three names")
def another_dict():
    return ({"failed": 0},)


# --- 00-2 ---

secrets("00-2", "order_id not in mailed", "OrderId not in")


def order_of(event: dict) -> dict:
    return event["detail"]["body"]


def ids(events: list[dict]) -> list[str]:
    return [order_of(event)["OrderId"] for event in events]


def remembering(key):
    """A function that remembers something else of an event than the order's id."""

    def receipts(events):
        seen, mailed = [], []
        for event in events:
            if key(event) not in seen:
                seen.append(key(event))
                mailed.append(order_of(event)["OrderId"])
        return mailed

    return (receipts,)


@wrong_answer("00-2", "For an event that arrives twice, two receipts are mailed.")
def as_in_the_lesson():
    return (ids,)


@wrong_answer("00-2", "How far back")
def compared_with_the_one_before():
    def receipts(events):
        order_ids = ids(events)
        return [each for before, each in zip([None, *order_ids], order_ids, strict=False) if each != before]

    return (receipts,)


@wrong_answer("00-2", "By what do you know")
def the_same_thing_is_the_same_order():
    return remembering(lambda event: order_of(event)["Item"])


@wrong_answer("00-2", "wants one receipt of")
def by_the_event_s_id():
    return remembering(lambda event: event["id"])


@wrong_answer("00-2", "gets none at all")
def duplicates_are_left_out():
    return (lambda events: [each for each in ids(events) if ids(events).count(each) == 1],)


@wrong_answer("00-2", "in none of the events")
def sources():
    return (lambda events: [event["source"] for event in events[:1]],)


@wrong_answer("00-2", "a list of OrderIds")
def orders_instead_of_their_ids():
    return (lambda events: [order_of(event) for event in events],)


@wrong_answer("00-2", "returns nothing")
def printed():
    return (lambda events: None,)


# --- 00-3 ---

secrets("00-3", "json.dumps", "OrderReturned", "OrderCancelled")
ORDER = {"OrderId": "A-1", "ShippingMethod": "Express"}
RIGHT = {"Source": "microservice_x", "DetailType": "OrderReturned", "Detail": json.dumps({"body": ORDER})}


@wrong_answer("00-3", "as a reader sees it")
def an_event():
    return ({"source": "microservice_x", "detail-type": "OrderReturned", "detail": {"body": ORDER}},)


@wrong_answer("00-3", "belong to the pattern")
def the_pattern_s_lists():
    return (RIGHT | {"Source": ["microservice_x"]},)


@wrong_answer("00-3", "an object of Python")
def a_dict_for_a_detail():
    return (RIGHT | {"Detail": {"body": ORDER}},)


@wrong_answer("00-3", "no JSON")
def text_but_python_s():
    return (RIGHT | {"Detail": str({"body": ORDER})},)


@wrong_answer("00-3", "one level deeper")
def no_body():
    return (RIGHT | {"Detail": json.dumps(ORDER)},)


@wrong_answer("00-3", "another kind of fact")
def the_lesson_s_entry():
    return (RIGHT | {"DetailType": "microservice_x_test_event"},)


@wrong_answer("00-3", "somebody else speaks")
def from_another_source():
    return (RIGHT | {"Source": "microservice-x"},)


@wrong_answer("00-3", "none of those that the rule wants")
def another_way_of_shipping():
    return (RIGHT | {"Detail": json.dumps({"body": ORDER | {"ShippingMethod": "express"}})},)


@wrong_answer("00-3", "another bus")
def to_the_rule_instead_of_the_bus():
    return (RIGHT | {"EventBusName": "returns-rule"},)


@wrong_answer("00-3", "other fields")
def without_a_kind():
    return ({"Source": "microservice_x", "Detail": RIGHT["Detail"]},)
