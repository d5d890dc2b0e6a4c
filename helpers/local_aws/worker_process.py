"""The process of an execution environment: how it starts, what it prints, how much it takes, how it ends."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

#: Bytes of output that are kept of one look at the worker; a function that prints more than this in a moment
#: loses the rest.
MAX_OUTPUT = 1024 * 1024
#: Size of the output file, in bytes, at which it is emptied after it was read.
TRUNCATE_AT = 4 * 1024 * 1024
#: Seconds between two measurements of memory: quick invocations share one, for measuring takes longer than they may.
MEASURE_EVERY = 0.05


class WorkerProcess:
    """A worker, its scratch folder and its output. Use as a context manager: it leaves nothing behind."""

    def __init__(self, command: list[str], variables: dict[str, str], task_root: Path, memory_mb: int) -> None:
        self._scratch = Path(tempfile.mkdtemp(prefix="environment-"))
        self._memory_limit = memory_mb * 1024 * 1024
        self._max_rss = 0
        self._measured_at = 0.0
        # A file, not a pipe: it never blocks the function, and when an answer arrives all that was printed
        # before
        # it is already there to read, on every platform.
        self._output_path = self._scratch / "output"
        self._offset = 0
        self._partial = b""
        (self._scratch / "tmp").mkdir()
        with open(self._output_path, "ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # the worker ends when this closes, so it cannot outlive us
                stdout=output,
                stderr=output,
                cwd=task_root,
                env={**variables, "TMPDIR": str(self._scratch / "tmp"), "TEMP": str(self._scratch / "tmp")},
                start_new_session=os.name == "posix",
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        self.pid = self._process.pid
        self._output = open(self._output_path, "rb", buffering=0)
        self._statistics = psutil.Process(self.pid)

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._output.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def running(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> None:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass

    def kill(self) -> None:
        """End the worker and everything that it has started."""
        if os.name == "posix":
            try:
                os.killpg(self.pid, signal.SIGKILL)  # its own session: the group is the worker and its children
            except (ProcessLookupError, PermissionError):
                pass
            return
        try:
            family = [*self._statistics.children(recursive=True), self._statistics]
        except psutil.Error:
            return
        for process in family:
            try:
                process.kill()
            except psutil.Error:
                pass

    def exit_error(self) -> tuple[str, str]:
        """The error type and message with which Lambda reports a runtime that has ended."""
        code = self._process.poll()
        if not code:
            return "Runtime.ExitError", "Error: Runtime exited without providing a reason"
        if code < 0:
            name = _SIGNALS.get(-code, str(-code))
            return "Runtime.ExitError", f"Error: Runtime exited with error: signal: {name}"
        return "Runtime.ExitError", f"Error: Runtime exited with error: exit status {code}"

    def read_output(self, all_of_it: bool = False) -> list[str]:
        """The lines that were printed since the last call, each with its newline.

        A last line without one waits for the rest of it, unless the invocation is over (`all_of_it`).
        """
        chunk = self._output.read(MAX_OUTPUT)
        if chunk:
            self._offset += len(chunk)
            if self._offset > TRUNCATE_AT:
                os.truncate(self._output_path, 0)  # appended to: the next line is at the start again
                self._output.seek(0)
                self._offset = 0
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        texts = [line.decode("utf-8", "replace") + "\n" for line in lines]
        return texts + self._rest() if all_of_it or not self.running() else texts

    def _rest(self) -> list[str]:
        rest, self._partial = self._partial, b""
        return [rest.decode("utf-8", "replace")] if rest else []

    def over_memory(self) -> bool:
        return self._measure() > self._memory_limit

    def max_memory_mb(self) -> int:
        """The most memory that the worker was seen to use, in MB, never more than its limit."""
        if time.monotonic() - self._measured_at > MEASURE_EVERY:
            self._measure()
        return max(1, min(self._max_rss, self._memory_limit) // (1024 * 1024))

    def _measure(self) -> int:
        self._measured_at = time.monotonic()
        try:
            rss = self._statistics.memory_info().rss
        except psutil.Error:
            return 0
        self._max_rss = max(self._max_rss, rss)
        return rss


_SIGNALS = {
    4: "illegal instruction",
    6: "aborted",
    8: "floating point exception",
    9: "killed",
    11: "segmentation fault",
}
if hasattr(signal, "SIGTERM"):
    _SIGNALS[int(signal.SIGTERM)] = "terminated"
