"""Draw the order store that announces what it stored on the bus that it listens to, for lesson 10."""

from helpers.account.state import BUS, FUNCTION, FUNCTION_Y, RULE, RULE_Y, TABLE
from helpers.pictures import palette, shapes
from helpers.pictures.document import document

STEP, LEFT, TOP, BELOW = 238, 30, 128, 320
WIDTH, HEIGHT, SCALE = 2 * LEFT + 4 * STEP + shapes.CARD_WIDTH, 466, 0.84
TITLE = "Two services on one bus, and the loop that a rule can make of them"
WORDS = (
    f"Microservice X puts OrderPlaced on the event bus {BUS}. The rule {RULE} hands it to {FUNCTION}, which stores the "
    f"order in {TABLE} and puts OrderStored on the same bus. The rule {RULE_Y} hands that to {FUNCTION_Y}. "
    f"Dashed: if {RULE} matched OrderStored too, rule, function and bus would be a loop."
)


def draw() -> str:
    """Return the picture as SVG, always the same."""
    x: list[float] = [LEFT + STEP * number for number in range(5)]
    bus, function = x[1] + shapes.CARD_WIDTH / 2, x[3] + shapes.CARD_WIDTH / 2
    level, above, low = TOP + shapes.CARD_HEIGHT / 2, TOP - 48.0, BELOW + shapes.CARD_HEIGHT / 2
    top = TOP - 4.0
    back = [(function, top), (function, above), (bus, above), (bus, top)]
    down = [(bus, TOP + shapes.CARD_HEIGHT + 4), (bus, low), (x[2] - 4, low)]
    red = palette.FAILED[0]
    return document(WIDTH, HEIGHT, TITLE, WORDS, [
        shapes.thick_arrow(back, palette.LAMBDA),
        shapes.text((bus + function) / 2, above - 14, "OrderStored", 16, weight="700", room=200),
        *_along(level, x[0], "OrderPlaced"),
        *_along(level, x[1], "match"),
        *_along(level, x[2], "invoke"),
        *_along(level, x[3], "PutItem"),
        shapes.thick_arrow(down, palette.LAMBDA),
        shapes.text(bus + 16, (TOP + shapes.CARD_HEIGHT + low) / 2 + 6, "OrderStored", 16, weight="700",
                    anchor="start", room=130),
        *_along(low, x[2], "invoke"),
        shapes.thick_arrow([(x[1] + shapes.CARD_WIDTH + 4, level + 30), (x[2] - 4, level + 30)], red, dashed=True),
        shapes.warning((bus + function) / 2 - 134, (above + TOP) / 2),
        shapes.text((bus + function) / 2 - 112, (above + TOP) / 2 + 6, "a loop, if this rule matches it too", 15, red,
                    "600", "start", 270),
        *(shapes.card(left, top, name, kind, icon, colour, exists=True) for left, top, name, kind, icon, colour in (
            (x[0], TOP, "Microservice X", "front end", "shop", palette.OUTSIDE),
            (x[1], TOP, BUS, "event bus", "bus", palette.EVENTBRIDGE),
            (x[2], TOP, RULE, "rule", "rule", palette.EVENTBRIDGE),
            (x[3], TOP, FUNCTION, "Lambda function", "function", palette.LAMBDA),
            (x[4], TOP, TABLE, "DynamoDB table", "table", palette.DYNAMODB),
            (x[2], BELOW, RULE_Y, "rule", "rule", palette.EVENTBRIDGE),
            (x[3], BELOW, FUNCTION_Y, "Lambda function", "function", palette.LAMBDA),
        )),
    ], SCALE)  # fmt: skip


def _along(level: float, left: float, label: str) -> list[str]:
    """Draw an arrow from a card to the next one in its row."""
    start, end = left + shapes.CARD_WIDTH, left + STEP
    return [
        shapes.arrow([(start + 4, level), (end - 4, level)], exists=True),
        shapes.text((start + end) / 2, level - 11, label, 14, room=STEP - shapes.CARD_WIDTH - 2),
    ]
