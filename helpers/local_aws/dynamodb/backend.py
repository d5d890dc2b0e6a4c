"""Serve Amazon DynamoDB of one account and region: moto's, with calls that change all they should or nothing."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import moto.dynamodb.models as models
from moto.dynamodb import responses
from moto.dynamodb.exceptions import ResourceNotFoundException, StreamAlreadyEnabledException
from moto.dynamodb.models.dynamo_type import Item

from . import consumed_capacity, item_rows, stream
from .statements import parts, read, refused


class Backend(models.DynamoDBBackend):
    """moto's DynamoDB of one account and region."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.dynamodb.urls as urls

        return SimpleNamespace(url_bases=urls.url_bases, url_paths={"{0}/": responses.DynamoHandler.dispatch})

    def update_item(self, table_name: str, key: dict[str, dict[str, Any]], *args: Any, **settings: Any) -> Item:
        """moto puts the key and changes the item step by step; each step may fail."""
        table: Any = self.get_table(table_name)
        with item_rows.together() as call:
            call.touch_copy(table, *self.get_keys_value(table, key))
            return super().update_item(table_name, key, *args, **settings)

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        with item_rows.together():
            super().transact_write_items(transact_items)

    def execute_statement(self, statement: str, parameters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = read(statement)
        seen = copy.copy(self)
        seen.tables = parts(found, parameters, self.tables)
        if not seen.tables:
            raise ResourceNotFoundException()
        try:
            return super(Backend, seen).execute_statement(found.text, parameters)
        except Exception as error:
            raise refused(error) from error

    def batch_execute_statement(self, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        readable = [{**each, "Statement": read(str(each.get("Statement", ""))).text} for each in statements]
        return super().batch_execute_statement(readable)

    def execute_transaction(self, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for each in statements:
            read(str(each.get("Statement", "")))
        with item_rows.together():
            return super().execute_transaction(statements)

    def delete_table(self, name: str) -> models.Table:
        table = super().delete_table(name)
        item_rows.delete_all(table)
        stream.delete_all(table)
        return table

    def update_table_streams(self, table: models.Table, stream_specification: dict[str, Any]) -> None:
        """moto enables no stream where there was one before."""
        enabled = (table.stream_specification or {}).get("StreamEnabled")
        if enabled and (stream_specification.get("StreamEnabled") or stream_specification.get("StreamViewType")):
            raise StreamAlreadyEnabledException
        table.set_stream_specification(stream_specification)

    def create_backup(self, table_name: str, backup_name: str) -> models.Backup:
        backup = super().create_backup(table_name, backup_name)
        item_rows.put_backup(backup)
        return backup

    def delete_backup(self, backup_arn: str) -> models.Backup:
        backup = super().delete_backup(backup_arn)
        item_rows.delete_backup(backup)
        return backup

    def scan(self, *args: Any, **settings: Any) -> Any:
        answer = super().scan(*args, **settings)
        if consumed_capacity.asked():
            args, settings = consumed_capacity.unfiltered_scan(args, settings)
            consumed_capacity.note(super().scan(*args, **settings)[0])
        return answer

    def query(self, *args: Any, **settings: Any) -> Any:
        answer = super().query(*args, **settings)
        if consumed_capacity.asked():
            args, settings = consumed_capacity.unfiltered_query(args, settings)
            consumed_capacity.note(super().query(*args, **settings)[0])
        return answer
