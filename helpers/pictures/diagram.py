"""Draw the live architecture diagram, what the account has so far, as SVG: the same string for the same state.

The picture is data, a grid of boxes and the arrows between them: a lesson that adds a resource adds a Box
and an Arrow. What decides how each is drawn is the account's state alone. What only part 2 adds is not drawn
before it exists. `str()` of a diagram says the same in words.
"""

from dataclasses import dataclass
from typing import Any

from helpers.account.state import (
    ADDITIONS,
    ARCHIVE,
    BUS,
    DEAD_LETTER_QUEUE,
    FAILURE_QUEUE,
    FUNCTION,
    PARTS,
    ROLE,
    RULE,
    TABLE,
    AccountState,
)
from helpers.pictures import palette, shapes

COLUMN, ROW = 214, 164  # from one box to the next
#: The whole picture is drawn this much smaller: it fits beside JupyterLab's file list in a window of 1,400 pixels.
SCALE = 0.88
LEFT, TOP, RIGHT, BOTTOM = 26, 26, 26, 26  # margins around the grid; title and key stand in its upper left corner


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
    way. `narrowed` is a part, and the label instead when it exists.
    """

    start: str
    end: str
    label: str
    parts: tuple[str, ...] = ()
    badge: str = ""
    narrowed: tuple[str, str] | None = None


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
}
ARROWS = (
    Arrow("x", "bus", "events"),
    Arrow("bus", "rule", "match", ("rule",), narrowed=("pattern", "orders")),
    Arrow("rule", "function", "target", ("rule", "target"), badge="permission"),
    Arrow("function", "table", "orders", ("function", "table", "policies")),
    Arrow("role", "function", "is assumed by", ("role", "function")),
    Arrow("role", "table", "policies allow", ("policies",), narrowed=("least-privilege", "allows PutItem only")),
    Arrow("bus", "archive", "copies", ("archive",)),
    Arrow("rule", "dead letters", "undelivered", ("dead-letter-queue",)),
    Arrow("function", "failures", "failed", ("failure-destination",)),
)


class Diagram:
    """The account's state as a picture; notebooks show it as SVG, everything else in words.

    `instead`: what is shown in place of the picture; by default the same in words, which `str()` gives
    always.
    """

    def __init__(self, state: AccountState, instead: str | None = None) -> None:
        self.state = state
        self._instead = instead

    def __repr__(self) -> str:
        return self._instead or str(self)

    def __str__(self) -> str:
        there = [words for part, words in PARTS.items() if self.state.has(part)]
        absent = [words for part, words in PARTS.items() if not (self.state.has(part) or part in ADDITIONS)]
        sentences = [f"In the account: {', '.join(there) or 'nothing'}."]
        if absent:
            sentences.append(f"Not there: {', '.join(absent)}.")
        return " ".join(sentences)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def svg(self) -> str:
        """Return the picture as SVG; the same state gives the same characters, on every machine."""
        boxes = {key: box for key, box in BOXES.items() if _is_drawn(box, self.state)}
        arrows = [arrow for arrow in ARROWS if {arrow.start, arrow.end} <= set(boxes)]
        width = LEFT + RIGHT + COLUMN * max(box.column for box in boxes.values()) + shapes.CARD_WIDTH
        height = TOP + BOTTOM + ROW * max(box.row for box in boxes.values()) + shapes.CARD_HEIGHT
        wide, high = round(width * SCALE), round(height * SCALE)
        lines = [
            # Width and height beside the viewBox: some pages that show notebooks lose the latter.
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
            f'viewBox="0 0 {wide} {high}" style="max-width:100%;height:auto" role="img">',  # on paper, too
            f"<title>What is in the account</title><desc>{self}</desc>",
            f'<g font-family="{shapes.FONT}" transform="scale({SCALE})">',
            shapes.panel(width, height),
            *_header(),
            *(_draw_arrow(arrow, self.state) for arrow in arrows),
            *(_draw_box(box, self.state) for box in boxes.values()),
            "</g></svg>",
        ]
        return "\n".join(lines)


def _is_drawn(box: Box, state: AccountState) -> bool:
    return ADDITIONS.isdisjoint(box.parts) or state.has(*box.parts)


def _header() -> list[str]:
    """Return the title, and the key to solid and dashed."""
    return [
        shapes.text(LEFT, TOP + 16, "What is in the account", 18, weight="600", anchor="start"),
        shapes.sample(LEFT + 1, TOP + 36, exists=True),
        shapes.text(LEFT + 36, TOP + 50, "exists", 14, anchor="start"),
        shapes.sample(LEFT + 103, TOP + 36, exists=False),
        shapes.text(LEFT + 138, TOP + 50, "does not exist", 14, palette.MUTED, anchor="start"),
    ]


def _place(box: Box) -> tuple[float, float]:
    """Return the upper left corner of a box, (x, y) in pixels."""
    return LEFT + box.column * COLUMN, TOP + box.row * ROW


def _draw_box(box: Box, state: AccountState) -> str:
    return shapes.card(*_place(box), box.name, box.kind, box.icon, box.colour, state.has(*box.parts))


def _draw_arrow(arrow: Arrow, state: AccountState) -> str:
    """Draw an arrow along a row, down a column, or (to another row and column) along its row and then down."""
    start, end = BOXES[arrow.start], BOXES[arrow.end]
    (left, top), (end_left, end_top) = _place(start), _place(end)
    right, level, bottom = left + shapes.CARD_WIDTH, top + shapes.CARD_HEIGHT / 2, top + shapes.CARD_HEIGHT
    middle, end_middle = left + shapes.CARD_WIDTH / 2, end_left + shapes.CARD_WIDTH / 2
    if start.row == end.row:
        points = [(right + 3, level), (end_left - 3, level)]
        label = ((right + end_left) / 2, level - (20 if arrow.badge else 10), "middle")
    elif start.column == end.column:
        points = [(middle, bottom + 3), (middle, end_top - 3)]
        label = (middle - 12, (bottom + end_top) / 2 + 4, "end")
    else:
        points = [(right + 3, level), (end_middle, level), (end_middle, end_top - 3)]
        label = (right + 14, level - 10, "start")
    exists = state.has(*arrow.parts)
    x, y, anchor = label
    return (
        shapes.arrow(points, exists)
        + shapes.text(x, y, _label(arrow, state), 13, palette.INK if exists else palette.MUTED, anchor=anchor)
        + _draw_badge(arrow, (right + end_left) / 2, level, state)
    )


def _label(arrow: Arrow, state: AccountState) -> str:
    if arrow.narrowed and state.has(arrow.narrowed[0]):
        return arrow.narrowed[1]
    return arrow.label


def _draw_badge(arrow: Arrow, middle: float, level: float, state: AccountState) -> str:
    if not arrow.badge:
        return ""
    exists = state.has(arrow.badge)
    mark = shapes.badge(middle - 4, level, "key", palette.IAM, exists)  # clear of the arrow's head
    return mark + shapes.text(middle, level + 30, arrow.badge, 12, palette.INK if exists else palette.MUTED)
