"""Make a whole SVG of shapes, with a dark version inside, and show it in a notebook.

A notebook shows it as an image in HTML, not as `image/svg+xml`. An image keeps within its page's width, has alternative
text, can be seen before JupyterLab trusts the notebook, and is a document of its own: its styles stay inside, and
nothing in it can run.
"""

import re
from html import escape
from urllib.parse import quote

from helpers.pictures import palette
from helpers.pictures.shapes import FONT, panel

#: What no XML may hold (https://www.w3.org/TR/xml/#charsets), and an error's text or an OrderId may: one of these, and
#: the browser shows none of the picture.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: What may stand in a data URI as it is, so that a reader of a notebook's diff can read the picture.
_PLAIN = " \n=:/'(){};,.!?*@[]+|~$-_"


def document(
    width: float, height: float, title: str, words: str, shapes: list[str], scale: float = 1, style: str = ""
) -> str:
    """Return an SVG, `width` by `height` pixels and drawn `scale` times as large, on an opaque sheet.

    words: the same as the picture, for who does not see it. style: further CSS. Where the page that embeds the image is
    dark, its colours are those of `palette.DARK` (https://www.w3.org/TR/mediaqueries-5/#prefers-color-scheme): an
    image follows the page's `color-scheme`, which JupyterLab's themes set.
    """
    wide, high = round(width * scale), round(height * scale)
    body = [panel(width, height), *shapes]
    enlarged = f' transform="scale({scale:g})"' if scale != 1 else ""
    svg = "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{high}" '
            f'viewBox="0 0 {wide} {high}" role="img">',
            f"<title>{escape(title)}</title><desc>{escape(words)}</desc>",
            f"<style>{style}{_dark_colours(''.join(body))}</style>",
            f'<g font-family="{FONT}"{enlarged}>',
            *body,
            "</g></svg>",
        ]
    )
    return _shown(svg)


def _shown(text: str) -> str:
    """Return a text with a sign in place of each character that cannot be shown."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def as_html(svg: str, words: str) -> str:
    """Return an SVG of this module as an HTML image, never wider than its page, with `words` as alternative text."""
    data = quote(svg.replace('"', "'"), safe=_PLAIN)  # text is escaped: a quotation mark is one of an attribute
    return f'<img src="data:image/svg+xml,{data}" alt="{escape(_shown(words))}" style="max-width:100%;height:auto">'


def _dark_colours(shapes: str) -> str:
    """Return the rules that change each colour that the shapes have, for dark pages."""
    used = {(which, colour) for which, colour in re.findall(r'(fill|stroke)="(#[0-9a-f]{6})"', shapes)}
    rules = [
        f"[{which}='{colour}']{{{which}:{dark}}}"
        for colour, dark in palette.DARK.items()
        for which in ("fill", "stroke")
        if (which, colour) in used
    ]
    return f"@media (prefers-color-scheme:dark){{{''.join(rules)}}}"
