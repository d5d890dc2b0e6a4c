"""Read DynamoDB's requests: moto asks each value of an item for all ten types that it may have."""

from __future__ import annotations

from typing import Any

from moto.core.parse import JSONParser

#: DynamoDB's types whose content stands in a request as it is; all others are decoded, or have others inside.
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})


class ItemParser(JSONParser):
    """moto's, but that most values say at once which type they have."""

    def _parse_structure(self, shape: Any, value: Any) -> Any:
        if shape.name == "AttributeValue" and isinstance(value, dict) and len(value) == 1:
            ((kind, content),) = value.items()
            if kind in _PLAIN and content is not None:
                return self.MAP_TYPE({kind: content})
        return super()._parse_structure(shape, value)  # type: ignore[no-untyped-call]  # moto's parsers have no annotations
