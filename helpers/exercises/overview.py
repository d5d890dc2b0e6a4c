"""Show how far a learner has come: what each lesson has left in the account, which exercises are solved.

The account is asked with boto3; the exercises are those of the notebooks, and record.py knows which were
solved. `python3 -m helpers progress` prints the same in a terminal.
"""

import json
import re
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import state as account_state
from helpers.account.state import AccountState
from helpers.errors import WorkbookError
from helpers.exercises import record
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS
from helpers.pictures import palette

CELL = "exercise-"  # how the id of an exercise's cell begins
PART_1 = range(1, 7)  # the lessons that build the service
DONE, STARTED, NEXT, LATER = "Done", "Started", "Next", "Not started"
_LOOK = {
    DONE: ("✓", palette.DONE[0]),
    STARTED: ("◐", palette.LAMBDA),
    NEXT: ("→", palette.DYNAMODB),
    LATER: ("", ""),
}
LEGEND = "Built: what the lesson makes is in your account now. Exercises are extra: no later lesson needs them."
CERTIFICATE = "A page to print, with what you have built and solved"
#: How the page to print is made: in a cell, and in a terminal.
IN_A_CELL = 'from helpers.exercises import certificate; certificate("Your name")'
IN_A_TERMINAL = 'python3 -m helpers progress --certificate "Your name"'
_TASK = re.compile(r"^### (\d\d-\d) [\w ]+: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Exercise:
    """An exercise: its id and title, how often it was checked, and the day (UTC) when it was solved, or empty."""

    id: str
    title: str
    tries: int = 0
    solved: str = ""


@dataclass(frozen=True)
class Row:
    """A lesson: its file and title, the parts that it builds and those that the account lacks, and its exercises."""

    file: str
    title: str
    parts: tuple[str, ...]
    absent: tuple[str, ...]
    exercises: tuple[Exercise, ...]

    @property
    def number(self) -> int:
        return int(self.file[:2])

    @property
    def solved(self) -> int:
        return sum(bool(exercise.solved) for exercise in self.exercises)

    @property
    def built(self) -> bool:
        """Return whether the account has all that the lesson builds; True when it builds nothing that stays."""
        return not self.absent

    @property
    def begun(self) -> bool:
        """Return whether anything of the lesson can be seen, in the account or in the record."""
        return self.solved > 0 or len(self.absent) < len(self.parts)

    @property
    def done(self) -> bool:
        return self.begun and self.built and self.solved == len(self.exercises)

    def sentence(self) -> str:
        """Return what there is of the lesson, as a sentence."""
        said = []
        if self.parts:
            partly = len(self.absent) < len(self.parts)
            said.append("Built" if self.built else "Built in part" if partly else "Not built yet")
        total = len(self.exercises)
        if total and self.begun:
            count = f"all {total}" if self.solved == total else f"{self.solved or 'none'} of {total}"
            said.append(f"{count} exercises solved")
        else:
            said.append(f"{total or 'no'} exercise{'' if total == 1 else 's'}")
        text = ", ".join(said)
        return f"{text[0].upper()}{text[1:]}."


class Overview:
    """The table that a notebook or a terminal shows."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def next(self) -> Row | None:
        """Return the lesson to open next: the first one behind all that have been begun; None when there is none."""
        begun = [place for place, row in enumerate(self.rows) if row.begun]
        return next(iter(self.rows[begun[-1] + 1 if begun else 0 :]), None)

    @property
    def certifiable(self) -> bool:
        """Return whether the service of part 1 stands and an exercise is solved: there is something to certify."""
        part_1 = [row for row in self.rows if row.number in PART_1]
        return any(row.parts for row in part_1) and all(row.built for row in part_1) and self._solved > 0

    def status(self, row: Row) -> str:
        """Return DONE, STARTED, NEXT or LATER."""
        if row.done:
            return DONE
        return STARTED if row.begun else NEXT if row == self.next else LATER

    def __repr__(self) -> str:
        width = max(len(row.title) for row in self.rows)
        lines = []
        for row in self.rows:
            status = self.status(row)
            lines.append(f"{_LOOK[status][0]:1} {row.title:{width}}  {status:11}  {row.sentence()}")
        certificate = [f"{CERTIFICATE}: {IN_A_TERMINAL}"]
        return "\n".join([*lines, "", *self._legend(), self._total(), *(certificate if self.certifiable else [])])

    def _repr_html_(self) -> str:
        """Return the same with links; text and ground are the page's own, so that it fits dark and light."""
        rows = "".join(self._html_row(row) for row in self.rows)
        head = "".join(f'<th style="text-align: left">{name}</th>' for name in ("Lesson", "Status", "What there is"))
        below = "<br>".join([*self._legend(), f"<b>{escape(self._total())}</b>"])
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table><p>{below}</p>"
        certificate = f"<p>{CERTIFICATE}: <code>{escape(IN_A_CELL)}</code></p>"
        return table + certificate if self.certifiable else table

    def _html_row(self, row: Row) -> str:
        status = self.status(row)
        sign, colour = _LOOK[status]
        edge = f"border-left: 5px solid {colour or 'transparent'}"
        word = f"<b>{sign} {status}</b>" if sign else status
        link = f'<a href="{escape(row.file)}">{escape(row.title)}</a>'
        left = "text-align: left"
        return (
            f'<tr><td style="{left}; {edge}">{link}</td><td style="{left}; white-space: nowrap">{word}</td>'
            f'<td style="{left}">{row.sentence()}</td></tr>'
        )

    def _legend(self) -> list[str]:
        return [LEGEND] if any(row.parts for row in self.rows) else []

    @property
    def _solved(self) -> int:
        return sum(row.solved for row in self.rows)

    def _total(self) -> str:
        coming = f" Next: {self.next.title}." if self.next else ""
        return f"Exercises solved: {self._solved} of {sum(len(row.exercises) for row in self.rows)}.{coming}"


def progress() -> Overview:
    """Return an overview of the lessons, what the account has of them, and the exercises.

    The account is the one that boto3 is connected to. Raises WorkbookError when it does not answer.
    """
    try:
        return Overview(rows(account_state.read()))
    except (BotoCoreError, ClientError) as error:
        raise WorkbookError(
            f"Your account does not answer: {error} Run the setup cell of the lesson again.",
            more="the-account-does-not-answer",
        ) from error


def without_account() -> Overview:
    """Return the same when the account cannot be seen: it says nothing of what is built. Raises WorkbookError."""
    unseen = rows(AccountState(frozenset()))
    return Overview([replace(row, parts=(), absent=()) for row in unseen])


def rows(state: AccountState) -> list[Row]:
    """Return the lessons in their order. Raises WorkbookError for a broken one, and botocore's errors."""
    checked = record.remembered()
    return [_row(path, state, checked) for path in lesson_files(NOTEBOOKS)]


def _row(path: Path, state: AccountState, checked: dict[str, dict[str, object]]) -> Row:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        provides = tuple(notebook["metadata"].get("workbook", {}).get("provides", []))
        ids = [cell.get("id", "") for cell in notebook["cells"]]
        texts = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "markdown"]
        title = texts[0].splitlines()[0].lstrip("# ")
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise WorkbookError(
            f"{path.name} cannot be read as a notebook. Bring it back with: python3 -m helpers start-over",
            more="a-lesson-cannot-be-read",
        ) from error
    titles = dict(_TASK.findall("\n".join(texts)))
    exercises = [cell_id.removeprefix(CELL) for cell_id in ids if cell_id.startswith(CELL)]
    known = tuple(_exercise(each, titles.get(each, ""), checked.get(each, {})) for each in exercises)
    return Row(path.name, title, provides, tuple(account_state.missing(provides, state)), known)


def _exercise(exercise_id: str, title: str, entry: dict[str, object]) -> Exercise:
    tries = entry.get("tries", 0)
    return Exercise(exercise_id, title, tries if isinstance(tries, int) else 0, str(entry.get("solved") or ""))
