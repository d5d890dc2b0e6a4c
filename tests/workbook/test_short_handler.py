"""The short function that lesson 3 begins with: its digest is known, and good orders fare as with handler.py."""

import base64
import hashlib
import json
from typing import Any

import boto3
import pytest

from helpers.account.state import SHORT_HANDLER
from helpers.lessons.catch_up import read_lesson
from helpers.microservice_x import orders
from helpers.paths import PROJECT
from tests.support.tutorial_handler import CONTEXT, create_table, event_with, handler_without_aws  # noqa: F401

LESSON = read_lesson(PROJECT / "notebooks" / "03_create_the_function.ipynb")
MOST_LINES = 15  # what a beginner reads in a minute


@pytest.fixture(scope="module")
def lesson() -> dict[str, Any]:
    """What lesson 3's cells have made when its package is packed; none of them has spoken to AWS."""
    namespace: dict[str, Any] = {}
    for _, source in LESSON.build_cells:
        exec(source, namespace)
        if "package" in namespace:
            return namespace
    pytest.fail("no cell of lesson 3 makes the package")


@pytest.fixture
def short(handler, lesson):
    create_table("sample-table")
    namespace: dict[str, Any] = {}
    exec(lesson["code"], namespace)
    yield namespace["lambda_handler"]
    boto3.client("dynamodb").delete_table(TableName="sample-table")


def test_catching_up_knows_the_digest_of_what_the_lesson_packs(lesson):
    digest = base64.b64encode(hashlib.sha256(lesson["package"]).digest()).decode()
    assert digest == SHORT_HANDLER, "write the new digest into helpers/account/state.py"


def test_handler_py_has_another_digest(lesson):
    full = lesson["zipped"]((PROJECT / "handler.py").read_text(encoding="utf-8"))
    assert base64.b64encode(hashlib.sha256(full).digest()).decode() != SHORT_HANDLER


def test_it_is_short(lesson):
    assert len(lesson["code"].strip().splitlines()) <= MOST_LINES


def test_a_good_order_is_stored_logged_and_answered_as_by_handler_py(handler, short, capsys):
    for order in orders(50):
        seen = []
        for function in (handler.lambda_handler, short):
            answer = function(event_with(order), CONTEXT)
            (line,) = capsys.readouterr().out.splitlines()
            (item,) = boto3.client("dynamodb").scan(TableName="sample-table")["Items"]
            seen.append((answer, json.loads(line), item))
            boto3.client("dynamodb").delete_item(TableName="sample-table", Key={"OrderId": item["OrderId"]})
        assert seen[0] == seen[1]
