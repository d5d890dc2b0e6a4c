"""Make what a teacher hands out, from this folder: `python3 -m helpers student-copy FOLDER`, `solved-copy FOLDER`.

A copy is a workbook of its own, which starts with `python3 -m helpers lab`. The student copy has lessons without
outputs, and neither solutions nor tests nor anything else that only teachers and maintainers need. The solved copy is
the same, with the solution in the cell of every exercise. No git is needed: what goes into a copy is named here, so
that nothing else that lies in the folder (grades, notes, somebody's account) can get out with it.
"""

from __future__ import annotations

import argparse
import copy
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

from helpers.errors import WorkbookError
from helpers.lab.originals import ARCHIVE
from helpers.lab.working_copy import FOR_TEACHERS
from helpers.lessons.catch_up import lesson_files
from helpers.lessons.notebook_files import read, without_outputs, write
from helpers.paths import PROJECT
from helpers.teaching.material import (
    STUB,
    atomic_folder,
    is_exercise,
    run_and_report,
    solution,
)

#: What a copy holds besides the lessons.
CONTENTS = [
    "README.md", "LICENSE", "SECURITY.md", "handler.py", "pyproject.toml", "requirements.txt", "environment.yml",
    ".gitignore", ".devcontainer/*", "docs/**/*", "helpers/**/*", "notebooks/*.md", "notebooks/images/**/*",
]  # fmt: skip
COMPILED = {".pyc", ".pyo"}
START = """\
## Start

You need Python 3.11 or later. In a terminal, in this folder:

```
python3 -m helpers lab
```

The first start installs everything into a folder `.venv` beside the notebooks: about a minute and 1.1 GB. Then
JupyterLab opens with the first lesson. Ctrl-C in the terminal ends it all. (On Windows: `py -m helpers lab`.)

What you see there is your own copy, in the folder `my-lessons`: the lessons and `handler.py`. Change what you like. The
next start opens the lesson where you stopped; `python3 -m helpers lab 5` opens another.

Two more commands: `python3 -m helpers progress` shows the lessons and exercises, and how far you are;
`python3 -m helpers start-over` gives you an empty account and fresh lessons, and keeps yours.

"""
#: Sections of the README that speak of git, or to teachers and maintainers, of files that a copy does not have.
README = {"Start": START, "For teachers": "", "For CI": "", "How the notebooks are tested": "", "Carrying on": ""}


def student_copy(options: list[str]) -> int:
    """Run `python3 -m helpers student-copy FOLDER`; returns the exit status, 2 for a foreseeable failure."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers student-copy",
        description="Make a folder to hand out: the workbook without outputs, solutions and tests.",
    )
    folder = _folder(parser, options).folder
    return run_and_report(lambda: make(folder))


def solved_copy(options: list[str]) -> int:
    """Run `python3 -m helpers solved-copy FOLDER [--execute]`; returns the exit status like `student_copy`."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers solved-copy",
        description="Make a folder like the student copy, with every exercise solved.",
    )
    parser.add_argument("--execute", action="store_true", help="run the lessons, and keep what comes out (minutes)")
    chosen = _folder(parser, options)
    return run_and_report(lambda: make(chosen.folder, solved=True, executed=chosen.execute))


def make(folder: Path, solved: bool = False, executed: bool = False, root: Path = PROJECT) -> str:
    """Make the student copy, or the solved one, in a folder that does not exist yet or is empty.

    `executed`: run the lessons in a throw-away account and keep their outputs. Returns what to say about it. Raises
    WorkbookError; then nothing of the copy is left.
    """
    if solved and not (root / "notebooks" / "solutions").is_dir():
        raise WorkbookError(
            "This copy of the workbook comes without the solutions: make the solved copy from your own."
        )
    with atomic_folder(folder, root) as draft:
        _copy_files(root, draft, [*CONTENTS, "notebooks/solutions/*.py"] if solved else CONTENTS)
        readme = draft / "README.md"
        if readme.exists():
            changed = with_sections(readme.read_text(encoding="utf-8"), README)
            readme.write_text(changed, encoding="utf-8", newline="\n")
        for path in lesson_files(root / "notebooks"):
            lesson = without_outputs(read(path))
            write(with_solutions(lesson, root) if solved else lesson, draft / "notebooks" / path.name)
        if executed:
            _execute(draft)
        _keep_originals(draft)
    kind = "solved" if solved else "student"
    command = "python3 -m helpers lab" + (" --released" if executed else "")  # which shows the outputs
    return f"The {kind} copy is in {folder}. There, or wherever you move it, it starts with: {command}"


def with_solutions(notebook: dict[str, Any], root: Path = PROJECT) -> dict[str, Any]:
    """Return the notebook with the solution in the cell of every exercise. Raises WorkbookError when one is missing."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if is_exercise(cell):
            cell["source"] = solution(cell["id"].removeprefix(STUB), root)
    return notebook


def with_sections(text: str, changes: dict[str, str]) -> str:
    """Return a Markdown text with sections of the second level, by their titles, replaced (by "": left out)."""
    sections = re.split(r"(?m)^(?=## )", text)
    titles = [section.partition("\n")[0].removeprefix("## ") for section in sections]
    return "".join(changes.get(title, section) for title, section in zip(titles, sections, strict=True))


def _folder(parser: argparse.ArgumentParser, options: list[str]) -> argparse.Namespace:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="does not exist yet, and lies outside of this one")
    return parser.parse_args(options)


def _copy_files(root: Path, draft: Path, patterns: list[str]) -> None:
    (draft / "notebooks").mkdir()
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            name = path.relative_to(root)
            if path.is_file() and path.suffix not in COMPILED and name.as_posix() not in FOR_TEACHERS:
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, draft / name)


def _execute(draft: Path) -> None:
    """Run the lessons of the draft, in order and in one account that nobody else has, and keep what comes out."""
    try:
        import nbformat
        from nbclient.exceptions import CellExecutionError

        from helpers.authoring.isolation import throw_away_account
        from helpers.authoring.notebooks import execute
    except ModuleNotFoundError as error:
        raise WorkbookError(f"Executing needs the package {error.name}: start this with python3 -m helpers.") from None
    with throw_away_account():
        for path in lesson_files(draft / "notebooks"):
            print(f"Executing {path.stem} …", file=sys.stderr)
            try:
                nbformat.write(execute(nbformat.read(path, as_version=4), path.parent), path)
            except CellExecutionError as error:
                raise WorkbookError(f"A cell of {path.name} failed: {error.ename}: {error.evalue}") from None


def _keep_originals(draft: Path) -> None:
    """Pack lessons and handler.py as they are handed out, for `python3 -m helpers start-over`: a copy has no git."""
    with zipfile.ZipFile(draft / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in [draft / "handler.py", *lesson_files(draft / "notebooks")]:
            if path.exists():
                archive.write(path, path.relative_to(draft).as_posix())
