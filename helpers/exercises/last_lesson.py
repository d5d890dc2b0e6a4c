"""Remember which lesson was begun last: there the learner goes on. It lies where the record of the exercises does."""

from __future__ import annotations

import contextlib

from helpers.exercises import record

_FILE = "last-lesson"


def remember(lesson: str) -> None:
    """Keep the name of the lesson that begins now. A disk that is full or read-only does not spoil the lesson."""
    with contextlib.suppress(OSError):
        record.folder().mkdir(parents=True, exist_ok=True)
        (record.folder() / _FILE).write_text(lesson + "\n", encoding="utf-8")


def remembered() -> str | None:
    """Return the name of the lesson that was begun last, or None."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (record.folder() / _FILE).read_text(encoding="utf-8").strip() or None
    return None


def forget() -> None:
    """Begin with the first lesson again. Raises OSError."""
    (record.folder() / _FILE).unlink(missing_ok=True)
