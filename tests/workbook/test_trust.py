"""Lessons that are started with the workbook's own command show their pictures at once."""

from __future__ import annotations

import json
import shutil

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from helpers.lab.trust import trust
from helpers.paths import PROJECT


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    """A copy of two lessons, and a place of its own for signatures."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("00_start_here", "01_create_the_role"):
        shutil.copy(PROJECT / "notebooks" / f"{name}.ipynb", folder)
    return folder


def trusted(path) -> bool:
    return NotebookNotary().check_signature(nbformat.read(path, as_version=4))


def test_lessons_are_trusted_once(notebooks):
    lesson = notebooks / "00_start_here.ipynb"
    assert not trusted(lesson)
    assert trust(notebooks) == 2
    assert trusted(lesson)
    assert trust(notebooks) == 0


def test_a_lesson_that_somebody_changed_is_signed_anew(notebooks):
    trust(notebooks)
    lesson = notebooks / "00_start_here.ipynb"
    changed = json.loads(lesson.read_text(encoding="utf-8"))
    setup = next(cell for cell in changed["cells"] if cell["cell_type"] == "code")
    setup["outputs"].append({"output_type": "display_data", "metadata": {}, "data": {"text/html": "<b>new</b>"}})
    lesson.write_text(json.dumps(changed), encoding="utf-8")
    assert not trusted(lesson)
    assert trust(notebooks) == 1


def test_what_is_no_lesson_is_left_alone(notebooks):
    shutil.copy(notebooks / "00_start_here.ipynb", notebooks / "mine.ipynb")
    (notebooks / "07_broken.ipynb").write_text("{", encoding="utf-8")
    assert trust(notebooks) == 2
    mine = notebooks / "mine.ipynb"
    mine.write_text(mine.read_text(encoding="utf-8").replace("Start", "Begin"), encoding="utf-8")
    assert not trusted(mine)
