"""Make up the orders of Microservice X, the front end of the workbook. Sending them is what the lessons teach."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any, TypeVar, cast

Element = TypeVar("Element")

CATALOGUE = (  # item, price in cents, how often it is bought relative to the others
    ("tea-towel", 690, 14),
    ("notebook", 850, 18),
    ("mug", 1290, 20),
    ("water-bottle", 1995, 15),
    ("teapot", 3450, 10),
    ("coffee-grinder", 4790, 9),
    ("backpack", 6900, 7),
    ("desk-lamp", 7425, 5),
    ("headphones", 12900, 2),
)
QUANTITIES = ((1, 62), (2, 25), (3, 9), (4, 4))
MEMBER_SHARE = 0.38
MEMBER_DISCOUNT = 5  # per cent
SHIPPING = {  # method: its price in cents, and how often it is chosen by (guests, members)
    "Standard": (490, (66, 34)),
    "Express": (990, (12, 46)),
    "Pickup": (0, (22, 20)),
}
FREE_EXPRESS_FROM = 6000  # cents; for members
ENTRIES_PER_REQUEST = 10  # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
BAR = 20  # characters of a full progress bar


def orders(count: int, seed: int = 7, first: int = 1) -> list[dict[str, Any]]:
    """Make up `count` orders, X-0001, X-0002 … (from `first` on): the same ones for the same seed everywhere.

    Members buy more at once, get a discount and like express, which is free for them from 60.00 on. The
    Amount is a whole number of cents divided by 100: the JSON text of that is exact, with two decimals at
    most, as a web front end sends it.
    """
    draw = random.Random(seed).random  # nothing but random() itself is promised to stay the same across Python versions
    return [_order(f"X-{number:04d}", draw) for number in range(first, first + count)]


def batches(items: Iterable[Element], size: int = ENTRIES_PER_REQUEST) -> Iterator[list[Element]]:
    """Yield the items in lists of `size` (the last may be shorter): EventBridge takes ten entries in a request."""
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def progress(items: Iterable[Element], label: str, total: int | None = None) -> Iterator[Element]:
    """Yield the items, and draw how many are done; `total` is needed only for what has no len().

    The bar is redrawn in place with carriage returns, without times or rates, so that it always ends as the
    same line.
    """
    if total is None:
        total = len(cast(Sized, items))
    done = 0
    for done, item in enumerate(items, start=1):
        yield item
        print(_bar(label, done, total), end="\r", flush=True)
    print(_bar(label, done, total), flush=True)


def _order(order_id: str, draw: Callable[[], float]) -> dict[str, Any]:
    """Make one order; always the same number of draws, so that a longer list begins with the shorter one."""
    is_member = draw() < MEMBER_SHARE
    item, price = _pick(draw, [((name, cents), weight) for name, cents, weight in CATALOGUE])
    quantity = _pick(draw, QUANTITIES) + (draw() < 0.4 and is_member)
    method = _pick(draw, [(name, weights[is_member]) for name, (_, weights) in SHIPPING.items()])
    goods = price * quantity
    if is_member:
        goods -= goods * MEMBER_DISCOUNT // 100
    free = is_member and method == "Express" and goods >= FREE_EXPRESS_FROM
    cents = goods + (0 if free else SHIPPING[method][0])
    return {
        "OrderId": order_id,
        "Item": item,
        "Amount": cents / 100,
        "IsMember": is_member,
        "ShippingMethod": method,
    }


def _pick(draw: Callable[[], float], weighted: Sequence[tuple[Element, int]]) -> Element:
    """Draw one of the (value, weight) pairs' values, each as probable as its weight says."""
    point = draw() * sum(weight for _, weight in weighted)
    for value, weight in weighted:
        point -= weight
        if point < 0:
            return value
    return weighted[-1][0]  # rounding may leave nothing


def _bar(label: str, done: int, total: int) -> str:
    filled = BAR * done // total if total else BAR
    return f"{label}  {'█' * filled}{'░' * (BAR - filled)} {done}/{total}"
