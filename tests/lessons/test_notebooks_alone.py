"""A learner may open any lesson first, and run it again: each runs from an empty account, gives the stored
outputs there, and then runs again in the account that it has left behind.

`pytest --nbval` over all lessons in order is the other half; it is how the notebooks themselves are
collected.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import equal_outputs, execute, is_compared
from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT

LESSONS = lesson_files(PROJECT / "notebooks")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_runs_alone_and_again(path: Path):
    stored = nbformat.read(path, as_version=4)
    with throw_away_account():
        first = execute(stored, path.parent)
        execute(stored, path.parent)  # outputs may differ then (a diagram shows more), errors may not come
    different = [
        cell.id
        for cell, expected in zip(first.cells, stored.cells, strict=True)
        if cell.cell_type == "code" and is_compared(cell)
        if not equal_outputs(cell.outputs, expected.outputs, pictures=False)
    ]
    assert different == []


@pytest.mark.parametrize("option", ["--nbval", "--nbval-lax"])
def test_one_notebook_can_be_asked_for(option):
    """`pytest --nbval notebooks/02_….ipynb` tests that notebook, in an account of its own, and so does
    --nbval-lax.
    """
    path = LESSONS[2]
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", option, path.relative_to(PROJECT)],
        cwd=PROJECT, capture_output=True, text=True,
    )  # fmt: skip
    assert re.search(rf"^{len(cells)} passed in ", run.stdout, re.MULTILINE), run.stdout + run.stderr


def test_collecting_starts_no_account(tmp_path):
    """Looking at what there is to test is quick and leaves nothing behind."""
    program = (
        "import pytest, sys\n"
        "from helpers.local_aws import lifecycle\n"
        "lifecycle.start = lambda *_: sys.exit('an embedded AWS was started')\n"
        "sys.exit(pytest.main(['-q', '--collect-only', 'notebooks']))"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 0 and "::Cell 0" in run.stdout, run.stdout + run.stderr
