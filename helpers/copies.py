"""What a teacher hands out, made from this folder: `python3 -m helpers student-copy FOLDER`, `solved-copy FOLDER`.

A copy is a workbook of its own, which starts with `python3 -m helpers lab`. The student copy has lessons without
outputs, and neither solutions nor tests nor anything else that only teachers and maintainers need. The solved copy is
the same, with the solution in the cell of every exercise. No git is needed: what goes into a copy is named here, so
that nothing else that lies in the folder (grades, notes, somebody's account) can get out with it.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers import trouble
from helpers.catch_up import lesson_files
from helpers.start_over import ORIGINALS
from helpers.trouble import Problem

ROOT = Path(__file__).resolve().parents[1]
#: What a copy holds besides the lessons.
CONTENTS = [
    "README.md", "LICENSE", "handler.py", "pyproject.toml", "requirements.txt", "environment.yml", ".gitignore",
    "docs/**/*", "helpers/**/*", "notebooks/*.md",
]  # fmt: skip
FOR_TEACHERS = {"notebooks/TEACHING.md"}
COMPILED = {".pyc", ".pyo"}
START = """\
## Start

You need Python 3.11 or later. In a terminal, in this folder:

```
python3 -m helpers lab
```

The first start installs everything into a folder `.venv` beside the notebooks: about half a minute and 900 MB. Then
JupyterLab opens with the first lesson. Ctrl-C in the terminal ends it all. (On Windows: `py -m helpers lab`.)

Two more commands: `python3 -m helpers progress` shows the lessons and exercises, and how far you are;
`python3 -m helpers start-over` gives you an empty account and fresh lessons, and keeps yours beside.

"""
#: Sections of the README that speak of git, or to teachers and maintainers, of files that a copy does not have.
README = {"Start": START, "For teachers": "", "For CI": "", "How the notebooks are tested": ""}
STUB = "exercise-"  # how the id of an exercise's cell begins


def student_copy(options: list[str]) -> int:
    """`python3 -m helpers student-copy FOLDER`; returns the exit status, 2 for a foreseeable failure."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers student-copy",
        description="Make a folder to hand out: the workbook without outputs, solutions and tests.",
    )
    folder = _folder(parser, options).folder
    return told(lambda: make(folder))


def solved_copy(options: list[str]) -> int:
    """`python3 -m helpers solved-copy FOLDER [--execute]`; returns the exit status like `student_copy`."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers solved-copy",
        description="Make a folder like the student copy, with every exercise solved.",
    )
    parser.add_argument("--execute", action="store_true", help="run the lessons, and keep what comes out (minutes)")
    chosen = _folder(parser, options)
    return told(lambda: make(chosen.folder, solved=True, executed=chosen.execute))


def make(folder: Path, solved: bool = False, executed: bool = False, root: Path = ROOT) -> str:
    """Make the student copy, or the solved one, in a folder that does not exist yet or is empty.

    `executed`: run the lessons in a throw-away account and keep their outputs. Returns what to say about it. Raises
    Problem; then nothing of the copy is left.
    """
    if solved and not (root / "notebooks" / "solutions").is_dir():
        raise Problem("This copy of the workbook comes without the solutions: make the solved copy from your own.")
    with finished_or_gone(folder, root) as draft:
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
    return f"The {kind} copy is in {folder}. There, or wherever you move it, it starts with: python3 -m helpers lab"


def without_outputs(notebook: dict) -> dict:
    """The notebook as if nobody had run it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return notebook


def with_solutions(notebook: dict, root: Path = ROOT) -> dict:
    """The notebook with the solution in the cell of every exercise. Raises Problem when one is missing."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if is_exercise(cell):
            cell["source"] = solution(cell["id"].removeprefix(STUB), root)
    return notebook


def is_exercise(cell: dict) -> bool:
    return cell["cell_type"] == "code" and cell.get("id", "").startswith(STUB)


def solution(exercise_id: str, root: Path = ROOT) -> str:
    """What the solved cell of an exercise holds: the solution's file without its docstring. Raises Problem."""
    path = root / "notebooks" / "solutions" / f"ex_{exercise_id.replace('-', '_')}.py"
    if not path.is_file():
        raise Problem(f"There is no solution of exercise {exercise_id}: notebooks/solutions/{path.name} is missing.")
    return re.sub(r'\A""".*?"""\s*', "", path.read_text(encoding="utf-8"), flags=re.DOTALL).rstrip("\n")


def with_sections(text: str, changes: dict[str, str]) -> str:
    """A Markdown text in which sections of the second level, by their titles, are replaced (by "": left out)."""
    sections = re.split(r"(?m)^(?=## )", text)
    titles = [section.partition("\n")[0].removeprefix("## ") for section in sections]
    return "".join(changes.get(title, section) for title, section in zip(titles, sections, strict=True))


def write(notebook: dict, path: Path) -> None:
    """Write a notebook in the form in which Jupyter writes it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    text = json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def read(path: Path) -> dict:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(notebook["cells"], list):
            return notebook
    except (ValueError, KeyError, TypeError):
        pass
    raise Problem(f"notebooks/{path.name} cannot be read as a notebook. Mend it or bring it back, then run this again.")


def _folder(parser: argparse.ArgumentParser, options: list[str]) -> argparse.Namespace:
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="does not exist yet, and lies outside of this one")
    return parser.parse_args(options)


def told(task: Callable[[], str]) -> int:
    """Do it and say what came of it, in one line; returns the exit status."""
    try:
        print(task())
        return 0
    except Problem as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Nothing was made.", file=sys.stderr)
        return 130


@contextmanager
def finished_or_gone(folder: Path, root: Path, parents: bool = False) -> Iterator[Path]:
    """A draft beside `folder`, which takes its place when all went well and is gone when anything did not.

    `parents`: make the folders above it, too. Raises Problem.
    """
    target = folder.resolve()
    _refuse(folder, target, root.resolve(), parents)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.making-", dir=target.parent))
        try:
            yield draft
            draft.chmod(0o755)  # mkdtemp keeps it for one user; a class shall read it
            if target.exists():
                target.rmdir()
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        raise Problem(_advice(error, folder)) from None


def _refuse(folder: Path, target: Path, root: Path, parents: bool) -> None:
    if target == root or root in target.parents:
        raise Problem(f"{folder} lies inside the workbook. Name a folder outside of it, such as ../{target.name}.")
    try:
        if target.is_dir():
            if any(target.iterdir()):
                raise Problem(f"{folder} is there already, and it is not empty. Name a folder that does not exist yet.")
        elif os.path.lexists(target):
            raise Problem(f"{folder} is a file. Name a folder that does not exist yet.")
        elif not parents and not target.parent.is_dir():
            raise Problem(f"There is no folder {folder.parent} to put it in. Make that first, or name another place.")
    except OSError as error:
        raise Problem(_advice(error, folder)) from None


def _advice(error: OSError, folder: Path) -> str:
    kind = trouble.diagnose_os_error(error)
    if kind == "disk":
        return f"The disk is full: {folder} could not be made. Make room, then run this again."
    if kind == "permission":
        return f"You may not write to {folder}. Name a folder in a place of your own."
    return f"{folder} could not be made: {error.strerror or error}. Name another place."


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

        from helpers.isolation import throw_away_account
        from helpers.notebooks import execute
    except ModuleNotFoundError as error:
        raise Problem(f"Executing needs the package {error.name}: start this with python3 -m helpers.") from None
    with throw_away_account():
        for path in lesson_files(draft / "notebooks"):
            print(f"Executing {path.stem} …", file=sys.stderr)
            try:
                nbformat.write(execute(nbformat.read(path, as_version=4), path.parent), path)
            except CellExecutionError as error:
                raise Problem(f"A cell of {path.name} failed: {error.ename}: {error.evalue}") from None


def _keep_originals(draft: Path) -> None:
    """The lessons as they are handed out, for `python3 -m helpers start-over`: a copy has no git."""
    with zipfile.ZipFile(draft / ORIGINALS, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in lesson_files(draft / "notebooks"):
            archive.write(path, path.relative_to(draft).as_posix())


def main(arguments: list[str]) -> int:
    """`python -m helpers.copies student|solved|nbgrader …`"""
    from helpers import grading  # which needs this module

    makers = {"student": student_copy, "solved": solved_copy, "nbgrader": grading.nbgrader_source}
    if not arguments or arguments[0] not in makers:
        print(f"python -m helpers.copies makes {' | '.join(makers)}, each with --help.", file=sys.stderr)
        return 2
    for name in ("SIGTERM", "SIGHUP"):  # so that a closed terminal leaves as little behind as Ctrl-C
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    return makers[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
