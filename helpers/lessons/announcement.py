"""Announce, on an AWS that is not the embedded one, what a lesson will make and what that costs.

Both stand in the lesson itself: `provides` and `makes` in its metadata (the latter for what it removes again), and the
cost in the table "Before you start".
"""

import json
import re
from pathlib import Path
from typing import Any

from helpers.account.state import PARTS
from helpers.lessons.catch_up import lesson_files
from helpers.target.connection import AWS, Target

#: Where and when the prices were looked up that the lessons' costs come from.
PRICES = "us-east-1, without free tiers, November 2026"
_TABLE = re.compile(r"^\| Needs \|.*\| Cost \|\n\|[-| ]+\|\n\|(?P<cells>.*)\|$", re.MULTILINE)
_LINK = re.compile(r"\[([^]]*)\]\([^)]*\)")


def of(lesson: str, target: Target, folder: Path) -> str:
    """Return two or three lines for the setup cell. Raises KeyError for a lesson that is not in the folder."""
    notebooks = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in lesson_files(folder)}
    earlier = [part for name, each in notebooks.items() if name < lesson for part in _listed(each, "provides")]
    here = notebooks[lesson]
    made = [PARTS[part] for part in _listed(here, "provides") if part in PARTS]
    lines = [f"This lesson makes: {', '.join([*made, *_listed(here, 'makes')]) or 'nothing'}."]
    before = [PARTS[part] for part in dict.fromkeys(earlier) if part in PARTS]
    if before and lesson != "99_clean_up":
        lines.append(f"Missing parts of earlier lessons are made first: {', '.join(before)}.")
    if target.kind == AWS:
        lines.append(f"Cost: {cost(here)} ({PRICES}). Lesson 99, or python3 -m helpers clean-up, removes all of it.")
    return "\n".join(lines)


def cost(notebook: dict[str, Any]) -> str:
    """Return what the lesson costs on AWS, in the words of its table. Raises ValueError without such a table."""
    for cell in notebook["cells"]:
        match = _TABLE.search("".join(cell["source"])) if cell["cell_type"] == "markdown" else None
        if match:
            words = _LINK.sub(r"\1", match["cells"].split(" | ")[-1]).strip()
            return words.partition("; on AWS")[2].strip(" ,").removeprefix("too, ") or words.lower()
    raise ValueError("the lesson has no table of needs, minutes and cost")


def _listed(notebook: dict[str, Any], name: str) -> list[str]:
    words: list[str] = notebook["metadata"].get("workbook", {}).get(name, [])
    return words
