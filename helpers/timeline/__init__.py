"""Follow one event: from the bus through a rule and a function's attempts to the table, or to a queue.

`follow(event_id)` asks the account what became of the event, and shows it as a picture, in words to everybody
who does not see the picture.
"""

import re
from typing import Any

from helpers.pictures.document import as_html
from helpers.timeline.model import Lane, Row, Station, Trace
from helpers.timeline.picture import draw
from helpers.timeline.reading import read

Branch = tuple[str, list["Branch"]]  # a line, and what hangs below it


class Timeline:
    """The way of one event; notebooks show it as a picture with alternative text, everything else in words."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def __str__(self) -> str:
        trace = self.trace
        lines = [f"{trace.state.symbol} {trace.verdict}", *([f"  {trace.cause}"] if trace.cause else [])]
        return "\n".join([*lines, *_tree_lines(self._tree())])

    __repr__ = __str__

    def alternative(self) -> str:
        """Return the same in one line, for who hears it: without symbols, and without the lines of the tree."""
        lines = [line.partition(" ")[2] for line in _flat_lines(self._tree())]
        return " ".join([self.trace.verdict, *([self.trace.cause] if self.trace.cause else []), "; ".join(lines) + "."])

    def _tree(self) -> Branch:
        return _describe(self.trace.bus), [_branch(lane) for lane in self.trace.lanes]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": as_html(self.svg(), self.alternative()), "text/plain": str(self)}

    def svg(self) -> str:
        """Return the picture as SVG; the same way gives the same characters, on every machine."""
        return draw(self.trace, self.alternative())


def follow(event_id: str, entry: dict[str, Any] | None = None) -> Timeline:
    """Return what has become of an event until now, by the id that `put_events` answered.

    The `entry` that was sent tells which rules match it, where nothing else knows its content: only then can an
    event that no rule wanted be told from one that has left no trace. Reads only, and takes no message out of a
    queue. Raises ValueError for what cannot be an event id, and botocore's errors.
    """
    if not isinstance(event_id, str) or not re.fullmatch(r"[0-9A-Za-z-]{1,100}", event_id):
        raise ValueError(f"{event_id!r} is no event id; put_events answers one for each entry that it accepts.")
    return Timeline(read(event_id, entry))


def _branch(lane: Lane) -> Branch:
    """Return a lane as a tree."""
    inner: list[Branch] = []
    if lane.function:
        below: list[Branch] = [(_describe(station), []) for station in (lane.table, lane.failures) if station]
        inner = [(_describe(lane.function), [*_rows(lane.function), *below])]
    if not lane.rule:
        return inner[0]
    undelivered: list[Branch] = [(_describe(lane.dead_letters), [])] if lane.dead_letters else []
    return _describe(lane.rule), [*_rows(lane.rule), *inner, *undelivered]


def _rows(station: Station) -> list[Branch]:
    return [(_describe(row), []) for row in station.rows]


def _describe(thing: Station | Row) -> str:
    name = f"{thing.kind} {thing.name}".strip() if isinstance(thing, Station) else thing.name
    return f"{thing.state.symbol} {name}: {thing.words or thing.state.word}"


def _flat_lines(branch: Branch) -> list[str]:
    line, below = branch
    return [line, *(each for inner in below for each in _flat_lines(inner))]


def _tree_lines(branch: Branch) -> list[str]:
    """Return a tree's lines, each hung below the one that it belongs to."""
    line, below = branch
    lines = [line]
    for position, each in enumerate(below, start=1):
        head, rest = ("└─ ", "   ") if position == len(below) else ("├─ ", "│  ")
        first, *others = _tree_lines(each)
        lines += [head + first, *(rest + other for other in others)]
    return lines
