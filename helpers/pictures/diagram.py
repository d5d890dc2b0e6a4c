"""Draw the live architecture diagram, what the account has so far, as SVG: the same string for the same state.

The picture is data, a grid of boxes and the arrows between them: a lesson that adds a resource adds a Box
and an Arrow. What decides how each is drawn is the account's state alone. What only part 2 adds is not drawn
before it exists, and a row of the grid in which nothing stands takes no room. `str()` of a diagram says the same in
words.
"""

import textwrap
from dataclasses import dataclass
from typing import Any

from helpers.account.state import (
    ADDITIONS,
    ARCHIVE,
    BUS,
    DEAD_LETTER_QUEUE,
    DRAWN,
    FAILURE_QUEUE,
    FUNCTION,
    FUNCTION_Y,
    ROLE,
    RULE,
    RULE_Y,
    TABLE,
    AccountState,
)
from helpers.pictures import palette, shapes
from helpers.pictures.document import as_html, document

COLUMN, ROW = 220, 164  # from one box to the next
#: The whole picture is drawn this much smaller: in a window of 1,400 pixels it fits beside JupyterLab's file list as it
#: is; in a smaller one the page shrinks it.
SCALE = 0.86
MARGIN = 24  # around the grid; title and key stand in its upper left corner
GAP, LANE = COLUMN - shapes.CARD_WIDTH, ROW - shapes.CARD_HEIGHT  # between two columns, and between two rows


@dataclass(frozen=True)
class Box:
    """A resource at a place of the grid; it exists when all its parts do. One of part 2 is drawn only then."""

    column: int
    row: int
    name: str
    kind: str
    icon: str
    colour: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Arrow:
    """What flows from one box to another; solid when all its parts exist. The badge is a permission on the
    way. `narrowed` is a part, and the label instead when it exists. `tells` is the part whose trouble stands in place
    of the label; a badge tells of its own.
    """

    start: str
    end: str
    label: str
    parts: tuple[str, ...] = ()
    badge: str = ""
    narrowed: tuple[str, str] | None = None
    tells: str = ""


BOXES = {
    "role": Box(3, 0, ROLE, "execution role", "role", palette.IAM, ("role",)),
    "x": Box(0, 1, "Microservice X", "front end", "shop", palette.OUTSIDE),
    "bus": Box(1, 1, BUS, "event bus", "bus", palette.EVENTBRIDGE),
    "rule": Box(2, 1, RULE, "rule", "rule", palette.EVENTBRIDGE, ("rule",)),
    "function": Box(3, 1, FUNCTION, "Lambda function", "function", palette.LAMBDA, ("function",)),
    "table": Box(4, 1, TABLE, "DynamoDB table", "table", palette.DYNAMODB, ("table",)),
    "archive": Box(1, 2, ARCHIVE, "archive", "archive", palette.EVENTBRIDGE, ("archive",)),
    "dead letters": Box(2, 2, DEAD_LETTER_QUEUE, "dead-letter queue", "queue", palette.SQS, ("dead-letter-queue",)),
    "failures": Box(3, 2, FAILURE_QUEUE, "on-failure queue", "queue", palette.SQS, ("failure-destination",)),
    "rule y": Box(2, 3, RULE_Y, "rule", "rule", palette.EVENTBRIDGE, ("order-stored-rule",)),
    "y": Box(3, 3, FUNCTION_Y, "Lambda function", "function", palette.LAMBDA, ("microservice-y",)),
}
ARROWS = (
    Arrow("x", "bus", "events"),
    Arrow("bus", "rule", "match", ("rule",), narrowed=("pattern", "orders")),
    Arrow("rule", "function", "target", ("rule", "target"), badge="permission", tells="target"),
    Arrow("function", "table", "orders", ("function", "table", "policies")),
    Arrow("role", "function", "is assumed by", ("role", "function")),
    Arrow("role", "table", "policies allow", ("policies",), "", ("least-privilege", "allows PutItem only"), "policies"),
    Arrow("bus", "archive", "copies", ("archive",)),
    Arrow("rule", "dead letters", "undelivered", ("dead-letter-queue",)),
    Arrow("function", "failures", "failed", ("failure-destination",)),
    Arrow("function", "bus", "announces OrderStored", ("announcement",)),
    Arrow("bus", "rule y", "OrderStored", ("order-stored-rule",)),
    Arrow("rule y", "y", "target", ("order-stored-rule", "microservice-y")),
)


class Diagram:
    """The account's state as a picture with alternative text in notebooks, and in words everywhere else."""

    def __init__(self, state: AccountState) -> None:
        self.state = state

    def __str__(self) -> str:
        state = self.state
        there = [words for part, words in DRAWN.items() if _is_there(part, state)]
        there += [f"event bus {name}" for name in state.buses]
        absent = [words for part, words in DRAWN.items() if not (_is_there(part, state) or part in ADDITIONS)]
        sentences = [f"In the account: {', '.join(there) or 'nothing'}."]
        if absent:
            sentences.append(f"Not there: {', '.join(absent)}.")
        broken = [f"{words} ({state.troubles[part]})" for part, words in DRAWN.items() if state.troubles.get(part)]
        if broken:
            sentences.append(f"Not in order: {', '.join(broken)}.")
        return " ".join(sentences)

    __repr__ = __str__

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": as_html(self.svg(), str(self)), "text/plain": str(self)}

    def svg(self) -> str:
        """Return the picture as SVG; the same state gives the same characters, on every machine."""
        boxes = {key: box for key, box in BOXES.items() if _is_drawn(box, self.state)}
        boxes |= {
            f"bus {name}": Box(0, row, name, "event bus", "bus", palette.EVENTBRIDGE)
            for row, name in enumerate(self.state.buses, start=2)
        }
        arrows = [arrow for arrow in ARROWS if _is_arrow_drawn(arrow, boxes, self.state)]
        drawing = _Drawing(self.state, boxes)
        width, height = drawing.size()
        body = [*_header(), *(drawing.arrow(arrow) for arrow in arrows), *(drawing.box(box) for box in boxes.values())]
        return document(width, height, "What is in the account", str(self), body, SCALE)


class _Drawing:
    """The boxes that are drawn, and where they stand."""

    def __init__(self, state: AccountState, boxes: dict[str, Box]) -> None:
        self._state, self._boxes = state, boxes
        self._rows = sorted({box.row for box in boxes.values()})

    def size(self) -> tuple[float, float]:
        """Return the size of the whole picture: width, height."""
        left, top = self._place(Box(max(box.column for box in self._boxes.values()), self._rows[-1], "", "", "", ""))
        return left + shapes.CARD_WIDTH + MARGIN, top + shapes.CARD_HEIGHT + MARGIN

    def _place(self, box: Box) -> tuple[float, float]:
        """Return the upper left corner of a box, (x, y) in pixels."""
        return MARGIN + box.column * COLUMN, MARGIN + self._rows.index(box.row) * ROW

    def box(self, box: Box) -> str:
        """Draw a box."""
        exists, trouble = self._state.has(*box.parts), _trouble(box, self._state)
        return shapes.card(*self._place(box), box.name, box.kind, box.icon, box.colour, exists, trouble)

    def arrow(self, arrow: Arrow) -> str:
        """Draw an arrow with its label and badge."""
        points, (x, y, anchor, room) = self._way(arrow)
        trouble = self._state.troubles.get(arrow.tells, "")
        exists = self._state.has(*arrow.parts) or bool(trouble)
        ink = palette.FAILED[0] if trouble else palette.INK if exists else palette.MUTED
        label = arrow.narrowed[1] if arrow.narrowed and self._state.has(arrow.narrowed[0]) else arrow.label
        parts = [shapes.arrow(points, exists, ink)]
        if arrow.badge:
            parts += self._badge(arrow, x, points[0][1])
        elif trouble:
            parts.append(shapes.warning(x + 11, y - 7))
            x, room = x + 34, room - 34
        lines = textwrap.wrap(trouble, 12 if arrow.badge else 40) or [label]
        return "".join(parts) + _lines(x, y - 15 * (len(lines) - 1), lines, 13, ink, anchor, room)

    def _way(self, arrow: Arrow) -> tuple[list[tuple[float, float]], tuple[float, float, str, float]]:
        """Return the points of an arrow, and of its label: x, y, anchor and how wide it may be.

        An arrow goes along a row, down a column, or to another row and column: from the upper row along it and then
        down, from a middle one down between the columns. One that goes back does so above its row.
        """
        start, end = self._boxes[arrow.start], self._boxes[arrow.end]
        (left, top), (end_left, end_top) = self._place(start), self._place(end)
        right, level, bottom = left + shapes.CARD_WIDTH, top + shapes.CARD_HEIGHT / 2, top + shapes.CARD_HEIGHT
        middle, end_middle = left + shapes.CARD_WIDTH / 2, end_left + shapes.CARD_WIDTH / 2
        label: tuple[float, float, str, float]
        if start.row == end.row and end.column < start.column:
            x, above = middle - 45, top - LANE / 2  # beside the arrow that comes down from the role
            label = (end_middle + 12, above - 8, "start", COLUMN - 24)
            return [(x, top - 3), (x, above), (end_middle, above), (end_middle, top - 3)], label
        if start.row == end.row:
            label = ((right + end_left) / 2, level - (20 if arrow.badge else 10), "middle", GAP - 4)
            return [(right + 3, level), (end_left - 3, level)], label
        if start.column == end.column:
            return [(middle, bottom + 3), (middle, end_top - 3)], (middle + 12, (bottom + end_top) / 2 + 4, "start", 94)
        if start.row == 0:
            label = (right + 14, level - 10, "start", COLUMN - 20)
            return [(right + 3, level), (end_middle, level), (end_middle, end_top - 3)], label
        between, end_level = right + GAP / 2, end_top + shapes.CARD_HEIGHT / 2
        label = (between - 10, end_level + 4, "end", COLUMN - GAP / 2)
        return [(between, level), (between, end_level), (end_left - 3, end_level)], label

    def _badge(self, arrow: Arrow, middle: float, level: float) -> list[str]:
        """Draw a permission on an arrow, or a warning sign when it, or what the arrow tells of, is in trouble."""
        trouble, exists = self._state.troubles.get(arrow.badge, ""), self._state.has(arrow.badge)
        ink = palette.FAILED[0] if trouble else palette.INK if exists else palette.MUTED
        broken = trouble or self._state.troubles.get(arrow.tells)
        x = middle - 4  # clear of the arrow's head
        sign = shapes.warning(x, level) if broken else shapes.badge(x, level, "key", palette.IAM, exists)
        words = textwrap.wrap(trouble, 12) or [arrow.badge]
        return [sign, _lines(middle, level + 30, words, 12, ink, "middle", GAP - 4)]


def _lines(x: float, y: float, lines: list[str], size: float, ink: str, anchor: str, room: float) -> str:
    return "".join(
        shapes.text(x, y + 15 * number, line, size, ink, anchor=anchor, room=room) for number, line in enumerate(lines)
    )


def _trouble(box: Box, state: AccountState) -> str:
    return next((state.troubles[part] for part in box.parts if state.troubles.get(part)), "")


def _is_there(part: str, state: AccountState) -> bool:
    """Return whether a part exists; what is broken does, too."""
    return state.has(part) or bool(state.troubles.get(part))


def _is_drawn(box: Box, state: AccountState) -> bool:
    return ADDITIONS.isdisjoint(box.parts) or all(_is_there(part, state) for part in box.parts)


def _is_arrow_drawn(arrow: Arrow, boxes: dict[str, Box], state: AccountState) -> bool:
    """Return whether an arrow is drawn: both its boxes are, and what part 2 adds to them exists."""
    added = ADDITIONS.intersection(arrow.parts)
    return {arrow.start, arrow.end} <= set(boxes) and all(_is_there(part, state) for part in added)


def _header() -> list[str]:
    """Return the title, and the key to solid and dashed."""
    return [
        shapes.text(MARGIN, MARGIN + 16, "What is in the account", 18, weight="600", anchor="start", room=400),
        shapes.sample(MARGIN + 1, MARGIN + 36, exists=True),
        shapes.text(MARGIN + 36, MARGIN + 50, "exists", 14, anchor="start", room=60),
        shapes.sample(MARGIN + 103, MARGIN + 36, exists=False),
        shapes.text(MARGIN + 138, MARGIN + 50, "does not exist", 14, palette.MUTED, anchor="start", room=200),
    ]
