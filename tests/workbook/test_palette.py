"""One palette for everything that is drawn, and words for everybody who does not see it."""

from __future__ import annotations

import itertools
import re

import nbformat
import pytest

from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT
from helpers.pictures import palette
from tests.support.svg import contrast, luminance

LESSONS = [nbformat.read(path, as_version=4) for path in lesson_files(PROJECT / "notebooks")]
CHARTS = [
    cell
    for lesson in LESSONS
    for cell in lesson.cells
    if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
]


def is_grey(colour: str) -> bool:
    channels = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return max(channels) - min(channels) <= 16


def test_there_are_charts():
    assert len(CHARTS) >= 8


@pytest.mark.parametrize("cell", CHARTS, ids=lambda cell: cell.id)
def test_a_chart_has_colours_of_the_palette_and_words(cell):
    colours = set(re.findall(r"#[0-9a-f]{6}\b", cell.source.lower()))
    assert {colour for colour in colours if not is_grey(colour)} <= set(palette.CHART)
    assert not re.search(r"tab:|cmap|\bC\d\b|colormap", cell.source), "a palette of matplotlib's own"
    assert len(cell.metadata.get("alt", "").split()) >= 15, "what the chart shows, in the cell's metadata: alt"


def test_the_first_colours_of_a_chart_differ_in_lightness_too():
    """In print, or for somebody who sees no colours at all."""
    first = palette.CHART[:2]
    assert all(abs(luminance(one) - luminance(other)) > 0.2 for one, other in itertools.combinations(first, 2))


def test_each_service_has_a_colour_of_its_own_and_none_means_failed():
    services = [palette.EVENTBRIDGE, palette.LAMBDA, palette.DYNAMODB, palette.SQS, palette.IAM]
    assert len(set(services)) == len(services)
    assert palette.FAILED[0] not in services


def in_the_dark(colour: str) -> str:
    return palette.DARK.get(colour, colour)


@pytest.mark.parametrize("shown", [str, in_the_dark], ids=["light", "dark"])
def test_text_and_symbols_can_be_read_on_their_ground(shown):
    """Contrast of at least 4.5 to 1 (WCAG AA), of large symbols 3 to 1."""
    grounds = [shown(palette.PAPER), shown(palette.FAINT)]
    inks = [palette.INK, palette.MUTED, palette.FAILED[0], palette.IAM]
    assert [(ink, ground) for ink in inks for ground in grounds if contrast(shown(ink), ground) < 4.5] == []
    for fill, ink in (palette.DONE, palette.FAILED, palette.WAITING, (palette.INK, palette.PAPER)):
        assert contrast(shown(fill), shown(ink)) >= 4.5, (fill, ink)
    things = [palette.EVENTBRIDGE, palette.LAMBDA, palette.DYNAMODB, palette.SQS, palette.OUTSIDE]
    assert [thing for thing in things if contrast(shown(thing), grounds[0]) < 3] == []
    assert contrast(shown(palette.LINE), grounds[0]) >= 2.5, "dashes"


def test_each_colour_is_another_one_in_the_dark():
    """Two that mean different things never become one."""
    assert len(set(palette.DARK.values())) == len(palette.DARK)
    assert not {dark for light, dark in palette.DARK.items() if light == dark}
    assert luminance(in_the_dark(palette.PAPER)) < 0.02 < luminance(in_the_dark(palette.INK))
