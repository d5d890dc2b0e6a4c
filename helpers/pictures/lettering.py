"""Estimate how wide words are, whatever font a page draws them in, and break names where they do not fit."""

from math import fsum

#: In parts of the width of bold words at most: bold words in most fonts, and words that are not bold.
USUAL, REGULAR = 0.84, 0.9
_FIXED = 0.61  # of a letter in fonts that give each letter the same width, in parts of the font's size


def widest(words: str, size: float) -> float:
    """Return how wide bold words are at most, in pixels: the font is unknown, DejaVu Sans assumed, which is wide."""
    # Not sum: Python 3.12 changed how it rounds, and the picture is the same everywhere.
    return round(fsum(map(_letter_width, words)) * size, 1)


def squeezed(words: str, size: float, room: float, bold: bool) -> float | None:
    """Return the width to set words in that some font would draw wider than `room`, in pixels; None when none would.

    It is the width that they usually have, if that fits: then most readers see no difference.
    """
    part = 1 if bold else REGULAR
    usual = USUAL * part * widest(words, size)
    if max(part * widest(words, size), _FIXED * size * len(words)) <= room:
        return None
    return round(min(usual, room), 1)


def clipped(words: str, size: float, width: float) -> str:
    """Return the words, or their beginning and … if they are wider; … alone where nothing else fits."""
    if widest(words, size) <= width:
        return words
    while words and widest(words + "…", size) > width:
        words = words[:-1]
    return words + "…"


def broken(name: str, size: float, width: float) -> list[str]:
    """Return a name in one line, or in two where its usual width is more than `width`; those break at a hyphen."""
    room = width / USUAL
    if widest(name, size) <= room:
        return [name]
    fits = len(clipped(name, size, room)) - 1
    cut = name.rfind("-", 0, fits) + 1 or fits
    return [name[:cut], clipped(name[cut:], size, room)]


def _letter_width(letter: str) -> float:
    """Return the width of a letter, in parts of the font's size."""
    if letter in "ijlI.,:;'|! ":
        return 0.36
    if letter in "frt-()/":
        return 0.47
    if letter in "mwMW@%…" or letter >= "\u1100":  # where the full-width scripts begin
        return 1.02
    return 0.8 if letter.isupper() else 0.69
