"""Compare two configurations as AWS tells them: for lesson 13, a service and its copy."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

#: Keys whose values say when a thing was made, how full it is, or which id AWS has made up for it.
VOLATILE = frozenset(
    {
        "CreateDate", "CreatedTimestamp", "CreationDateTime", "ItemCount", "LastModified", "LastModifiedTimestamp",
        "ResponseMetadata", "RevisionId", "RoleId", "RoleLastUsed", "Sid", "TableId", "TableSizeBytes", "Tags",
        "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
    }
)  # fmt: skip
ABSENT = "–"


def differences(sides: Mapping[str, Any], same: Mapping[str, str]) -> pd.DataFrame:
    """Compare two configurations, such as {"by hand": …, "from the template": …}, the first with the second.

    `same` says which words count as equal: {"sample-": "stack-"} reads each sample- as stack-. Left out is what
    cannot be equal (VOLATILE). JSON in a text is compared as what it means. Returns a row for each difference,
    indexed by the place ("function.Timeout"), with a column for each side.
    """
    left, right = (dict(_leaves(_normal(side, same))) for side in sides.values())
    rows = {
        place: [left.get(place, ABSENT), right.get(place, ABSENT)]
        for place in sorted({*left, *right})
        if left.get(place, ABSENT) != right.get(place, ABSENT)
    }
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(sides), dtype=object)


def _normal(value: Any, same: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _normal_text(value, same)
    if isinstance(value, Mapping):
        return {_normal_text(key, same): _normal(each, same) for key, each in value.items() if key not in VOLATILE}
    if isinstance(value, (list, tuple)):
        return [_normal(each, same) for each in value]
    return value


def _normal_text(text: str, same: Mapping[str, str]) -> Any:
    if text.startswith("{"):
        try:
            return _normal(json.loads(text), same)
        except ValueError:
            pass  # it only looks like JSON
    for word, meaning in same.items():
        text = text.replace(word, meaning)
    return text


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (place, value) of everything that is no dict or list; of an empty one, too."""
    items: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    else:
        items = ()
    for key, each in items:
        yield from _leaves(each, f"{place}.{key}" if place else str(key))
    if not items and place:
        yield place, value
