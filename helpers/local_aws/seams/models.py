"""Let go of moto's models when nobody uses them any more, and have them tell the account's time."""

from __future__ import annotations

from datetime import datetime
from types import CodeType
from typing import Any


def untracked(cls: type, *args: Any, **settings: Any) -> Any:
    """Make an object of moto's, and nothing else.

    moto lists every one that was ever made, for a page of its own server, and so keeps it: a Scan, which copies the
    items, costs the memory of the table each time.
    """
    return object.__new__(cls)


def account_time(theirs: CodeType) -> CodeType:
    """Return the code of a function that tells the account's time of day, in UTC without saying so, as moto's does.

    The code, since all of moto's modules have imported the function by name. It runs where moto's did.
    """

    def utcnow() -> datetime:
        from helpers.local_aws.engine import clock

        return clock.utc().replace(tzinfo=None)

    return utcnow.__code__
