"""The regression over the notebooks, against as many notebooks with nothing in them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from helpers.paths import PROJECT

SLOWEST = 12  # cells that are named


def main() -> None:
    notebooks = sorted((PROJECT / "notebooks").glob("*.ipynb"))
    full, cells = run(PROJECT, [str(path) for path in notebooks])
    with tempfile.TemporaryDirectory() as folder:
        empty, _ = run(Path(folder), [write_empty(Path(folder), path.name) for path in notebooks])
    row(f"nbval over the {len(notebooks)} lessons", full, full / empty)
    row(f"nbval over {len(notebooks)} empty notebooks", empty, 1)
    kernels = sum(took for (_, phase), took in cells.items() if phase == "setup")
    calls = {cell: took for (cell, phase), took in cells.items() if phase == "call"}
    setup = sum(took for cell, took in calls.items() if cell.endswith("::Cell 0"))
    row("  starting the kernels", kernels, kernels / empty)
    row("  the setup cells", setup, setup / empty)
    row("  all other cells", sum(calls.values()) - setup, (sum(calls.values()) - setup) / empty)
    for cell in sorted(calls, key=calls.__getitem__, reverse=True)[:SLOWEST]:
        row(f"    {cell}", calls[cell], calls[cell] / empty)


def row(what: str, took: float, ratio: float) -> None:
    print(f"{what:58} {took:>20.1f} s   {ratio:>10.2f}")


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


def run(folder: Path, paths: list[str]) -> tuple[float, dict[tuple[str, str], float]]:
    """Seconds of the whole run, and of the phases of each cell: "setup" starts the kernel, "call" runs the cell."""
    begin = time.perf_counter()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=0", "-vv", *paths],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    if result.returncode:
        raise SystemExit(f"nbval failed, so its time says nothing:\n{result.stdout[-2000:]}")
    took = time.perf_counter() - begin
    found = re.findall(r"^([\d.]+)s (setup|call) +(?:\S*/)?(\S+::Cell \d+)$", result.stdout, re.MULTILINE)
    return took, {(cell, phase): float(seconds) for seconds, phase, cell in found}
