"""Limit how many invocations of a function run at once: what all versions of the function share.

https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
"""

from __future__ import annotations

from typing import Protocol

from ..engine import executor

#: The concurrent executions that AWS grants an account in a region, and those of them that cannot be reserved. This
#: machine runs far fewer at once (function_runner.MAX_ENVIRONMENTS), but what may be reserved here may be reserved
#: there: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
ACCOUNT_LIMIT = 1000
UNRESERVED_MINIMUM = 100


class Member(Protocol):
    """One version's runner. All is called with the lock held."""

    def starting(self) -> int:
        """Return how many environments are on their way to their first invocation."""

    def serve_queue(self) -> None:
        """Run what waits, as far as there is room."""


class Concurrency:
    """One function's invocations that run now, and their limit. Read and changed with `lock` held."""

    def __init__(self) -> None:
        self.lock = executor.Lock()
        self.reserved: int | None = None
        self.executing = 0
        self.members: list[Member] = []

    def room(self) -> bool:
        """Return whether one more invocation may run."""
        return self.reserved is None or self.executing < self.reserved

    def room_to_start(self) -> bool:
        """Return whether one more environment may start, whose first invocation is an event from the queue."""
        return self.reserved is None or self.executing + sum(m.starting() for m in self.members) < self.reserved

    def serve_queues(self) -> None:
        """Run what waits, in any version: invocations have ended, or there may be more of them."""
        for member in list(self.members):
            member.serve_queue()
