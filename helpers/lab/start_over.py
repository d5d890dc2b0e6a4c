"""Start over: `python3 -m helpers start-over` forgets the account and the exercises, and brings the lessons and
handler.py back as they came. What was changed is kept in a folder of its own: nothing that a learner wrote is lost.
"""

import argparse
import shutil
import sys
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.exercises import last_lesson, record
from helpers.installing.trouble import diagnose_os_error
from helpers.lab import working_copy
from helpers.lab.originals import differs, originals
from helpers.lessons.notebook_files import replace
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT, my_lessons

QUESTION = (
    "This empties the local account, forgets which exercises are solved, and brings the lessons and handler.py back "
    "as they came."
)


def main(options: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m helpers start-over", description=__doc__.split("\n\n")[0])
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--keep-lessons", action="store_true", help="leave the notebooks and handler.py as they are")
    chosen = parser.parse_args(options)
    try:
        if not chosen.yes and not _confirmed():
            print("Nothing was changed.")
            return 1
        for line in start_over(PROJECT, my_lessons(), lessons=not chosen.keep_lessons):
            print(line)
        return 0
    except WorkbookError as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as error:
        what = error.filename or "A file of your lessons"
        line = f"{what} cannot be changed: {error.strerror}. Close what uses it; then run this again."
        print(working_copy.FULL if diagnose_os_error(error) == "disk" else line, file=sys.stderr)
        return 2


def start_over(root: Path, mine: Path, lessons: bool = True) -> list[str]:
    """Forget account and exercises, bring the lessons back, and return what was done, line by line.

    `mine`: the folder of the learner's copy, which need not be there. Lessons first: what fails there leaves all else
    as it was. Raises WorkbookError or OSError.
    """
    report = _bring_back(root, mine) if lessons else []
    there = lifecycle.has_account()
    lifecycle.stop(forget=True)
    report.append("The account is gone; the next one is new and empty." if there else "No account was there.")
    report.append("The exercises are open again." if record.forget() else "No exercise had been checked.")
    last_lesson.forget()
    report.append(
        "Open notebooks: close and open them again, then begin with the setup cell. Start: python3 -m helpers lab"
    )
    return report


def _confirmed() -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        raise WorkbookError(
            "Nobody is there to ask. To start over without a question: python3 -m helpers start-over --yes"
        )
    return input(f"{QUESTION}\nWhat you have changed is kept. Go on? [y/N] ").strip().lower() in ("y", "yes")


def _bring_back(root: Path, mine: Path) -> list[str]:
    """Bring back what was released, then the learner's copy of it; returns what to say about both."""
    came = originals(root)
    changed = [name for name, content in came.items() if differs(root / name, content)]
    report = [_restore(root, {name: came[name] for name in changed})] if changed else []
    if working_copy.is_copy(mine):
        return report + working_copy.WorkingCopy(root, mine).renew()
    if not came:
        return ["The lessons stay as they are: this is no git clone. Unpack the workbook anew to get fresh ones."]
    return report or ["The lessons are as they came."]


def _restore(root: Path, contents: dict[str, bytes]) -> str:
    """Bring released files back; the changed ones are kept. Returns what to say about it."""
    kept = working_copy.free_folder(root)
    for name, content in contents.items():
        path = root / name
        if path.exists():
            kept.mkdir(exist_ok=True)
            shutil.copy2(path, kept / path.name)
        replace(path, content)
    return working_copy.came_again(list(contents), kept.name)


if __name__ == "__main__":
    sys.exit(main())
