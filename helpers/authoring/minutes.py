"""Measure how long a lesson takes, by its words and cells: what its table says, and a test compares.

The pace is ours: 180 words a minute is slow reading for a text with new ideas in it; half a minute for a cell is
enough to read it, to guess, to run it and to look.

`python3 -m helpers.authoring.minutes` writes the minutes of all lessons into the two tables that list them: the
README's, and the map in lesson 0. Standard library only.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.paths import PROJECT

WORDS_A_MINUTE, CELLS_A_MINUTE = 180, 2
MINUTES_OF_AN_EXERCISE = {"Predict": 5, "Fill the gap": 7, "Change": 8, "Build": 10}
#: How the first text of a section begins that nothing later needs.
DEEPER = "*To go deeper.*"
#: Parts that come after the core path, whatever they hold.
AFTERWARDS = ("In practice", "Exercises", "Quick questions")
#: A row of a table of lessons: its number and title, the minutes of its core path, and all of them.
LISTED = re.compile(r"^(\| \[?(\d+)\. [^|]+\|) \d+ \| \d+ (?=\|)", re.MULTILINE)
MAP = "map"  # the cell of lesson 0 with such a table


@dataclass(frozen=True)
class Minutes:
    """How long the parts of a lesson take, in whole minutes; `words` are those of the core path."""

    reading: int
    running: int
    deeper: int
    exercises: int
    words: int

    @property
    def core(self) -> int:
        """Return the minutes of the core path: reading it and running its cells."""
        return self.reading + self.running

    @property
    def all(self) -> int:
        return self.core + self.deeper + self.exercises


def measure(cells: Iterable[Any]) -> Minutes:
    """Return how long a lesson with these cells (nbformat's, or dicts like them) takes."""
    core, deeper, exercises = [0, 0], [0, 0], 0
    counted = core
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            counted[1] += 1
            continue
        heading = re.match(r"## (?:\d+\. )?(.+)", source)
        if heading:
            counted = deeper if heading[1] in AFTERWARDS or DEEPER in source else core
        task = re.match(r"### \S+ ([\w ]+):", source)
        exercises += MINUTES_OF_AN_EXERCISE.get(task[1], 0) if task else 0
        if heading and heading[1] in ("Exercises", "Quick questions") or task:
            counted = [0, 0]  # exercises have minutes of their own
        counted[0] += words(source)
    return Minutes(
        reading=math.ceil(core[0] / WORDS_A_MINUTE),
        running=math.ceil(core[1] / CELLS_A_MINUTE),
        deeper=math.ceil(deeper[0] / WORDS_A_MINUTE + deeper[1] / CELLS_A_MINUTE),
        exercises=exercises,
        words=core[0],
    )


def words(markdown: str) -> int:
    """Return how many words a reader sees before opening a fold; code and addresses of links are none."""
    shown = re.sub(r"<details>.*?</details>|^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    shown = re.sub(r"\]\([^)]*\)|<[^>]*>|[|#>*`-]+(?=\s|$)", " ", shown)
    return sum(any(letter.isalnum() for letter in word) for word in shown.split())


def row(minutes: Minutes) -> str:
    """Return the four cells of a lesson's table: reading, running, to go deeper, exercises."""
    values = (minutes.reading, minutes.running, minutes.deeper, minutes.exercises)
    return " | ".join(f"{value} min" if value else "–" for value in values)


def in_table(text: str, minutes: Mapping[int, Minutes]) -> str:
    """Return a text in which each row about a lesson tells its minutes; `minutes` has them by the lesson's number."""

    def told(match: re.Match[str]) -> str:
        lesson = minutes[int(match[2])]
        return f"{match[1]} {lesson.core} | {lesson.all} "

    return LISTED.sub(told, text)


def listing_pages(root: Path = PROJECT) -> dict[Path, str]:
    """Return {file that lists the lessons: its text as it should be}: the README and lesson 0."""
    paths = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    lessons = {int(path.name[:2]): json.loads(path.read_text(encoding="utf-8")) for path in paths}
    minutes = {number: measure(lesson["cells"]) for number, lesson in lessons.items()}
    for cell in lessons[0]["cells"]:
        if cell.get("id") == MAP:
            cell["source"] = [in_table(line, minutes) for line in cell["source"]]
    # As nbformat writes it.
    first = json.dumps(lessons[0], ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    readme = root / "README.md"
    return {paths[0]: first, readme: in_table(readme.read_text(encoding="utf-8"), minutes)}


def main() -> None:
    for path, text in listing_pages().items():
        changed = path.read_text(encoding="utf-8") != text
        if changed:
            path.write_text(text, encoding="utf-8", newline="\n")
        print(f"{path.name}: {'written' if changed else 'unchanged'}")


if __name__ == "__main__":
    main()
