"""Share out connections, and the memory of what is half sent, so that strangers cannot crowd out who may be here.

Anybody on this machine can connect, and send a request of which the end never comes. A connection is a stranger's until
a request with a valid signature has come from it. While a large body is on its way, what is in front of it has to do:
SigV4 signs a digest of the body, so no signature can be checked before its last byte is here. Decided: naming an access
key id that the account knows counts as being known, until the request is whole. A key id is random, and is sent over
loopback alone, where only the machine's administrator can overhear it; nothing shows it to other users.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from ..engine import executor


class Connection(Protocol):
    """A connection, as far as this decides about it.

    idle: it waits for a request to begin; answering: it waits for nothing that its client does; deadline: when what it
    waits for must have come; size: bytes of unfinished requests that it keeps.
    """

    idle: bool
    answering: bool
    deadline: float

    @property
    def size(self) -> int: ...


C = TypeVar("C", bound=Connection)


class Admission(Generic[C]):
    """The connections there are: strangers', the oldest first, and those of who is known. Thread-safe."""

    def __init__(self, most_known: int, most_strangers: int) -> None:
        self._most_known, self._most_strangers = most_known, most_strangers
        self._known: dict[C, None] = {}
        self._strangers: dict[C, None] = {}  # a dict keeps the order
        self._lock = executor.Lock()

    def add(self, connection: C) -> C | None:
        """Count a new connection; return the one that has to make room for it."""
        with self._lock:
            self._strangers[connection] = None
            return self._surplus(connection)

    def know(self, connection: C, known: bool) -> C | None:
        """Count a connection as that of somebody known, or of a stranger; return one that has to make room."""
        with self._lock:
            if not known and connection in self._known:
                del self._known[connection]
                self._strangers[connection] = None
            elif known and connection in self._strangers:
                del self._strangers[connection]
                self._known[connection] = None
            return self._surplus(connection)

    def remove(self, connection: C) -> None:
        with self._lock:
            self._known.pop(connection, None)
            self._strangers.pop(connection, None)

    def least_wanted(self) -> C | None:
        """Return the connection that can best be done without, and count it no longer; None when all are needed."""
        with self._lock:
            return self._oldest_stranger(None) or self._idle_longest(None)

    def unfinished(self, known: bool) -> int:
        """Return the bytes that are here of requests that are not whole yet, of the known or of strangers."""
        with self._lock:
            return sum(each.size for each in (self._known if known else self._strangers))

    def late(self, now: float) -> list[C]:
        """Return the connections whose time is over."""
        with self._lock:
            return [each for each in (*self._known, *self._strangers) if each.deadline < now]

    def busy(self) -> bool:
        """Return whether a request has begun on any of them whose answer has not been sent."""
        with self._lock:
            return any(not each.idle for each in (*self._known, *self._strangers))

    def __len__(self) -> int:
        return len(self._known) + len(self._strangers)

    def _surplus(self, newest: C) -> C | None:
        if len(self._strangers) > self._most_strangers:
            return self._oldest_stranger(newest)
        if len(self._known) > self._most_known:
            return self._idle_longest(newest)
        return None

    def _oldest_stranger(self, newest: C | None) -> C | None:
        """Nobody is sent away while a request is answered: its signature may be found to be valid."""
        found = next((each for each in self._strangers if each is not newest and not each.answering), None)
        if found is not None:
            del self._strangers[found]
        return found

    def _idle_longest(self, newest: C | None) -> C | None:
        waiting = [each for each in self._known if each is not newest and not each.answering]
        found = min(waiting, key=lambda each: (not each.idle, each.deadline), default=newest)
        if found is not None:
            self._known.pop(found, None)
        return found
