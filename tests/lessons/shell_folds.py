"""The folds "The same in the shell" of a lesson: reading them, and the rules that they keep."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.lessons.lesson_reader import Lesson

TITLE = "The same in the shell"
FOLD = re.compile(
    rf"<details><summary>{TITLE}</summary>\n\n(?:(?!```|<details>).+?\n\n)??"
    r"```bash\n(?P<commands>[^`]+)\n```\n\n(?:(?!<details>|```).+?\n\n)?</details>",
    re.DOTALL,
)
WITHOUT_FOLDS = {"00"}  # where nothing is made
MOST_IN_A_PART = 2
#: Calls of boto3 that make or change something, and so have a twin in the shell.
CALL = re.compile(
    r"\.((?:create|attach|detach)_\w+|add_permission|set_queue_attributes|start_replay"
    r"|put_(?:events|item|rule|targets|role_policy|function_event_invoke_config|metric_alarm))\("
)


def commands(lesson: Lesson) -> list[str]:
    """The commands of each fold, in their order."""
    return [found["commands"] for cell in _folds(lesson.cells) if (found := FOLD.fullmatch(cell.source))]


def shell_folds(lesson: Lesson) -> Iterator[str]:
    """Their form, as GitHub and JupyterLab need it, and that no step that makes something is without its commands."""
    for cell in _folds(lesson.cells):
        if not FOLD.fullmatch(cell.source):
            yield f'cell {cell.id} must be one <details> "{TITLE}" with one ```bash block, and blank lines around both'
        above = lesson.cells[lesson.cells.index(cell) - 1]
        if above.cell_type != "code" and not above.source.startswith("> **Explain.**"):
            yield f"cell {cell.id} must stand below the cell of which it says the same, or below what explains it"
    if lesson.number not in WITHOUT_FOLDS and not _folds(lesson.cells):
        yield f'nothing is told under "{TITLE}"'
    for heading, cells in lesson.parts:
        if len(_folds(cells)) > MOST_IN_A_PART:
            yield f'"{heading}" has {len(_folds(cells))} folds "{TITLE}", more than {MOST_IN_A_PART}'
        yield from _without_commands(cells)


def _without_commands(cells: list) -> Iterator[str]:
    """What the build cells of a part call, and no fold below them does."""
    for place, cell in enumerate(cells):
        if cell.cell_type == "code" and "build" in cell.metadata.get("tags", []):
            below = "\n".join(fold.source for fold in _folds(cells[place:]))
            for call in sorted(set(CALL.findall(_without_texts(cell.source)))):
                if f" {call.replace('_', '-')} " not in below:
                    yield f'cell {cell.id} calls {call}, and no "{TITLE}" below it in its section does'


def _without_texts(source: str) -> str:
    """Return the code without its triple-quoted texts: a function's code in a cell calls nothing there."""
    return re.sub(r'("""|\'\'\').*?\1', '""', source, flags=re.DOTALL)


def _folds(cells: list) -> list:
    return [cell for cell in cells if cell.cell_type == "markdown" and TITLE in cell.source]
