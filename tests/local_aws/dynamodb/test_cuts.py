"""After a cut at any place of the log, a transaction is there whole or not at all: items, and what its stream says."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from moto.dynamodb.exceptions import MockValidationException, TransactionCanceledException

from helpers.local_aws.dynamodb import api, item_rows, stream
from helpers.local_aws.dynamodb.table import Table
from helpers.local_aws.storage import journal
from tests.support import cuts

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}


@pytest.fixture
def interrupted(monkeypatch) -> None:
    """Other threads commit at any time: here after each item that has changed in memory."""
    for name in ("put_item", "delete_item"):
        by_us = getattr(Table, name)

        def changing(self: Table, *args: Any, by_us: Callable[..., Any] = by_us, **settings: Any) -> Any:
            try:
                return by_us(self, *args, **settings)
            finally:
                journal.put("other", "", "beside", b"1")
                journal.commit()

        monkeypatch.setattr(Table, name, changing)


def put(name: str, **attributes: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "things", "Item": {"id": {"S": name}, **attributes}}}


def names(letter: str, count: int) -> list[str]:
    return [f"{letter}{number:02}" for number in range(count)]


def seen(service, tmp_path) -> list[tuple[list[str], list[str]]]:
    """What is there after each cut, each state once: items, and of which items the stream tells."""
    found: list[tuple[list[str], list[str]]] = []
    for store in cuts.stores(service.store.path, tmp_path / "cuts"):
        items = sorted(json.loads(value)["id"]["S"] for _, _, value in store.rows(item_rows.KIND))
        told = [stream.pickle.loads(value)["dynamodb"]["Keys"]["id"]["S"] for _, _, value in store.rows(stream.KIND)]
        if (items, told) not in found:
            found.append((items, told))
    return found


def test_a_transaction_of_many_items_is_there_or_not(service, interrupted, tmp_path):
    service.table(StreamSpecification=STREAM)
    first, second = names("a", 99), names("b", 99)
    service.backend.transact_write_items([put(name) for name in first])
    journal.commit()
    service.backend.transact_write_items([put(name) for name in second])
    journal.commit()
    assert seen(service, tmp_path) == [([], []), (first, first), (first + second, first + second)]


def test_of_a_cancelled_transaction_nothing_is_there(service, interrupted, tmp_path):
    service.table(StreamSpecification=STREAM)
    absent = {"TableName": "things", "Key": {"id": {"S": "absent"}}, "ConditionExpression": "attribute_exists(id)"}
    with pytest.raises(TransactionCanceledException):
        service.backend.transact_write_items([*map(put, names("a", 98)), {"ConditionCheck": absent}])
    journal.commit()
    assert seen(service, tmp_path) == [([], [])]


def test_a_transaction_in_partiql_is_there_or_not(service, interrupted, tmp_path):
    service.table(StreamSpecification=STREAM)
    service.backend.put_item("things", {"id": {"S": "old"}})
    journal.commit()
    made = names("a", 10)
    statements = [{"Statement": f"INSERT INTO things VALUE {{'id': '{name}'}}"} for name in made]
    service.backend.execute_transaction([*statements, {"Statement": "DELETE FROM things WHERE id='old'"}])
    journal.commit()
    assert seen(service, tmp_path) == [([], []), (["old"], ["old"]), (made, ["old", *made, "old"])]


class Handler(api.Handler):
    """The handler of one call, without its request."""

    def __init__(self, backend: Any, **body: Any) -> None:
        self._backend, self.body = backend, body

    @property
    def dynamodb_backend(self) -> Any:
        return self._backend


def test_of_a_batch_that_is_refused_nothing_is_there(service, interrupted, tmp_path):
    service.table(StreamSpecification=STREAM)
    items = [{"id": {"S": name}} for name in names("a", 9)]
    for wrong in ({"id": {"N": "1"}}, {"other": {"S": "x"}}, {"id": {"S": "b"}, "text": {"S": "x" * 410_000}}):
        puts = [{"PutRequest": {"Item": item}} for item in (*items, wrong)]
        with pytest.raises(Exception) as refused:
            Handler(service.backend, RequestItems={"things": puts}).batch_write_item()
        assert isinstance(refused.value, MockValidationException) or "size" in str(refused.value)
    with contextlib.suppress(MockValidationException):
        Handler(service.backend, RequestItems={"things": [{"DeleteRequest": {"Key": {}}}]}).batch_write_item()
    journal.commit()
    assert seen(service, tmp_path) == [([], [])]
