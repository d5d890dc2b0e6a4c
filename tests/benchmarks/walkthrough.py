"""The regression over the notebooks, against as many notebooks with nothing in them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from embedded_aws import PROJECT
from nbformat.v4 import new_code_cell, new_notebook


def main() -> None:
    notebooks = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    full = run(PROJECT, [str(path) for path in notebooks])
    with tempfile.TemporaryDirectory() as folder:
        empty = run(Path(folder), [write_empty(Path(folder), path.name) for path in notebooks])
    print(f"{f'nbval over the {len(notebooks)} lessons':58} {full:>20.1f} s   {full / empty:>10.2f}")
    print(f"{f'nbval over {len(notebooks)} empty notebooks':58} {empty:>20.1f} s   {1:>10}")


def write_empty(folder: Path, name: str) -> str:
    notebook = new_notebook(cells=[new_code_cell("pass", execution_count=1)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    path = folder / name
    nbformat.write(notebook, path)
    for setting in ("pyproject.toml", "tests"):  # the same pytest settings
        if setting == "pyproject.toml" and not (folder / setting).exists():
            shutil.copy(PROJECT / setting, folder / setting)
        elif not (folder / setting).exists():
            (folder / setting).mkdir()
            shutil.copy(PROJECT / "tests" / "nbval_sanitize.cfg", folder / setting)
    return str(path)


def run(folder: Path, paths: list[str]) -> float:
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise SystemExit(f"nbval failed, so its time says nothing:\n{result.stdout[-2000:]}")
    return time.perf_counter() - begin
