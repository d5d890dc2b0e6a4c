"""Starting over: everything is as it came, and nothing that the learner wrote is lost."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.exercises import record
from helpers.lab import start_over
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT

CAME = '{"cells": ["as it came"]}\n'


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    """A folder with two lessons, and nothing else."""
    (tmp_path / "notebooks").mkdir()
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
        for path in sorted((project / "notebooks").iterdir()):
            archive.write(path, path.name)
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
    said = start_over.start_over(root)
    assert "1 lesson is as they came again; yours are kept in kept-lessons-1." in said
    assert role.read_text(encoding="utf-8") == start.read_text(encoding="utf-8") == CAME
    assert [path.name for path in (root / "kept-lessons-1").iterdir()] == ["01_role.ipynb"]
    assert (root / "kept-lessons-1" / "01_role.ipynb").read_text(encoding="utf-8") == "my notes"
    assert lifecycle.status() is None and record.remembered() == {}
    start.unlink()
    assert "1 lesson is" in start_over.start_over(root)[0] and start.exists()
    assert start_over.start_over(root)[:3] == [
        "The lessons are as they came.", "No account was there.", "No exercise had been checked.",
    ]  # fmt: skip
    start.write_text("again", encoding="utf-8")
    assert "kept-lessons-2" in start_over.start_over(root)[0]


def test_line_endings_of_windows_are_no_change(clone, account):
    (clone / "notebooks" / "00_start.ipynb").write_bytes(CAME.replace("\n", "\r\n").encode())
    assert start_over.start_over(clone)[0] == "The lessons are as they came."


def test_lessons_stay_on_request(clone, account):
    (clone / "notebooks" / "00_start.ipynb").write_text("mine", encoding="utf-8")
    start_over.start_over(clone, lessons=False)
    assert (clone / "notebooks" / "00_start.ipynb").read_text(encoding="utf-8") == "mine"


def test_without_git_and_archive_the_lessons_stay(project, account):
    (project / "notebooks" / "00_start.ipynb").write_text("mine", encoding="utf-8")
    assert "Unpack the workbook anew" in start_over.start_over(project)[0]
    assert (project / "notebooks" / "00_start.ipynb").read_text(encoding="utf-8") == "mine"


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
