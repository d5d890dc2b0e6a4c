"""Keep the contents of S3's objects on disk, a row for each, so that no snapshot of S3 holds all of them again.

moto gives an object its content once, when it makes it: who replaces a content replaces the object. A content that no
object has any more goes with the next snapshot.
"""

from __future__ import annotations

from typing import Any

from moto.s3.models import FakeKey

from ..engine import executor
from ..storage import journal

KIND = "object"

_kept: set[int] = set()  # rows that are in the store
_pickling = executor.local()


class snapshot:
    """While a snapshot is taken in this context, contents that have no row get one; then those that nobody has go."""

    def __enter__(self) -> None:
        _pickling.rows = set()

    def __exit__(self, kind: object, *_: object) -> None:
        used, _pickling.rows = _pickling.rows, None
        if kind is None:
            for row in _kept - used:
                journal.delete(KIND, "", row)
            _kept.intersection_update(used)


def state_of(key: FakeKey) -> dict[str, Any]:
    """Return the attributes of an object, with the row of its content in the place of the content."""
    row = key.__dict__.get("row")
    if row not in _kept:
        row = key.row = journal.number()  # type: ignore[attr-defined]  # our own attribute
        journal.put(KIND, "", row, key.__getstate__()["value"] or b"", new=True)
        _kept.add(row)
    _pickling.rows.add(row)
    return {name: value for name, value in key.__dict__.items() if name not in ("_value_buffer", "lock")}


def set_state(key: FakeKey, state: dict[str, Any]) -> None:
    """Restore what `state_of` returned, in a new object."""
    assert journal.store is not None
    content = journal.store.get(KIND, "", state["row"]) or b""
    key.__setstate__({**state, "value": content})
    key.row = state["row"]  # type: ignore[attr-defined]  # our own attribute
    _kept.add(state["row"])
