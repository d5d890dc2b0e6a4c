"""What a teacher hands out: complete, without what only a teacher should have, and able to start."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import execute
from helpers.errors import WorkbookError
from helpers.lab import working_copy
from helpers.lab.originals import ARCHIVE
from helpers.lab.start_over import start_over
from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT
from helpers.teaching import copies
from tests.support.links import dead_links

#: What a student does not get, of all that git knows: by the beginning of its path.
NOT_HANDED_OUT = (
    "tests/",
    "benchmarks/",
    ".ci/",
    ".github/",
    ".pre-commit-config.yaml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "notebooks/solutions/",
    "notebooks/TEACHING.md",
    "notebooks/MISTAKES.md",
    "docs/jupyterhub/",
    "conftest.py",
    ".gitattributes",
)
LESSON = "01_create_the_role"


@pytest.fixture(scope="module")
def student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies") / "students"
    assert copies.student_copy([str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copies") / "solved"
    assert copies.solved_copy([str(folder)]) == 0
    return folder


@pytest.fixture
def workbook(tmp_path) -> Path:
    """A small workbook: a lesson with an exercise, run and solved, and much that must not get out."""
    root = tmp_path / "workbook"
    code = {"cell_type": "code", "metadata": {}, "execution_count": 1}
    output = {"output_type": "stream", "name": "stdout", "text": ["seen\n"]}
    stub = 'from helpers.exercises import check\n\ncheck("01-1", ...)'
    lesson = {
        "cells": [
            code | {"id": "setup", "source": "print('seen')", "outputs": [output]},
            code | {"id": "exercise-01-1", "source": stub, "outputs": [output]},
        ],
        "metadata": {"workbook": {"provides": ["role"]}}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    files = {
        "README.md": "# W\n\n## Start\n\ngit clone\n\n## How\n\nx\n\n## For teachers\n\nsecret\n\n## Licence\n\ny\n",
        "notebooks/01_a.ipynb": json.dumps(lesson),
        "notebooks/01_a-Copy1.ipynb": json.dumps(lesson),
        "notebooks/GLOSSARY.md": "# Glossary\n",
        "notebooks/TEACHING.md": "secret",
        "notebooks/solutions/ex_01_1.py": '"""Exercise 01-1: ä."""\n\nfrom x import check\n\ncheck("01-1", 1)  # ö\n',
        "helpers/__init__.py": "",
        "helpers/__pycache__/a.pyc": "secret",
        "tests/test_a.py": "secret",
        "grades.csv": "secret",
        ".local_aws/account.json": "secret",
        ".workbook/progress.json": "secret",
        ".venv/lib/site.py": "secret",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def tracked() -> list[str]:
    if not (PROJECT / ".git").exists():
        pytest.skip("this folder is no git clone: nothing says which files belong to the project")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split("\0") if name and (PROJECT / name).exists()]


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


# --- the project's own copies ---


def test_the_student_copy_has_all_that_git_knows_but_what_is_the_teachers(student):
    expected = {name for name in tracked() if not name.startswith(NOT_HANDED_OUT)}
    assert expected <= files(student), "name it in copies.CONTENTS, or here"
    assert not {name for name in files(student) if name.startswith(NOT_HANDED_OUT)}
    assert not {name for name in files(student) - expected - {ARCHIVE} if not name.startswith("helpers/")}


def test_no_output_is_left_in_the_student_copy(student):
    paths = lesson_files(student / "notebooks")
    assert [path.name for path in paths] == [path.name for path in lesson_files(PROJECT / "notebooks")]
    for path in paths:
        nbformat.validate(nbformat.read(path, as_version=4))
        assert not [cell["id"] for cell in cells(path) if cell.get("outputs") or cell.get("execution_count")]


def test_all_else_of_a_lesson_is_kept(student):
    for path in lesson_files(PROJECT / "notebooks"):
        theirs = json.loads((student / "notebooks" / path.name).read_text(encoding="utf-8"))
        mine = json.loads(path.read_text(encoding="utf-8"))
        assert mine["metadata"] == theirs["metadata"]
        for before, after in zip(mine["cells"], theirs["cells"], strict=True):
            for what in ("id", "cell_type", "metadata"):
                assert before[what] == after[what]
            assert "".join(before["source"]) == "".join(after["source"])


def test_the_solved_copy_has_the_solution_in_every_exercise(student, solved):
    found = 0
    for path in lesson_files(solved / "notebooks"):
        for stub, answer in zip(cells(student / "notebooks" / path.name), cells(path), strict=True):
            if not copies.is_exercise(stub):
                assert stub == answer
                continue
            found += 1
            text, source = "".join(answer["source"]), PROJECT / "notebooks" / "solutions"
            file = source / f"{stub['id'].replace('exercise-', 'ex_').replace('-', '_')}.py"
            assert file.read_text(encoding="utf-8").endswith(text + "\n")
            assert not text.startswith('"""') and text.splitlines()[-1] == "".join(stub["source"]).splitlines()[-1]
    more = {path.name for path in (PROJECT / "notebooks" / "solutions").glob("*.py")}
    assert found and files(solved) - files(student) == {f"notebooks/solutions/{name}" for name in more}


@pytest.mark.parametrize("kind", ["student", "solved"])
def test_every_link_in_a_copy_leads_somewhere(kind, request):
    folder = request.getfixturevalue(kind)
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}
    for path in lesson_files(folder / "notebooks"):
        texts[path] = "\n\n".join("".join(cell["source"]) for cell in cells(path) if cell["cell_type"] == "markdown")
    assert not dead_links(texts)
    assert "git clone" not in texts[folder / "README.md"] and "nbval" not in texts[folder / "README.md"]


@pytest.fixture
def own_helpers(student, monkeypatch) -> dict[str, str]:
    """Variables with which Python finds the copy's helpers, not this project's."""
    return os.environ | {"PYTHONPATH": str(student)}


def test_the_student_copy_answers_to_its_commands(student, own_helpers):
    for command, says in ((["--help"], "python3 -m helpers lab"), (["nonsense"], "There is no command")):
        answer = subprocess.run(
            [sys.executable, "-m", "helpers", *command], cwd=student, env=own_helpers, capture_output=True, text=True
        )
        assert says in answer.stdout + answer.stderr


def test_a_lesson_of_the_student_copy_runs_with_the_copys_own_helpers(student):
    path = student / "notebooks" / f"{LESSON}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("import helpers; print(helpers.__file__)"))
    with throw_away_account():
        os.environ["PYTHONPATH"] = str(student)
        executed = execute(notebook, path.parent)
    assert Path(executed.cells[-1].outputs[0].text.strip()).parent.samefile(student / "helpers")
    stored = {cell.id: cell for cell in nbformat.read(PROJECT / "notebooks" / path.name, as_version=4).cells}
    for cell in executed.cells[:-1]:
        if cell.id == "setup":
            assert cell.outputs[1].data["text/plain"].startswith("In the account")
        if cell.cell_type == "code":
            assert len(cell.outputs) == len(stored[cell.id].outputs)


def test_a_lesson_comes_back_as_it_was_handed_out(student, tmp_path, monkeypatch):
    mine = tmp_path / "mine"
    shutil.copytree(student, mine)
    for name in ("LOCAL_AWS_HOME", "WORKBOOK_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    lessons = mine / "my-lessons"
    working_copy.refresh(mine, lessons)  # as `lab` does there
    assert files(lessons / "notebooks") == files(mine / "notebooks")
    for folder in (mine, lessons):  # JupyterLab shows the second; an editor may have been used for the first
        path = folder / "notebooks" / f"{LESSON}.ipynb"
        before = path.read_bytes()
        path.write_text("spoilt", encoding="utf-8")
        start_over(mine, lessons)
        assert path.read_bytes() == before
        assert (folder / "kept-lessons-1" / path.name).read_text(encoding="utf-8") == "spoilt"


# --- a small workbook, and what can go wrong ---


def test_only_what_is_named_gets_out(workbook, tmp_path):
    copies.make(tmp_path / "out", root=workbook)
    assert files(tmp_path / "out") == {
        "README.md", "helpers/__init__.py", "lessons.zip", "notebooks/01_a.ipynb", "notebooks/GLOSSARY.md"
    }  # fmt: skip
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or b"secret" not in path.read_bytes()
    with zipfile.ZipFile(tmp_path / "out" / ARCHIVE) as archive:
        assert archive.read("notebooks/01_a.ipynb") == (tmp_path / "out" / "notebooks" / "01_a.ipynb").read_bytes()
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert re.findall("^## (.+)$", readme, re.MULTILINE) == ["Start", "How", "Licence"]


def test_a_solution_stands_in_the_cell_as_it_is(workbook, tmp_path):
    copies.make(tmp_path / "out", solved=True, root=workbook)
    lesson = cells(tmp_path / "out" / "notebooks" / "01_a.ipynb")
    assert "".join(lesson[1]["source"]) == 'from x import check\n\ncheck("01-1", 1)  # ö'
    assert (tmp_path / "out" / "notebooks" / "solutions" / "ex_01_1.py").is_file()


def test_an_empty_folder_will_do(workbook, tmp_path):
    (tmp_path / "out").mkdir()
    copies.make(tmp_path / "out", root=workbook)
    assert (tmp_path / "out" / "README.md").exists()


@pytest.mark.parametrize(
    "folder, says",
    [
        ("full", "is not empty"),
        ("file", "is a file"),
        ("workbook/copy", "inside the workbook"),
        ("workbook", "inside the workbook"),
        ("", "is not empty"),
        ("missing/copy", "Make that first"),
    ],
)
def test_a_folder_that_will_not_do_is_refused(workbook, tmp_path, folder, says):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    (tmp_path / "file").touch()
    before = files(tmp_path)
    with pytest.raises(WorkbookError, match=says) as refused:
        copies.make(tmp_path / folder, root=workbook)
    assert "\n" not in str(refused.value)
    assert files(tmp_path) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_refused(workbook, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(WorkbookError, match="You may not write"):
        copies.make(tmp_path / "closed" / "copy", root=workbook)


@pytest.mark.parametrize("error, says", [(28, "disk is full"), (13, "may not write"), (5, "could not be made")])
def test_what_fails_on_the_way_leaves_nothing(workbook, tmp_path, monkeypatch, error, says):
    def fail(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(copies, "_keep_originals", fail)  # the last step
    with pytest.raises(WorkbookError, match=says):
        copies.make(tmp_path / "out", root=workbook)
    assert [path.name for path in tmp_path.iterdir()] == ["workbook"]


def test_an_interruption_leaves_nothing(workbook, tmp_path, monkeypatch, capsys):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(copies, "_keep_originals", interrupt)
    assert copies.run_and_report(lambda: copies.make(tmp_path / "out", root=workbook)) == 130
    assert [path.name for path in tmp_path.iterdir()] == ["workbook"]


def test_a_lesson_that_is_no_notebook_is_named(workbook, tmp_path):
    (workbook / "notebooks" / "02_b.ipynb").write_text("<<<<<<< HEAD", encoding="utf-8")
    with pytest.raises(WorkbookError, match="02_b.ipynb"):
        copies.make(tmp_path / "out", root=workbook)
    assert [path.name for path in tmp_path.iterdir()] == ["workbook"]


def test_a_missing_solution_is_named(workbook, tmp_path):
    (workbook / "notebooks" / "solutions" / "ex_01_1.py").unlink()
    with pytest.raises(WorkbookError, match="no solution of exercise 01-1"):
        copies.make(tmp_path / "out", solved=True, root=workbook)


def test_a_student_copy_makes_no_solved_one(student, tmp_path):
    with pytest.raises(WorkbookError, match="without the solutions"):
        copies.make(tmp_path / "out", solved=True, root=student)
    copies.make(tmp_path / "again", root=student)
    assert files(tmp_path / "again") == files(student)


def test_the_commands_say_what_they_did_in_one_line(tmp_path):
    for command, status in ((["student", str(tmp_path / "a")], 0), (["student", str(tmp_path / "a")], 2), (["x"], 2)):
        answer = subprocess.run(
            [sys.executable, "-m", "helpers.teaching", *command], cwd=PROJECT, capture_output=True, text=True
        )
        assert answer.returncode == status
        assert (answer.stdout if status == 0 else answer.stderr).count("\n") == 1
        assert not (answer.stderr if status == 0 else answer.stdout)


def test_an_executed_solved_copy_shows_what_comes_out(workbook, tmp_path):
    lesson = json.loads((workbook / "notebooks" / "01_a.ipynb").read_text(encoding="utf-8"))
    lesson["cells"][0]["source"] = "print(6 * 7)"
    (workbook / "notebooks" / "01_a.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
    (workbook / "notebooks" / "solutions" / "ex_01_1.py").write_text('"""E."""\nprint("solved")\n', encoding="utf-8")
    said = copies.make(tmp_path / "out", solved=True, executed=True, root=workbook)
    assert said.endswith("python3 -m helpers lab --released"), "in a copy of their own nobody would see the outputs"
    outputs = [cell["outputs"][0]["text"] for cell in cells(tmp_path / "out" / "notebooks" / "01_a.ipynb")]
    assert outputs == [["42\n"], ["solved\n"]]
