"""Show how far a learner has come: which lessons were begun, what they have built, which exercises are solved.

The account is asked with boto3; last_lesson.py knows which lessons were begun and what was built before, record.py
which of the notebooks' exercises were solved. `python3 -m helpers progress` prints the same in a terminal.
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
from helpers.exercises import built, last_lesson, record
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS
from helpers.pictures import palette

CELL = "exercise-"  # how the id of an exercise's cell begins
PART_1 = range(1, 7)  # the lessons that build the service
DONE, STARTED, NEXT, FOR_YOU, LATER = "Done", "Started", "Next", "Built for you", "Not started"
_LOOK = {
    DONE: ("✓", palette.DONE[0]),
    STARTED: ("◐", palette.LAMBDA),
    NEXT: ("→", palette.DYNAMODB),
    FOR_YOU: ("", ""),
    LATER: ("", ""),
}
LEGEND = (
    "Built: what the lesson makes is in your account. Built for you: a later lesson's setup cell made it. "
    "Exercises are extra: no later lesson needs them."
)
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
    """A lesson: its file and title, the parts that it builds and those that the account lacks, and its exercises.

    `begun`: by the learner; `built_on`: the day (UTC) on which what it builds was first seen whole, and for the last
    lesson the account empty, or ""; `caught_up`: a later lesson's setup cell built it; `seen`: the account was.
    """

    file: str
    title: str
    parts: tuple[str, ...]
    absent: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    begun: bool = False
    built_on: str = ""
    caught_up: bool = False
    seen: bool = True

    @property
    def number(self) -> int:
        return int(self.file[:2])

    @property
    def solved(self) -> int:
        return sum(bool(exercise.solved) for exercise in self.exercises)

    @property
    def there(self) -> bool:
        """Return whether the account has all that the lesson builds; False when it builds nothing that stays."""
        return bool(self.parts) and not self.absent

    @property
    def built(self) -> bool:
        """Return whether the learner has built all that the lesson builds, now or before."""
        return self.begun and bool(self.built_on or (self.there and not self.caught_up))

    def sentence(self) -> str:
        """Return what there is of the lesson, as a sentence."""
        total = len(self.exercises)
        if total and self.begun:
            count = f"all {total}" if self.solved == total else f"{self.solved or 'none'} of {total}"
            exercises = f"{count} exercises solved"
        else:
            exercises = f"{total or 'no'} exercise{'' if total == 1 else 's'}"
        text = ", ".join(filter(None, [self._built(), exercises]))
        return f"{text[0].upper()}{text[1:]}."

    def _built(self) -> str:
        partly = len(self.absent) < len(self.parts)
        if self.there:
            return "Built" if self.built else "Built by a setup cell"
        if self.built_on:
            gone = f", {'in part ' if partly else ''}deleted since" if self.seen and self.parts else ""
            return f"{'Built' if self.parts else 'Cleaned up'} on {self.built_on}{gone}"
        return ("Built in part" if partly else "Not built yet") if self.parts and self.seen else ""


class Overview:
    """The table that a notebook or a terminal shows."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    @property
    def next(self) -> Row | None:
        """Return the lesson to open next: the first that was not begun; None when there is none."""
        return next((row for row in self.rows if not row.begun), None)

    @property
    def certifiable(self) -> bool:
        """Return whether the service of part 1 was built and an exercise is solved: there is something to certify."""
        part_1 = [row for row in self.rows if row.number in PART_1 and row.parts]
        return bool(part_1) and all(row.there or row.built for row in part_1) and self._solved > 0

    def status(self, row: Row) -> str:
        """Return DONE, STARTED, NEXT, FOR_YOU or LATER."""
        if row.begun:
            return DONE if row.built or self._worked_through(row) else STARTED
        return NEXT if row == self.next else FOR_YOU if row.there else LATER

    def _worked_through(self, row: Row) -> bool:
        """Return whether a lesson that leaves nothing in the account is done: an exercise is, or a later lesson begun.

        What comes after all of them, cleaning up, does leave something to be seen: nothing.
        """
        later = self.rows[self.rows.index(row) + 1 :]
        return not row.parts and (row.solved > 0 or any(each.begun for each in later))

    def __repr__(self) -> str:
        width = max(len(row.title) for row in self.rows)
        lines = []
        for row in self.rows:
            status = self.status(row)
            lines.append(f"{_LOOK[status][0]:1} {row.title:{width}}  {status:13}  {row.sentence()}")
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
        return [LEGEND] if any(row.parts and row.seen for row in self.rows) else []

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
        return Overview(look())
    except (BotoCoreError, ClientError) as error:
        raise WorkbookError(
            f"Your account does not answer: {error} Run the setup cell of the lesson again.",
            more="the-account-does-not-answer",
        ) from error


def without_account() -> Overview:
    """Return the same when the account cannot be seen: of what is built, what was seen before. Raises WorkbookError."""
    return Overview(unseen())


def look() -> list[Row]:
    """Return the lessons with what the account has of them, and remember it.

    The account is the one that boto3 is connected to. Raises botocore's errors, and WorkbookError for a broken lesson.
    """
    state = account_state.read()
    built.remember(state, NOTEBOOKS)
    return rows(state)


def unseen() -> list[Row]:
    """Return the lessons when the account cannot be seen. Raises WorkbookError for a broken one."""
    return [replace(row, seen=False) for row in rows(AccountState(frozenset()))]


def rows(state: AccountState) -> list[Row]:
    """Return the lessons in their order. Raises WorkbookError for a broken one, and botocore's errors."""
    checked = record.remembered()
    files = lesson_files(NOTEBOOKS)
    begun = last_lesson.begun(path.stem for path in files)
    return [_begun(_row(path, state, checked), begun.get(path.stem)) for path in files]


def _begun(row: Row, known: dict[str, str] | None) -> Row:
    if known is None:
        return row
    built_on, caught_up = known.get(last_lesson.BUILT, ""), last_lesson.CAUGHT_UP in known
    return replace(row, begun=True, built_on=built_on, caught_up=caught_up)


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
