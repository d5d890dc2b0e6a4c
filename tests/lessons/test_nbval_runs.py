"""The lessons are tests of pytest's own: one can be asked for, and looking at them costs nothing."""

from __future__ import annotations

import re
import subprocess
import sys

import nbformat
import pytest

from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS, PROJECT


@pytest.mark.parametrize("option", ["--nbval", pytest.param("--nbval-lax", marks=pytest.mark.deep)])
def test_one_notebook_can_be_asked_for(option):
    """`pytest --nbval notebooks/02_….ipynb` tests that notebook, in an account of its own, and so does
    --nbval-lax.
    """
    path = lesson_files(NOTEBOOKS)[2]
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
