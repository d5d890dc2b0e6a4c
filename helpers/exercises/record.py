"""Remember between kernels what has been checked: progress.json in the workbook's own folder.

The folder is $WORKBOOK_HOME, by default `.workbook` beside the notebooks. Nothing is lost when two kernels
write at once, and a file that cannot be read counts as none: it is put aside, not overwritten.
"""

import contextlib
import json
import os
import time
from pathlib import Path
from typing import Any

from helpers.filelock import lock
from helpers.paths import PROJECT


def folder() -> Path:
    """Return the folder where this workbook keeps what it remembers of its learner."""
    return Path(os.environ.get("WORKBOOK_HOME") or PROJECT / ".workbook")


def remember(exercise_id: str, solved: bool) -> None:
    """Count a try, and when it was the first that solved the exercise, its day (UTC).

    A disk that is full or read-only does not spoil the exercise: then it is not remembered.
    """
    with contextlib.suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        with lock(folder() / "progress.lock", waiting=None):
            checked = _read()
            entry = checked.setdefault(exercise_id, {"tries": 0})
            entry["tries"] += 1
            if solved:
                entry.setdefault("solved", time.strftime("%Y-%m-%d", time.gmtime()))
            _write(checked)


def remembered() -> dict[str, dict[str, Any]]:
    """Return {exercise id: {"tries": how many checks, "solved": its day (UTC), if it was}}."""
    with contextlib.suppress(OSError):
        return _read()
    return {}


def forget() -> bool:
    """Remember nothing any more; returns whether there was something. Raises OSError."""
    path = folder() / "progress.json"
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def _read() -> dict[str, dict[str, Any]]:
    path = folder() / "progress.json"
    try:
        checked: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        if all(isinstance(entry["tries"], int) for entry in checked.values()):
            return checked
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        pass
    path.replace(path.with_name("progress-unreadable.json"))
    return {}


def _write(checked: dict[str, Any]) -> None:
    path = folder() / "progress.json"
    new = path.with_suffix(".new")
    new.write_text(json.dumps(checked, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(path)
