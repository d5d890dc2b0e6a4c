"""Answer DynamoDB's calls: moto's handler, which reads and writes items in one go and tells what a call costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from moto.core.request import Request
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.responses import DynamoHandler

from ..http.call import Call
from ..http.moto_requests import CALL
from . import batch_writes, consumed_capacity, item_rows
from .consumed_capacity import Units
from .items import ItemParser

_NO_ACTION = "Invalid Request: TransactWriteRequest should contain Delete or Put or Update request"
_WITH_ITEMS = frozenset({"GetItem", "PutItem", "Query", "Scan"})


class Handler(DynamoHandler):
    """moto's handler of one call."""

    _operation = ""

    def parse_parameters(self, request: Request) -> None:
        call: Call | None = request.environ.get(CALL)
        if call is None or call.operation is None:
            super().parse_parameters(request)
            return
        self._operation = call.name
        parser = ItemParser(call.operation, map_type=self.PROTOCOL_PARSER_MAP_TYPE)
        self.params = parser.parse({"body": call.input})  # type: ignore[typeddict-item]  # JSON is in the body alone

    def serialized(self, action_result: ActionResult) -> Any:
        """moto asks of every attribute of every item how AWS spells it; in these answers it is so spelled already.

        Written by the json module, a GetItem takes a third of the time inside the server.
        """
        if self._operation in _WITH_ITEMS and isinstance(action_result.result, dict):
            given = {name: value for name, value in action_result.result.items() if value is not None}
            try:
                body = json.dumps(given)
            except TypeError:  # something that only moto knows how to write
                return super().serialized(action_result)
            return 200, {"Content-Type": "application/x-amz-json-1.0", **self.response_headers}, body
        return super().serialized(action_result)

    def scan(self) -> ActionResult:
        return self._charged(super().scan, consumed_capacity.read)

    def query(self) -> ActionResult:
        return self._charged(super().query, consumed_capacity.read)

    def get_item(self) -> ActionResult:
        return self._charged(super().get_item, consumed_capacity.get)

    def put_item(self) -> ActionResult:
        return self._charged(super().put_item, consumed_capacity.put)

    def batch_write_item(self) -> ActionResult:
        """moto stores one item after the other, until one is refused."""
        batch_writes.check(self.dynamodb_backend, self.body["RequestItems"])
        with item_rows.together():
            return super().batch_write_item()

    def transact_write_items(self) -> ActionResult:
        """moto fails at a place of a transaction without an action."""
        if not all(self.body["TransactItems"]):
            raise MockValidationException(_NO_ACTION)
        return super().transact_write_items()

    def _contains_duplicates(self, keys: list[Any]) -> bool:
        """moto asks of a BatchWriteItem's keys without their tables; `batch_writes` has asked already."""
        return self._operation != "BatchWriteItem" and super()._contains_duplicates(keys)

    def _charged(self, call: Callable[[], ActionResult], units: Units) -> ActionResult:
        """Return the call's answer, with its capacity computed by `units` where the caller asked for it."""
        if self.body.get("ReturnConsumedCapacity", "NONE") == "NONE":
            return call()
        with consumed_capacity.measured():
            before = consumed_capacity.stored(self) if "Item" in self.body else {}
            answer = call()
            capacity = answer.result.get("ConsumedCapacity")  # type: ignore[attr-defined]  # a dictionary, in these
            if capacity:
                capacity["CapacityUnits"] = units(self, before)
                if "Table" in capacity:
                    capacity["Table"] = {"CapacityUnits": capacity["CapacityUnits"]}
            return answer
