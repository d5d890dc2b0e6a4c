"""Measure how long a lesson takes, by its words and cells: what its table says, and a test compares.

The pace is ours: 180 words a minute is slow reading for a text with new ideas in it; half a minute for a cell is
enough to read it, to guess, to run it and to look.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

WORDS_A_MINUTE, CELLS_A_MINUTE = 180, 2
MINUTES_OF_AN_EXERCISE = {"Predict": 5, "Fill the gap": 7, "Change": 8, "Build": 10}
#: How the first text of a section begins that nothing later needs.
DEEPER = "*To go deeper.*"
#: Parts that come after the core path, whatever they hold.
AFTERWARDS = ("In practice", "Exercises", "Quick questions")


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
