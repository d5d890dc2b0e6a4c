"""Make what a teacher prints or projects: `python3 -m helpers handouts FOLDER`. No network is needed, then or later.

The worksheet has every prediction of every lesson with lines to write on, the handout is one page for everybody, and
each lesson has slides.
"""

from __future__ import annotations

import argparse
import base64
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from helpers.lessons.catch_up import lesson_files
from helpers.lessons.notebook_files import Notebook, read
from helpers.paths import NOTEBOOKS, PROJECT
from helpers.teaching.material import atomic_folder, run_and_report
from helpers.teaching.slides import PAGE, page, slides

SERVICE = NOTEBOOKS / "images" / "service.svg"
QUESTION = re.compile(r"^> \*\*Predict\.\*\* (.+)$", re.MULTILINE)
NAME = '<div class="name">Name <span></span> Date <span></span></div>'


def handouts(options: list[str]) -> int:
    """Run `python3 -m helpers handouts FOLDER`; returns the exit status, 2 for a foreseeable failure."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers handouts",
        description="Make a worksheet for predictions, a one-page handout, and slides of every lesson, as HTML.",
    )
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet")
    folder = parser.parse_args(options).folder
    return run_and_report(lambda: make(folder))


def make(folder: Path) -> str:
    """Make the folder and return what to say about it. Raises WorkbookError."""
    lessons = lesson_files(NOTEBOOKS)
    with atomic_folder(folder, PROJECT) as draft:
        (draft / "worksheet.html").write_text(worksheet(lessons), encoding="utf-8")
        (draft / "handout.html").write_text(handout(), encoding="utf-8")
        (draft / "slides").mkdir()
        for path in lessons:
            (draft / "slides" / f"{path.stem}.html").write_text(slides(path), encoding="utf-8")
    return f"{folder}: worksheet.html and handout.html to print, slides of {len(lessons)} lessons to project."


def worksheet(lessons: list[Path]) -> str:
    """Return a page with each lesson's predictions, numbered, and room for an answer."""
    parts = [_lesson_of_worksheet(path) for path in lessons]
    return page("Predictions", "\n".join(parts), style="print.css")


def handout() -> str:
    """Return the one page for everybody, with the picture of the service in it."""
    from nbconvert.filters import markdown2html

    picture = "data:image/svg+xml;base64," + base64.b64encode(SERVICE.read_bytes()).decode()
    text = (
        (PAGE / "handout.md").read_text(encoding="utf-8").replace(f"../../../notebooks/images/{SERVICE.name}", picture)
    )
    return page("Serverless orders", markdown2html(text), style="print.css")


def questions(lesson: Notebook) -> Iterator[tuple[str, str]]:
    """Yield (heading of the section, question) for each prediction of a lesson, in Markdown."""
    heading = ""
    for cell in lesson["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            if match := re.match(r"## (.+)", source):
                heading = match[1]
            for question in QUESTION.findall(source):
                yield heading, question


def _lesson_of_worksheet(path: Path) -> str:
    from nbconvert.filters import markdown2html

    lesson = read(path)
    title = "".join(lesson["cells"][0]["source"]).splitlines()[0].lstrip("# ")
    lines, before = [f'<div class="lesson"><h1>{escape(title)}</h1>{NAME}'], ""
    for number, (heading, question) in enumerate(questions(lesson), start=1):
        if heading != before:
            lines.append(f"<h2>{escape(heading)}</h2>")
            before = heading
        asked = markdown2html(f"**{number}.** {question}")
        lines.append(f'<div class="question">{asked}<div class="line"></div><div class="line"></div></div>')
    return "\n".join([*lines, "</div>"])
