"""Keep a table: moto's, with its items on disk, its order between the pages of a Scan, and calls that can be undone."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable
from typing import Any, ClassVar

import moto.dynamodb.models.table as by_moto
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from . import item_rows
from .item_rows import RangeKey
from .stream import Shard
from .table_scans import Order, page


class Table(by_moto.Table):
    """moto's table. The lock of the service must be held while it is used."""

    #: Attributes that a snapshot leaves out, and what makes them anew: items have rows.
    MADE_ANEW: ClassVar[dict[str, Callable[[], Any]]] = {
        "items": lambda: defaultdict(dict),
        "_order": lambda: None,
    }

    _order: Order | None = None  # as long as no item comes or goes
    stream_shard: Shard | None
    former_shards: tuple[Shard, ...] = ()  # of streams that were disabled, as long as something is in them

    # Changing it

    def put_item(self, item_attrs: dict[str, Any], *args: Any, **settings: Any) -> Item:
        self._order = None
        call = item_rows.under_way()
        if call is None:
            if self.stream_shard is not None:
                with item_rows.together():
                    return self.put_item(item_attrs, *args, **settings)
            item = super().put_item(item_attrs, *args, **settings)
            item_rows.put(self, item)
            return item
        if all(name in item_attrs for name in self.table_key_attrs):  # moto refuses the others
            key = self.key_of(item_attrs)
            before = self.get_item(*key)
            item = super().put_item(item_attrs, *args, **settings)
            call.touch(self, *key, before)
            return item
        return super().put_item(item_attrs, *args, **settings)

    def delete_item(self, hash_key: DynamoType, range_key: RangeKey) -> Item | None:
        with item_rows.together() as call:
            self._order = None
            item = super().delete_item(hash_key, range_key)
            if item is not None:
                call.touch(self, hash_key, range_key, item)
            return item

    def store(self, item: Item) -> None:
        """Have the item in memory, as it is: it has been looked at before."""
        self._order = None
        if item.range_key is None:
            self.items[item.hash_key] = item  # type: ignore[assignment]  # as moto does
        else:
            self.items[item.hash_key][item.range_key] = item

    def put_back(self, hash_key: DynamoType, range_key: RangeKey, item: Item | None) -> None:
        """Store the item as if nothing had happened; None: there was none."""
        if item is not None:
            self.store(item)
            return
        self._order = None
        if range_key is None:
            self.items.pop(hash_key, None)
        else:
            self.items[hash_key].pop(range_key, None)

    def keep(self, hash_key: DynamoType, range_key: RangeKey, before: Item | None) -> None:
        """Have the row and the stream say what has become of the item."""
        item = self.get_item(hash_key, range_key)
        if item is None:
            item_rows.delete(self, hash_key, range_key)
        else:
            item_rows.put(self, item)
        if self.stream_shard is not None and (before is not None or item is not None):
            self.stream_shard.add(before, item)

    def hand_on(self) -> None:
        """Tell those who wait for what is in the stream."""
        if self.stream_shard is not None:
            self.stream_shard.hand_on()

    def set_stream_specification(self, streams: dict[str, Any] | None) -> None:
        """Begin a stream, or end it: what is in it can be read on, and the next one has another ARN.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Enabling
        """
        before = getattr(self, "stream_shard", None)
        super().set_stream_specification(streams)
        if before is None:
            return
        before.open = False
        if self.stream_shard is not before:
            former = (*self.former_shards, before)
            for shard in former:
                shard.trim()
            self.former_shards = tuple(shard for shard in former if shard.items)

    def shards(self) -> list[Shard]:
        """Return the shards of all streams that can be read."""
        return [*self.former_shards, *([self.stream_shard] if self.stream_shard is not None else [])]

    def shard_of(self, stream_arn: str) -> Shard | None:
        """Return the shard of the stream with this ARN; None when the table has none."""
        return next((shard for shard in self.shards() if shard.arn == stream_arn), None)

    def __deepcopy__(self, memo: dict[int, Any]) -> Table:
        """moto's transactions copy a table, to have it back when they fail. Here it takes back what was changed."""
        if item_rows.under_way() is not None:
            return self
        made: Table = object.__new__(type(self))
        memo[id(self)] = made
        made.__dict__.update(
            copy.deepcopy({**self.__dict__, "_order": None, "stream_shard": None, "former_shards": ()}, memo)
        )
        return made

    # Reading it

    def key_of(self, attributes: dict[str, Any]) -> tuple[DynamoType, RangeKey]:
        """Return the key in an item's attributes. Raises KeyError for attributes without."""
        range_key = DynamoType(attributes[self.range_key_attr]) if self.range_key_attr else None
        return DynamoType(attributes[self.hash_key_attr]), range_key

    def __len__(self) -> int:
        """moto counts the items one by one, and DescribeTable tells their number."""
        return super().__len__() if self.has_range_key else len(self.items)

    def scan(
        self,
        filters: Any,
        limit: int,
        exclusive_start_key: dict[str, Any] | None,
        filter_expression: Any = None,
        index_name: str | None = None,
        *args: Any,
        **settings: Any,
    ) -> Any:
        page.start = None if index_name else exclusive_start_key
        try:
            return super().scan(filters, limit, exclusive_start_key, filter_expression, index_name, *args, **settings)  # type: ignore[arg-type]  # no key to start after
        finally:
            page.start = None

    def all_items(self) -> list[Item]:
        if self._order is None:
            stored: Any = self.items.values()
            self._order = Order((item for group in stored for item in group.values()) if self.has_range_key else stored)
        if page.start is None:
            return self._order.all()
        return self._order.after(*self.key_of(page.start))


class _Restored(Table):
    """A table that has its items from the beginning."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        for item in self.all_items():
            item_rows.put(self, item)


class RestoredTable(_Restored, by_moto.RestoredTable):
    """A table made from a backup."""


class RestoredPITTable(_Restored, by_moto.RestoredPITTable):
    """A table made from another one as it was at some moment: now, in moto."""
