"""How long a learner waits before a lesson begins: JupyterLab, the kernel, the setup cell, what is caught up.

The floor of a lesson is a kernel that runs an empty cell.
"""

from __future__ import annotations

import contextlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.orders import row, seconds
from helpers.authoring.isolation import isolated
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import own_home
from tests.support.learners import CellFailed, Learner, setup_cell

ROUNDS = 3  # of each lesson
LAST = "13_deploy_as_code"
FIRST_CELL_GOAL, CATCH_UP_GOAL, LAB_GOAL = "<= 2.5 s", "<= 6 s", "<= 6 s"


def main() -> None:
    print(f"{'before a lesson begins':58} {'measured':>22}   {'ratio':>10}   goal")
    lab()
    with tempfile.TemporaryDirectory(prefix="lessons-", ignore_cleanup_errors=True) as folder:
        try:
            floor = statistics.median(begun(Path(folder), "pass")[1] for _ in range(ROUNDS))
            row("a kernel, and an empty cell", f"{floor:.2f} s", "1")
            catch_up(Path(folder), floor)
            first_cells(Path(folder), floor)
        finally:
            with own_home(Path(folder) / "account"):
                lifecycle.stop()


def catch_up(folder: Path, floor: float) -> None:
    """The last lesson, opened first: its setup cell starts the embedded AWS and builds all that comes before."""
    cell, took = begun(folder, setup_cell(LAST))
    row(f"{LAST}, with no account: its setup cell", f"{cell:.2f} s", "", CATCH_UP_GOAL)
    row("  from the start of the kernel", f"{took:.2f} s", f"{took / floor:.2f}")


def first_cells(folder: Path, floor: float) -> None:
    """Each lesson in an account that has all that it needs."""
    for path in sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb")):
        rounds = [begun(folder, setup_cell(path.stem)) for _ in range(ROUNDS)]
        took = statistics.median(whole for _, whole in rounds)
        cell = statistics.median(cell for cell, _ in rounds)
        what, measured = f"{path.stem}: kernel and setup cell", f"{took:.2f} s ({cell:.2f} s)"
        row(what, measured, f"{took / floor:.2f}", FIRST_CELL_GOAL)


def begun(folder: Path, source: str) -> tuple[float, float]:
    """Seconds that a new kernel takes for a cell, without and with its own start."""
    learner = Learner(1, folder, folder / "account")
    try:
        cell = seconds(lambda: learner.run(source))
        return cell, learner.kernel_seconds + cell
    except CellFailed as error:
        raise SystemExit(f"A setup cell failed, so its time says nothing: {error}") from error
    finally:
        learner.leave()


def lab() -> None:
    """`python -m helpers lab` where everything is installed, until a browser gets the first page."""
    imported = [sys.executable, "-c", "import helpers.authoring.quick_imports, jupyterlab.labapp"]
    imports = statistics.median(seconds(lambda: subprocess.run(imported, check=True)) for _ in range(ROUNDS))
    took = statistics.median(lab_seconds() for _ in range(ROUNDS))
    row("importing JupyterLab in a process of its own", f"{imports:.2f} s", "1")
    row("python -m helpers lab until its page is there", f"{took:.2f} s", f"{took / imports:.2f}", LAB_GOAL)


def lab_seconds(patience: float = 120) -> float:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=benchmark"]
    with tempfile.TemporaryDirectory(prefix="lab-", ignore_cleanup_errors=True) as folder, isolated(Path(folder)):
        begin = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "helpers", "lab", *options],
            cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait_for_page(f"http://127.0.0.1:{port}/lab?token=benchmark", process, begin + patience)
            return time.perf_counter() - begin
        finally:
            process.terminate()
            process.wait(60)
            lifecycle.stop()


def wait_for_page(url: str, process: subprocess.Popen, deadline: float) -> None:
    """Return when JupyterLab answers with its page and all scripts and styles that the page names."""
    while time.perf_counter() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
            page = answer.read().decode()
            for part in re.findall(r'(?:src|href)="(/[^"]+\.(?:js|css)[^"]*)"', page):
                urllib.request.urlopen(f"{url.partition('/lab')[0]}{part}", timeout=30).read()
            return
        time.sleep(0.02)
    raise SystemExit("JupyterLab did not answer, so its time says nothing")
