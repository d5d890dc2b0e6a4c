"""Start over: `python3 -m helpers start-over` forgets the account and the exercises, and brings the lessons back
as they came. Lessons that were changed are kept in a folder of their own: nothing that a learner wrote is lost.
"""

import argparse
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.exercises import record
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT

ORIGINALS = "lessons.zip"  # in a copy without git: the lessons as they came
QUESTION = (
    "This empties the local account, forgets which exercises are solved, and brings the lessons back as they came. "
)


def main(options: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python3 -m helpers start-over", description=__doc__.split("\n\n")[0])
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--keep-lessons", action="store_true", help="leave the notebooks as they are")
    chosen = parser.parse_args(options)
    try:
        if not chosen.yes and not _confirmed():
            print("Nothing was changed.")
            return 1
        for line in start_over(PROJECT, lessons=not chosen.keep_lessons):
            print(line)
        return 0
    except WorkbookError as problem:
        print(problem, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"{error.filename} cannot be changed: {error.strerror}. Close what uses it; then run this again.",
            file=sys.stderr,
        )
        return 2


def start_over(root: Path, lessons: bool = True) -> list[str]:
    """Forget account and exercises, bring the lessons back, and return what was done, line by line.

    Lessons first: what fails there leaves all else as it was. Raises WorkbookError or OSError.
    """
    report = [_restore_lessons(root)] if lessons else []
    there = lifecycle.has_account()
    lifecycle.stop(forget=True)
    report.append("The account is gone; the next one is new and empty." if there else "No account was there.")
    report.append("The exercises are open again." if record.forget() else "No exercise had been checked.")
    report.append(
        "Open notebooks: close and open them again, then begin with the setup cell. Start: python3 -m helpers lab"
    )
    return report


def _confirmed() -> bool:
    if not sys.stdin or not sys.stdin.isatty():
        raise WorkbookError(
            "Nobody is there to ask. To start over without a question: python3 -m helpers start-over --yes"
        )
    return input(f"{QUESTION}\nChanged lessons are kept beside. Go on? [y/N] ").strip().lower() in ("y", "yes")


def _restore_lessons(root: Path) -> str:
    """Bring every lesson back; the changed ones are kept. Returns what to say about it."""
    originals = _originals(root)
    if not originals:
        return "The lessons stay as they are: this folder is no git clone. Unpack the workbook anew to get fresh ones."
    changed = [name for name, text in originals.items() if _differs(root / "notebooks" / name, text)]
    if not changed:
        return "The lessons are as they came."
    kept = _free_folder(root)
    for name in changed:
        path = root / "notebooks" / name
        if path.exists():
            kept.mkdir(exist_ok=True)
            shutil.copy2(path, kept / name)
        new = path.with_suffix(".new")
        new.write_bytes(originals[name])
        new.replace(path)
    what = "1 lesson is" if len(changed) == 1 else f"{len(changed)} lessons are"
    return f"{what} as they came again; yours are kept in {kept.name}."


def _originals(root: Path) -> dict[str, bytes]:
    """Return {file name: what it held when it came}, from git or from the copy's own archive; {} where neither is."""
    archive = root / ORIGINALS
    if archive.is_file():
        with zipfile.ZipFile(archive) as packed:
            return {Path(name).name: packed.read(name) for name in packed.namelist()}
    names = (_git(root, "ls-tree", "--name-only", "HEAD", "notebooks/") or b"").decode().split()
    found = {Path(name).name: _git(root, "show", f"HEAD:{name}") for name in names if name.endswith(".ipynb")}
    return {name: text for name, text in found.items() if text is not None}


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return what git prints, or None: no git, no clone."""
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout if run.returncode == 0 else None


def _differs(path: Path, original: bytes) -> bool:
    return not path.is_file() or path.read_bytes().replace(b"\r\n", b"\n") != original.replace(b"\r\n", b"\n")


def _free_folder(root: Path) -> Path:
    """Return kept-lessons-1, or the first number that is free."""
    number = 1
    while (root / f"kept-lessons-{number}").exists():
        number += 1
    return root / f"kept-lessons-{number}"


if __name__ == "__main__":
    sys.exit(main())
