"""Check lesson 6: what a filter saves, a report that reads everything exactly, and a question of one's own.

The functions of 06-2 and 06-3 read the learner's own table, through a client whose pages are small.
"""

from collections.abc import Callable
from decimal import Decimal
from numbers import Number
from typing import Any, SupportsFloat, cast

import boto3
import pandas as pd

from helpers.exercises.tools import call
from helpers.exercises.verdicts import EarlyVerdict, Verdict, correct, exercise, not_attempted, wrong

TABLE = "sample-table"

# --- 06-1: a scan with a filter ---

STORED, MATCHING, PAGE_SIZE = 450, 30, 100
REQUESTS = -(-STORED // PAGE_SIZE)
NAMES = ["requests without the filter", "requests with it", "orders paid for with it"]


@exercise("06-1", takes=dict)
def filtered_scan(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the three names in the dict, and give each a number.")
    if any(type(number) is not int for number in prediction.values()):
        return wrong("Each of the three predictions is a whole number.")
    unfiltered, filtered, paid = (prediction[name] for name in NAMES)
    if unfiltered == STORED // PAGE_SIZE:
        return wrong("Those are the full pages. Where are the orders that do not fill a page?", see="pagination")
    if unfiltered != REQUESTS:
        return wrong("Begin without the filter: how many pages do all the orders fill?", see="pagination")
    if filtered == 1:
        return wrong(
            "What passes the filter would fit on one page. Is that what the page size counts?", see="pagination"
        )
    if filtered != REQUESTS:
        return wrong("With the filter: does it work before a page is read, or after?", see="filter-expression")
    if paid == MATCHING:
        return wrong("You pay for what is read. Is that the same as what comes back?", see="filter-expression")
    if paid == REQUESTS * PAGE_SIZE:
        return wrong("You count every page as full. What is on the last one?", see="pagination")
    if paid != STORED:
        return wrong("Orders paid for: which of them can DynamoDB leave unread?", see="filter-expression")
    return correct("A filter spares the network. It spares neither your bill nor a single request.")


# --- what 06-2 and 06-3 share ---


class SmallPages:
    """A DynamoDB client whose scans come in small pages, as from a large table, and what it was answered."""

    SIZE, TURNS = 25, 4  # orders on a page; how often a scan may begin at the same place

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        self.answers: list[dict[str, Any]] = []
        self.turns_round = False
        self._began: list[tuple[Any, ...]] = []
        self.client.meta.events.register("provide-client-params.dynamodb.Scan", self._shorten)
        self.client.meta.events.register("after-call.dynamodb.Scan", self._remember)

    def _shorten(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        began = (str(params.get("ExclusiveStartKey")), params.get("Segment"))
        self._began.append(began)
        if self._began.count(began) > self.TURNS:
            self.turns_round = True
            raise RecursionError("the same page again and again")
        return params | {"Limit": min(params.get("Limit", self.SIZE), self.SIZE)}

    def _remember(self, parsed: dict[str, Any], **_: Any) -> None:
        self.answers.append(parsed)


def _run(function: Callable[..., Any], *arguments: Any) -> tuple[object, list[dict[str, Any]]]:
    """Return what the function returns, and the pages that it was answered. Raises EarlyVerdict."""
    pages = SmallPages()
    try:
        value = call(function, pages.client, *arguments)
    except EarlyVerdict:
        if not pages.turns_round:
            raise
        value = None
    if pages.turns_round:
        ask = "What tells the next request where to begin?"
        raise EarlyVerdict(wrong(f"Your function gets the same page again and again. {ask}", see="pagination"))
    if value is None:
        raise EarlyVerdict(wrong("Your function returns nothing."))
    if not pages.answers:
        raise EarlyVerdict(wrong("Your function has not scanned the table with the client that it was given."))
    return value, pages.answers


def _stored() -> pd.DataFrame:
    """All orders of the learner's table, amounts as Decimals."""
    scan = boto3.client("dynamodb").get_paginator("scan")
    items = [item for page in scan.paginate(TableName=TABLE, ConsistentRead=True) for item in page["Items"]]
    if len(items) <= SmallPages.SIZE:
        raise EarlyVerdict(
            not_attempted("Your table is nearly empty. Run the setup cell, which sends the orders, then this one.")
        )
    rows = [{name: _plain(**value) for name, value in item.items()} for item in items]
    return pd.DataFrame(rows, columns=["OrderId", "Item", "Amount", "IsMember", "ShippingMethod"])


def _plain(N: str = "", **other: object) -> object:
    """One value of DynamoDB's as Python's, numbers as Decimals."""
    return Decimal(N) if N else next(iter(other.values()))


# --- 06-2: a report to mend ---


@exercise("06-2", takes=Callable)
def revenue_by_item(function: Callable[..., Any]) -> Verdict:
    exact = _stored().groupby("Item")["Amount"].sum().to_dict()
    answer, pages = _run(function)
    answer = answer.to_dict() if isinstance(answer, pd.Series) else answer
    if not isinstance(answer, dict):
        return wrong("The report must stay what it was: a dict with an amount for each item.")
    if "LastEvaluatedKey" in pages[-1]:
        return wrong(
            "Your function has stopped reading, and the last page that it got says that there is more.",
            see="pagination",
        )
    if any(isinstance(amount, float) for amount in answer.values()):
        return wrong("All pages are read, but the sums are floats. Rounded they look right; are they?", see="decimal")
    if any(isinstance(amount, str) for amount in answer.values()):
        return wrong("The amounts are text. A report is there to be added up.", see="decimal")
    if set(answer) != set(exact):
        return wrong("All pages are read, but the items in your report are not those in the table.")
    off = max(abs(Decimal(answer[item]) - exact[item]) for item in exact)
    if not off:
        return correct("Right to the cent, and right for a table of any size.")
    if off < Decimal("0.005"):
        return wrong(
            "Off by far less than a cent: a Decimal made from a float copies all that is wrong with it. "
            "What did DynamoDB send, before there was a float?",
            see="decimal",
        )
    return wrong(
        "All pages are read, but amounts are missing or counted twice. What happens to the totals at a new page?"
    )


# --- 06-3: a question ---

AMOUNTS = (Decimal("60"), Decimal("131.10"))  # there are orders of exactly the second


@exercise("06-3", takes=Callable)
def express_for_members(function: Callable[..., Any]) -> Verdict:
    stored = _stored()
    for least in AMOUNTS:
        value, pages = _run(function, least)
        if not isinstance(value, (tuple, list)) or len(value) != 2:
            return wrong("Your function must return two things: the OrderIds, and the units.")
        ids, units = value
        if ids is ... or units is ...:
            return not_attempted()
        if not isinstance(ids, (list, tuple, set, pd.Series)) or any(not isinstance(each, str) for each in ids):
            return wrong("The first thing must be a list of OrderIds, as plain text.")
        problem = _unread(pages) or _about_orders(list(ids), stored, least, pages) or _about_units(units, pages)
        if problem:
            return problem
    return correct("Only what you asked for has travelled, and you know what reading all the rest has cost.")


def _unread(pages: list[dict[str, Any]]) -> Verdict | None:
    if "LastEvaluatedKey" not in pages[-1]:
        return None
    if len(pages) > 1 and not pages[-1]["Count"]:
        return wrong(
            "Your function stops at a page on which nothing matched. Is an empty page the last one?", see="pagination"
        )
    return wrong(
        "Your function stops reading, and the last page that it got says that there is more.", see="pagination"
    )


def _about_orders(ids: list[str], stored: pd.DataFrame, least: Decimal, pages: list[dict[str, Any]]) -> Verdict | None:
    """Say what is wrong with the orders that the function has found, or None."""
    came = sum(page["Count"] for page in pages)
    if not came:
        return wrong(
            "Nothing passes your filter. For DynamoDB a number, a text and a boolean are never equal: "
            "with which types do you compare?",
            see="filter-expression",
        )
    found = stored[stored["OrderId"].isin(ids)]
    if not found["IsMember"].all():
        return wrong("There are guests' orders among those that you have found.", see="filter-expression")
    if (found["ShippingMethod"] != "Express").any():
        return wrong("There are orders among them that were not sent by express.", see="filter-expression")
    if (found["Amount"] < least).any():
        return wrong("There are orders among them whose amount is too small.", see="filter-expression")
    asked = stored[stored["IsMember"] & (stored["ShippingMethod"] == "Express") & (stored["Amount"] >= least)]
    lacking = asked[~asked["OrderId"].isin(ids)]
    if len(lacking):
        if (lacking["Amount"] == least).all():
            return wrong("Orders of exactly the least amount are missing: from it on, or only above it?")
        return wrong("All pages are read, and still orders are missing. What happens to those of the pages before?")
    if len(ids) != len(asked):
        return wrong("Some OrderIds are in the list twice, or belong to no order in the table.")
    if came > len(asked):
        return wrong(
            "The right orders, but others have travelled, too. Who should do the choosing?", see="filter-expression"
        )
    return None


def _about_units(units: object, pages: list[dict[str, Any]]) -> Verdict | None:
    """Say what is wrong with what the function says that it has cost, or None."""
    costs = [page.get("ConsumedCapacity", {}).get("CapacityUnits") for page in pages]
    if None in costs:
        return wrong(
            "The orders are right. But DynamoDB says what a request costs only if asked to.", see="consumed-capacity"
        )
    if not isinstance(units, Number):
        return wrong("The second thing must be a number: the units of the whole question.")
    said = float(cast(SupportsFloat, units))
    if said in (costs[0], costs[-1]):
        return wrong("Those are the units of one request. What about the others?", see="consumed-capacity")
    if said != sum(costs):
        return wrong(
            "The orders are right, but the units are not those that DynamoDB reported.", see="consumed-capacity"
        )
    return None
