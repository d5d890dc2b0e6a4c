"""Check lesson 0: what becomes of an event, a step that may be repeated, and an entry that a rule wants."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from helpers.exercises.tools import call, event, matches
from helpers.exercises.verdicts import Verdict, correct, exercise, wrong

# --- 00-1: events before and after a rule ---

BEFORE, WANTED, OTHER_SOURCE, OTHER_BUS = 4, 5, 1, 1  # entries: on Monday; on Wednesday, of three kinds
FAILED, HANDED_OVER = 0, WANTED
GONE = BEFORE + OTHER_SOURCE + OTHER_BUS
NAMES = ["failed entries", "handed over", "read by nobody"]


@exercise("00-1", takes=dict)
def three_days(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the three names in the dict, and give each a number.")
    if any(type(number) is not int for number in prediction.values()):
        return wrong("Each of the three predictions is a whole number.")
    failed, handed_over, gone = (prediction[name] for name in NAMES)
    if failed in (OTHER_BUS, OTHER_BUS + OTHER_SOURCE):
        return wrong("Failed entries: what did PutEvents answer when you misspelled the bus?", see="event-bus")
    if failed != FAILED:
        return wrong("Failed entries: that nobody reads an event is no failure. What do they count?", see="delivery")
    if handed_over == BEFORE + WANTED:
        return wrong("Handed over: does the bus keep Monday's events until somebody asks for them?", see="event-bus")
    if handed_over in (WANTED + OTHER_SOURCE + OTHER_BUS, BEFORE + WANTED + OTHER_SOURCE + OTHER_BUS):
        return wrong("Handed over: does a rule take whatever comes, or does it choose?", see="rule")
    if handed_over == WANTED + OTHER_BUS:
        return wrong("Handed over: six entries of Wednesday have a source. Does each reach the rule?", see="rule")
    if handed_over != HANDED_OVER:
        return wrong("Handed over: which events come to the rule's bus while the rule exists?", see="rule")
    if gone != GONE:
        return wrong(_about_gone(gone), see="event-bus")
    return correct("No failure anywhere, and more events gone than read: accepted is not delivered.")


def _about_gone(number: int) -> str:
    if number == 0:
        return "Read by nobody: if no failure means that nothing is gone, where are Monday's events?"
    if number == BEFORE:
        return "Read by nobody: those are Monday's. Has Wednesday's request reached the rule with all of its entries?"
    return "Read by nobody: every event that was put has been handed over, or it is gone."


# --- 00-2: one receipt for each order ---

_, LATER, ALIKE, RESENT, _ = CASES = {
    "an event that arrives twice": ["A-1", "A-1"],
    "an event that arrives once more after another one": ["A-1", "A-2", "A-1"],
    "two orders of the same thing": ["A-3", "A-4"],
    "an order that the front end has sent again, as an event with another id": ["A-5", "A-5"],
    "three events, each of them once": ["A-6", "A-7", "A-8"],
}


@exercise("00-2", takes=Callable)
def receipts(function: Callable[..., Any]) -> Verdict:
    for case, order_ids in CASES.items():
        answer = call(function, [_event(order_id, case, n) for n, order_id in enumerate(order_ids)])
        if answer is None:
            return wrong("Your function returns nothing; it must return the OrderIds of the receipts.")
        mailed = list(answer) if isinstance(answer, (list, tuple, set, dict)) else None
        if mailed is None or any(not isinstance(each, str) for each in mailed):
            return wrong("Your function must return a list of OrderIds, as plain text.")
        problem = _about_receipts(case, Counter(mailed), set(order_ids))
        if problem:
            return wrong(problem, see="idempotent")
    return correct("However often an event arrives, its customer gets one receipt: mailing is idempotent now.")


def _event(order_id: str, case: str, number: int) -> dict[str, Any]:
    """Return an event with an order; a duplicate has the same event id, what was sent again has another one."""
    item = "mug" if case == ALIKE else f"mug of {order_id}"
    order = {"OrderId": order_id, "Item": item, "Amount": 12.9, "IsMember": False, "ShippingMethod": "Pickup"}
    last = number if case == RESENT else order_id[-1]
    return event({"body": order}) | {"id": f"11111111-2222-3333-4444-55555555555{last}"}


def _about_receipts(case: str, mailed: Counter[str], wanted: set[str]) -> str:
    if set(mailed) - wanted:
        return f"For {case}, your function names orders that were in none of the events."
    if max(mailed.values(), default=1) > 1:
        if case == RESENT:
            return f"For {case}, two receipts are mailed. What is it that a customer wants one receipt of?"
        if case == LATER:
            return f"For {case}, two receipts are mailed. How far back does your function remember?"
        return f"For {case}, two receipts are mailed."
    if set(mailed) != wanted:
        if case == ALIKE:
            return f"For {case}, one receipt is missing. By what do you know that an order is the same?"
        return f"For {case}, a receipt is missing: somebody gets none at all."
    return ""


# --- 00-3: an entry that a rule wants ---

PATTERN = {
    "source": ["microservice_x"],
    "detail-type": ["OrderCancelled", "OrderReturned"],
    "detail": {"body": {"ShippingMethod": ["Express", "Pickup"]}},
}
ENTRY = {"Source", "DetailType", "Detail", "EventBusName", "Time", "Resources", "TraceHeader"}
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html
NEEDED = ["Source", "DetailType", "Detail"]


@exercise("00-3", takes=dict)
def wanted_entry(entry: dict[str, Any]) -> Verdict:
    if {"source", "detail-type", "detail"} & set(entry):
        return wrong("Those are names of an event, as a reader sees it. Which names has an entry?", see="envelope")
    if not set(NEEDED) <= set(entry) <= ENTRY:
        return wrong("Your entry has other fields than the one in section 3. Compare them.", see="event")
    if any(isinstance(entry[name], list) for name in ("Source", "DetailType")):
        return wrong("The lists belong to the pattern: what it would accept. An event states one thing.", see="event")
    if any(not isinstance(entry[name], str) for name in ("Source", "DetailType")):
        return wrong("Source and DetailType are plain text.", see="source")
    detail = _detail(entry["Detail"])
    if isinstance(detail, Verdict):
        return detail
    if str(entry.get("EventBusName", "default")).rpartition("/")[2] != "default":  # its name, or its ARN
        return wrong("Your entry goes to another bus. Which events does a rule see?", see="event-bus")
    return _about_match(entry, detail) or correct("EventBridge itself says that the rule wants this event.")


def _detail(value: Any) -> dict[str, Any] | Verdict:
    """Return the detail as an object, or what is wrong with it."""
    if isinstance(value, (dict, list)):
        return wrong("Your Detail is an object of Python. In which form does a fact travel?", see="detail")
    try:
        detail = json.loads(value if isinstance(value, str) else "")
    except ValueError:
        return wrong("Your Detail is a text, but no JSON: EventBridge could not read it.", see="detail")
    return detail if isinstance(detail, dict) else wrong("Your Detail is JSON, but no object.", see="detail")


def _about_match(entry: dict[str, Any], detail: dict[str, Any]) -> Verdict | None:
    """Say what EventBridge has against the event that the entry becomes, or None."""
    if matches(PATTERN, event(detail, entry["Source"], entry["DetailType"])):
        return None
    if not matches({"source": PATTERN["source"]}, event(detail, entry["Source"])):
        return wrong("The rule does not want your event: somebody else speaks in it.", see="source")
    if not matches({"detail-type": PATTERN["detail-type"]}, event(detail, detail_type=entry["DetailType"])):
        return wrong("The rule does not want your event: it is another kind of fact.", see="event-pattern")
    if "body" not in detail:
        return wrong("The rule looks for the order one level deeper than you have put it.", see="event-pattern")
    return wrong(
        "Source and kind are right; the order in it is none of those that the rule wants.", see="event-pattern"
    )
