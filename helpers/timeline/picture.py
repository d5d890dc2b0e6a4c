"""Draw the way of one event as SVG: the event is where the dark tag is, the thick line is the way that it took.

The places are those of the live diagram: table to the right of the function, queues below what they catch for.
Like the diagram it stands on an opaque sheet, and has colours of its own for dark pages.
"""

import textwrap
from collections.abc import Sequence

from helpers.pictures import palette, shapes
from helpers.pictures.document import document
from helpers.pictures.lettering import REGULAR, USUAL, clipped, widest
from helpers.timeline.model import Lane, Row, State, Station, Trace

WIDTH, MARGIN, TOP = 928, 30, 140
CARD, WIDE, GAP = 150, 216, 66  # widths, and the room for an arrow
BUS_X, RULE_X = MARGIN, MARGIN + CARD + GAP
FUNCTION_X = RULE_X + CARD + GAP
TABLE_X = FUNCTION_X + WIDE + GAP - 4
BETWEEN = 40  # lanes
BODY, FOOT, ROW = 122, 32, 29  # heights: of a card without rows, of its foot, of a row
LEVEL = 60  # of the arrows, below the top of the cards
FALL = 74  # from a card to the queue below it
TAG = 24  # what the tag stands out above a card

KINDS = {  # kind of a station: icon, colour
    "event bus": ("bus", palette.EVENTBRIDGE),
    "rule": ("rule", palette.EVENTBRIDGE),
    "Lambda function": ("function", palette.LAMBDA),
    "DynamoDB table": ("table", palette.DYNAMODB),
    "dead-letter queue": ("queue", palette.SQS),
    "on-failure queue": ("queue", palette.SQS),
}
PAINT = {State.DONE: palette.DONE, State.FAILED: palette.FAILED, State.WAITING: palette.WAITING}
MARKS = {  # in a box of 16 × 16
    State.DONE: '<path d="M3.5 8.5L6.7 11.7L12.7 4.8"/>',
    State.FAILED: '<path d="M4.2 4.2L11.8 11.8M11.8 4.2L4.2 11.8"/>',
    State.WAITING: '<circle cx="8" cy="8" r="5.6"/><path d="M8 4.8V8.2L10.3 9.6"/>',
    State.NOT_REACHED: '<path d="M4 8H12"/>',
    State.UNKNOWN: '<path d="M5.4 6.2C5.4 2.9 10.6 2.9 10.6 6C10.6 8 8 8 8 9.8M8 12.6V12.7"/>',
}


def draw(trace: Trace, words: str) -> str:
    """Return the picture as SVG, with `words` as its alternative text."""
    tops: list[float] = []
    bottom: float = TOP
    for lane in trace.lanes:
        tops.append(bottom)
        bottom += _height(lane) + BETWEEN
    height = bottom - BETWEEN + MARGIN
    lanes = [_lane(lane, top, tops) for lane, top in zip(trace.lanes, tops, strict=True)]
    body = [*_header(trace), *lanes, _card(trace.bus, BUS_X, TOP, CARD)]
    return document(WIDTH, height, trace.verdict, words, body)


def _header(trace: Trace) -> list[str]:
    """Draw what became of the event, why, and what it was."""
    title = "The way of one event" + (f": {trace.what}" if trace.what else "")
    size = 22 if widest(trace.verdict, 22) <= 820 else 18
    cause = textwrap.wrap(trace.cause, 100)[:2]
    return [
        _disc(trace.state, MARGIN + 22, 58, 22),
        shapes.text(MARGIN + 60, 40, clipped(title, 14, 820 / REGULAR), 14, palette.MUTED, anchor="start", room=820),
        shapes.text(MARGIN + 60, 67, clipped(trace.verdict, size, 820), size, weight="700", anchor="start", room=820),
        *(
            shapes.text(MARGIN + 60, 91 + 19 * number, line, 15, anchor="start", room=820)
            for number, line in enumerate(cause)
        ),
    ]


def _lane(lane: Lane, top: float, tops: Sequence[float]) -> str:
    """Draw the stations of one delivery, and the arrows between them."""
    rule, function, table = lane.rule, lane.function, lane.table
    parts = []
    rule_width = WIDE if rule and rule.rows else CARD
    if rule:
        parts += [_arrow(_from_bus(top, tops), rule.state), _card(rule, RULE_X, top, rule_width)]
    else:
        parts += [_repeat_label(top)]
    shift = rule_width - CARD
    if function:
        parts += [
            _arrow([(RULE_X + rule_width + 4, top + LEVEL), (FUNCTION_X + shift - 4, top + LEVEL)], function.state),
            _card(function, FUNCTION_X + shift, top, WIDE - shift),
        ]
    if table:
        parts += [
            _arrow([(FUNCTION_X + WIDE + 4, top + LEVEL), (TABLE_X - 4, top + LEVEL)], table.state),
            _card(table, TABLE_X, top, CARD),
        ]
    if rule and lane.dead_letters:
        parts += _queue_below(lane.dead_letters, rule, RULE_X, CARD, top, "undelivered")
    if function and lane.failures:
        parts += _queue_below(lane.failures, function, FUNCTION_X, WIDE, top, "failed")
    return "".join(parts)


def _queue_below(queue: Station, above: Station, x: float, width: float, top: float, label: str) -> list[str]:
    """Draw a queue below the card that it catches for."""
    start, middle = top + _card_height(above), x + width / 2
    end = start + FALL
    head = end - (TAG if queue.holds else 0) - 4
    return [
        _arrow([(middle, start + 4), (middle, head)], queue.state, palette.FAILED[0]),
        shapes.text(middle + 16, (start + head) / 2 + 5, label, 14, palette.FAILED[0], "600", "start"),
        _card(queue, x, end, width),
    ]


def _from_bus(top: float, tops: Sequence[float]) -> list[tuple[float, float]]:
    """Return the points of a way from the bus: straight to the first lane; to the others down beside the bus."""
    if top == tops[0]:
        return [(BUS_X + CARD + 4, top + LEVEL), (RULE_X - 4, top + LEVEL)]
    middle = BUS_X + CARD + GAP / 2
    return [(middle, tops[0] + LEVEL), (middle, top + LEVEL), (RULE_X - 4, top + LEVEL)]


def _repeat_label(top: float) -> str:
    """Draw what stands in place of a rule before a further invocation."""
    lines = ("Once more:", "another invocation", "for the same event")
    start = RULE_X + CARD
    return "".join(
        shapes.text(start, top + 44 + 19 * number, line, 14, palette.INK, "600" if number == 0 else "400", "end")
        for number, line in enumerate(lines)
    )


def _height(lane: Lane) -> float:
    heights = [_card_height(station) for station in (lane.rule, lane.function, lane.table) if station]
    for queue, above in ((lane.dead_letters, lane.rule), (lane.failures, lane.function)):
        if queue and above:
            heights.append(_card_height(above) + FALL + _card_height(queue))
    return max(heights)


def _card_height(station: Station) -> float:
    return BODY + FOOT + (ROW * len(station.rows) + 8 if station.rows else 0)


def _card(station: Station, x: float, y: float, width: float) -> str:
    """Draw a station with its upper left corner at (x, y): what it is above, what has happened there at its foot."""
    icon, colour = KINDS[station.kind]
    height, middle, reached = _card_height(station), x + width / 2, station.state in PAINT
    edge = f'stroke="{_accent(station.state)}" stroke-width="2.5"' if reached else shapes.DASHED
    size, names = _lines(station.name or station.kind, width - 12)
    names, kind = (names, station.kind) if station.name else (names[:1], "")
    outline = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="13" fill="{{}}" {edge}/>'
    first = y + (84 if len(names) == 1 else 76)
    parts = [
        outline.format(palette.PAPER if reached else palette.FAINT),
        f'<rect x="{middle - 23:g}" y="{y + 14:g}" width="46" height="46" rx="11" '
        + (f'fill="{colour}"/>' if reached else f'fill="{palette.PAPER}" {shapes.DASHED}/>'),
        shapes.icon(icon, middle - 15, y + 22, 30, palette.PAPER if reached else palette.LINE),
        *(shapes.text(middle, first + 18 * number, line, size, palette.INK if reached else palette.MUTED, "700",
                      room=width - 12) for number, line in enumerate(names)),
        shapes.text(middle, first + 18 * len(names) + 2, kind, 14, palette.MUTED, room=width - 12) if kind else "",
        *(_row(row, x, y + BODY + 4 + ROW * number, width) for number, row in enumerate(station.rows)),
        _foot(station.state, station.words or station.state.word, x, y + height - FOOT, width),
        outline.format("none"),
        shapes.tag(clipped(station.holds, 16, 80), middle, y - TAG) if station.holds else "",
    ]  # fmt: skip
    return "".join(parts)


def _foot(state: State, words: str, x: float, y: float, width: float) -> str:
    """Draw the lower end of a card, in the colour of what has happened."""
    middle, half = x + width / 2, USUAL * widest(words, 15) / 2
    if state not in PAINT:
        ink, band = palette.MUTED, ""
    else:
        fill, ink = PAINT[state]
        bottom, right = y + FOOT, x + width
        band = (
            f'<path d="M{x:g} {y:g}H{right:g}V{bottom - 13:g}Q{right:g} {bottom:g} {right - 13:g} {bottom:g}'
            f'H{x + 13:g}Q{x:g} {bottom:g} {x:g} {bottom - 13:g}Z" fill="{fill}"/>'
        )
    mark = _mark(state, middle - half - 12, y + 7, 18, ink)
    left = middle - half + 12
    return band + mark + shapes.text(left, y + 21.5, words, 15, ink, "700", "start", room=x + width - 6 - left)


def _row(row: Row, x: float, y: float, width: float) -> str:
    """Draw a line in a card: a symbol, what it is, and what came of it."""
    words = clipped(row.words or row.state.word, 15, width - 24)
    name = clipped(row.name, 15, (width - 66 - widest(words, 15)) / REGULAR)
    return (
        f'<path d="M{x + 12:g} {y - 2:g}H{x + width - 12:g}" stroke="{palette.EDGE}" stroke-width="1.2"/>'
        + _disc(row.state, x + 25, y + 13, 9.5)
        + shapes.text(x + 42, y + 18, name, 15, anchor="start", room=width - 62 - widest(words, 15))
        + shapes.text(x + width - 14, y + 18, words, 15, weight="700", anchor="end", room=widest(words, 15))
    )


def _disc(state: State, x: float, y: float, radius: float) -> str:
    """Draw the symbol of a state on its colour, with its centre at (x, y)."""
    fill, ink = PAINT.get(state, (palette.PAPER, palette.MUTED))
    edge = "" if state in (State.DONE, State.FAILED) else f' stroke="{palette.INK}" stroke-width="1.5"'
    size = 1.45 * radius
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}"{edge}/>'
        + _mark(state, x - size / 2, y - size / 2, size, ink)
    )  # fmt: skip


def _mark(state: State, x: float, y: float, size: float, colour: str) -> str:
    return (
        f'<g transform="translate({x:g} {y:g}) scale({size / 16:g})" fill="none" stroke="{colour}" '
        f'stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">{MARKS[state]}</g>'
    )


def _arrow(points: list[tuple[float, float]], state: State, colour: str = palette.INK) -> str:
    """Draw the way to a station: thick when the event came there, dashed when it did not."""
    return shapes.thick_arrow(points, colour) if state in PAINT else shapes.arrow(points, exists=False)


def _accent(state: State) -> str:
    """Return the colour of a card's edge; yellow alone would not stand out from the sheet."""
    return palette.INK if state is State.WAITING else PAINT[state][0]


def _lines(name: str, width: float) -> tuple[float, list[str]]:
    """Return the size of a name and its lines: one, a little smaller where need be, or two; those break at a hyphen."""
    for size in (16, 14):
        if widest(name, size) <= width:
            return size, [name]
    fits = len(clipped(name, 16, width)) - 1
    cut = name.rfind("-", 0, fits) + 1 or fits
    return 16, [name[:cut], clipped(name[cut:], 16, width)]
