"""Find and kill the process tree that a function has started, however its processes have tried to get away.

A worker is the leader of a session, so a signal to its group reaches it and its children. A child that has left the
group is found as a descendant; one whose parent has ended, by the environment variables that it was started with.
On Linux orphans become children of this process (it is their "subreaper"), so even one without the variables is
found: a child of ours that is no worker.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from ..engine import clock, executor

#: Its value names one execution environment; children inherit it.
MARK = "AWS_LAMBDA_LOG_STREAM_NAME"
#: What psutil raises of a process that has ended or is somebody else's, and when no more files can be opened to look.
UNKNOWN = (psutil.Error, OSError)
_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
#: Rounds of looking for what is left, and their timeout in seconds: a process that is being killed may start others.
_ROUNDS = 5
_KILL_TIMEOUT_S = 10.0
#: Processes and threads that the machine has more than before, which are a reason to look what workers have started.
_MANY_NEW_TASKS = 256
#: AWS's quotas for an execution environment: processes and threads, file descriptors.
#: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PROCESSES = 1024
MAX_FILES = 1024
#: Bytes that a process may reserve beyond the function's memory before the system refuses it more. Reserved is not
#: used: libraries reserve much. What is used is measured.
_RESERVE = 1024**3

#: Held while a worker starts: a child of ours that is not in the register yet is no orphan.
starting = executor.Lock()
_workers: dict[int, str] = {}  # process id -> mark
_adopting = False
_tasks_before = 0  # when the process trees were looked at last


def adopt_orphans() -> None:
    """Become the parent of what functions leave behind; for a process that starts workers and nothing else.

    Linux alone can do that; elsewhere nothing happens.
    """
    global _adopting  # noqa: PLW0603  a property of the process
    if sys.platform == "linux":
        _adopting = ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0


def allow_many_files() -> None:
    """Raise this process's own limit of open files: a function may open as many connections to it as it may have."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 32 * MAX_FILES
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def register(pid: int, mark: str) -> None:
    """Remember a worker that has started. Call it with `starting` held."""
    _workers[pid] = mark


def forget(pid: int) -> None:
    """Forget a worker that has ended and was waited for."""
    _workers.pop(pid, None)


def limit(process: psutil.Process, memory_bytes: int) -> None:
    """Have the system refuse what AWS refuses: too many processes and files, memory without end.

    Linux alone lets one process limit another; elsewhere measuring must do.
    """
    if sys.platform != "linux":
        return
    with contextlib.suppress(*UNKNOWN, ValueError):
        limits = {
            psutil.RLIMIT_DATA: memory_bytes + _RESERVE,
            psutil.RLIMIT_NOFILE: MAX_FILES,
            psutil.RLIMIT_CORE: 0,
            # The limit counts all processes and threads of the user, not the worker's alone.
            psutil.RLIMIT_NPROC: _tasks() + MAX_PROCESSES,
        }
        for resource, value in limits.items():
            _, hard = process.rlimit(resource)
            value = value if hard < 0 else min(value, hard)
            process.rlimit(resource, (value, value))


def _tasks() -> int:
    """How many processes and threads this machine runs: the second of "3/412" in proc(5)'s loadavg."""
    return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])


def kill_group(pid: int) -> None:
    """Kill a worker and the children that it has told nothing else. On Windows: all of its descendants."""
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        return
    with contextlib.suppress(*UNKNOWN):
        worker = psutil.Process(pid)
        _kill([*worker.children(recursive=True), worker])


def kill_process_tree(pid: int, mark: str) -> None:
    """Kill a worker, which may be gone already, and all that it has started."""
    with contextlib.suppress(*UNKNOWN):
        below = psutil.Process(pid).children(recursive=True)
        kill_group(pid)
        _kill(below)
    kill_group(pid)
    for _ in range(_ROUNDS):
        _kill_orphans(pid, mark)
        left = _marked(lambda variables: variables.get(MARK) == mark)
        left = [process for process in left if process.pid != pid]  # whose end its own environment waits for
        if not left:
            return
        _kill(left)


def _kill_orphans(pid: int, mark: str) -> None:
    """Kill what a worker has left to us, again and again while more of it comes.

    Who forks and ends at once has another process id each time. So this looks at our own children alone, which takes
    less time than a fork, and what is below them comes to us with their end.
    """
    end, calm = clock.monotonic() + _KILL_TIMEOUT_S, 0
    while _adopting and calm < 2 and clock.monotonic() < end:  # a list that changes while it is read may lack some
        with starting:
            workers, marks = {pid, *_workers}, set(_workers.values()) - {mark}
            left = [child for child in _children() if child not in workers and _mark_of(child) not in marks]
            for child in left:
                with contextlib.suppress(OSError):
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, os.WNOHANG)
        calm = 0 if left else calm + 1


def reap_orphans() -> None:
    """Reap what was left to us and has ended: until then it keeps a process id, of which a machine has not many."""
    while _adopting:
        with starting:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                if ended is None or ended.si_pid in _workers:  # whose own environment asks how it has ended
                    return
                os.waitpid(ended.si_pid, os.WNOHANG)
            except ChildProcessError:
                return


def _children() -> list[int]:
    """Return the process ids of this process's children, from proc(5), in one go where the kernel lists them."""
    found: list[int] = []
    try:
        for task in Path("/proc/self/task").iterdir():
            with contextlib.suppress(ProcessLookupError):  # a thread that has just ended
                found += map(int, (task / "children").read_text(encoding="ascii").split())
    except OSError:
        with contextlib.suppress(*UNKNOWN):
            return [child.pid for child in psutil.Process().children()]
    return found


def _mark_of(pid: int) -> str | None:
    """Return the mark that a process was started with; None without one, or when it has ended."""
    try:
        variables = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    _, found, rest = (b"\0" + variables).partition(f"\0{MARK}=".encode())
    return rest.partition(b"\0")[0].decode(errors="replace") if found else None


def many_tasks_started() -> bool:
    """Tell whether this machine has so many more processes and threads than at the last look that a worker may be to
    blame."""
    with contextlib.suppress(OSError, IndexError, ValueError):  # only some systems tell
        return _tasks() > _tasks_before + _MANY_NEW_TASKS
    return False


def kill_leftovers(code_root: Path) -> None:
    """Kill what functions of an earlier server, whose code was in this folder, have left behind."""
    root = str(code_root) + os.sep
    _kill(_marked(lambda variables: variables.get("LAMBDA_TASK_ROOT", "").startswith(root)))


def descendants() -> dict[int, list[psutil.Process]]:
    """Return, by each worker's process id, the processes that it has started and that are still below it."""
    global _tasks_before  # noqa: PLW0603  of the machine, as last seen
    trees: dict[int, list[psutil.Process]] = {}
    with contextlib.suppress(OSError, IndexError, ValueError):
        _tasks_before = _tasks()
    with contextlib.suppress(*UNKNOWN):
        below = {process.pid: process for process in psutil.Process().children(recursive=True)}
        for pid, process in below.items():
            worker = _worker_above(pid, below)
            if worker not in (None, pid):
                trees.setdefault(worker, []).append(process)
    return trees


def _worker_above(pid: int | None, below: dict[int, psutil.Process]) -> int | None:
    while pid in below and pid not in _workers:
        try:
            pid = below[pid].ppid()
        except UNKNOWN:
            return None
    return pid if pid in _workers else None


def _marked(wanted: Callable[[dict[str, str]], bool]) -> list[psutil.Process]:
    """Return this user's processes that were started with such variables, except those that have ended."""
    found: list[psutil.Process] = []
    with contextlib.suppress(*UNKNOWN):
        for process in psutil.process_iter():
            if process.pid == os.getpid():
                continue
            with contextlib.suppress(*UNKNOWN):  # it has just ended, or is not ours
                if wanted(process.environ()) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
    return found


def _kill(processes: Iterable[psutil.Process]) -> None:
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(*UNKNOWN):
            process.kill()
    with contextlib.suppress(*UNKNOWN):
        psutil.wait_procs(processes, timeout=0.5)
