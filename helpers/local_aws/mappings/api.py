"""Answer Lambda's HTTP API for event source mappings.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html and its neighbours
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.common_types import TYPE_RESPONSE

from ..awslambda.lambda_api import LambdaApi, url_bases
from ..execution.lambda_errors import constraint_errors

_MAX_ITEMS = 10_000


class Api(LambdaApi):
    """Requests to https://lambda.<region>.amazonaws.com, also those about event source mappings."""

    backend: Any

    def create_event_source_mapping(self) -> TYPE_RESPONSE:
        return _accepted(self.backend.create_event_source_mapping(self.json_body))

    def update_event_source_mapping(self) -> TYPE_RESPONSE:
        return _accepted(self.backend.update_event_source_mapping(self._uuid(), self.json_body))

    def delete_event_source_mapping(self) -> TYPE_RESPONSE:
        return _accepted(self.backend.delete_event_source_mapping(self._uuid()))

    def get_event_source_mapping(self) -> TYPE_RESPONSE:
        return 200, {}, json.dumps(self.backend.get_event_source_mapping(self._uuid()).described())

    def list_event_source_mappings(self) -> str:
        most = self._query("MaxItems") or "100"
        if not most.isdecimal() or not 1 <= int(most) <= _MAX_ITEMS:
            rule = f"Member must have value between 1 and {_MAX_ITEMS}"
            raise constraint_errors([("maxItems", most, rule)])
        found, following = self.backend.list_event_source_mappings(
            self._query("EventSourceArn"), self._query("FunctionName"), self._query("Marker"), int(most)
        )
        answer: dict[str, Any] = {"EventSourceMappings": [mapping.described() for mapping in found]}
        if following is not None:
            answer["NextMarker"] = following
        return json.dumps(answer)

    def _uuid(self) -> str:
        return self.uri_match["UUID"]


def _accepted(described: dict[str, Any]) -> TYPE_RESPONSE:
    return 202, {"status": 202}, json.dumps(described)


#: What moto reads of this module, as of a service's `urls`.
url_paths = {"{0}/.*$": Api.dispatch}
__all__ = ["Api", "url_bases", "url_paths"]
