"""Follow one event: from the bus through a rule and a function's attempts to the table, or to a queue.

`follow(event)` asks the account what became of the event, and shows it as a picture, in words to everybody
who does not see the picture.
"""

import re
from reprlib import repr as short
from typing import Any

from helpers.errors import WorkbookError
from helpers.pictures.document import as_html
from helpers.timeline.model import Lane, Row, Station, Trace
from helpers.timeline.picture import draw
from helpers.timeline.reading import read
from helpers.timeline.wording import printable

Branch = tuple[str, list["Branch"]]  # a line, and what hangs below it


class Timeline:
    """The way of one event; notebooks show it as a picture with alternative text, everything else in words."""

    def __init__(self, trace: Trace) -> None:
        self.trace: Trace = printable(trace)

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


def follow(event: str | dict[str, Any], entry: dict[str, Any] | None = None) -> Timeline:
    """Return what has become of an event until now.

    event: the id that `put_events` answered for it, that entry of the answer, or the whole answer (of several, the
    first is followed, and a line says so). The `entry` that was sent tells which rules match it, where nothing else
    knows its content: only then can an event that no rule wanted be told from one that has left no trace. Reads only,
    and takes no message out of a queue. Raises WorkbookError for what names no event, and botocore's errors.
    """
    return Timeline(read(_event_id(event), entry))


def _event_id(event: Any) -> str:
    if isinstance(event, dict) and isinstance(event.get("Entries"), list):
        return _first_id(event["Entries"])
    given = event.get("EventId") if isinstance(event, dict) else event
    if isinstance(given, str) and re.fullmatch(r"[0-9A-Za-z-]{1,100}", given):
        return given
    if isinstance(event, dict) and "ErrorCode" in event:
        raise WorkbookError(
            f"EventBridge did not accept this entry ({event['ErrorCode']}): there is no event to follow."
        )
    if isinstance(event, dict) and "Detail" in event:
        raise WorkbookError("This is the entry that was sent. Follow the one that put_events answered: it has the id.")
    raise WorkbookError(f"{short(event)} is no event's id. Follow one that put_events answered, or its whole answer.")


def _first_id(entries: list[Any]) -> str:
    """Return the id of the first event that an answer of PutEvents names, and say so when there are more."""
    accepted = [number for number, each in enumerate(entries) if isinstance(each, dict) and each.get("EventId")]
    if not accepted:
        codes = sorted(
            {str(each.get("ErrorCode")) for each in entries if isinstance(each, dict) and "ErrorCode" in each}
        )
        because = f" ({', '.join(codes)})" if codes else ""
        raise WorkbookError(f"EventBridge accepted none of these entries{because}: there is no event to follow.")
    first, *others = accepted
    if others:
        print(f'The first of {len(accepted)} events. The next one: follow(answer["Entries"][{others[0]}])')
    return _event_id(entries[first])


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
