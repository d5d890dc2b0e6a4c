"""DynamoDB by itself, without a server, for what cannot be seen from outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.dynamodb.models as models
import moto.dynamodb.models.table as table_models
import pytest

from helpers.local_aws.dynamodb.backend import Backend
from helpers.local_aws.dynamodb.stream import Shard
from helpers.local_aws.dynamodb.table import RestoredPITTable, RestoredTable, Table
from helpers.local_aws.storage import journal
from helpers.local_aws.storage.store import Store
from tests.support.embedded_aws import table_request
from tests.support.one_thread import one_thread


class Service:
    """A backend and its store; `table` makes a table as CreateTable does."""

    def __init__(self, path: Path) -> None:
        self.backend = Backend("us-east-1", "123456789012")
        self.store = Store(path, "test")

    def table(self, name: str = "things", **settings: Any) -> Any:
        asked = table_request(name, {"id": "S"}, **settings)
        return self.backend.create_table(
            name,
            asked["KeySchema"],
            None,
            asked["AttributeDefinitions"],
            [],
            [],
            asked.get("StreamSpecification"),
            asked["BillingMode"],
            None,
            [],
            False,
            None,
        )

    def rows(self, kind: str) -> list[tuple[Any, ...]]:
        return [(owner, key, bytes(value)) for owner, key, value in self.store.rows(kind)]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The seams that tables need, for one test, on a clock that stands still."""
    monkeypatch.setattr(models, "Table", Table)
    monkeypatch.setattr(models, "RestoredTable", RestoredTable)
    monkeypatch.setattr(models, "RestoredPITTable", RestoredPITTable)
    monkeypatch.setattr(table_models, "StreamShard", Shard)
    made = Service(tmp_path / "account.sqlite")
    with one_thread():
        journal.open_with(made.store, lambda *_: None, lambda: None)
        yield made
        journal.close()
