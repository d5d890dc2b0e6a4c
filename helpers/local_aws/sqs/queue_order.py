"""Order an SQS queue: which message is next is found at once, however many there are.

Messages stand in lines. In a FIFO queue a line is a message group, from which nothing is taken while one of
its messages is in flight; in a standard queue each message is a line of its own. Times are milliseconds of
the account's uptime, as in the messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf

from .messages import Message


@dataclass(slots=True)
class _Place:
    """Where a message stands."""

    message: Message
    line: str
    number: int  # order of arrival
    in_flight: bool = False
    delayed: bool = False
    until: float = 0.0  # in flight or delayed until then
    gone: bool = False


@dataclass(slots=True)
class Order:
    """The messages of one queue. Not thread-safe: the queue's lock is held by who calls."""

    _places: dict[str, _Place] = field(default_factory=dict)  # by message id
    _lines: dict[str, list[tuple[int, _Place]]] = field(default_factory=dict)  # heaps of what can be received
    _busy: dict[str, int] = field(default_factory=dict)  # messages in flight, by line
    _heads: list[tuple[int, str]] = field(default_factory=list)  # heap: lines that can be taken from; may be outdated
    _hidden: list[tuple[float, int, _Place]] = field(default_factory=list)  # heap, by `until`; may be outdated
    _numbers: count[int] = field(default_factory=count)
    _in_flight: int = 0
    _delayed: int = 0

    def add(self, message: Message, line: str, now: float) -> None:
        """Put a message at the end of its line, at once or when its delay is over."""
        place = _Place(message, line, next(self._numbers))
        self._places[message.id] = place
        if message.delayed_until > now:
            place.delayed, place.until = True, message.delayed_until
            self._delayed += 1
            self._hide(place)
        else:
            self._line_up(place)

    def add_in_flight(self, message: Message, line: str, until: float) -> None:
        """Put a message in flight that has been taken before, and comes back at `until`."""
        place = _Place(message, line, next(self._numbers), in_flight=True, until=until)
        self._places[message.id] = place
        self._in_flight += 1
        self._busy[line] = self._busy.get(line, 0) + 1
        self._hide(place)

    def take(self, most: int) -> list[Message]:
        """Take up to `most` messages of the next line, in flight now; `hide` each, or `remove` it.

        Empty: there is none.
        """
        line = self._next_line()
        if line is None:
            return []
        standing = self._lines[line]
        taken: list[Message] = []
        while standing and len(taken) < most:
            place = heappop(standing)[1]
            if not place.gone:
                place.in_flight = True
                taken.append(place.message)
        self._in_flight += len(taken)
        self._busy[line] = self._busy.get(line, 0) + len(taken)
        if not standing:
            del self._lines[line]
        return taken

    def hide(self, message: Message, until: float) -> None:
        """Let a message that is in flight come back at `until`."""
        place = self._places[message.id]
        place.until = message.visible_at = until
        self._hide(place)

    def wake(self, now: float) -> None:
        """Let those come back, or arrive, whose time it is."""
        while self._hidden and self._hidden[0][0] <= now:
            until, _, place = heappop(self._hidden)
            if place.gone or until != place.until or not (place.in_flight or place.delayed):
                continue
            if place.delayed:
                place.delayed = False
                self._delayed -= 1
                self._line_up(place)
            else:
                self._land(place, back=True)

    def remove(self, message: Message) -> None:
        place = self._places.pop(message.id)
        place.gone = True
        if place.in_flight:
            self._land(place, back=False)
        elif place.delayed:
            self._delayed -= 1
        elif self._lines[place.line][0][1] is place:
            self._offer(place.line)

    def find(self, message_id: str) -> Message | None:
        place = self._places.get(message_id)
        return place.message if place else None

    def in_flight(self, message: Message) -> bool:
        return self._places[message.id].in_flight

    def next_change(self) -> float:
        """Return when `wake` has something to do next, at the earliest."""
        return self._hidden[0][0] if self._hidden else inf

    def counts(self) -> tuple[int, int, int]:
        """Return how many messages are visible, in flight and delayed."""
        return len(self._places) - self._in_flight - self._delayed, self._in_flight, self._delayed

    def visible(self) -> list[Message]:
        return [place.message for place in self._places.values() if not (place.in_flight or place.delayed)]

    def _hide(self, place: _Place) -> None:
        # The number makes each entry another one, so that a heap never has to compare two places.
        heappush(self._hidden, (place.until, next(self._numbers), place))

    def _line_up(self, place: _Place) -> None:
        standing = self._lines.setdefault(place.line, [])
        heappush(standing, (place.number, place))
        if standing[0][1] is place:
            self._offer(place.line)

    def _land(self, place: _Place, back: bool) -> None:
        """End a message's flight; `back`: it stands in its line again."""
        place.in_flight = False
        self._in_flight -= 1
        self._busy[place.line] -= 1
        if not self._busy[place.line]:
            del self._busy[place.line]
        if back:
            heappush(self._lines.setdefault(place.line, []), (place.number, place))
        self._offer(place.line)

    def _offer(self, line: str) -> None:
        """If something can be taken from the line, let it be found."""
        standing = self._lines.get(line)
        while standing and standing[0][1].gone:
            heappop(standing)
        if not standing:
            self._lines.pop(line, None)
        elif line not in self._busy:
            heappush(self._heads, (standing[0][0], line))

    def _next_line(self) -> str | None:
        while self._heads:
            number, line = heappop(self._heads)
            standing = self._lines.get(line)
            if standing and standing[0][0] == number and line not in self._busy:
                return line
        return None
