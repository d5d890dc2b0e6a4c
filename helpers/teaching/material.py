"""Read and make what copies and assignments are made of: solutions, and folders that appear complete."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from helpers.errors import WorkbookError
from helpers.installing import trouble
from helpers.paths import PROJECT

STUB = "exercise-"  # how the id of an exercise's cell begins


def is_exercise(cell: dict[str, Any]) -> bool:
    return cell["cell_type"] == "code" and str(cell.get("id", "")).startswith(STUB)


def solution(exercise_id: str, root: Path = PROJECT) -> str:
    """Return what the solved cell of an exercise holds: the solution's file without its docstring.

    Raises WorkbookError when there is no such file.
    """
    path = root / "notebooks" / "solutions" / f"ex_{exercise_id.replace('-', '_')}.py"
    if not path.is_file():
        raise WorkbookError(
            f"There is no solution of exercise {exercise_id}: notebooks/solutions/{path.name} is missing."
        )
    return re.sub(r'\A""".*?"""\s*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL).rstrip("\n")


def run_and_report(task: Callable[[], str]) -> int:
    """Run the task and print its result, or what went wrong, in one line; returns the exit status."""
    try:
        print(task())
        return 0
    except WorkbookError as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Nothing was made.", file=sys.stderr)
        return 130


@contextmanager
def atomic_folder(folder: Path, root: Path, parents: bool = False) -> Iterator[Path]:
    """Yield a draft beside `folder`, which takes its place when all went well and is gone when anything did not.

    `parents`: make the folders above it, too. Raises WorkbookError.
    """
    target = folder.resolve()
    _refuse_target(folder, target, root.resolve(), parents)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.making-", dir=target.parent))
        try:
            yield draft
            draft.chmod(0o755)  # mkdtemp keeps it for one user; a class should be able to read it
            if target.exists():
                target.rmdir()
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise WorkbookError(_advice(error, folder)) from None


def _refuse_target(folder: Path, target: Path, root: Path, parents: bool) -> None:
    if target == root or root in target.parents:
        raise WorkbookError(
            f"{folder} lies inside the workbook. Name a folder outside of it, such as ../{target.name}."
        )
    try:
        if target.is_dir():
            if any(target.iterdir()):
                raise WorkbookError(
                    f"{folder} is there already, and it is not empty. Name a folder that does not exist yet."
                )
        elif os.path.lexists(target):
            raise WorkbookError(f"{folder} is a file. Name a folder that does not exist yet.")
        elif not parents and not target.parent.is_dir():
            raise WorkbookError(
                f"There is no folder {folder.parent} to put it in. Make that first, or name another place."
            )
    except OSError as error:
        raise WorkbookError(_advice(error, folder)) from None


def _advice(error: OSError, folder: Path) -> str:
    kind = trouble.diagnose_os_error(error)
    if kind == "disk":
        return f"The disk is full: {folder} could not be made. Make room, then run this again."
    if kind == "permission":
        return f"You may not write to {folder}. Name a folder in a place of your own."
    return f"{folder} could not be made: {error.strerror or error}. Name another place."
