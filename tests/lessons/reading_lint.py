"""How a lesson is read: its core path, its minutes, its questions and their answers, and the ways beside its code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from helpers.authoring.minutes import DEEPER, measure, row, words
from tests.lessons.lesson_reader import Lesson

HEADER = ["Needs", "Reading", "Running", "To go deeper", "Exercises", "Cost"]
MOST_WORDS, MOST_MINUTES = 1_800, 25  # of a core path
MOST_WORDS_AT_FIRST = 1_500  # in lesson 0, exercises and questions included
PREDICT, EXPLAIN = "> **Predict.**", "> **Explain.**"
CONSOLE = "The same in the console"
CONSOLE_FOLD = re.compile(rf"<details><summary>{CONSOLE}</summary>\n\n(?:(?!<details>).)+\n\n</details>", re.DOTALL)


def minutes(lesson: Lesson) -> Iterator[str]:
    """The table tells what is measured; no core path is longer than a learner's patience."""
    measured = measure(lesson.cells)
    table = [line.strip() for line in lesson.prose_of("Before you start").splitlines() if line.startswith("|")][:3]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    if len(rows) < 3 or rows[0] != HEADER or len(rows[2]) != len(HEADER) or not all(rows[2]):
        yield f'"Before you start" must have a table: {", ".join(HEADER)}'
    elif " | ".join(rows[2][1:5]) != row(measured):
        yield f"the minutes must be {row(measured)}, not {' | '.join(rows[2][1:5])}"
    if measured.words > MOST_WORDS:
        yield f"the core path has {measured.words} words, more than {MOST_WORDS}"
    if measured.core > MOST_MINUTES:
        yield f"the core path takes {measured.core} minutes, more than {MOST_MINUTES}"


def core_path(lesson: Lesson) -> Iterator[str]:
    """What nothing later needs is marked below its heading, and "Before you start" names the marked sections."""
    deeper = [heading for heading, cells in lesson.parts if cells and DEEPER in cells[0].source]
    for heading in deeper:
        if not re.match(r"## \d+\. ", heading):
            yield f'"{heading}" is no numbered section, and is marked {DEEPER}'
    for heading, cells in lesson.parts:
        if heading in deeper and not re.match(rf"## .+\n\n{re.escape(DEEPER)} \S", cells[0].source):
            yield f'"{heading}" must say {DEEPER} and why directly below the heading'
    told = lesson.prose_of("Before you start")
    numbers = [re.match(r"## (\d+)", heading)[1] for heading in deeper if re.match(r"## (\d+)", heading)]
    named = re.search(r"^\*\*Core path:\*\* (.+)$", told, re.MULTILINE)
    if not named:
        yield '"Before you start" must have a line that begins "**Core path:** "'
    elif [number for number in numbers if not re.search(rf"\b{number}\b", named[1])]:
        yield f"the line of the core path must name the sections to go deeper: {', '.join(numbers)}"


def predict_run_explain(lesson: Lesson) -> Iterator[str]:
    """A part that runs something asks what will happen; each question has its answer directly below the output."""
    for heading, cells in lesson.parts:
        if not any(cell.cell_type == "code" for cell in cells) or not re.match(r"## (\d+\. |Break it)", heading):
            continue
        if not any(PREDICT in cell.source for cell in cells):
            yield f'"{heading}" runs something and has no "{PREDICT}"'
        yield from _answers(heading, cells)
    if not any(cell.cell_type == "code" for cell in lesson.part("Break it")):
        yield '"Break it" breaks nothing: it has no code cell'


def _answers(heading: str, cells: list) -> Iterator[str]:
    asked = ran = False
    for cell in cells:
        if cell.cell_type == "code":
            ran = True
            continue
        answers, asks = cell.source.startswith(EXPLAIN), PREDICT in cell.source
        if asked and not ran:
            yield f'"{heading}": nothing runs between a question and the text {cell.id}'
        elif asked and not answers:
            yield f'"{heading}": the text {cell.id}, below the cell that answers, must begin "{EXPLAIN}"'
        elif answers and not asked:
            yield f'"{heading}": {cell.id} explains, and nothing was asked'
        if cell.source.count(PREDICT) > 1 or EXPLAIN in cell.source[1:]:
            yield f'"{heading}": {cell.id} asks or answers twice'
        if asks and not cell.source.rpartition("\n\n")[2].startswith(PREDICT):
            yield f'"{heading}": the question in {cell.id} must be its last paragraph, directly above the cell'
        asked, ran = asks, False
    if asked:
        yield f'"{heading}" ends with a question that nothing answers'


def console_folds(lesson: Lesson) -> Iterator[str]:
    """The console's way stands beside each step that builds, after the shell's."""
    for cell in lesson.cells:
        if cell.cell_type == "markdown" and CONSOLE in cell.source and not CONSOLE_FOLD.fullmatch(cell.source):
            yield f'cell {cell.id} must be one <details> "{CONSOLE}", with blank lines around its text'
    for heading, cells in lesson.parts:
        builds = any("build" in cell.metadata.get("tags", []) and cell.cell_type == "code" for cell in cells)
        shell = any("The same in the shell" in cell.source for cell in cells if cell.cell_type == "markdown")
        console = any(CONSOLE in cell.source for cell in cells if cell.cell_type == "markdown")
        if builds and shell and not console:
            yield f'"{heading}" builds something and has no "{CONSOLE}"'


def length_of_the_first(lesson: Lesson) -> Iterator[str]:
    """Nobody begins with a long text."""
    if lesson.number != "00":
        return
    total = sum(words(cell.source) for cell in lesson.cells if cell.cell_type == "markdown")
    if total > MOST_WORDS_AT_FIRST:
        yield f"the first lesson has {total} words, more than {MOST_WORDS_AT_FIRST}"
