"""Find where in the lessons something is made: by what the cells say, so that headings may be reworded and moved."""

import ast
import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path

from helpers.lessons.catch_up import BUILD, lesson_files
from helpers.paths import NOTEBOOKS

_NUMBERED = re.compile(r"(\d+)\. ")
EXERCISE = "exercise-"  # how the ids of exercises' cells begin
SETUP = "setup"


@dataclass(frozen=True)
class Cell:
    """A code cell of a released lesson: the lesson's name, the heading that it stands under, id and source."""

    lesson: str
    heading: str
    id: str
    source: str
    builds: bool

    @property
    def section(self) -> str:
        """Say where in its lesson the cell stands: section 4, or section “Break it”."""
        number = _NUMBERED.match(self.heading)
        return f"section {number[1]}" if number else f"section “{self.heading}”"

    def __str__(self) -> str:
        return f"lesson {int(self.lesson[:2])}, {self.section}"


@functools.cache
def cells(folder: Path = NOTEBOOKS) -> tuple[Cell, ...]:
    """Return the code cells of all lessons, in their order; those of exercises are left out."""
    return tuple(cell for path in lesson_files(folder) for cell in _cells_of(path))


def _cells_of(path: Path) -> list[Cell]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError, KeyError):
        return []
    found, heading = [], ""
    for each in notebook:
        source, cell_id = "".join(each["source"]), each.get("id", "")
        if each["cell_type"] == "markdown":
            headings = re.findall(r"^## (.+)$", source, re.MULTILINE)
            heading = headings[-1].strip() if headings else heading
        elif each["cell_type"] == "code" and not cell_id.startswith(EXERCISE):
            builds = BUILD in each["metadata"].get("tags", [])
            found.append(Cell(path.stem, heading, cell_id, source, builds))
    return found


def makes(pattern: str, before: str = "", folder: Path = NOTEBOOKS) -> Cell | None:
    """Return the cell that contains what the regular expression matches.

    A cell that builds comes before any other one, and the last of the lessons before `before` (a lesson's name) before
    the first of those after: it says how things are when that lesson begins.
    """
    matching = [cell for cell in cells(folder) if re.search(pattern, cell.source)]
    building = [cell for cell in matching if cell.builds] or matching
    earlier = [cell for cell in building if cell.lesson < before]
    if earlier:
        return earlier[-1]
    return building[0] if building else None


def defining(name: str, lesson: str, folder: Path = NOTEBOOKS) -> Cell | None:
    """Return the first cell of a lesson that gives a value to a name of Python's."""
    return next((cell for cell in cells(folder) if cell.lesson == lesson and name in _bound(cell.source)), None)


def comes_first(source: str, cell: Cell, folder: Path = NOTEBOOKS) -> bool:
    """Return whether the source stands before the cell in its lesson, or is that cell."""
    of_lesson = [each for each in cells(folder) if each.lesson == cell.lesson]
    places = [place for place, each in enumerate(of_lesson) if each.source.strip() == source.strip()]
    return bool(places) and places[0] <= of_lesson.index(cell)


def names(lesson: str, folder: Path = NOTEBOOKS) -> set[str]:
    """Return the names that the cells of a lesson give values to."""
    return {name for cell in cells(folder) if cell.lesson == lesson for name in _bound(cell.source)}


@functools.cache
def _bound(source: str) -> frozenset[str]:
    """Return the names that a cell's own statements bind; not those inside of its functions."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return frozenset()
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        waiting.extend(ast.iter_child_nodes(node))
    return frozenset(found)
