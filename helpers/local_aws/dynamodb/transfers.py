"""Import tables from S3, and export them there, within the call that asks for it.

moto does so in a thread that nobody waits for: what that makes would be on disk only by chance, and an account without
threads has nobody to do it. AWS takes minutes and says IN_PROGRESS meanwhile.
"""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models.table_export import TableExport
from moto.dynamodb.models.table_import import TableImport


class Export(TableExport):
    """moto's export, without its thread."""

    def start(self) -> None:
        self.run()


class Import(TableImport):
    """moto's import, without its thread."""

    def start(self) -> None:
        self.run()


def state_of(transfer: Export | Import) -> dict[str, Any]:
    """Return its attributes without those of the thread that it is to Python."""
    thread: Any = TableExport.__base__
    return {name: value for name, value in vars(transfer).items() if name not in vars(thread())}
