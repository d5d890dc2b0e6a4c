"""Serve DynamoDB Streams of one account and region: moto's, whose iterators say themselves where they are.

moto keeps every iterator, with the stream that it belongs to, and a reader makes one with each call; a killed server
takes them along.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import moto.dynamodbstreams.models as models
from moto.dynamodb.exceptions import MockValidationException, ResourceNotFoundException

from .stream import Shard


@dataclass(frozen=True)
class Iterator:
    """A place in a stream: `number` is that of the next record."""

    stream: str
    number: int

    @property
    def arn(self) -> str:
        """What a reader gets, in AWS's form."""
        return f"{self.stream}|1|{base64.b64encode(str(self.number).encode()).decode()}"

    @classmethod
    def parse(cls, arn: str) -> Iterator:
        """Return the place that a reader has got so. Raises MockValidationException for anything else."""
        stream, _, text = arn.partition("|1|")
        try:
            return cls(stream, int(base64.b64decode(text, validate=True)))
        except (binascii.Error, ValueError):
            raise MockValidationException("Invalid ShardIterator") from None


class Backend(models.DynamoDBStreamsBackend):
    """moto's DynamoDB Streams of one account and region."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.dynamodbstreams.urls as urls

        return urls

    def get_shard_iterator(  # type: ignore[override]  # moto's handler takes its `arn` alone
        self, arn: str, shard_id: str, shard_iterator_type: str, sequence_number: int | None = None
    ) -> Iterator:
        shard = self._shard(arn)
        if shard.id != shard_id:
            raise ResourceNotFoundException(f"Requested resource not found: Shard does not exist: {shard_id}")
        if shard_iterator_type == "TRIM_HORIZON":
            shard.trim()
            return Iterator(arn, shard.starting_sequence_number)
        if shard_iterator_type == "LATEST":
            return Iterator(arn, shard.next_sequence_number)
        if sequence_number is None:
            raise MockValidationException(f"SequenceNumber must be given for {shard_iterator_type}")
        return Iterator(arn, sequence_number + (shard_iterator_type == "AFTER_SEQUENCE_NUMBER"))

    def describe_stream(self, arn: str) -> dict[str, Any]:
        table, shard = self._get_table_from_arn(arn), self._shard(arn)
        return {
            "StreamArn": arn,
            "StreamLabel": arn.rpartition("/")[2],
            "StreamStatus": "ENABLED" if shard.open else "DISABLED",
            "StreamViewType": shard.view,
            "CreationRequestDateTime": shard.created_on,
            "TableName": table.name,
            "KeySchema": table.schema,
            "Shards": [shard.to_json()],
        }

    def list_streams(self, table_name: str | None = None) -> list[dict[str, Any]]:
        tables: list[Any] = [self.dynamodb.tables[name] for name in sorted(self.dynamodb.tables)]
        return [
            {"StreamArn": shard.arn, "TableName": table.name, "StreamLabel": shard.arn.rpartition("/")[2]}
            for table in tables
            if table_name in (None, table.name)
            for shard in table.shards()
        ]

    def get_records(self, iterator_arn: str, limit: int) -> dict[str, Any]:
        iterator = Iterator.parse(iterator_arn)
        shard = self._shard(iterator.stream)
        records = shard.get(iterator.number, limit)
        following = Iterator(iterator.stream, iterator.number + len(records))
        if not shard.open and following.number >= shard.next_sequence_number:
            return {"Records": records}  # "If set to null, the shard has been closed"
        return {"NextShardIterator": following.arn, "Records": records}

    def _shard(self, arn: str) -> Shard:
        table: Any = self._get_table_from_arn(arn)
        shard: Shard | None = table.shard_of(arn)
        if shard is None:
            raise ResourceNotFoundException(f"Requested resource not found: Stream: {arn} not found")
        return shard
