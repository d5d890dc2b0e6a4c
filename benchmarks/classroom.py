"""Thirty at once: a class that opens lesson 5 at the same instant on one machine, beside one learner alone.

Twice: with an embedded AWS for each learner, as thirty copies of the workbook have, and with one that all share.
LEARNERS=12 in the environment tries another number.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.authoring.isolation import isolated
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import own_home
from tests.support.learners import ORDERS, Learner, begin_together, classroom, together

LEARNERS = int(os.environ.get("LEARNERS", "30"))
MB = 1e6


@dataclass
class Figures:
    """What a class took: seconds for each learner; bytes of memory and seconds of CPU by kind of process; and who saw
    what. CPU: from the start of each process until its learner's setup cell is done.
    """

    kernel: list[float]
    start: list[float]
    begin: list[float]
    send: list[float]
    memory: Counter[str]
    cpu: Counter[str]
    own_only: int
    failed: list[str]

    @property
    def total(self) -> float:
        return sum(self.memory.values())


def main() -> None:
    load = ", ".join(f"{value:.1f}" for value in psutil.getloadavg())
    print(f"{LEARNERS} learners on {os.cpu_count()} cores; load before: {load}; memory as shares (PSS) where known")
    measured(1)  # so that what follows finds the disk's caches warm, as the second learner of a class does
    alone = measured(1)
    report("one learner alone", alone, alone)
    report(f"{LEARNERS} learners, an embedded AWS each", measured(LEARNERS), alone)
    report(f"{LEARNERS} learners, one embedded AWS for all", measured(LEARNERS, shared=True), alone)
    lab = jupyterlab_bytes()
    row("JupyterLab's own process, which each learner has besides", f"{lab / MB:.0f} MB", lab / alone.total)


def measured(count: int, shared: bool = False) -> Figures:
    """One class, from opening the notebook to reading the orders."""
    with (
        tempfile.TemporaryDirectory(prefix="classroom-", ignore_cleanup_errors=True) as folder,
        classroom(count, Path(folder), shared) as learners,
    ):
        begun = begin_together(learners, notice=2)
        cpu = over(learners, cpu_seconds)
        failed = [str(result) for result in begun if isinstance(result, Exception)]
        ready = [one for one, result in zip(learners, begun, strict=True) if not isinstance(result, Exception)]
        sent = together(ready, Learner.send)
        failed += [str(result) for result in sent if isinstance(result, Exception)]
        seen = together(ready, Learner.read)
        return Figures(
            [learner.kernel_seconds for learner in learners],
            [took[0] for took in begun if not isinstance(took, Exception)],
            [took[1] for took in begun if not isinstance(took, Exception)],
            [took for took in sent if not isinstance(took, Exception)],
            over(learners, share),
            cpu,
            sum(found == learner.own_orders for found, learner in zip(seen, ready, strict=True)),
            failed,
        )


def over(learners: list[Learner], measure: Callable[[psutil.Process], float]) -> Counter[str]:
    """What is measured of each process, added up by kind of process over the whole class."""
    used: Counter[str] = Counter(kernels=sum(measure(psutil.Process(learner.pid)) for learner in learners))
    for home in {learner.home for learner in learners}:
        with own_home(home):
            account = lifecycle.status()
        if account:
            server = psutil.Process(account.pid)
            used["servers"] += measure(server)
            used["functions"] += sum(measure(child) for child in server.children(recursive=True))
    return used


def cpu_seconds(process: psutil.Process) -> float:
    """Seconds of CPU that a process has had so far, user and system."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return times.user + times.system
    return 0.0


def share(process: psutil.Process) -> int:
    """Bytes that a process takes: what it shares with others is divided among them, where the system tells."""
    with contextlib.suppress(psutil.NoSuchProcess):
        full = process.memory_full_info()
        return getattr(full, "pss", full.uss)
    return 0


def jupyterlab_bytes() -> int:
    """What JupyterLab itself takes, with a page of it fetched and no notebook open."""
    with jupyterlab() as (process, url):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5) as page:
                page.read()
                return share(process)
            time.sleep(0.2)
    raise SystemExit("JupyterLab did not answer within a minute")


@contextlib.contextmanager
def jupyterlab() -> Iterator[tuple[psutil.Process, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=benchmark"]
    options += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="classroom-", ignore_cleanup_errors=True) as folder:
        with isolated(Path(folder)):
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyterlab", *options],
                cwd=PROJECT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            yield psutil.Process(process.pid), f"http://127.0.0.1:{port}/lab?token=benchmark"
        finally:
            process.terminate()
            process.wait(30)


def report(title: str, figures: Figures, alone: Figures) -> None:
    count = len(figures.kernel)
    print(f"\n{title:58} {'measured':>22}   {'ratio':>10}")
    for name, took, base in (
        ("the kernel starts", figures.kernel, alone.kernel),
        ("the embedded AWS is there", figures.start, alone.start),
        ("the setup cell of lesson 5 is done", figures.begin, alone.begin),
        (f"sending {ORDERS} orders until they are stored", figures.send, alone.send),
    ):
        if took:
            middle, slowest = statistics.median(took), max(took)
            row(f"{name}: median, slowest", f"{middle:.1f} s, {slowest:.1f} s", slowest / max(base))
    cpu = sum(figures.cpu.values())
    row(
        "CPU for each learner, until the setup cell is done",
        f"{cpu / count:.2f} s",
        cpu / count / sum(alone.cpu.values()),
    )
    for name, used in figures.cpu.items():
        row(f"  of that, {name}", f"{used / count:.2f} s", used / count / (alone.cpu[name] or 1))
    row("memory of all together", f"{figures.total / MB:.0f} MB", figures.total / alone.total)
    row("memory for each learner", f"{figures.total / count / MB:.0f} MB", figures.total / count / alone.total)
    for name, used in figures.memory.items():
        row(f"  of that, {name}", f"{used / count / MB:.0f} MB", used / count / alone.memory[name])
    row("learners who see exactly their own orders", f"{figures.own_only} of {count}")
    for message, times in Counter(re.sub(r"learner \d+: ", "", one) for one in figures.failed).items():
        row(f"failed, {times} times: {message[:200]}", "")


def row(what: str, value: str, ratio: float | None = None) -> None:
    print(f"{what:58} {value:>22}   {f'{ratio:.2f}' if ratio else '':>10}".rstrip(), flush=True)
