"""Kernels that start while the notebook before theirs runs: each notebook has its own, and none is left over."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from helpers.paths import PROJECT
from tests.support.polling import eventually


def notebook(path: Path, source: str) -> None:
    cell = new_code_cell(source, execution_count=1)
    nbformat.write(new_notebook(cells=[cell]), path)


def kernels_of(folder: Path) -> list[psutil.Process]:
    """The processes that work in a folder."""
    found = []
    for process in psutil.process_iter(["cwd"]):
        if process.info["cwd"] == str(folder) and process.pid != psutil.Process().pid:
            found.append(process)
    return found


@pytest.mark.parametrize(
    ("first", "outcome"),
    [("", "3 passed"), pytest.param("raise ValueError", "1 failed", marks=pytest.mark.deep)],
)
def test_each_notebook_has_a_kernel_of_its_own_and_none_is_left(tmp_path, first, outcome):
    """Also where -x ends the run while a kernel is there that no notebook will use."""
    log = tmp_path / "pids"
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.support.kernels"]\n', encoding="utf-8")
    for number in range(3):
        note = f"import os\nwith open({str(log)!r}, 'a') as file: print(os.getpid(), file=file)"
        notebook(tmp_path / f"{number}.ipynb", f"{note}\n{first if number == 0 else ''}")
    options = ["-p", "helpers.authoring.quick_imports", "--nbval-lax", "--nbval-current-env", "-x", "-q"]
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert outcome in run.stdout, run.stdout + run.stderr
    pids = log.read_text(encoding="utf-8").split()
    assert len(set(pids)) == len(pids) == (1 if first else 3)
    eventually(lambda: not kernels_of(tmp_path), "all kernels to end")
