"""Pack what one commit writes into the store's log, and merge what several of them come to."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator

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


class Unfolded:
    """What batches come to that cannot be made rows of: they are read beside the rows, as if they were."""

    def __init__(self, batches: Iterable[bytes]) -> None:
        self._emptied, self._changed, self._again = merged(batches)

    def knows(self, name: RowName) -> bool:
        """Return whether a row is otherwise, or not there, whatever the rows say."""
        return name in self._changed or name[:2] in self._emptied

    def get(self, name: RowName) -> bytes | None:
        return self._changed.get(name)

    def last_number(self) -> int:
        """Return the largest key that is a number, of what is put; 0 without one."""
        return max(
            (key for (_, _, key), value in self._changed.items() if isinstance(key, int) and value is not None),
            default=0,
        )

    def rows(self, kind: str, found: Iterable[tuple[str, Key, bytes]]) -> Iterator[tuple[str, Key, bytes]]:
        """Yield what there is of a kind, in order, given the rows of it."""
        told = set()
        for owner, key, value in found:
            name = (kind, owner, key)
            if name[:2] in self._emptied or name in self._again:
                continue
            new = self._changed.get(name, value)
            told.add(name)
            if new is not None:
                yield owner, key, new
        for name, new in self._changed.items():
            if name[0] == kind and name not in told and new is not None:
                yield name[1], name[2], new
