"""Draw the shapes of all pictures, as SVG text; lengths are pixels.

Plain elements with presentation attributes, no links, gradients or markers. Colours stand in `fill` and `stroke`
alone: there the document finds them, to change them on dark pages.
"""

import textwrap
from html import escape

from helpers.pictures.lettering import broken, squeezed, widest
from helpers.pictures.palette import EDGE, FAILED, FAINT, INK, LINE, MUTED, PAPER

FONT = "-apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"
CARD_WIDTH, CARD_HEIGHT = 150, 118
ROOM = CARD_WIDTH - 12  # for words in a card
DASHED = f'stroke="{LINE}" stroke-width="1.5" stroke-dasharray="5 4"'

ICONS = {  # in a box of 24 × 24; drawn with the stroke of the group around them
    "shop": '<rect x="3" y="4.5" width="18" height="15" rx="2"/><path d="M3 9H21M9.5 12L14.5 16.5M14.5 12L9.5 16.5"/>',
    "bus": '<path d="M2.5 12H21.5M6.5 12V6M12 12V18M17.5 12V6"/><circle cx="6.5" cy="4.5" r="1.5"/>'
    '<circle cx="12" cy="19.5" r="1.5"/><circle cx="17.5" cy="4.5" r="1.5"/>',
    "rule": '<path d="M3.5 5H20.5L14 12.5V19.5L10 17.5V12.5Z"/>',
    "function": '<path d="M6.5 4.5H9L16.5 19.5H19M11.8 10.2L6.5 19.5"/>',
    "table": '<ellipse cx="12" cy="5.5" rx="8" ry="3"/><path d="M4 5.5V18.5C4 20.2 7.6 21.5 12 21.5'
    'C16.4 21.5 20 20.2 20 18.5V5.5M4 12C4 13.7 7.6 15 12 15C16.4 15 20 13.7 20 12"/>',
    "role": '<path d="M12 2.5L20 5.5V11.5C20 16.3 16.8 19.9 12 21.5C7.2 19.9 4 16.3 4 11.5V5.5Z"/>'
    '<path d="M8.5 11.8L11 14.3L15.5 9.6"/>',
    "queue": '<path d="M2.5 7V17M7 7V17M11.5 7V17M15 12H21.5M18.5 9L21.5 12L18.5 15"/>',
    "archive": '<rect x="3" y="4" width="18" height="5" rx="1"/><path d="M4.5 9V20H19.5V9M9.5 13H14.5"/>',
    "key": '<circle cx="7.5" cy="12" r="4"/><path d="M11.5 12H21M17.5 12V16M21 12V15"/>',
}


def text(
    x: float,
    y: float,
    words: str,
    size: float,
    colour: str = INK,
    weight: str = "400",
    anchor: str = "middle",
    room: float | None = None,
) -> str:
    """Return one line of text on the baseline y; with `room`, in pixels, it is wider than that in no font."""
    set_width = squeezed(words, size, room, bold=int(weight) >= 600) if room else None
    fitted = f' textLength="{set_width:g}" lengthAdjust="spacingAndGlyphs"' if set_width else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}"{fitted}>{escape(words)}</text>'
    )


def icon(name: str, x: float, y: float, size: float, colour: str) -> str:
    """Return the named icon, `size` wide and high, with its upper left corner at (x, y). Raises KeyError."""
    return (
        f'<g transform="translate({x:g} {y:g}) scale({size / 24:g})" fill="none" stroke="{colour}" '
        f'stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">{ICONS[name]}</g>'
    )


def panel(width: float, height: float) -> str:
    """Return the opaque sheet below everything: it makes the picture the same on light and dark pages."""
    return rectangle(1, 1, width - 2, height - 2, 14, f'fill="{PAPER}" stroke="{EDGE}"')


def card(x: float, y: float, name: str, kind: str, picture: str, colour: str, exists: bool, trouble: str = "") -> str:
    """Return a resource with its upper left corner at (x, y): in colour when it exists, else dashed and grey.

    With `trouble`, a few words, it is broken: a warning sign, and the words in place of the kind. A name that is too
    long for one line breaks after a hyphen.
    """
    middle, there = x + CARD_WIDTH / 2, exists or bool(trouble)
    edge = f'stroke="{FAILED[0] if trouble else colour}" stroke-width="{3 if trouble else 2}"'
    outline = f'fill="{PAPER}" {edge}' if there else f'fill="{FAINT}" {DASHED}'
    tile = f'fill="{colour}"' if there else f'fill="{PAPER}" {DASHED}'
    names = broken(name, 15, ROOM)
    below = textwrap.wrap(trouble, 21, max_lines=3 - len(names), placeholder=" …") or [kind]
    baselines = [80, 100] if len(names) + len(below) == 2 else [74, 91, 109]
    ink, ink_below = (INK, FAILED[0]) if trouble else (INK if exists else MUTED, MUTED)
    lines = [(line, 15, ink, "600") for line in names]
    lines += [(line, 13, ink_below, "600" if trouble else "400") for line in below]
    parts = [
        rectangle(x, y, CARD_WIDTH, CARD_HEIGHT, 12, outline),
        rectangle(middle - 22, y + 13, 44, 44, 10, tile),
        icon(picture, middle - 14, y + 21, 28, PAPER if there else LINE),
        *(
            text(middle, y + baseline, line, size, paint, weight, room=ROOM)
            for baseline, (line, size, paint, weight) in zip(baselines, lines, strict=True)
        ),
        warning(x + CARD_WIDTH - 22, y + 22) if trouble else "",
    ]
    return "".join(parts)


def warning(x: float, y: float) -> str:
    """Return a warning sign, with its centre at (x, y): a triangle with an exclamation mark."""
    return (
        f'<path d="M{x:g} {y - 11:g}L{x + 13:g} {y + 11:g}H{x - 13:g}Z" fill="{FAILED[0]}" stroke="{FAILED[0]}" '
        f'stroke-width="4" stroke-linejoin="round"/><path d="M{x:g} {y - 4:g}V{y + 3:g}M{x:g} {y + 8:g}V{y + 8.1:g}" '
        f'fill="none" stroke="{FAILED[1]}" stroke-width="2.6" stroke-linecap="round"/>'
    )


def tag(words: str, middle: float, y: float) -> str:
    """Return the tag that stands for an event, with its upper edge at y: an envelope, and whose it is."""
    wide = 58 + widest(words, 16)
    left = middle - wide / 2
    return (
        f'<rect x="{left:g}" y="{y:g}" width="{wide:g}" height="31" rx="15.5" fill="{INK}" '
        f'stroke="{PAPER}" stroke-width="3"/>'
        f'<g transform="translate({left + 14:g} {y + 7:g})" fill="none" stroke="{PAPER}" '
        'stroke-width="1.8" stroke-linejoin="round"><rect x="0" y="1.5" width="21" height="14" rx="2"/>'
        '<path d="M0.5 3L10.5 10L20.5 3"/></g>'
        + text(left + 43, y + 21, words, 16, PAPER, "700", "start", room=wide - 50)
    )


def sample(x: float, y: float, exists: bool) -> str:
    """Return a card in small, for the key."""
    outline = f'fill="{PAPER}" stroke="{INK}" stroke-width="2"' if exists else f'fill="{FAINT}" {DASHED}'
    return rectangle(x, y, 26, 18, 5, outline)


def arrow(points: list[tuple[float, float]], exists: bool, colour: str = INK) -> str:
    """Return a line through the points, along rows and columns, with a head at the end; dashed unless it exists."""
    (before_x, before_y), (x, y) = points[-2:]
    along_x, along_y = _sign(x - before_x), _sign(y - before_y)
    base_x, base_y = x - 10 * along_x, y - 10 * along_y
    corners = [
        (x, y),
        (base_x + 5.5 * along_y, base_y + 5.5 * along_x),
        (base_x - 5.5 * along_y, base_y - 5.5 * along_x),
    ]
    line = f'stroke="{colour}" stroke-width="2"' if exists else DASHED
    head = f'fill="{colour}" stroke="{colour}"' if exists else f'fill="{PAPER}" stroke="{LINE}"'
    return (
        f'<polyline points="{_points([*points[:-1], (base_x, base_y)])}" fill="none" {line}/>'
        f'<polygon points="{_points(corners)}" {head} stroke-width="1.5" stroke-linejoin="round"/>'
    )


def thick_arrow(points: list[tuple[float, float]], colour: str, dashed: bool = False) -> str:
    """Return a thick arrow through the points: where something has gone, or, dashed, might go."""
    dashes = ' stroke-dasharray="9 6"' if dashed else ""
    (before_x, before_y), (x, y) = points[-2:]
    along_x, along_y = _sign(x - before_x), _sign(y - before_y)
    base_x, base_y = x - 15 * along_x, y - 15 * along_y
    corners = [(x, y), (base_x + 10 * along_y, base_y + 10 * along_x), (base_x - 10 * along_y, base_y - 10 * along_x)]
    return (
        f'<polyline points="{_points([*points[:-1], (base_x, base_y)])}" fill="none" stroke="{colour}" '
        f'stroke-width="5" stroke-linejoin="round"{dashes}/><polygon points="{_points(corners)}" fill="{colour}"/>'
    )


def badge(x: float, y: float, picture: str, colour: str, exists: bool) -> str:
    """Return a small round mark on an arrow, with its centre at (x, y)."""
    face = f'fill="{colour}" stroke="{PAPER}" stroke-width="2"' if exists else f'fill="{FAINT}" {DASHED}'
    circle = f'<circle cx="{x:g}" cy="{y:g}" r="13" {face}/>'
    return circle + icon(picture, x - 8.5, y - 8.5, 17, PAPER if exists else LINE)


def rectangle(x: float, y: float, width: float, height: float, radius: float, paint: str) -> str:
    """Return a rectangle with round corners; `paint`: its fill and stroke, as attributes."""
    return f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="{radius:g}" {paint}/>'


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
