"""Functions that start processes without end: the family ends as a whole, and others do not notice.

Each of them is bounded by itself too, in number or in time: the machine survives a server that does not end them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from helpers.local_aws.execution import process_family
from helpers.local_aws.execution.worker_process import PROCESSES, WorkerProcess
from tests.support.hostile import failure, innocent_function, linux, posix, unnoticed  # noqa: F401
from tests.support.polling import eventually

FORKS = 300
#: Every process forks until all together have done so FORKS times, then goes on for five minutes.
BOMB = """
import os, time
def handler(event, context):
    count = os.open(event["count"], os.O_WRONLY | os.O_APPEND)
    end = time.monotonic() + 300
    while os.fstat(count).st_size < {forks}:
        os.write(count, b"x")
        if os.fork() == 0:
            {leave}
    while time.monotonic() < end:
        time.sleep(0.1)
    os._exit(0)
"""
#: A few processes that fork and end at once, so that each has a new id a moment later.
RUNNERS = """
import os, time
def handler(event, context):
    count = os.open(event["count"], os.O_WRONLY | os.O_APPEND)
    end = time.monotonic() + 300
    for _ in range(20):
        if os.fork() == 0:
            while time.monotonic() < end:
                if os.fork():
                    os._exit(0)
                os.setsid()
                os.write(count, b"x")
                time.sleep(0.002)
            os._exit(0)
    time.sleep(600)
"""


@pytest.fixture
def count(tmp_path: Path) -> Path:
    """A file that gets a byte for each fork."""
    file = tmp_path / "count"
    file.touch()
    return file


def family(name: str) -> list[int]:
    """The processes that a function's environments have started, and those that have ended but not been collected."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("AWS_LAMBDA_FUNCTION_NAME") == name:
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def uncollected(pid: int) -> int:
    """How many children of the server have ended and still hold a process id."""
    ended = 0
    for child in psutil.Process(pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):
            ended += child.status() == psutil.STATUS_ZOMBIE
    return ended


@pytest.mark.deep
@posix
@pytest.mark.parametrize(
    "leave", ["pass", "os.setsid()"], ids=["in the worker's group", "each in a session of its own"]
)
def test_a_fork_bomb_ends_as_a_whole(aws, innocent, count, leave):
    name = aws.function(BOMB.format(forks=FORKS, leave=leave), Timeout=20)
    with unnoticed(aws, innocent):
        # Together they take more memory than the function has; where that is not seen in time, its time is over.
        assert failure(aws.invoke(name, {"count": str(count)})) in (
            ("Runtime.ExitError", "Runtime exited with error: signal: killed"),
            ("Sandbox.Timedout", "Task timed out after 20.00 seconds"),
        )
        assert count.stat().st_size >= FORKS, "it went off"
        assert eventually(lambda: not family(name))
    assert eventually(lambda: not uncollected(aws.account.pid))


@pytest.mark.deep
@linux
def test_processes_that_never_stay_are_caught_too(aws, innocent, count):
    name = aws.function(RUNNERS, Timeout=4, MemorySize=1024)
    with unnoticed(aws, innocent):
        assert failure(aws.invoke(name, {"count": str(count)}))[0] == "Sandbox.Timedout"
        assert eventually(lambda: not family(name)), "before they end by themselves"
    assert eventually(lambda: not uncollected(aws.account.pid))
    assert count.stat().st_size > 100, "they ran"


@posix
def test_a_family_has_a_limit_where_the_system_keeps_none(tmp_path, monkeypatch):
    """Linux refuses the fork, unless the user is root; elsewhere nothing does."""
    monkeypatch.setattr(process_family, "MAX_PROCESSES", 5)
    monkeypatch.setattr(process_family, "limit", lambda *_: None)
    program = "import os, time; [os.fork() or time.sleep(600) for _ in range(6)]; time.sleep(600)"
    variables = {**os.environ, process_family.MARK: "a family"}
    with WorkerProcess([sys.executable, "-c", program], variables, tmp_path, 1024) as worker:
        worker.deadline = float("inf")
        assert eventually(lambda: worker.ended_for)
        assert worker.ended_for == PROCESSES
        expected = ("Runtime.ExitError", "Error: Runtime ended: it had 5 processes or more")
        assert worker.failure("too slow") == expected
