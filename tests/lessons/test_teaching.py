"""The teacher's guide says what is true: its routes fit their minutes, and name what there is."""

from __future__ import annotations

import json
import re
import tomllib

import pytest

from helpers.installing.commands import KNOWN
from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT
from tests.lessons.mistakes import in_guide

TEXT = (PROJECT / "notebooks" / "TEACHING.md").read_text(encoding="utf-8")
ROUTES = {int(minutes): rows for minutes, rows in re.findall(r"^### (\d+) minutes: .*\n\n((?:\|.*\n)+)", TEXT, re.M)}
FILES = [*lesson_files(PROJECT / "notebooks"), PROJECT / "notebooks" / "99_clean_up.ipynb"]
LESSONS = {path.stem[:2]: path for path in FILES}


def text_of(number: str) -> str:
    """All Markdown of a lesson."""
    cells = json.loads(LESSONS[number].read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def rows(route: str) -> list[list[str]]:
    """[[minutes, lesson, what happens], …] of a route's table."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in route.splitlines()[2:]]


def sections(words: str) -> set[int]:
    """The numbers of "Sections 1 to 3 and 6"."""
    found = set()
    for said in re.findall(r"[Ss]ections? ((?:\d+(?:, | and | to )?)+)", words):
        numbers = re.split(r", | and ", said)
        for each in filter(None, numbers):
            first, *last = (int(number) for number in each.split(" to ") if number)
            found |= set(range(first, (last or [first])[0] + 1))
    return found


def test_sections_are_read():
    assert sections("Sections 1 to 3 and 6, with sketch 4; then section 8") == {1, 2, 3, 6, 8}


def test_the_routes_are_there():
    assert set(ROUTES) >= {60, 120, 240}


@pytest.mark.parametrize("minutes", ROUTES)
def test_a_route_fills_its_time_without_gaps(minutes):
    spans = [tuple(int(each) for each in row[0].split("–")) for row in rows(ROUTES[minutes])]
    assert spans[0][0] == 0 and spans[-1][1] == minutes
    assert all(before[1] == after[0] < after[1] for before, after in zip(spans, spans[1:], strict=False))


@pytest.mark.parametrize("minutes", ROUTES)
def test_a_route_names_lessons_sections_exercises_and_sketches_that_exist(minutes):
    for _, lesson, words in rows(ROUTES[minutes]):
        if lesson != "–":
            number, file = re.fullmatch(r"\[(\d+)\]\((.+)\)", lesson).groups()
            assert LESSONS[f"{int(number):02}"].name == file
            text = text_of(f"{int(number):02}")
            for each in sections(words):
                assert re.search(rf"^## {each}\. ", text, re.M), f"lesson {number} has no section {each}"
            for each in re.findall(r"\b\d\d-\d\b", words):
                assert re.search(rf"^### {each} ", text, re.M), f"lesson {number} has no exercise {each}"
        for each in re.findall(r"[Ss]ketch (\d)", words):
            assert f"Sketch {each}," in TEXT


def test_each_exercise_has_its_mistakes_in_the_guide():
    """The gate compares the messages."""
    tasks = {each for number in LESSONS for each in re.findall(r"^### (\d\d-\d) ", text_of(number), re.M)}
    assert set(in_guide()) == tasks


def test_exercises_and_lessons_that_the_guide_speaks_of_exist():
    for each in re.findall(r"\b(\d\d-\d)\b", TEXT):
        assert f"### {each} " in text_of(each[:2])
    for number in re.findall(r"\blesson (\d+)\b", TEXT):
        assert f"{int(number):02}" in LESSONS


def test_commands_of_the_guide_exist():
    assert set(re.findall(r"python3 -m helpers ([a-z-]+)", TEXT)) <= set(KNOWN)


def test_wheels_for_a_room_without_a_network_include_what_builds_the_project():
    build = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    assert f"pip download -r requirements.txt {' '.join(build)} editables -d wheels" in TEXT
