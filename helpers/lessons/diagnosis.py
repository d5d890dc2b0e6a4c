"""Say in one line each what is wrong with the account, and which lesson and section puts it right."""

import os
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import function_code, health
from helpers.account.state import AccountState, Finding
from helpers.account.troubles import ABSENT, KINDS, sentence
from helpers.errors import WorkbookError
from helpers.lessons import sections
from helpers.lessons.catch_up import lesson_files, read_lesson
from helpers.paths import NOTEBOOKS, PROJECT

_MOST = 3  # troubles that one message names
#: A part without these is not missed before they are there.
_NEEDS = {"policies": {"role"}, "target": {"rule", "function"}, "permission": {"rule", "function"}}


def lesson() -> str:
    """Return the lesson that has begun in this kernel, or else the notebook's that JupyterLab started it for, or ""."""
    begun = os.environ.get("WORKBOOK_LESSON", "")
    opened = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
    return begun or (opened if opened in {path.stem for path in lesson_files(NOTEBOOKS)} else "")


def may_be_lesson() -> bool:
    """Return whether this kernel may be that of a lesson or a copy of one, and not of a notebook of one's own."""
    opened = Path(os.environ.get("JPY_SESSION_NAME", "")).stem
    return bool(lesson()) or not opened or any(opened.startswith(path.stem) for path in lesson_files(NOTEBOOKS))


def line(finding: Finding, before: str) -> str:
    """Return what is wrong and what puts it right, for somebody in the lesson `before`."""
    kind = KINDS[finding.kind]
    cell = sections.makes(kind.made_by, before)
    remedy = kind.remedy.format(where=cell or "an earlier lesson")
    return f"{sentence(finding)} {remedy[0].upper()}{remedy[1:]}"


def worth_saying(state: AccountState, current: str) -> list[Finding]:
    """Return what is to be said when a lesson begins: what is wrong, a function that was cut off the last time, and, in
    lessons after the one that deploys it, one with other code.
    """
    deploys = sections.makes(KINDS["other code"].made_by)
    said = {"cut off", "other code"} if deploys and current > deploys.lesson else {"cut off"}
    return [each for each in state.findings if not KINDS[each.kind].suspected or each.kind in said]


def persists(state: AccountState | None, current: str) -> Callable[[], bool]:
    """Return a function that says whether any trouble that a lesson begins with is still in the account."""
    said = {each.kind for each in worth_saying(state, current) if not KINDS[each.kind].suspected} if state else set()

    def still_there() -> bool:
        try:
            return bool(said) and not said.isdisjoint(each.kind for each in health.read().findings)
        except (BotoCoreError, ClientError, WorkbookError, OSError):
            return False

    return still_there


def what_is_wrong() -> str:
    """Return why something that a lesson waits for may not come, in a sentence or some; "" when nothing is known.

    For the end of an error's message, so it raises nothing of AWS's.
    """
    try:
        state = health.read(thorough=True)
        findings = [*_absent(state, lesson()), *state.findings]
    except (BotoCoreError, ClientError, WorkbookError, OSError):
        return ""
    if not findings:
        return ""
    return f"What is wrong: {' '.join(line(finding, lesson()) for finding in findings[:_MOST])}"


def broken_handler() -> str:
    """Return one line about the learner's handler.py when Python cannot read it, which no deployment mends; or ""."""
    file = function_code.handler_file()
    try:
        error = function_code.syntax_error(file.read_bytes())
    except OSError as problem:
        return f"{file} cannot be read: {problem.strerror}. {_original(file)}"
    if not error:
        return ""
    return f"Your handler.py itself has the error, in line {error['line']}: {error['problem']}. {_original(file)}"


def _original(file: Path) -> str:
    own = PROJECT / function_code.HANDLER
    back = "git checkout -- handler.py" if file == own else f"copy {own} over it"
    return f"Correct it, or get the original back ({back}). Then deploy it."


def _absent(state: AccountState, current: str) -> list[Finding]:
    """Return the parts that are not there, of those that this lesson and the earlier ones make."""
    lessons = [read_lesson(path) for path in lesson_files(NOTEBOOKS) if not current or path.stem <= current]
    made = {part for each in lessons for part in each.provides}
    missed = [part for part in ABSENT if part in made and not state.has(part) and part not in state.troubles]
    return [Finding(ABSENT[part]) for part in missed if state.has(*_NEEDS.get(part, ()))]
