"""Opening a lesson runs nobody's code: what is signed is what was released, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from helpers.lab import trust
from helpers.lab.originals import as_they_came
from helpers.paths import PROJECT

LESSONS = ("00_start_here", "01_create_the_role")


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A git clone with two lessons, and a place of its own for signatures."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    root = tmp_path / "workbook"
    (root / "notebooks").mkdir(parents=True)
    for name in LESSONS:
        shutil.copy(PROJECT / "notebooks" / f"{name}.ipynb", root / "notebooks")
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", *identity, *command], cwd=root, check=True, capture_output=True)
    return root


def trusted(path) -> bool:
    return NotebookNotary().check_signature(nbformat.read(path, as_version=4))


def test_released_lessons_are_signed_once(clone):
    lesson = clone / "notebooks" / "00_start_here.ipynb"
    assert not trusted(lesson)
    assert trust.sign_all(as_they_came(clone)) == 2
    assert trusted(lesson)
    assert trust.sign_all(as_they_came(clone)) == 0


def test_a_lesson_that_somebody_changed_is_not_signed(clone):
    lesson = clone / "notebooks" / "00_start_here.ipynb"
    changed = json.loads(lesson.read_text(encoding="utf-8"))
    setup = next(cell for cell in changed["cells"] if cell["cell_type"] == "code")
    script = {"text/html": "<script>fetch('https://example.org')</script>"}
    setup["outputs"].append({"output_type": "display_data", "metadata": {}, "data": script})
    lesson.write_text(json.dumps(changed), encoding="utf-8")
    assert trust.sign_all(as_they_came(clone)) == 1
    assert not trusted(lesson)


def test_what_is_no_lesson_of_the_release_is_not_signed(clone):
    shutil.copy(clone / "notebooks" / "00_start_here.ipynb", clone / "notebooks" / "mine.ipynb")
    mine = clone / "notebooks" / "mine.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8").replace("Start", "Begin"), encoding="utf-8")
    (clone / "notebooks" / "01_create_the_role.ipynb").write_text("{", encoding="utf-8")
    (clone / "notebooks" / "07_broken.ipynb").write_text("{", encoding="utf-8")
    assert trust.sign_all(as_they_came(clone)) == 1
    assert not trusted(mine)


def test_without_git_and_archive_nothing_is_signed(clone):
    shutil.rmtree(clone / ".git")
    assert as_they_came(clone) == []


def test_line_endings_of_windows_are_no_change(clone):
    lesson = clone / "notebooks" / "00_start_here.ipynb"
    lesson.write_bytes(lesson.read_bytes().replace(b"\n", b"\r\n"))
    assert trust.sign_all(as_they_came(clone)) == 2
    assert trusted(lesson)
