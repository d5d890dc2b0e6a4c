"""What the tests of pictures share: what an SVG may consist of, its dark version, and how far colours are apart."""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

SVG = "{http://www.w3.org/2000/svg}"
#: Shapes and text, painted by attributes, and one style sheet: nothing that runs, links or loads.
ELEMENTS = {
    "svg", "title", "desc", "style", "g", "rect", "circle", "ellipse", "path", "polyline", "polygon", "text",
}  # fmt: skip
ATTRIBUTES = {
    "width", "height", "viewBox", "role", "x", "y", "rx", "ry", "cx", "cy", "r", "d", "points", "transform",
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "font-family", "font-size", "font-weight", "text-anchor", "textLength", "lengthAdjust", "class", "opacity",
}  # fmt: skip


def image(output: str) -> tuple[str, str]:
    """The SVG and the alternative text of an HTML image."""
    found = re.fullmatch(r'<img src="data:image/svg\+xml,([^"<>#&]*)" alt="([^"]*)" style="[^"]*">', output)
    assert found, output[:200]
    return unquote(found[1]), html.unescape(found[2])


def dark(svg: str) -> str:
    """The SVG with the colours that it has on a dark page."""
    head, _, body = svg.partition("</style>")
    sheet = head.partition("@media (prefers-color-scheme:dark){")[2]
    rules = re.findall(r"\[(fill|stroke)='(#\w{6})'\]\{(?:fill|stroke):(#\w{6})\}", sheet)
    assert rules
    colours = {f'{which}="{light}"': f'{which}="{other}"' for which, light, other in rules}
    return head + "</style>" + re.sub(r'(?:fill|stroke)="#\w{6}"', lambda paint: colours.get(paint[0], paint[0]), body)


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
