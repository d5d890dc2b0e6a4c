"""Put a lesson into a course directory of nbgrader: `python3 -m helpers nbgrader LESSON COURSE`.

Each exercise becomes an answer cell, whose solution stands between nbgrader's markers below the learner's stub, and a
locked test cell with points, which asks the same check as the learner does. When nbgrader grades, each submission gets
an account of its own (`configure`). How to use all this stands in notebooks/TEACHING.md; the cells' metadata are
described in https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from helpers.authoring import isolation
from helpers.errors import WorkbookError
from helpers.lessons import notebook_files
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from helpers.teaching import material

POINTS = {"Predict": 1, "Fill the gap": 1, "Change": 2, "Build": 3}  # for an exercise, by its kind
SETTINGS = "nbgrader_config.py"
CONFIGURATION = """\
# Settings of nbgrader for this course: those of the workbook; add your own below.
from helpers.teaching import grading

c = get_config()
grading.configure(c)
c.CourseDirectory.course_id = "serverless-orders"
"""
_TASK = re.compile(rf"### (\d\d-\d) ({'|'.join(POINTS)}): ")
_CHECK = re.compile(r"check\(.*\)\s*\Z")


def nbgrader_source(options: list[str]) -> int:
    """Run `python3 -m helpers nbgrader LESSON COURSE`; returns the exit status, 2 for a foreseeable failure."""
    parser = argparse.ArgumentParser(
        prog="python3 -m helpers nbgrader",
        description="Put a lesson as an assignment into a course directory of nbgrader, which is made if need be.",
    )
    parser.add_argument("lesson", metavar="LESSON", help="its number or name: 06, 06_explore_the_orders")
    parser.add_argument("course", metavar="COURSE", type=Path, help="a new folder, or a course that this has made")
    chosen = parser.parse_args(options)
    return material.run_and_report(lambda: add_to_course(chosen.lesson, chosen.course))


def add_to_course(lesson: str, course: Path, root: Path = PROJECT) -> str:
    """Put a lesson into a course directory; returns what to say about it. Raises WorkbookError."""
    path = _lesson(lesson, root)
    notebook = source_notebook(notebook_files.read(path), root)
    assignment = course / "source" / path.stem
    if assignment.exists():
        raise WorkbookError(f"{path.stem} is in this course already. To make it anew, delete {assignment} first.")
    if (course / SETTINGS).is_file():
        with material.atomic_folder(assignment, root, parents=True) as draft:
            notebook_files.write(notebook, draft / path.name)
    else:
        with material.atomic_folder(course, root) as draft:
            (draft / "source" / path.stem).mkdir(parents=True)
            notebook_files.write(notebook, draft / "source" / path.stem / path.name)
            (draft / SETTINGS).write_text(CONFIGURATION, encoding="utf-8")
    points = sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in notebook["cells"])
    return (
        f"{path.stem}, {points} points, is in {assignment}. Next, in {course}: nbgrader generate_assignment {path.stem}"
    )


def source_notebook(lesson: dict[str, Any], root: Path = PROJECT) -> dict[str, Any]:
    """Return the lesson as nbgrader's source: no outputs, setup cell locked, an answer and a test per exercise.

    Raises WorkbookError for an exercise without a solution or a check.
    """
    notebook = notebook_files.without_outputs(lesson)
    kinds = {match[1]: match[2] for cell in notebook["cells"] if (match := _TASK.match("".join(cell["source"])))}
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if cell["id"] == "setup":
            cell["metadata"]["nbgrader"] = _metadata("setup", locked=True)
        elif material.is_exercise(cell):
            exercise_id = cell["id"].removeprefix(material.STUB)
            stub, answer = "".join(cell["source"]), material.solution(exercise_id, root)
            cell["source"] = answer_cell(stub, answer)
            cell["metadata"]["nbgrader"] = _metadata(cell["id"], solution=True)
            cells.append(_test_cell(exercise_id, stub, POINTS[kinds[exercise_id]]))
    notebook["cells"] = cells
    return notebook


def answer_cell(stub: str, answer: str) -> str:
    """Return the learner's stub, then the solution as nbgrader marks it, then the check with which both end.

    nbgrader takes out what stands between the markers: what it hands out is the stub.
    """
    check = _check(stub)
    begun, solved = (_CHECK.sub("", text).rstrip() for text in (stub, answer))
    return f"{begun}\n### BEGIN SOLUTION\n{solved}\n### END SOLUTION\n{check}"


def _test_cell(exercise_id: str, stub: str, points: int) -> dict[str, Any]:
    verdict = _check(stub).replace("check(", "verdict(", 1)
    source = f"from helpers.exercises import verdict\n\nsaid = {verdict}\nassert said.correct, said.message"
    metadata = _metadata(f"points-{exercise_id}", grade=True, locked=True) | {"points": points}
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"points-{exercise_id}",
        "metadata": {"nbgrader": metadata},
        "outputs": [],
        "source": source,
    }


def _metadata(grade_id: str, grade: bool = False, locked: bool = False, solution: bool = False) -> dict[str, Any]:
    of_cell = {"grade": grade, "grade_id": grade_id, "locked": locked, "solution": solution, "task": False}
    return of_cell | {"schema_version": 3, "cell_type": "code"}


def _check(stub: str) -> str:
    match = _CHECK.search(stub)
    if match is None:
        raise WorkbookError(f"This exercise does not end with its check: {stub.splitlines()[-1]}")
    return match[0].rstrip()


def _lesson(name: str, root: Path) -> Path:
    found = {path.stem: path for path in lesson_files(root / "notebooks")}
    wanted = Path(name).stem
    chosen = [path for stem, path in found.items() if wanted in (stem, stem[:2])]
    if not chosen:
        raise WorkbookError(f"There is no lesson {name}. The lessons are: {', '.join(found)}.")
    return chosen[0]


# --- while nbgrader grades ---

_account = contextlib.ExitStack()  # what ends the account of the submission that is graded now


def configure(c: Any) -> None:
    """Set nbgrader's options for the workbook: `c` is what get_config() returns in nbgrader_config.py."""
    c.ClearSolutions.code_stub = {"python": ""}  # the stub stands above the solution already
    c.Execute.timeout = 300  # seconds for a cell; some wait for events, and a class may share the machine
    c.OverwriteCells.add_missing_cells = True  # a test that somebody has deleted is a test all the same
    c.Autograde.pre_convert_hook = begin_submission
    c.Autograde.post_convert_hook = end_submission


def begin_submission(**_: Any) -> None:
    """Give the kernels that this process starts from now on a new, empty account, which belongs to one submission."""
    end_submission()
    _account.callback(_set_environment, dict(os.environ))
    folder = _account.enter_context(tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True))
    _account.callback(lifecycle.stop)
    isolation.isolate(Path(folder))


def end_submission(**_: Any) -> None:
    """End that account. nbgrader does not come here when a submission failed: the next one, or the end, does."""
    _account.close()


def _set_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


atexit.register(end_submission)
