"""The live diagram, an event's way, and the pictures in files: of harmless parts, legible in the light and in the dark,
and in every font each word keeps to its place.
"""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

from helpers.account.state import PARTS, AccountState
from helpers.pictures import files, lettering, palette, shapes
from helpers.pictures.diagram import Diagram
from helpers.pictures.document import as_html, document
from helpers.timeline import Timeline
from helpers.timeline.model import State, Trace
from tests.support.browser import Browser, find
from tests.support.svg import ATTRIBUTES, ELEMENTS, SVG, contrast, dark
from tests.workbook.test_timeline import BUS, EVERYTHING, LONG, lanes_of

TROUBLES = dict.fromkeys(PARTS, "fails: WWWWWWWWWW WWWWWWWW")
SHORT_TROUBLES = dict.fromkeys(PARTS, "for another rule") | {"policies": "may not store orders", "rule": "disabled"}
NAMES = ("order-stored-rule", "sample-rule-dlq", "sample-function-failures", "mmmmmmmmmmmm", "WWWWWWWWWWWWWWWW")
PICTURES = {
    "nothing": Diagram(AccountState(frozenset())).svg(),
    "everything": Diagram(AccountState(frozenset(PARTS), buses=("sample-orders-bus",))).svg(),
    "troubles": Diagram(AccountState(frozenset(PARTS), TROUBLES, buses=("exercise-bus-of-a-long-name",))).svg(),
    "short troubles": Diagram(AccountState(frozenset(PARTS), SHORT_TROUBLES)).svg(),
    "way": Timeline(EVERYTHING).svg(),
    "long way": Timeline(LONG).svg(),
    **{
        f"way of {name}": Timeline(
            Trace(BUS, tuple(lanes_of(name, "WWWW-0001")), State.DONE, "Order WWWW-0001 is stored.")
        ).svg()
        for name in NAMES
    },
    **{name: draw() for name, draw in files.PICTURES.items()},
}
each = pytest.mark.parametrize("svg", PICTURES.values(), ids=PICTURES)


@each
def test_only_harmless_elements_and_attributes(svg):
    elements = list(ElementTree.fromstring(svg).iter())
    assert {element.tag.removeprefix(SVG) for element in elements} <= ELEMENTS
    assert {name for element in elements for name in element.attrib} <= ATTRIBUTES
    assert not re.search(r"url\(|@import|@font-face|https?://(?!www\.w3\.org/2000/svg)", svg), "nothing from outside"


@each
def test_title_and_words_for_who_does_not_see_it(svg):
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img" and root[0].tag == f"{SVG}title" and root[1].tag == f"{SVG}desc"
    assert len(root[1].text.split()) >= 5


@each
@pytest.mark.parametrize("shown", [str, dark], ids=["light", "dark"])
def test_text_can_be_read(svg, shown):
    """Contrast of at least 4.5 to 1 (WCAG AA): on the sheet and on what is grey, or on the bands of an event's way."""
    group = ElementTree.fromstring(shown(svg)).find(f"{SVG}g")
    sheet = group.find(f"{SVG}rect").get("fill")
    inks = {text.get("fill") for text in group.iter(f"{SVG}text")}
    assert sheet == (palette.PAPER if shown is str else palette.DARK[palette.PAPER])
    assert [ink for ink in inks - {sheet, palette.ON_YELLOW} if contrast(ink, sheet) < 4.5] == []


def test_in_the_dark_no_light_colour_is_left():
    for svg in PICTURES.values():
        colours = set(re.findall(r'(?:fill|stroke)="(#\w{6})"', dark(svg).partition("</style>")[2]))
        assert not colours & set(palette.DARK)
        assert colours <= {*palette.DARK.values(), palette.ON_YELLOW, palette.WAITING[0]}


def test_a_text_has_the_width_that_it_mostly_has_where_some_font_would_draw_it_wider():
    assert "textLength" not in shapes.text(0, 0, "default", 15, weight="600", room=138)
    assert 'textLength="128.' in shapes.text(0, 0, "microservice-role", 15, weight="600", room=138)
    assert 'textLength="120"' in shapes.text(0, 0, "microservice-role", 15, weight="600", room=120)
    assert lettering.broken("sample-function-failures", 15, 138) == ["sample-function-", "failures"]
    assert lettering.broken("microservice-role", 15, 138) == ["microservice-role"]


@pytest.mark.parametrize(
    "words", ["\x1b[31mred", "\x00", "\ud83d", "\ufffe", "<script>alert(1)</script>", "]]>", "\"'&"]
)
def test_a_picture_of_any_words_is_one(words):
    svg = document(100, 100, words, words, [shapes.text(1, 1, words, 12)])
    tags: list[tuple[str, dict[str, str]]] = []
    page = HTMLParser()
    page.handle_starttag = lambda tag, attributes: tags.append((tag, dict(attributes)))
    page.feed(as_html(svg, words))
    [(tag, image)] = tags
    drawn = ElementTree.fromstring(unquote(image["src"].partition(",")[2]).encode())
    assert tag == "img" and drawn[0].text == image["alt"]
    assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= ELEMENTS


def test_files_are_current():
    for name, draw in files.PICTURES.items():
        stored = (files.FOLDER / name).read_text(encoding="utf-8")
        assert stored == draw() + "\n", "write it: python3 -m helpers.pictures.files"
    assert {path.name for path in files.FOLDER.glob("*.svg")} == set(files.PICTURES)


def test_writing_them_writes_what_has_changed(tmp_path):
    assert files.write(tmp_path) == list(files.PICTURES)
    (tmp_path / "loop.svg").write_text("old")
    assert files.write(tmp_path) == ["loop.svg"]
    assert files.write(tmp_path) == []


def test_the_order_is_in_the_table_where_nothing_moves():
    """Motion is for who has not asked for less of it; the tag itself stands at the end of its way."""
    svg = files.PICTURES["service.svg"]()
    root = ElementTree.fromstring(svg)
    order = next(group for group in root.iter(f"{SVG}g") if group.get("class") == "order")
    cards = [rect for rect in root.iter(f"{SVG}rect") if rect.get("width") == str(shapes.CARD_WIDTH)]
    table = max(cards, key=lambda rect: float(rect.get("x")))
    tag = order.find(f"{SVG}rect")
    assert float(table.get("x")) < float(tag.get("x")) < float(table.get("x")) + shapes.CARD_WIDTH - 60
    assert all(float(glow.get("opacity")) == 0 for glow in root.iter() if "glow" in (glow.get("class") or ""))
    style = root.find(f"{SVG}style").text
    moving, _, rest = style.partition("@media (prefers-color-scheme")
    assert moving.startswith("@media (prefers-reduced-motion:no-preference){") and "animation" not in rest


#: Words that do not keep to their places: beyond the edge of a card (or what else has a frame), half in it, on other
#: words, or beyond the sheet.
MISPLACED = """
(() => {
const edges = box => ({left: box.x, right: box.x + box.width, top: box.y, bottom: box.y + box.height});
const letters = box => ({x: box.x, width: box.width, y: box.y + 0.25 * box.height, height: 0.5 * box.height});
const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
const within = (a, b, room) => a.left >= b.left + room && a.right <= b.right - room
                               && a.top >= b.top && a.bottom <= b.bottom;
const frames = [...document.querySelectorAll("rect")].map(rect => edges(rect.getBBox()));
const sheet = frames.shift();
const words = [...document.querySelectorAll("text")].map(text => [text.textContent, edges(letters(text.getBBox()))]);
const misplaced = words.filter(([text, place]) => {
    const framed = frames.some(frame => frame.right - frame.left < 400 && within(place, frame, 2));
    const cut = frame => !apart(place, frame) && !within(place, frame, 2);
    return !within(place, sheet, 4) || !framed && frames.some(cut);
}).map(([text]) => text);
words.forEach(([text, place], index) => words.slice(index + 1).forEach(([other, its]) => {
    if (!apart(place, its)) misplaced.push(`${text} / ${other}`);
}));
return misplaced;
})()
"""
#: From narrow to wide; one that is not installed is drawn in the one behind it.
FONTS = (
    "Liberation Sans Narrow, Arial Narrow",
    shapes.FONT,
    "Verdana, DejaVu Sans",
    "Liberation Mono, monospace",
    "serif",
)


@pytest.mark.deep
@pytest.mark.skipif(not find(), reason="no Chromium was found; WORKBOOK_CHROMIUM may name one")
def test_words_keep_to_their_places_in_every_font(tmp_path):
    with Browser(find(), tmp_path) as browser:
        for name, svg in PICTURES.items():
            page = f'<meta charset="utf-8">{svg}'.encode()
            browser.open(f"data:text/html;base64,{base64.b64encode(page).decode()}")
            browser.until(f"document.querySelectorAll('text').length === {svg.count('<text')}")
            for font in FONTS:
                browser.run(f"document.querySelector('svg > g').setAttribute('font-family', {font!r})")
                assert browser.run(MISPLACED) == [], (name, font)
