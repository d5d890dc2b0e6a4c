"""Keep on disk where in its stream each mapping stands: the number of the first record that is not done."""

from __future__ import annotations

from ..storage import journal

KIND = "mapping position"


def put(region: str, uuid: str, number: int) -> None:
    journal.put(KIND, region, uuid, str(number).encode())


def delete(region: str, uuid: str) -> None:
    journal.delete(KIND, region, uuid)


def read(region: str) -> dict[str, int]:
    """Return the positions of all mappings in a region, by UUID."""
    if journal.store is None:
        return {}
    return {str(uuid): int(value) for owner, uuid, value in journal.store.rows(KIND) if owner == region}
