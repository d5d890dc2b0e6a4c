"""Run the process of an execution environment: how it starts, how much it takes, how it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import psutil

from ..engine import clock, executor
from . import folder_size, process_family, warden
from .environment import CodeIsGone, exit_error
from .worker_output import WorkerOutput

#: Seconds between two measurements of memory: quick invocations share one, for measuring takes longer than they may.
MEASURE_EVERY = 0.05
#: Seconds after a deadline at which the warden kills a worker whose own environment has not done it.
GRACE = 0.5
#: Why a worker was ended (`ended_for`).
TIMEOUT, MEMORY, PROCESSES, STORAGE = "timeout", "memory", "processes", "storage"


class WorkerProcess:
    """A worker, its scratch folder and its output. Use as a context manager: it leaves nothing behind.

    deadline: when it must have done what it does now, in clock.monotonic()'s seconds; None while it is idle.
    ended_for: TIMEOUT, MEMORY, PROCESSES or STORAGE when it was ended because of that.
    """

    def __init__(
        self, command: list[str], variables: dict[str, str], task_root: Path, memory_mb: int, storage_mb: int = 512
    ) -> None:
        """Start the worker. Raises CodeIsGone."""
        self._scratch = Path(tempfile.mkdtemp(prefix="environment-"))
        self._memory_limit, self._storage_mb = memory_mb * 1024 * 1024, storage_mb
        self._max_rss = 0
        self._measured_at = 0.0
        self._mark = variables.get(process_family.MARK) or str(self._scratch)
        self.deadline: float | None = None
        self.ended_for: str | None = None
        self._turn = executor.Lock()  # held while it is decided whether the worker is killed or gets work
        self._condemned = False
        (self._scratch / "tmp").mkdir()
        self._output = WorkerOutput(self._scratch / "output")
        try:
            self._process = self._start(command, variables, task_root)
        except BaseException:
            self._output.close()
            shutil.rmtree(self._scratch, ignore_errors=True)
            if not task_root.is_dir():
                raise CodeIsGone from None
            raise
        try:
            self._statistics = psutil.Process(self.pid)
        except BaseException:  # no more files, or it has ended already
            self.__exit__()
            raise
        process_family.limit(self._statistics, self._memory_limit)
        warden.watch(self)

    def _start(self, command: list[str], variables: dict[str, str], task_root: Path) -> subprocess.Popen[bytes]:
        scratch = str(self._scratch / "tmp")
        with self._output.path.open("ab") as output, process_family.starting:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # the worker ends when this closes, so it cannot outlive us
                stdout=output,
                stderr=output,
                cwd=task_root,
                env={**variables, process_family.MARK: self._mark, "TMPDIR": scratch, "TEMP": scratch},
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            self.pid = process.pid
            process_family.register(self.pid, self._mark)
        return process

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        warden.release(self)
        process_family.kill_process_tree(self.pid, self._mark)
        self._process.wait()
        process_family.forget(self.pid)
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def running(self) -> bool:
        return self._process.poll() is None

    def usable(self) -> bool:
        """Return whether the worker runs and may get work: one that was killed may take a while to be gone."""
        return not self._condemned and self.running()

    def begin(self, deadline: float) -> bool:
        """Note that work is handed to the worker, to be done by then; returns False when it is not usable any more."""
        with self._turn:
            if not self.usable():
                return False
            self.deadline = deadline
            return True

    def wait(self, seconds: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def kill(self, reason: str | None = None) -> None:
        """Kill the worker and everything in its group. What has left the group ends with the context."""
        with self._turn:
            if reason is not None and self.ended_for is None and self.running():
                self.ended_for = reason
            self._condemned = True
        process_family.kill_group(self.pid)

    def look(self, tree: list[psutil.Process] | None) -> None:
        """Kill the worker if it breaks a limit; the warden calls this (see Ward)."""
        idle = self.deadline is None
        if self.deadline is not None and clock.monotonic() > self.deadline + GRACE:
            self.kill(TIMEOUT)
            process_family.kill_process_tree(self.pid, self._mark)
        elif tree is not None and len(tree) >= process_family.MAX_PROCESSES:
            self.kill(PROCESSES)
        elif self._measure() + sum(map(_own_memory, tree or ())) > self._memory_limit:
            with self._turn:
                if not idle or self.deadline is None:  # what it was given meanwhile is judged at the next look
                    self.kill(MEMORY)
        elif tree is not None and self._storage_is_full():
            self.kill(STORAGE)
        self._output.keep_small()
        self.running()  # so one that has ended is reaped

    def failure(self, timed_out: str) -> tuple[str, str] | None:
        """Return the error type and message of a worker that cannot go on, or must not; None while all is well.

        One that is too slow or too large is ended here. timed_out: the message about one that is too slow.
        """
        if self.ended_for is None and self.running():
            if self.deadline is not None and clock.monotonic() >= self.deadline:
                self.kill(TIMEOUT)
            elif self._measure() > self._memory_limit:
                self.kill(MEMORY)
            else:
                return None
        if self.ended_for == TIMEOUT:
            return "Sandbox.Timedout", timed_out
        if self.ended_for == MEMORY:
            return "Runtime.ExitError", "Error: Runtime exited with error: signal: killed"
        if self.ended_for == PROCESSES:  # on AWS, and where the system keeps this limit, the function's fork fails
            return "Runtime.ExitError", f"Error: Runtime ended: it had {process_family.MAX_PROCESSES} processes or more"
        if self.ended_for == STORAGE:  # on AWS, a write fails with "No space left on device"
            message = f"Error: Runtime ended: no space left, its temporary files are larger than {self._storage_mb} MB"
            return "Runtime.ExitError", message
        return self.exit_error()

    def exit_error(self) -> tuple[str, str]:
        """Return the error type and message with which Lambda reports a runtime that has ended."""
        code = self._process.poll()
        if code is not None and code < 0:
            name = _SIGNALS.get(-code, str(-code))
            return "Runtime.ExitError", f"Error: Runtime exited with error: signal: {name}"
        return exit_error(code or 0)

    def read_output(self, all_of_it: bool = False) -> list[str]:
        """Return the lines that were printed since the last call; `all_of_it` when the invocation is over."""
        return self._output.read(all_of_it or not self.running())

    def lost_output(self) -> int:
        """Return the bytes of output that were too many to keep since the last call."""
        return self._output.take_lost()

    def max_memory_mb(self) -> int:
        """Return the most memory that the worker was seen to use, in MB, never more than its limit."""
        if self.ended_for == MEMORY:
            return self._memory_limit // (1024 * 1024)
        if clock.monotonic() - self._measured_at > MEASURE_EVERY:
            self._measure()
        return max(1, min(self._max_rss, self._memory_limit) // (1024 * 1024))

    def _storage_is_full(self) -> bool:
        most = self._storage_mb * 1024 * 1024
        return folder_size.at_least(self._scratch / "tmp", most) > most

    def _measure(self) -> int:
        self._measured_at = clock.monotonic()
        try:
            rss = self._statistics.memory_info().rss
        except process_family.UNKNOWN:
            return 0
        self._max_rss = max(self._max_rss, rss)
        return rss


def _own_memory(process: psutil.Process) -> int:
    """Bytes that a process does not share with its parent, as a fork shares nearly all at first."""
    try:
        return process.memory_full_info().uss
    except (*process_family.UNKNOWN, AttributeError):
        return 0


_SIGNALS = {
    4: "illegal instruction",
    6: "aborted",
    8: "floating point exception",
    9: "killed",
    11: "segmentation fault",
}
if hasattr(signal, "SIGTERM"):
    _SIGNALS[int(signal.SIGTERM)] = "terminated"
