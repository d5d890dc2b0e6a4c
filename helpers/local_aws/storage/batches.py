"""Pack what one commit writes into the store's log, and merge what several of them come to."""

from __future__ import annotations

import pickle
from collections.abc import Iterable

Key = str | int
RowName = tuple[str, str, Key]  # kind, owner, key


def packed(changed: dict[RowName, bytes | None], emptied: dict[tuple[str, str], None]) -> bytes:
    """Make a batch: owners whose rows go first of all, then rows to put or, with None, to delete."""
    return pickle.dumps((list(emptied), list(changed.items())), 5)


def merged(
    batches: Iterable[bytes],
) -> tuple[dict[tuple[str, str], None], dict[RowName, bytes | None], set[RowName]]:
    """Join batches, the oldest first.

    Returns the owners whose earlier rows go, the rows to put or delete, and which of those to put were deleted before,
    so that they come after others now.
    """
    emptied: dict[tuple[str, str], None] = {}
    changed: dict[RowName, bytes | None] = {}
    again: set[RowName] = set()
    for batch in batches:
        owners, changes = pickle.loads(batch)
        for owner in owners:
            emptied[owner] = None
            for name in [name for name in changed if name[:2] == owner]:
                del changed[name]
        for name, value in changes:
            if value is None or changed.get(name, b"") is None:
                changed.pop(name, None)
                again.add(name)
            changed[name] = value
    return emptied, changed, again
