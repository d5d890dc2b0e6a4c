"""Show how far a learner has come: what each lesson has left in the account, which exercises are solved.

The account is asked with boto3; the exercises are those of the notebooks, and record.py knows which were
solved. `python3 -m helpers progress` prints the same in a terminal.
"""

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import state as account_state
from helpers.errors import WorkbookError
from helpers.exercises import record
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS

CELL = "exercise-"  # how the id of an exercise's cell begins
NOTHING, BUILT, PARTLY, ABSENT = "–", "built", "in part", "not yet"


@dataclass(frozen=True)
class Row:
    """A lesson: its title, what the account has of it, and its exercises, each with whether it is solved."""

    title: str
    built: str
    exercises: tuple[tuple[str, bool], ...]

    @property
    def signs(self) -> str:
        return " ".join("●" if solved else "○" for _, solved in self.exercises)


class Overview:
    """The table that a notebook or a terminal shows."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __repr__(self) -> str:
        width = max(len(row.title) for row in self.rows)
        lines = [f"{'Lesson':{width}}  {'In the account':14}  Exercises"]
        lines += [f"{row.title:{width}}  {row.built:14}  {row.signs}".rstrip() for row in self.rows]
        return "\n".join([*lines, "", self._total()])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(row.title)}</td><td>{row.built}</td><td>{row.signs}</td></tr>" for row in self.rows
        )
        head = "<tr><th>Lesson</th><th>In the account</th><th>Exercises</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{rows}</tbody></table><p>{self._total()}</p>"

    def _total(self) -> str:
        exercises = [solved for row in self.rows for _, solved in row.exercises]
        return f"Exercises solved: {sum(exercises)} of {len(exercises)}."


def progress() -> Overview:
    """Return an overview of the lessons, what the account has of them, and the exercises.

    The account is the one that boto3 is connected to. Raises WorkbookError when it does not answer.
    """
    try:
        state = account_state.read()
        return Overview([_row(path, state) for path in lesson_files(NOTEBOOKS)])
    except (BotoCoreError, ClientError) as error:
        raise WorkbookError(
            f"Your account does not answer: {error} Run the setup cell of the lesson again.",
            more="the-account-does-not-answer",
        ) from error


def without_account() -> Overview:
    """Return the same when no account is there: nothing is built. Raises WorkbookError for a broken lesson."""
    return Overview([_row(path, account_state.AccountState(frozenset())) for path in lesson_files(NOTEBOOKS)])


def _row(path: Path, state: account_state.AccountState) -> Row:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        provides = notebook["metadata"].get("workbook", {}).get("provides", [])
        ids = [cell.get("id", "") for cell in notebook["cells"]]
        title = "".join(notebook["cells"][0]["source"]).splitlines()[0].lstrip("# ")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise WorkbookError(
            f"{path.name} cannot be read as a notebook. Bring it back with: git checkout -- notebooks/{path.name}",
            more="a-lesson-cannot-be-read",
        ) from error
    checked = record.remembered()
    exercises = [cell_id.removeprefix(CELL) for cell_id in ids if cell_id.startswith(CELL)]
    return Row(title, _built(provides, state), tuple((each, "solved" in checked.get(each, {})) for each in exercises))


def _built(provides: list[str], state: account_state.AccountState) -> str:
    if not provides:
        return NOTHING
    absent = account_state.missing(provides, state)
    if not absent:
        return BUILT
    return ABSENT if len(absent) == len(provides) else PARTLY
