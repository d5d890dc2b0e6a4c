"""Let go of moto's models when nobody uses them any more."""

from __future__ import annotations

from typing import Any


def untracked(cls: type, *args: Any, **settings: Any) -> Any:
    """Make an object of moto's, and nothing else.

    moto lists every one that was ever made, for a page of its own server, and so keeps it: a Scan, which copies the
    items, costs the memory of the table each time.
    """
    return object.__new__(cls)
