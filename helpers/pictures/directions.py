"""Draw the two documents about permissions around a function, for lesson 4: who may invoke it, and what it may do."""

from helpers.account.state import FUNCTION, ROLE, RULE, TABLE
from helpers.pictures import palette, shapes
from helpers.pictures.document import document

WIDTH, HEIGHT, SCALE = 1040, 448, 0.89
LEFT, TOP = 50, 96
STEP = (WIDTH - 2 * LEFT - shapes.CARD_WIDTH) / 2  # from one card to the next
LEVEL = TOP + shapes.CARD_HEIGHT / 2
PAPER_WIDTH, PAPER_HEIGHT, PAPER_TOP = 334, 142, 272
TITLE = "The two directions of a function's permissions"
WORDS = (
    f"On the left, the EventBridge rule {RULE} invokes {FUNCTION}: may it come in? That stands in the resource-based "
    f"policy of {FUNCTION}, which says who may invoke it. On the right, {FUNCTION} calls PutItem on {TABLE}: may it go "
    f"out? That stands in the policies of its execution role {ROLE}, which say what it may do."
)


def draw() -> str:
    """Return the picture as SVG, always the same."""
    cards = (
        (RULE, "EventBridge rule", "rule", palette.EVENTBRIDGE),
        (FUNCTION, "Lambda function", "function", palette.LAMBDA),
        (TABLE, "DynamoDB table", "table", palette.DYNAMODB),
    )
    body = [
        *(shapes.card(LEFT + STEP * number, TOP, *card, exists=True) for number, card in enumerate(cards)),
        *_direction(0, "May it come in?", "invoke", "key", (
            "resource-based policy", f"of {FUNCTION}", "WHO may invoke it",
            f"events.amazonaws.com, for {RULE}",
        )),
        *_direction(1, "May it go out?", "PutItem", "role", (
            "execution role", ROLE, "WHAT it may do", "use DynamoDB, write its log",
        )),
    ]  # fmt: skip
    return document(WIDTH, HEIGHT, TITLE, WORDS, body, SCALE)


def _direction(number: int, question: str, call: str, icon: str, paper: tuple[str, str, str, str]) -> list[str]:
    """Draw the arrow behind the card with this number, and the document that decides about it."""
    start, end = LEFT + STEP * number + shapes.CARD_WIDTH, LEFT + STEP * (number + 1)
    middle = (start + end) / 2
    kind, name, answers, example = paper
    left = middle - PAPER_WIDTH / 2
    return [
        shapes.text(middle, 52, question, 22, weight="700", room=end - start + 40),
        shapes.arrow([(start + 4, LEVEL), (end - 4, LEVEL)], exists=True),
        shapes.text(middle, LEVEL - 26, call, 15, room=end - start - 12),
        f'<path d="M{middle:g} {PAPER_TOP:g}V{LEVEL + 17:g}" fill="none" stroke="{palette.IAM}" stroke-width="2" '
        'stroke-dasharray="3 4"/>',
        shapes.badge(middle, LEVEL, icon, palette.IAM, exists=True),
        shapes.rectangle(left, PAPER_TOP, PAPER_WIDTH, PAPER_HEIGHT, 12,
                         f'fill="{palette.FAINT}" stroke="{palette.IAM}" stroke-width="2"'),
        shapes.text(middle, PAPER_TOP + 30, kind, 16, palette.MUTED, room=PAPER_WIDTH - 24),
        shapes.text(middle, PAPER_TOP + 53, name, 17, weight="600", room=PAPER_WIDTH - 24),
        shapes.text(middle, PAPER_TOP + 92, answers, 20, palette.IAM, "700", room=PAPER_WIDTH - 24),
        shapes.text(middle, PAPER_TOP + 119, example, 15, palette.MUTED, room=PAPER_WIDTH - 24),
    ]  # fmt: skip
