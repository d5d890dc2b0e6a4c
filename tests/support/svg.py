"""What the tests of pictures share: what a page may show of an SVG, and how far colours are apart."""

from __future__ import annotations

SVG = "{http://www.w3.org/2000/svg}"
#: What pages that clean an SVG let through: shapes and text, painted by attributes.
ELEMENTS = {
    "svg", "title", "desc", "g", "rect", "circle", "ellipse", "path", "polyline", "polygon", "text",
}  # fmt: skip
ATTRIBUTES = {
    "width", "height", "viewBox", "role", "x", "y", "rx", "ry", "cx", "cy", "r", "d", "points", "transform",
    "fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
    "font-family", "font-size", "font-weight", "text-anchor",
}  # fmt: skip


def contrast(one: str, other: str) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
