"""Contents of S3's objects: a row each, written once."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

import moto.s3.models as models
import moto.s3.responses as responses
import pytest

from helpers.local_aws.account.credentials import ACCOUNT_ID
from helpers.local_aws.recovery import snapshots
from helpers.local_aws.s3 import object_rows
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store

BUCKET = "bucket-of-object-rows"


@pytest.fixture
def store(tmp_path, monkeypatch) -> Iterator[Store]:
    opened = Store(tmp_path / "store.sqlite", "test")
    monkeypatch.setattr(object_rows, "_kept", set())
    journal.open_with(opened, lambda service, region: None, lambda: None)
    yield opened
    journal.close()


@pytest.fixture
def s3() -> Iterator[models.S3Backend]:
    made = models.S3Backend("aws", ACCOUNT_ID)
    made.create_bucket(BUCKET, "us-east-1")
    yield made
    models.s3_backends.bucket_accounts.pop(BUCKET)


def kept(store: Store, s3: models.S3Backend) -> dict[int, bytes]:
    """The rows of contents after a snapshot."""
    snapshots.take(s3)
    store.commit()
    return {int(key): content for _, key, content in store.rows(object_rows.KIND)}


def test_a_content_is_written_once_and_forgotten_when_no_object_has_it(store, s3):
    s3.put_object(BUCKET, "a", b"one")
    first = kept(store, s3)
    assert list(first.values()) == [b"one"]
    assert kept(store, s3) == first
    s3.put_object(BUCKET, "a", b"two")
    s3.put_object(BUCKET, "b", b"three")
    assert list(kept(store, s3).values()) == [b"two", b"three"]
    s3.delete_object(BUCKET, "a")
    assert list(kept(store, s3).values()) == [b"three"]


def test_objects_come_back_with_their_contents(store, s3):
    s3.put_object(BUCKET, "a", b"one")
    s3.copy_object(s3.get_object(BUCKET, "a"), BUCKET, "copy")
    s3.put_object(BUCKET, "a", b"two")
    snapshot = snapshots.take(s3)
    store.commit()
    again = models.S3Backend("aws", ACCOUNT_ID)
    snapshots.restore(again, snapshot)
    assert {name: again.get_object(BUCKET, name).value for name in ("a", "copy")} == {"a": b"two", "copy": b"one"}


def test_moto_gives_an_object_its_content_only_when_it_makes_it():
    """A row would be out of date otherwise."""
    places = [f"{kind}.{function}" for module in (models, responses) for kind, function in _setting_a_value(module)]
    assert places == ["FakeKey.__init__", "FakeKey.__setstate__"]


def _setting_a_value(module) -> Iterator[tuple[str, str]]:
    """Yield class and function of each assignment to an attribute `value`."""
    for kind in ast.parse(inspect.getsource(module)).body:
        if not isinstance(kind, ast.ClassDef):
            continue
        for function in kind.body:
            for node in ast.walk(function):
                targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
                if any(isinstance(each, ast.Attribute) and each.attr == "value" for each in targets):
                    yield kind.name, function.name
