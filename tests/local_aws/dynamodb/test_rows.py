"""What is on disk of a table's items and stream, at each moment."""

from __future__ import annotations

import contextlib
import json
import shutil
import threading
from collections.abc import Callable
from typing import Any

import pytest
from moto.dynamodb.exceptions import TransactionCanceledException
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.parsing import partiql

from helpers.local_aws.dynamodb import item_rows, stream
from helpers.local_aws.dynamodb.table import Table
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}


def put(name: str, **attributes: Any) -> dict[str, Any]:
    return {"Put": {"TableName": "things", "Item": {"id": {"S": name}, **attributes}}}


def check(name: str) -> dict[str, Any]:
    condition = "attribute_exists(id)"
    return {"ConditionCheck": {"TableName": "things", "Key": {"id": {"S": name}}, "ConditionExpression": condition}}


@pytest.fixture
def killed(service, tmp_path, monkeypatch) -> Callable[[], list[dict[str, list[str]]]]:
    """After each put, commits, as another call may, and notes what a server finds that starts after a kill then."""
    found: list[dict[str, list[str]]] = []
    by_us = Table.put_item

    def put_item(self: Table, *args: Any, **settings: Any) -> Any:
        item = by_us(self, *args, **settings)
        journal.commit()
        folder = tmp_path / f"killed-{len(found)}"
        folder.mkdir()
        for path in tmp_path.glob("account.sqlite*"):
            shutil.copy(path, folder)
        copied = Store(folder / "account.sqlite", "test")
        found.append({kind: [str(key) for _, key, _ in copied.rows(kind)] for kind in (item_rows.KIND, stream.KIND)})
        copied.close()
        return item

    monkeypatch.setattr(Table, "put_item", put_item)
    return lambda: found


def ids(service) -> list[str]:
    return sorted(json.loads(value)["id"]["S"] for _, _, value in service.rows(item_rows.KIND))


def test_a_kill_in_the_middle_of_a_transaction_leaves_nothing_of_it(service, killed):
    service.table(StreamSpecification=STREAM)
    service.backend.transact_write_items([put("a"), put("b"), put("c")])
    assert killed() == [{item_rows.KIND: [], stream.KIND: []}] * 3, "after each of its puts"
    journal.commit()
    assert ids(service) == ["a", "b", "c"]
    assert len(service.rows(stream.KIND)) == 3


def test_a_transaction_that_fails_leaves_its_rows_as_they_were(service, killed):
    service.table(StreamSpecification=STREAM)
    service.backend.put_item("things", {"id": {"S": "a"}, "n": {"N": "1"}})
    journal.commit()
    before = service.rows(item_rows.KIND), service.rows(stream.KIND)
    with pytest.raises(TransactionCanceledException):
        service.backend.transact_write_items([put("a", n={"N": "2"}), put("b"), check("absent")])
    assert not service.store.pending
    assert (service.rows(item_rows.KIND), service.rows(stream.KIND)) == before
    assert [each[item_rows.KIND] for each in killed()[-2:]] == [["S1 a"]] * 2, "in the middle, too"


def test_a_commit_takes_all_rows_of_a_transaction_or_none(service, monkeypatch):
    """Others commit at any time: also while the rows are handed over, one by one."""
    service.table()
    written: list[list[str]] = []
    monkeypatch.setattr(
        service.store,
        "_write",
        lambda changed, emptied: written.append([key for kind, _, key in changed if kind == item_rows.KIND]),
    )
    by_us = item_rows.put

    def put_while_others_commit(*args: Any) -> None:
        by_us(*args)
        others.append(threading.Thread(target=journal.commit))
        others[-1].start()

    others: list[threading.Thread] = []
    monkeypatch.setattr(item_rows, "put", put_while_others_commit)
    service.backend.transact_write_items([put("a"), put("b"), put("c")])
    for each in others:
        each.join()
    assert written == [["S1 a", "S1 b", "S1 c"]]


def test_what_is_deleted_has_no_rows(service):
    service.table(StreamSpecification=STREAM)
    service.backend.put_item("things", {"id": {"S": "a"}})
    backup = service.backend.create_backup("things", "copy")
    journal.commit()
    assert [len(service.rows(kind)) for kind in (item_rows.KIND, item_rows.BACKUP, stream.KIND)] == [1, 1, 1]
    service.backend.delete_table("things")
    service.backend.delete_backup(backup.arn)
    journal.commit()
    assert [service.rows(kind) for kind in (item_rows.KIND, item_rows.BACKUP, stream.KIND)] == [[], [], []]


def test_a_restored_table_has_rows_of_its_own(service):
    table = service.table()
    service.backend.put_item("things", {"id": {"S": "a"}})
    backup = service.backend.create_backup("things", "copy")
    made = [
        service.backend.restore_table_from_backup("restored", backup.arn),
        service.backend.restore_table_to_point_in_time("earlier", "things"),
    ]
    for each in made:
        assert isinstance(each, Table)
        each.put_item({"id": {"S": "b"}})
    journal.commit()
    assert [owner for owner, _, _ in service.rows(item_rows.KIND)].count(table.table_arn) == 1
    assert [(len(each), len(table)) for each in made] == [(2, 1), (2, 1)]
    assert {each.table_arn for each in made} < {owner for owner, _, _ in service.rows(item_rows.KIND)}


@pytest.mark.parametrize("end", [[], [check("absent")]], ids=["that succeeds", "that fails"])
def test_a_transaction_copies_no_item_but_its_own(service, monkeypatch, end):
    """However many are in the table: that is what makes it as quick as in an empty one."""
    service.table()
    for number in range(100):
        service.backend.put_item("things", {"id": {"S": f"{number}"}})
    copied: list[str] = []
    by_moto = Item.__deepcopy__
    monkeypatch.setattr(
        Item, "__deepcopy__", lambda self, memo: copied.append(self.hash_key.value) or by_moto(self, memo)
    )
    update = {"TableName": "things", "Key": {"id": {"S": "7"}}, "UpdateExpression": "REMOVE n"}
    writes = [put("8"), {"Update": update}, {"Delete": {"TableName": "things", "Key": {"id": {"S": "9"}}}}, *end]
    with contextlib.suppress(TransactionCanceledException):
        service.backend.transact_write_items(writes)
    assert set(copied) == {"7"}


@pytest.mark.parametrize("statement, read", [
    ("INSERT INTO things VALUE {'id': 'new'}", 0),
    ("UPDATE things SET n='1' WHERE id='7'", 1),
    ("DELETE FROM things WHERE id='7'", 1),
    ("SELECT * FROM things WHERE n = '1'", 100),
])  # fmt: skip
def test_a_statement_is_shown_what_it_may_be_about(service, monkeypatch, statement, read):
    for name in ("things", "others"):
        service.table(name)
        for number in range(100):
            service.backend.put_item(name, {"id": {"S": f"{number}"}})
    shown: list[dict[str, list[Any]]] = []
    by_moto = partiql.query
    monkeypatch.setattr(partiql, "query", lambda *args: shown.append(args[1]) or by_moto(*args))
    service.backend.execute_transaction([{"Statement": statement}])
    assert {name: len(items) for name, items in shown[0].items()} == {"things": read}
