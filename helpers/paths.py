"""Name the workbook's folders. Standard library only."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
NOTEBOOKS = PROJECT / "notebooks"  # the lessons as they are released
MY_LESSONS = "WORKBOOK_MY_LESSONS"  # the variable that names another folder for the learner's copy


def here() -> Path:
    """Return the working directory, or PROJECT where that is gone: a folder may be moved while its kernel runs."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        return PROJECT


def my_lessons() -> Path:
    """Return the folder of the learner's own copy, which `lab` makes: handler.py, and the lessons in `notebooks`."""
    return Path(os.environ.get(MY_LESSONS) or PROJECT / "my-lessons").absolute()
