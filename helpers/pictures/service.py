"""Draw the finished service with one order that travels through it, again and again: the first picture of lesson 0.

Where nothing moves (on paper, or for who prefers reduced motion) the order is where it ends: in the table.
"""

from dataclasses import dataclass

from helpers.account.state import BUS, FUNCTION, ROLE, RULE, TABLE
from helpers.pictures import palette, shapes
from helpers.pictures.document import document

STEP, LEFT, TOP = 228, 50, 236  # from one card to the next; the first card
WIDTH, HEIGHT = 2 * LEFT + 4 * STEP + shapes.CARD_WIDTH, 468
LEVEL = TOP + shapes.CARD_HEIGHT / 2
SCALE = 0.84
SECONDS = 9  # one journey
INSET = 16  # of the first card in the cloud
TAG = 24  # what the tag stands out above a card
TAG_AT = 52  # its middle, from a card's left edge: clear of what comes down from the role


@dataclass(frozen=True)
class Stop:
    """A card on the way: what happens there, and when the order is there, in percent of a journey."""

    name: str
    kind: str
    icon: str
    colour: str
    happens: tuple[str, str]
    arrives: int
    leaves: int


STOPS = (
    Stop("Microservice X", "front end", "shop", palette.OUTSIDE, ("says that an order", "was placed"), 3, 13),
    Stop(BUS, "event bus", "bus", palette.EVENTBRIDGE, ("takes every event,", "keeps none"), 21, 31),
    Stop(RULE, "rule", "rule", palette.EVENTBRIDGE, ("picks the events", "that it wants"), 39, 49),
    Stop(FUNCTION, "Lambda function", "function", palette.LAMBDA, ("runs when", "an event comes"), 57, 68),
    Stop(TABLE, "DynamoDB table", "table", palette.DYNAMODB, ("keeps the order", "for good"), 76, 95),
)
WORDS = (
    f"Order A-1 travels from left to right. Microservice X, the front end, puts it on the event bus {BUS}. The rule "
    f"{RULE} picks it and invokes the Lambda function {FUNCTION}, which stores it in the DynamoDB table {TABLE}. "
    f"The execution role {ROLE} lets the function write into the table."
)
TITLE = "Your service, when it is finished"


def draw() -> str:
    """Return the picture as SVG, always the same."""
    lefts: list[float] = [LEFT + STEP * number for number in range(len(STOPS))]
    shop, first = lefts[0], lefts[1]
    role = lefts[3], 56
    cloud = first - INSET, 34, WIDTH - first + INSET - 20, HEIGHT - 68
    arrows = ("events", "matches", "invokes", "PutItem")
    body = [
        shapes.rectangle(*cloud, 18, f'fill="{palette.FAINT}" stroke="{palette.EDGE}"'),
        shapes.text(first, 64, "AWS, embedded or real", 15, palette.MUTED, "600", "start", room=240),
        shapes.text(shop, 64, "A shop", 15, palette.MUTED, "600", "start", room=140),
        *_role(role, lefts[3:]),
        *(_arrow(left, label) for left, label in zip(lefts, arrows, strict=False)),
        *(_stop(stop, left, number) for number, (stop, left) in enumerate(zip(STOPS, lefts, strict=True))),
        f'<g class="order">{shapes.tag("A-1", lefts[-1] + TAG_AT, TOP - TAG)}</g>',
    ]
    return document(WIDTH, HEIGHT, TITLE, WORDS, body, SCALE, _motion(lefts))


def _arrow(left: float, label: str) -> str:
    """Draw an arrow from the card at `left` to the next one; the first one crosses the edge of the cloud."""
    start, end = left + shapes.CARD_WIDTH, left + STEP
    room = end - start - (INSET if left == LEFT else 0)
    words = shapes.text(start + room / 2, LEVEL - 11, label, 14, room=room - 8)
    return shapes.arrow([(start + 4, LEVEL), (end - 4, LEVEL)], exists=True) + words


def _role(place: tuple[float, float], lefts: list[float]) -> list[str]:
    """Draw the role, above the function that assumes it, and what its policies allow."""
    left, top = place
    x, bottom, level = left + shapes.CARD_WIDTH - 34, top + shapes.CARD_HEIGHT, top + shapes.CARD_HEIGHT / 2
    table = lefts[1] + shapes.CARD_WIDTH - 34
    return [
        shapes.card(left, top, ROLE, "execution role", "role", palette.IAM, exists=True),
        shapes.arrow([(x, bottom + 4), (x, TOP - 4)], exists=True),
        shapes.text(x + 11, (bottom + TOP) / 2 + 5, "is assumed by", 14, anchor="start", room=106),
        shapes.arrow([(left + shapes.CARD_WIDTH + 4, level), (table, level), (table, TOP - 4)], exists=True),
        shapes.text(left + shapes.CARD_WIDTH + 16, level - 11, "lets it write", 14, anchor="start", room=150),
    ]


def _stop(stop: Stop, left: float, number: int) -> str:
    """Draw a card, a glow that shows while the order is there, and what happens."""
    glow = shapes.rectangle(
        left - 5, TOP - 5, shapes.CARD_WIDTH + 10, shapes.CARD_HEIGHT + 10, 16,
        f'fill="none" stroke="{stop.colour}" stroke-width="5" class="glow at{number}" opacity="0"',
    )  # fmt: skip
    middle = left + shapes.CARD_WIDTH / 2
    words = "".join(
        shapes.text(middle, TOP + shapes.CARD_HEIGHT + 31 + 19 * line, text, 15, room=176)
        for line, text in enumerate(stop.happens)
    )
    return glow + shapes.card(left, TOP, stop.name, stop.kind, stop.icon, stop.colour, exists=True) + words


def _motion(lefts: list[float]) -> str:
    """Return the CSS that moves the order. It is drawn at its end, so every place is measured from there."""

    def at(left: float) -> str:
        return f"transform:translate({left - lefts[-1]:g}px,0)"

    last = STOPS[-1]
    way = [f"0%{{{at(lefts[0])};opacity:0}}"]
    for stop, left in zip(STOPS, lefts, strict=True):
        way.append(f"{stop.arrives}%,{stop.leaves}%{{{at(left)};opacity:1}}")
    way.append(f"{last.leaves + 3}%,100%{{{at(lefts[-1])};opacity:0}}")
    glows = [
        f"@keyframes at{number}{{0%,{stop.arrives - 1}%{{opacity:0}}"
        f"{stop.arrives + 3}%,{stop.leaves - 1}%{{opacity:.5}}{stop.leaves + 3}%,100%{{opacity:0}}}}"
        f".at{number}{{animation-name:at{number}}}"
        for number, stop in enumerate(STOPS)
    ]
    return (
        f"@media (prefers-reduced-motion:no-preference){{"
        f".order,.glow{{animation:way {SECONDS}s ease-in-out infinite}}"
        f"@keyframes way{{{''.join(way)}}}{''.join(glows)}}}"
    )
