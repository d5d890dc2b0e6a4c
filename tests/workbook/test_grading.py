"""A lesson as an assignment of nbgrader: what the source notebook holds and, where nbgrader is installed, that it
really grades.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from helpers.teaching import copies, grading

LESSON = "06_explore_the_orders"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
LESSONS = [
    path for path in lesson_files(PROJECT / "notebooks") if '"id": "exercises"' in path.read_text(encoding="utf-8")
]


def cells(path: Path) -> dict[str, dict]:
    return {cell["id"]: cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}


def source(cell: dict) -> str:
    return "".join(cell["source"])


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one assignment."""
    folder = tmp_path_factory.mktemp("grading") / "course"
    assert grading.nbgrader_source([LESSON, str(folder)]) == 0
    return folder


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_exercise_has_an_answer_and_a_test_with_points(path):
    stubs = cells(path)
    notebook = grading.source_notebook(json.loads(path.read_text(encoding="utf-8")))
    order = [cell["id"] for cell in notebook["cells"]]
    made = {cell["id"]: cell for cell in notebook["cells"]}
    exercises = [cell_id for cell_id in stubs if cell_id.startswith("exercise-")]
    assert exercises and [each for each in order if each.startswith("points-")] == [
        each.replace("exercise-", "points-") for each in exercises
    ]
    for cell_id in exercises:
        answer, test = made[cell_id], made[cell_id.replace("exercise-", "points-")]
        assert order.index(test["id"]) == order.index(cell_id) + 1
        assert answer["metadata"]["nbgrader"]["solution"] and not answer["metadata"]["nbgrader"]["grade"]
        assert test["metadata"]["nbgrader"]["grade"] and test["metadata"]["nbgrader"]["locked"]
        assert test["metadata"]["nbgrader"]["points"] in (1, 2, 3)
        compile(source(test), "test", "exec")
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    assert len(set(ids)) == len(ids)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_without_the_marked_lines_an_answer_is_the_learners_stub(path):
    stubs = cells(path)
    for cell in grading.source_notebook(json.loads(path.read_text(encoding="utf-8")))["cells"]:
        if cell["id"].startswith("exercise-"):
            before, _, rest = source(cell).partition(BEGIN)
            solution, _, after = rest.partition(END)
            assert (before + after).split() == source(stubs[cell["id"]]).split()
            assert solution.strip() and "check(" not in solution.replace("import check", "")


def test_a_course_takes_more_lessons_and_none_twice(course, capsys):
    assert grading.nbgrader_source(["05", str(course)]) == 0
    assert sorted(path.name for path in (course / "source").iterdir()) == ["05_send_events", LESSON]
    for arguments, says in (
        (["05", str(course)], "in this course already"),
        (["55", str(course)], "There is no lesson 55"),
        (["07", str(course / "source")], "not empty"),
        (["07", str(PROJECT / "grades")], "inside the workbook"),
    ):
        assert grading.nbgrader_source(arguments) == 2
        told = capsys.readouterr().err
        assert says in told and told.count("\n") == 1
    assert sorted(path.name for path in course.iterdir()) == ["nbgrader_config.py", "source"]


def test_each_submission_has_an_account_of_its_own():
    before = dict(os.environ)
    grading.begin_submission(assignment="a", student="b", notebooks=[])
    first = lifecycle.start()
    grading.begin_submission(assignment="a", student="c", notebooks=[])  # the first one failed: no end was called
    second = lifecycle.start()
    assert second.started and second.endpoint_url != first.endpoint_url
    home = Path(os.environ["LOCAL_AWS_HOME"])
    grading.end_submission(assignment="a", student="c", notebooks=[])
    assert dict(os.environ) == before and not home.parent.exists()


# --- where nbgrader is installed ---


@pytest.fixture(scope="module")
def grades(course: Path) -> dict[str, list[float]]:
    """The whole way, hand out, hand in, grade: {student: [points of 06-1, 06-2, 06-3]}. One has all right, one has done
    nothing, one has some wrong.
    """
    if importlib.util.find_spec("nbgrader") is None:
        pytest.skip("nbgrader is not installed; notebooks/TEACHING.md says how")
    nbgrader(course, "generate_assignment", LESSON)
    released = course / "release" / LESSON / f"{LESSON}.ipynb"
    assert BEGIN not in released.read_text(encoding="utf-8")
    hand_in(course, released, "ada", {number: solution(f"06-{number}") for number in (1, 2, 3)})
    hand_in(course, released, "ben", {})
    wrong = solution("06-1").replace("450,", "30,")
    answers = {1: wrong, 2: solution("06-2"), 3: "raise ValueError"}
    hand_in(course, released, "eve", answers, without="points-06-1")
    nbgrader(course, "autograde", LESSON)
    return {student: points_of(course, student) for student in ("ada", "ben", "eve")}


def hand_in(course: Path, released: Path, student: str, answers: dict[int, str], without: str = "") -> None:
    notebook = json.loads(released.read_text(encoding="utf-8"))
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] != without]
    for cell in notebook["cells"]:
        if cell["id"].startswith("exercise-"):
            cell["source"] = answers.get(int(cell["id"][-1]), cell["source"])
    folder = course / "submitted" / student / LESSON
    folder.mkdir(parents=True)
    copies.write(notebook, folder / released.name)


def points_of(course: Path, student: str) -> list[float]:
    """By what the graded notebook shows: a test that raises nothing has its points."""
    graded = cells(course / "autograded" / student / LESSON / f"{LESSON}.ipynb")
    tests = [cell for cell in graded.values() if cell["metadata"].get("nbgrader", {}).get("grade")]
    failed = [any(output["output_type"] == "error" for output in cell["outputs"]) for cell in tests]
    return [0 if bad else cell["metadata"]["nbgrader"]["points"] for cell, bad in zip(tests, failed, strict=True)]


def test_points_are_given_for_what_is_right(grades):
    assert grades == {"ada": [1, 2, 3], "ben": [0, 0, 0], "eve": [0, 2, 0]}


def test_nbgraders_own_list_says_the_same(course, grades):
    nbgrader(course, "export", "--to", "grades.csv")
    with (course / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == LESSON}
    assert {student: float(row["score"]) for student, row in rows.items()} == {
        student: sum(points) for student, points in grades.items()
    }
    assert {float(row["max_score"]) for row in rows.values()} == {6.0}


def test_a_wrong_answer_keeps_its_message(course, grades):
    text = (course / "autograded" / "eve" / LESSON / f"{LESSON}.ipynb").read_text(encoding="utf-8")
    assert "You pay for what is read." in text


def solution(exercise_id: str) -> str:
    return copies.solution(exercise_id)


def nbgrader(course: Path, *command: str) -> None:
    """Run nbgrader as in an activated environment: it calls a program of its database's by name."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    answer = subprocess.run(
        [sys.executable, "-m", "nbgrader", *command],
        cwd=course, env=os.environ | {"PATH": path}, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
