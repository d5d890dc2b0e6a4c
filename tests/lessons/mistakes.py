"""The page of likely mistakes beside the teacher's guide: those of each exercise, with the message that each gets.

The gate (test_exercises.py) gives every wrong answer to its check anyway; here its findings are compared with the
guide, or written into it: `WRITE_GUIDE=1 pytest tests/lessons/test_exercises.py`.
"""

from __future__ import annotations

import json
import os
import re

from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT

GUIDE = PROJECT / "notebooks" / "MISTAKES.md"
HEADING = "## Likely mistakes\n"
HEAD = "| Mistake | What the check says |\n|---|---|\n"
EXERCISE = re.compile(r"^\*\*(\d\d-\d) .*?\*\*\n\n((?:\|.*\n)+)", re.MULTILINE)
TASK = re.compile(r"^### (\d\d-\d) (.+)$", re.MULTILINE)


def table(messages: dict[str, str]) -> str:
    """A table in Markdown of {mistake: message}."""
    return HEAD + "".join(f"| {each} | {_plain(message)} |\n" for each, message in messages.items())


def _plain(message: str) -> str:
    """The message with nothing in it that Markdown or HTML would take for its own; what Python says differs between
    its versions and is left out.
    """
    return re.sub(r"([|*_<\[`$])", r"\\\1", re.sub(r"( raises \w+): .*", r"\1: …", message))


def in_guide() -> dict[str, str]:
    """{exercise id: its table}, as the guide has them."""
    return dict(EXERCISE.findall(GUIDE.read_text(encoding="utf-8").partition(HEADING)[2]))


def settle(exercise_id: str, messages: dict[str, str]) -> None:
    """Compare what was found with the guide; with WRITE_GUIDE in the environment, write it there."""
    if os.environ.get("WRITE_GUIDE"):
        write(in_guide() | {exercise_id: table(messages)})
    assert in_guide().get(exercise_id) == table(messages), (
        "WRITE_GUIDE=1 pytest tests/lessons/test_exercises.py writes it"
    )


def write(tables: dict[str, str]) -> None:
    """Make the page's tables anew: a fold for each lesson, in it its exercises with their tables."""
    before, heading, after = GUIDE.read_text(encoding="utf-8").partition(HEADING)
    introduction = after.partition("<details>")[0].strip("\n")
    folds = []
    for path in lesson_files(PROJECT / "notebooks"):
        titles = _titles(path)
        parts = [f"**{each} {title}**\n\n{tables[each]}" for each, title in titles.items() if each in tables]
        if parts:
            inside = "\n".join(parts)
            folds.append(f"<details><summary>Lesson {path.stem[:2]}</summary>\n\n{inside}\n</details>\n")
    GUIDE.write_text("\n".join([before + heading, introduction + "\n", *folds]), encoding="utf-8", newline="\n")


def _titles(path) -> dict[str, str]:
    """{exercise id: "Predict: its title"} of a lesson."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return dict(TASK.findall("\n".join("".join(cell["source"]) + "\n" for cell in cells)))
