"""How much memory the embedded AWS takes in lesson 5, beside a process that imports the moto services that it uses.

Shares (PSS), where the system tells: what several processes read in one place is divided among them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.classroom import MB, share
from benchmarks.orders import MOTO, row
from helpers.local_aws import lifecycle
from tests.support.embedded_aws import Aws, own_home
from tests.support.learners import LESSON, Learner, setup_cell

GOAL = "<= 90 MB"


def main() -> None:
    print(f"{'memory of the server (PSS)':58} {'measured':>22}   {'ratio':>10}   goal")
    floor = floor_bytes()
    row("a process that imports moto's services", f"{floor / MB:.0f} MB", "1")
    *before, (last, most) = steps()
    for what, used in before:
        row(what, f"{used / MB:.0f} MB", f"{used / floor:.2f}")
    row(last, f"{most / MB:.0f} MB", f"{most / floor:.2f}", GOAL)


def floor_bytes() -> int:
    """What importing takes that the server cannot do without."""
    program = f"{MOTO}; print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        used = share(psutil.Process(process.pid))
        process.communicate("\n")
    return used


def steps() -> list[tuple[str, int]]:
    """Take a fresh account through lesson 5: (what has been done, bytes that its server takes then)."""
    with tempfile.TemporaryDirectory(prefix="memory-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "account"
        with server_in(home) as account:
            server = psutil.Process(account.pid)
            taken = [("started", share(server))]
            Aws(account).client("iam").list_roles()
            taken.append(("after the first call to IAM", share(server)))
            learner = Learner(1, Path(folder), home)
            try:
                learner.run(setup_cell(LESSON))
                taken.append(("after the setup cell of lesson 5", share(server)))
                learner.send()
            finally:
                learner.leave()
            taken.append(("lesson 5 done: orders are sent and stored", share(server)))
    return taken


@contextmanager
def server_in(home: Path) -> Iterator[lifecycle.Access]:
    """A new embedded AWS in a folder, which is stopped afterwards."""
    with own_home(home):
        account = lifecycle.start()
    try:
        yield account
    finally:
        with own_home(home):
            lifecycle.stop()
