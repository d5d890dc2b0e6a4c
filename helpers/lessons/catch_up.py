"""Build what earlier lessons build, by executing their own cells.

A lesson that creates something says in its notebook's metadata what it provides, in the words of
`account_state`:
    "workbook": {"provides": ["rule", "target", "permission"]}
Where any of that is missing from the account, the lesson's cells with the tag `build` are executed in order,
in a fresh namespace. Notebooks are read as plain JSON: importing nbformat takes longer than most catch-ups.
"""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import boto3
from IPython.utils.capture import capture_output

from helpers import waiting
from helpers.account import health
from helpers.account import state as account_state
from helpers.account.answers import Answers
from helpers.account.state import AccountState, Clients
from helpers.account.troubles import KINDS
from helpers.errors import WorkbookError
from helpers.target import aws_trouble

BUILD = "build"  # the tag
OTHERS_NEED = 10.0  # seconds in which another kernel, which builds the same lesson, gets to its end
_LESSON_FILE = re.compile(r"\d\d_[a-z0-9_]+\.ipynb")  # not "…-Copy1.ipynb", which JupyterLab makes


@dataclass(frozen=True)
class Lesson:
    """A notebook as far as catching up needs it; `build_cells` are pairs of cell id and source."""

    name: str
    provides: tuple[str, ...]
    build_cells: tuple[tuple[str, str], ...]


def lesson_files(folder: Path) -> list[Path]:
    """Return the lessons' notebooks in their order."""
    return sorted(path for path in folder.glob("*.ipynb") if _LESSON_FILE.fullmatch(path.name))


def read_lesson(path: Path) -> Lesson:
    """Read one notebook. Raises WorkbookError when the file is none."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        provides = notebook["metadata"].get("workbook", {}).get("provides", [])
        return Lesson(path.stem, tuple(provides), tuple(_build_cells(notebook["cells"])))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkbookError(
            f"{path.name} cannot be read as a notebook ({error!r}). "
            f"Bring it back with: git checkout -- notebooks/{path.name}",
            more="a-lesson-cannot-be-read",
        ) from error


def catch_up(
    lesson: str,
    folder: Path,
    announce: Callable[[str], None],
    waits_on: TextIO | None = None,
    settle: Callable[[Lesson], None] = lambda built: None,
) -> AccountState:
    """Build what the lessons before `lesson` provide and the account lacks; returns what the account has then.

    `announce` is called with the name of each lesson whose cells are about to run; what the cells print is not
    shown, but for their waits, on the stream `waits_on`. `settle` is called when a lesson is built, to wait for what
    AWS does afterwards. Where something is there and does not work, nothing is built on it, nor in its place: the
    state says what it is. Raises WorkbookError when a cell fails or what the lesson provides is still missing then.
    """
    clients = account_state.kept_clients()
    look = Answers(clients)
    state = account_state.read(look)
    built = False
    made: set[str] = set()  # by this lesson and those before it
    for earlier in map(read_lesson, _before(lesson, folder)):
        made.update(earlier.provides)
        if account_state.missing(earlier.provides, state):
            if _in_the_way(health.examined(state, look), made):
                break
            announce(earlier.name)
            undoes = not made.issuperset(state.parts)  # what later lessons made of it is there, and is now overwritten
            build(earlier, waits_on)
            look = Answers(clients)
            state = account_state.read(look) if undoes else account_state.read_again(state, earlier.provides, look)
            state = _with_all_of(earlier, state, clients)
            settle(earlier)
            built = True
    if built:
        look = Answers(clients)
        state = account_state.read(look)
    return health.examined(state, look)


def _before(lesson: str, folder: Path) -> Iterator[Path]:
    return (path for path in lesson_files(folder) if path.stem < lesson)


def _in_the_way(state: AccountState, made: set[str]) -> bool:
    """Return whether something of the learner's that does not work is among the parts that were `made`.

    To build a lesson would put it right unasked, or it would wait in vain for what cannot come.
    """
    kinds = [KINDS[finding.kind] for finding in state.findings]
    return any(kind.keeps and not kind.suspected and kind.part in made for kind in kinds)


def _build_cells(cells: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "code" and BUILD in cell["metadata"].get("tags", []):
            yield cell.get("id", str(number)), "".join(cell["source"])


def build(lesson: Lesson, waits_on: TextIO | None = None) -> None:
    """Execute the lesson's build cells, whatever the account has. Raises WorkbookError when one fails."""
    namespace = {"__name__": f"catching_up_{lesson.name}", "boto3": boto3}
    for cell_id, source in lesson.build_cells:
        try:
            with waiting.show_waits_on(waits_on), capture_output():
                exec(compile(source, f"<{lesson.name}, cell {cell_id}>", "exec"), namespace)
        except Exception as error:
            raise WorkbookError(
                f"Catching up failed in {lesson.name}, cell {cell_id}: {_in_one_line(error)}. "
                f"Open {lesson.name}.ipynb and run it from the top to see where.",
                more="catching-up-failed",
            ) from error


def _with_all_of(lesson: Lesson, state: AccountState, clients: Clients) -> AccountState:
    """Return the state, read again until it has all that the lesson provides. Raises WorkbookError if it never has.

    Another kernel may be building the same lesson, some cells behind: what it overwrites, it also brings.
    """
    given_up = time.monotonic() + OTHERS_NEED
    while still := account_state.missing(lesson.provides, state):
        if time.monotonic() > given_up:
            raise WorkbookError(
                f"Catching up ran {lesson.name}, but this is still missing: {', '.join(still)}. "
                f"Open {lesson.name}.ipynb and run it from the top to see why.",
                more="catching-up-failed",
            )
        time.sleep(waiting.LONGEST_PAUSE)
        state = account_state.read(Answers(clients))
    return state


def _in_one_line(error: Exception) -> str:
    advice = aws_trouble.in_one_line(error)
    return advice or " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".")
