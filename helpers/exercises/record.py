"""Remember between kernels what has been checked: progress.json in the workbook's own folder, and files like it.

The folder is $WORKBOOK_HOME, by default `.workbook` beside the notebooks. Nothing is lost when two kernels
write at once, and a file that cannot be read counts as none: it is put aside, not overwritten.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from helpers import private_folders
from helpers.filelock import lock
from helpers.paths import PROJECT

EXERCISES = "progress.json"
_INSTEAD = "Set WORKBOOK_HOME to"


def folder() -> Path:
    """Return the folder where this workbook keeps what it remembers of its learner."""
    return Path(os.environ.get("WORKBOOK_HOME") or PROJECT / ".workbook")


def today() -> str:
    """Return the day (UTC) as it is remembered."""
    return time.strftime("%Y-%m-%d", time.gmtime())


def remember(exercise_id: str, solved: bool) -> None:
    """Count a try, and when it was the first that solved the exercise, its day (UTC).

    A disk that is full or read-only does not spoil the exercise: then it is not remembered.
    """
    with contextlib.suppress(OSError), changing(EXERCISES) as checked:
        entry = checked.setdefault(exercise_id, {"tries": 0})
        entry["tries"] += 1
        if solved:
            entry.setdefault("solved", today())


def remembered(name: str = EXERCISES) -> dict[str, dict[str, Any]]:
    """Return what a file of the folder holds.

    For EXERCISES: {exercise id: {"tries": how many checks, "solved": its day (UTC), if it was}}.
    """
    with contextlib.suppress(OSError):
        return _read(name)
    return {}


@contextlib.contextmanager
def changing(name: str) -> Iterator[dict[str, dict[str, Any]]]:
    """Yield what a file of the folder holds, and write it back as it is at the end.

    Raises OSError; and WorkbookError when another user may write there, who could let any file be overwritten.
    """
    place = folder().absolute()
    private_folders.make(place, _INSTEAD)
    private_folders.refuse_foreign(place, _INSTEAD)
    path = place / name
    with lock(path.with_suffix(".lock"), waiting=None):
        entries = _read(name)
        yield entries
        new = path.with_suffix(".new")
        new.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        new.replace(path)


@contextlib.contextmanager
def alone(what: str, waiting: str, say: Callable[[str], None]) -> Iterator[None]:
    """Let no other kernel of this learner do `what` (a word) while the context lasts; `say` so (`waiting`) if one does.

    Where nothing can be written, nobody waits.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError):
            folder().mkdir(parents=True, exist_ok=True)
            held.enter_context(lock(folder() / f"{what}.lock", waiting, say=say))
        yield


def forget() -> bool:
    """Remember no exercise any more; returns whether there was something. Raises OSError."""
    path = folder() / EXERCISES
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _read(name: str) -> dict[str, dict[str, Any]]:
    path = folder() / name
    try:
        entries: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(entry, dict) for entry in entries.values()) and (
            name != EXERCISES or all(isinstance(entry["tries"], int) for entry in entries.values())
        ):
            return entries
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    path.replace(path.with_name(f"{path.stem}-unreadable.json"))
    return {}
