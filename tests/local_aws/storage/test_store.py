"""The store when the disk takes no more: what is read then, what is let in again, and what never comes back."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers.local_aws.storage import database
from helpers.local_aws.storage.store import Store, StoreError
from tests.local_aws.test_in_process import run


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store.sqlite", "test")
    yield opened
    opened.close()


def forbid(store: Store) -> None:
    store._connection.execute("pragma query_only = 1")


def allow(store: Store) -> None:
    store._connection.execute("pragma query_only = 0")


def keys(store: Store) -> list:
    return [key for _, key, _ in store.rows("kind")]


def test_a_store_that_was_given_up_writes_nothing_any_more(small, tmp_path):
    small.put("kind", "owner", "kept", b"1")
    small.commit(last=True)
    forbid(small)
    small.put("kind", "owner", "refused", b"1")
    with pytest.raises(StoreError, match="read-only"):
        small.commit(last=True)
    allow(small)
    small.put("kind", "owner", "later", b"1")
    for last in (False, True):
        with pytest.raises(StoreError, match="read-only"):
            small.commit(last=last)
    small.fold()
    assert keys(small) == ["kept"]
    small.close()
    again = Store(tmp_path / "store.sqlite", "test")
    assert keys(again) == ["kept"] and again.given_up is None
    again.close()


def test_who_can_wait_gives_nothing_up(small):
    forbid(small)
    small.put("kind", "owner", "a", b"1")
    with pytest.raises(StoreError):
        small.commit()
    allow(small)
    small.commit(last=True)
    assert keys(small) == ["a"] and small.given_up is small.trouble is None


def test_there_must_be_some_room_before_anything_is_let_in_again(small):
    """Or the next change would be refused when it is done already."""
    small.commit()
    pages = small._connection.execute("pragma page_count").fetchone()[0]
    small._connection.execute(f"pragma max_page_count = {pages}")
    small.put("kind", "owner", "a", bytes(20_000))
    with pytest.raises(StoreError, match="disk is full"):
        small.commit()
    small._connection.execute(f"pragma max_page_count = {pages + 20}")
    with pytest.raises(StoreError, match="disk is full"):
        small.commit()
    small._connection.execute(f"pragma max_page_count = {pages + 1000}")
    small.commit()
    assert keys(small) == ["a"]


def test_a_successor_finds_out_first_whether_the_disk_takes_more(small):
    small.suspect()
    forbid(small)
    with pytest.raises(StoreError, match="read-only"):
        small.commit()  # although there is nothing to write
    allow(small)
    small.commit()
    assert small.trouble is None


@pytest.mark.parametrize("seed", range(8))
def test_a_log_that_cannot_be_folded_is_read_as_if_it_were(tmp_path, monkeypatch, seed):
    """Whatever was changed in it, rows of before and the order of rows included."""
    monkeypatch.setattr(database, "SLICE", 400)
    chance, path = random.Random(seed), tmp_path / "store.sqlite"
    store = Store(path, "test")
    for step in range(120):
        owner, key = chance.choice("ab"), chance.randrange(12)
        match chance.randrange(8):
            case 0:
                store.delete_all("kind", owner)
            case 1 | 2:
                store.delete("kind", owner, key)
            case _:
                store.put("kind", owner, key, str(step).encode())
        if chance.random() < 0.5:
            store.commit()
        if step == 60:
            store.fold()
    store.commit()
    forbid(store)
    read = list(store.rows("kind"))
    single = {(owner, key): store.get("kind", owner, key) for owner in "ab" for key in range(12)}
    assert store.log_size and store.trouble
    allow(store)
    assert list(store.rows("kind")) == read and not store.log_size
    assert {place: store.get("kind", *place) for place in single} == single
    store.close()


def test_a_store_is_opened_although_its_log_cannot_be_folded(tmp_path, monkeypatch):
    path = tmp_path / "store.sqlite"
    first = Store(path, "test")
    first.put("kind", "owner", "a", b"1")
    first.commit()
    first._connection.close()

    def full(_: sqlite3.Connection) -> int:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr(database, "fold", full)
    second = Store(path, "test")
    assert keys(second) == ["a"] and "disk is full" in str(second.trouble)
    monkeypatch.undo()
    second.commit()
    assert second.trouble is None and keys(second) == ["a"]
    second.close()


def test_an_account_in_an_interpreter_ends_with_a_change_that_it_could_not_keep(tmp_path):
    """There is no other process that could go on: nothing is shown of what was refused, and nothing is saved of it."""
    result = run("""
        import sys
        from helpers.local_aws import in_process
        from helpers.local_aws.storage import journal
        from botocore.exceptions import ClientError
        result = []
        with in_process(sys.argv[1]) as account:
            sqs = account.client("sqs")
            sqs.create_queue(QueueName="kept")
            journal.store._connection.execute("pragma query_only = 1")
            for call in (lambda: sqs.create_queue(QueueName="refused"), sqs.list_queues):
                try:
                    call()
                except ClientError as error:
                    result.append([error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)])
            journal.store._connection.execute("pragma query_only = 0")
            try:
                sqs.list_queues()
            except ClientError as error:
                result.append([error.response["ResponseMetadata"]["HTTPStatusCode"], str(error)])
    """, str(tmp_path))  # fmt: skip
    assert [status for status, _ in result] == [507, 507, 507]
    assert "read-only" in result[0][1] and all("begin again in a new one" in text for _, text in result[1:])
    found = run("""
        import sys
        from helpers.local_aws import in_process
        with in_process(sys.argv[1]) as account:
            result = account.client("sqs").list_queues()["QueueUrls"]
    """, str(tmp_path))  # fmt: skip
    assert [url.rpartition("/")[2] for url in found] == ["kept"]
