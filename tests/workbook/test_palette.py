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
    assert len(CHARTS) >= 9


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
    assert all(contrast(colour, palette.PAPER) >= 3 for colour in [*services, palette.OUTSIDE])
