"""Remember which lessons were begun, and which of them last: there the learner goes on.

It lies where the record of the exercises does: the name of the last lesson in `last-lesson`; in `lessons.json`,
{lesson: {"built": the day (UTC) on which all that it builds was seen, "caught_up": the day on which a later lesson's
setup cell built it instead}}.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from helpers.exercises import record

_FILE, _LESSONS = "last-lesson", "lessons.json"
BUILT, CAUGHT_UP = "built", "caught_up"


def remember(lesson: str) -> None:
    """Keep the name of the lesson that begins now. A disk that is full or read-only does not spoil the lesson."""
    with contextlib.suppress(OSError):
        with record.changing(_LESSONS) as lessons:
            lessons.setdefault(lesson, {}).pop(CAUGHT_UP, None)
        (record.folder() / _FILE).write_text(lesson + "\n", encoding="utf-8")


def remembered() -> str | None:
    """Return the name of the lesson that was begun last, or None."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (record.folder() / _FILE).read_text(encoding="utf-8").strip() or None
    return None


def begun(lessons: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return those of the lessons that were begun, or had an exercise checked: {lesson: {BUILT or CAUGHT_UP: day}}."""
    known = record.remembered(_LESSONS)
    checked = {exercise[:2] for exercise in record.remembered()}
    last = remembered()
    return {
        lesson: {what: str(day) for what, day in known.get(lesson, {}).items()}
        for lesson in lessons
        if lesson in known or lesson == last or lesson[:2] in checked
    }


def mark(lessons: Iterable[str], what: str) -> None:
    """Keep the day (UTC) on which lessons were BUILT or CAUGHT_UP, if they were begun. The first day stays."""
    if names := begun(lessons):
        with contextlib.suppress(OSError), record.changing(_LESSONS) as known:
            for lesson in names:
                known.setdefault(lesson, {}).setdefault(what, record.today())


def forget() -> None:
    """Begin with the first lesson again. Raises OSError."""
    for name in (_FILE, _LESSONS):
        (record.folder() / name).unlink(missing_ok=True)
