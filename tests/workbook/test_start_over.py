"""Starting over: everything is as it came, and nothing that the learner wrote is lost."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.errors import WorkbookError
from helpers.exercises import last_lesson, record
from helpers.lab import originals, start_over, working_copy
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT

CELL = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "as it came"}
CAME = json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}) + "\n"
HANDLER = "def lambda_handler(): ...\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    """A folder with two lessons and handler.py, and nothing else."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "handler.py").write_text(HANDLER, encoding="utf-8")
    for name in ("00_start.ipynb", "01_role.ipynb"):
        (tmp_path / "notebooks" / name).write_text(CAME, encoding="utf-8")
    return tmp_path


@pytest.fixture
def clone(project):
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-q", "-m", "all")
    return project


@pytest.fixture
def packed(project):
    """The copy that a teacher hands out: no git, an archive instead."""
    with zipfile.ZipFile(project / "lessons.zip", "w") as archive:
        for path in [project / "handler.py", *sorted((project / "notebooks").iterdir())]:
            archive.write(path, path.relative_to(project).as_posix())
    return project


@pytest.fixture
def account():
    with throw_away_account() as account:
        yield account


@pytest.mark.parametrize("kind", ["clone", "packed"])
def test_all_is_forgotten_and_changed_lessons_are_kept(kind, request, account):
    root = request.getfixturevalue(kind)
    role, start = root / "notebooks" / "01_role.ipynb", root / "notebooks" / "00_start.ipynb"
    role.write_text("my notes", encoding="utf-8")
    record.remember("01-1", True)
    said = start_over.start_over(root, root / "my-lessons")
    assert "notebooks/01_role.ipynb is as it came again; yours is kept in kept-lessons-1." in said
    assert role.read_text(encoding="utf-8") == start.read_text(encoding="utf-8") == CAME
    assert [path.name for path in (root / "kept-lessons-1").iterdir()] == ["01_role.ipynb"]
    assert (root / "kept-lessons-1" / "01_role.ipynb").read_text(encoding="utf-8") == "my notes"
    assert lifecycle.status() is None and record.remembered() == {}
    start.unlink()
    assert "00_start.ipynb is as it came" in start_over.start_over(root, root / "my-lessons")[0] and start.exists()
    assert start_over.start_over(root, root / "my-lessons")[:3] == [
        "The lessons are as they came.", "No account was there.", "No exercise had been checked.",
    ]  # fmt: skip
    start.write_text("again", encoding="utf-8")
    assert "kept-lessons-2" in start_over.start_over(root, root / "my-lessons")[0]


@pytest.fixture
def mine(clone):
    """The learner's copy of the clone: a lesson that was changed, another that was run, and a handler.py."""
    folder = clone / "my-lessons"
    working_copy.refresh(clone, folder)
    (folder / "notebooks" / "00_start.ipynb").write_text(CAME.replace("as it came", "my notes"), encoding="utf-8")
    (folder / "handler.py").write_text("mine", encoding="utf-8")
    (folder / "notebooks" / "orders.csv").write_text("mine", encoding="utf-8")
    return folder


def test_the_learners_own_copy_comes_back_and_theirs_is_kept(clone, mine, account):
    last_lesson.remember("00_start")
    fresh = (mine / "notebooks" / "01_role.ipynb").read_bytes()
    said = start_over.start_over(clone, mine)[0]
    changed = "handler.py, notebooks/00_start.ipynb"
    assert said == f"2 files are as they came again; yours are kept in my-lessons/kept-lessons-1: {changed}."
    assert (mine / "notebooks" / "00_start.ipynb").read_bytes() == fresh
    assert (mine / "handler.py").read_text(encoding="utf-8") == HANDLER
    kept = {path.name: path.read_text(encoding="utf-8") for path in (mine / "kept-lessons-1").iterdir()}
    assert kept["handler.py"] == "mine" and "my notes" in kept["00_start.ipynb"] and len(kept) == 2
    assert (mine / "notebooks" / "orders.csv").read_text(encoding="utf-8") == "mine"
    assert last_lesson.remembered() is None and last_lesson.begun(["00_start"]) == {}
    assert start_over.start_over(clone, mine)[0] == "The lessons in my-lessons are as they came."
    assert working_copy.refresh(clone, mine) == []


def test_a_lesson_that_was_run_is_kept_too(clone, mine, account):
    """The account that its outputs tell of is gone."""
    run = {"cell_type": "code", "id": "a", "metadata": {}, "source": "1", "outputs": [], "execution_count": None}
    path = mine / "notebooks" / "01_role.ipynb"
    text = json.dumps({"cells": [run], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    (clone / "notebooks" / path.name).write_text(text, encoding="utf-8")
    git(clone, "commit", "-q", "-a", "-m", "new")
    working_copy.refresh(clone, mine)
    run["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    path.write_text(json.dumps({"cells": [run], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    start_over.start_over(clone, mine)
    assert "stdout" in (mine / "kept-lessons-1" / path.name).read_text(encoding="utf-8")
    assert "stdout" not in path.read_text(encoding="utf-8")


def test_fresh_lessons_come_from_what_was_released_and_not_from_a_change_to_it(clone, mine, account):
    (clone / "handler.py").write_text("spoilt", encoding="utf-8")
    said = start_over.start_over(clone, mine)
    assert said[0] == "handler.py is as it came again; yours is kept in kept-lessons-1."
    for root in (clone, mine):
        assert (root / "handler.py").read_text(encoding="utf-8") == HANDLER


def test_the_learners_lessons_stay_on_request(clone, mine, account):
    start_over.start_over(clone, mine, lessons=False)
    assert (mine / "handler.py").read_text(encoding="utf-8") == "mine"


def test_line_endings_of_windows_are_no_change(clone, account):
    (clone / "notebooks" / "00_start.ipynb").write_bytes(CAME.replace("\n", "\r\n").encode())
    assert start_over.start_over(clone, clone / "my-lessons")[0] == "The lessons are as they came."


def test_lessons_stay_on_request(clone, account):
    (clone / "notebooks" / "00_start.ipynb").write_text("mine", encoding="utf-8")
    start_over.start_over(clone, clone / "my-lessons", lessons=False)
    assert (clone / "notebooks" / "00_start.ipynb").read_text(encoding="utf-8") == "mine"


def test_without_git_and_archive_the_lessons_stay(project, account):
    (project / "notebooks" / "00_start.ipynb").write_text("mine", encoding="utf-8")
    assert "Unpack the workbook anew" in start_over.start_over(project, project / "my-lessons")[0]
    assert (project / "notebooks" / "00_start.ipynb").read_text(encoding="utf-8") == "mine"


def test_on_a_full_disk_nothing_is_lost_and_nothing_left_over(clone, mine, account, monkeypatch, capsys):
    def write_half(path: Path, content: bytes) -> None:
        path.open("wb").close()
        raise OSError(errno.ENOSPC, "No space left on device")

    def files() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in mine.rglob("*") if path.is_file() and path.name != "lock"}

    (mine / "handler.py").write_text("# mine\n")
    (clone / "handler.py").write_text("# new\n")
    before = files()
    monkeypatch.setattr(Path, "write_bytes", write_half)
    monkeypatch.setattr(start_over, "PROJECT", clone)
    monkeypatch.setenv("WORKBOOK_MY_LESSONS", str(mine))
    assert start_over.main(["--yes"]) == 2
    assert capsys.readouterr().err == f"{working_copy.FULL}\n"
    (clone / "notebooks" / "NEW.md").touch()
    with pytest.raises(WorkbookError, match="The disk is full"):
        working_copy.refresh(clone, mine)
    assert {path.name for path in files()} == {path.name for path in before}
    assert b"# mine\n" in files().values()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_damaged_archive_is_one_line(project, account, content):
    (project / originals.ARCHIVE).write_bytes(content)
    with pytest.raises(WorkbookError, match="is damaged: unpack the workbook anew"):
        start_over.start_over(project, project / "my-lessons")


def test_nobody_is_asked_without_a_terminal(account):
    command = [sys.executable, "-m", "helpers.lab.start_over"]
    run = subprocess.run(command, cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert run.returncode == 2 and run.stderr.count("\n") == 1 and "start-over --yes" in run.stderr
    assert lifecycle.status() is not None


@pytest.mark.parametrize("answer, status", [("y", 0), ("", 1), ("n", 1)])
def test_the_learner_is_asked(answer, status, clone, account, monkeypatch, capsys):
    monkeypatch.setattr(start_over, "PROJECT", clone)
    monkeypatch.setattr("builtins.input", lambda question: answer)
    monkeypatch.setattr(sys, "stdin", type("Terminal", (), {"isatty": lambda self: True})())
    assert start_over.main([]) == status
    assert (lifecycle.status() is None) is (status == 0)


def test_a_folder_that_cannot_be_written_to_is_one_line_and_nothing_is_forgotten(clone, account, monkeypatch, capsys):
    (clone / "notebooks" / "00_start.ipynb").write_text("mine", encoding="utf-8")
    (clone / "kept-lessons-1").write_text("a file that is in the way", encoding="utf-8")
    (clone / "kept-lessons-2").mkdir()
    monkeypatch.setattr(start_over, "PROJECT", clone)
    monkeypatch.setattr(
        start_over.shutil, "copy2", lambda *_: (_ for _ in ()).throw(PermissionError(13, "denied", "x"))
    )
    assert start_over.main(["--yes"]) == 2
    assert "cannot be changed: denied" in capsys.readouterr().err
    assert (clone / "notebooks" / "00_start.ipynb").read_text(encoding="utf-8") == "mine"
    assert lifecycle.status() is not None
