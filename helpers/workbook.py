"""Begin a lesson: connect to AWS, build what earlier lessons build, show what is there."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from IPython.display import display

from helpers import waiting
from helpers.account import health, ownership
from helpers.account.state import AccountState
from helpers.account.troubles import sentence
from helpers.errors import WorkbookError
from helpers.exercises import built, last_lesson, record
from helpers.lessons import announcement, diagnosis, repairs
from helpers.lessons.catch_up import Lesson, lesson_files
from helpers.lessons.catch_up import catch_up as build_what_is_missing
from helpers.lessons.propagation import wait_for_rule
from helpers.paths import NOTEBOOKS, here, my_lessons
from helpers.pictures.diagram import Diagram
from helpers.target import aws_trouble
from helpers.target.connection import HELP, LOCAL, Target, connect


def begin(lesson: str, catch_up: bool = True) -> None:
    """Make this kernel ready for a lesson, named like its file without the ending.

    Afterwards plain `boto3.client(…)` speaks to the AWS that WORKBOOK_TARGET chooses (helpers.target.connection; the
    embedded one unless it says otherwise), the working directory is the folder of the lesson, `import handler` finds
    the file above it, and the account, which is shown, has all that earlier lessons build. With `catch_up=False` the
    account stays as it is and is not shown. May be called any number of times. Raises WorkbookError, with one line that
    says what to do.
    """
    _refuse_unknown(lesson)
    target = connect()
    os.environ["WORKBOOK_LESSON"] = lesson  # the checks of exercises speak to AWS only after this
    built.remember_before(lesson, NOTEBOOKS)
    last_lesson.remember(lesson)
    folder = folder_of(lesson)
    _enter(folder)
    _name_other_helpers(folder.parent / "helpers")
    waiting.what_is_wrong = diagnosis.what_is_wrong
    try:
        state = _begin_local(lesson, target, catch_up) if target.kind == LOCAL else _begin(lesson, target, catch_up)
    except (BotoCoreError, ClientError) as error:
        raise _as_workbook_error(target, error) from error
    waiting.is_hopeless = diagnosis.persists(state, lesson)
    if state:
        display(Diagram(state))
        _print_troubles(state, lesson)


def picture() -> Diagram:
    """Return a diagram of what the account has now, as the last expression of a cell. Raises botocore's errors."""
    return Diagram(health.read())


def repair() -> None:
    """Put right what is wrong with the account, with the lessons' own cells, and say each step.

    The setup cell says beforehand what that would be. Nothing is changed where nothing is wrong, or where only the
    learner can put it right. Raises WorkbookError then, and before a lesson has begun.
    """
    lesson = os.environ.get("WORKBOOK_LESSON")
    if not lesson:
        raise WorkbookError(
            "No lesson has begun here. Run the setup cell at the top of the lesson, then this again.",
            more="no-lesson-has-begun",
        )
    state = repairs.repair(lesson, NOTEBOOKS, lambda line: print(line, flush=True))
    left = diagnosis.worth_saying(state, lesson)
    print("\n".join(f"✗ {sentence(finding)}" for finding in left) or "Now all is as the lessons need it.")


def _print_troubles(state: AccountState, lesson: str) -> None:
    """Say what is wrong, where a lesson puts it right, and what `repair` would do."""
    findings = diagnosis.worth_saying(state, lesson)
    if not findings:
        return
    print(*(f"✗ {diagnosis.line(finding, lesson)}" for finding in findings), sep="\n")
    steps, broken = repairs.plan(findings, lesson), repairs.refusal(findings, lesson)
    if broken:
        print(f"  {broken}")
    elif steps:
        print(f"  Or let workbook.repair() do it: {', then '.join(steps)}.")


def folder_of(lesson: str) -> Path:
    """Return the folder from which a lesson is worked on: it has the lesson, and handler.py lies above it.

    A kernel starts in the folder of its notebook. Where it did not, the learner's own copy comes first.
    """
    for folder in (here(), my_lessons() / "notebooks"):
        if (folder / f"{lesson}.ipynb").is_file() and (folder.parent / "handler.py").is_file():
            return folder
    return NOTEBOOKS


def _enter(folder: Path) -> None:
    """Let "../handler.py" and `import handler` mean the same file, and what cells write lie beside their lesson."""
    os.chdir(folder)
    above = str(folder.parent)
    if sys.path[:1] != [above]:
        sys.path.insert(0, above)


def _name_other_helpers(beside: Path) -> None:
    """Say when the lesson lies beside helpers that are not those in use: the account is the others' then."""
    used = Path(__file__).resolve().parent
    if (beside / "workbook.py").is_file() and not beside.samefile(used):
        print(
            f"This kernel uses the helpers in {used.parent}, not those beside this lesson, and so the account there. "
            f"To use these, set PYTHONPATH to {beside.parent} before Jupyter starts."
        )


def _refuse_unknown(lesson: str) -> None:
    lessons = [path.stem for path in lesson_files(NOTEBOOKS)]
    if lesson not in lessons:
        raise WorkbookError(f"There is no lesson {lesson!r}. The lessons are: {', '.join(lessons)}.")


def _begin_local(lesson: str, target: Target, catch_up: bool) -> AccountState | None:
    headline = str(target)
    state = None
    if catch_up:
        with _naming_own_handler(), _alone(lambda line: _in_place(line, len(headline))):
            state = build_what_is_missing(lesson, NOTEBOOKS, lambda earlier: _announce(earlier, len(headline)))
    print(headline)
    return state


def _begin(lesson: str, target: Target, catch_up: bool) -> AccountState | None:
    """Announce everything before anything is made, and show every wait: this is not the embedded AWS."""
    print(target, announcement.of(lesson, target, NOTEBOOKS), sep="\n", flush=True)
    ownership.refuse_foreign_resources(target)
    if not catch_up:
        return None
    with _naming_own_handler(), _alone(lambda line: print(line, flush=True)):
        return build_what_is_missing(
            lesson,
            NOTEBOOKS,
            _announce_on_a_line,
            waits_on=sys.stdout,
            settle=_settle,
        )


def _alone(say: Callable[[str], None]) -> AbstractContextManager[None]:
    """Two lessons that are opened at once would deploy over one another, and each find the other's half."""
    return record.alone("catching-up", "Another lesson is building; this one waits for it …", say)


@contextmanager
def _naming_own_handler() -> Iterator[None]:
    """Say of what fails in catching up that it deployed a handler.py that is the learner's own, if it did."""
    try:
        yield
    except WorkbookError as error:
        own, released = Path("../handler.py"), NOTEBOOKS.parent / "handler.py"
        if not own.is_file() or not released.is_file() or _lines(own) == _lines(released):
            raise
        raise WorkbookError(f"Your handler.py was deployed, and it has changes: look there first. {error}") from error


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()  # whatever ends them, and whether or not it is UTF-8


def _settle(built: Lesson) -> None:
    """Wait until the rule delivers: the next lesson's first event should not be lost because the rule is too young."""
    if {"rule", "target", "permission", "pattern"} & set(built.provides):
        wait_for_rule()


def _as_workbook_error(target: Target, error: Exception) -> WorkbookError:
    if target.kind != LOCAL:
        line = aws_trouble.in_one_line(error) or f"AWS does not answer as it should: {error}"
        return WorkbookError(line, more=HELP)
    return WorkbookError(
        f"The embedded AWS does not answer as it should: {error} "
        "Start it afresh with: python -m helpers.local_aws stop, then run this cell again. "
        "If that does not help, begin with a new account: python -m helpers.local_aws stop --forget",
        more="the-account-does-not-answer",
    )


def _announce(lesson: str, width: int) -> None:
    """Say which lesson's cells are running, in place: the headline that follows covers it."""
    last_lesson.mark([lesson], last_lesson.CAUGHT_UP)
    _in_place(f"Catching up: {lesson} …", width)


def _in_place(line: str, width: int) -> None:
    print(line[:width].ljust(width), end="\r", flush=True)


def _announce_on_a_line(lesson: str) -> None:
    last_lesson.mark([lesson], last_lesson.CAUGHT_UP)
    print(f"Catching up: {lesson} …", flush=True)
