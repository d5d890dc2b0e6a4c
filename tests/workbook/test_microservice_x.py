"""Microservice X's orders are the same everywhere, exact as JSON text, and what handler.py takes."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from decimal import Decimal

import pytest

from helpers.microservice_x import CATALOGUE, batches, orders, progress

MANY = orders(2000)
FINGERPRINT = "d8daac8201dfac6181a3170375c626f5dd1074dac0a5a25f6fa25a636660bc03"  # of their JSON


def test_the_same_seed_gives_the_same_orders_everywhere():
    """Lessons compare outputs that were made from these on another machine, with another Python."""
    text = json.dumps(MANY, sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest() == FINGERPRINT
    assert orders(3, seed=8) != orders(3)


def test_a_longer_list_begins_with_the_shorter_one():
    assert MANY[:10] == orders(10)


def test_other_random_numbers_in_the_process_change_nothing():
    random.seed(1)
    before = random.getstate()
    orders(5)
    assert random.getstate() == before


def test_ids_count_from_the_first():
    assert [order["OrderId"] for order in orders(3)] == ["X-0001", "X-0002", "X-0003"]
    assert [order["OrderId"] for order in orders(2, first=201)] == ["X-0201", "X-0202"]
    assert orders(0) == []


def test_orders_have_the_fields_that_the_function_wants():
    items = {item for item, _, _ in CATALOGUE}
    for order in MANY:
        assert list(order) == ["OrderId", "Item", "Amount", "IsMember", "ShippingMethod"]
        assert order["Item"] in items
        assert order["IsMember"] in (True, False) and isinstance(order["IsMember"], bool)
        assert order["ShippingMethod"] in {"Standard", "Express", "Pickup"}
        assert order["Amount"] > 0


def test_amounts_are_exact_in_json():
    for order in MANY:
        written = re.search(r'"Amount": ([^,]+)', json.dumps(order))[1]
        amount = Decimal(written)
        assert amount == amount.quantize(Decimal("0.01")), written
        assert float(amount) == order["Amount"]


def test_there_is_something_to_find_in_the_orders():
    """Lesson 6 draws charts of this: members like express and spend more on it than guests do on average."""

    def mean(chosen: list[dict]) -> float:
        return sum(order["Amount"] for order in chosen) / len(chosen)

    members = [order for order in MANY if order["IsMember"]]
    guests = [order for order in MANY if not order["IsMember"]]
    assert 0.3 < len(members) / len(MANY) < 0.45
    assert mean(members) > 1.1 * mean(guests)
    method = {kind: Counter(order["ShippingMethod"] for order in chosen)
              for kind, chosen in (("members", members), ("guests", guests))}  # fmt: skip
    assert method["members"].most_common(1)[0][0] == "Express"
    assert method["guests"].most_common(1)[0][0] == "Standard"
    assert len({order["Item"] for order in orders(200)}) == len(CATALOGUE)


@pytest.mark.parametrize("count, sizes", [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (30, [10, 10, 10])])
def test_batches_of_ten(count, sizes):
    parts = list(batches(range(count)))
    assert [len(part) for part in parts] == sizes
    assert [number for part in parts for number in part] == list(range(count))


def test_batches_take_any_iterable_and_size():
    assert list(batches(iter("abcde"), size=2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_progress_hands_everything_on_and_ends_in_one_line(capsys):
    assert list(progress([1, 2, 3, 4], "Sending")) == [1, 2, 3, 4]
    *transient, line = capsys.readouterr().out.split("\r")
    assert line == "Sending  ████████████████████ 4/4\n"
    assert transient[0] == "Sending  █████░░░░░░░░░░░░░░░ 1/4"
    assert {len(text) for text in transient} == {len(line) - 1}


def test_progress_counts_what_has_been_worked_off(capsys):
    """The bar moves when the loop comes back for the next element, not when it is handed out."""
    steps = progress("ab", "Sending")
    next(steps)
    assert capsys.readouterr().out == ""
    next(steps)
    assert "1/2" in capsys.readouterr().out


def test_progress_of_something_without_a_length(capsys):
    assert list(progress(iter("ab"), "Sending", total=2)) == ["a", "b"]
    assert list(progress([], "Nothing")) == []
    assert capsys.readouterr().out.endswith("Nothing  ████████████████████ 0/0\n")
