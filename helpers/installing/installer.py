"""Fill a new environment with uv or pip: show that they are alive, log what they print, raise what they failed with.

Standard library only: all of this runs before anything is installed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from helpers.installing import pins
from helpers.installing.place import Place
from helpers.installing.status_line import StatusLine
from helpers.installing.trouble import ToolFailed, diagnose

#: Variables meant for other environments, which would lead Python, pip or uv away from ours.
_FOREIGN = {
    "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__", "CONDA_PREFIX",
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_CONSTRAINT", "PIP_REQUIREMENT",
    "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_PROJECT_ENVIRONMENT", "UV_CONSTRAINT", "UV_OVERRIDE",
}  # fmt: skip
_QUIET = {
    "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1",
    "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PIP_USER": "0", "PIP_NO_INPUT": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_PROGRESS_BAR": "off", "PIP_NO_COLOR": "1",
}  # fmt: skip
#: Where pip has been told to look, for uv, which does not read pip's variables.
_FOR_UV = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX", "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
}  # fmt: skip


def environment(place: Place) -> dict[str, str]:
    """Return the variables of a process that runs in the environment, as if it had been activated."""
    env = {name: value for name, value in os.environ.items() if name.upper() not in _FOREIGN}
    env["VIRTUAL_ENV"] = str(place.venv)
    env["PATH"] = os.pathsep.join([str(place.programs), env.get("PATH", "")])
    env["JUPYTER_PREFER_ENV_PATH"] = "1"  # a kernel of the same name in the user's own folders must not win
    return env


def install(place: Place, status: StatusLine, descriptor: int) -> str:
    """Make `place.venv` with this Python, install the lock and the project; returns what did it: "uv" or "pip".

    uv takes less than half of pip's time. One on the PATH is used; else pip fetches it into the new environment.
    If uv cannot do it (pip may know of a mirror that uv does not), pip does. `descriptor`: the lock's, see
    `_run`. Raises ToolFailed with what the last tool printed.
    """
    env = _tools_environment(place)
    run = functools.partial(_run, status=status, place=place, env=env, descriptor=descriptor)
    # Not the Python of another virtual environment, which may go.
    base = getattr(sys, "_base_executable", None) or sys.executable
    title = f"Making .venv with Python {'.'.join(map(str, sys.version_info[:3]))}"
    locked = pins.read(place.requirements)
    packages = f"Installing {len(locked)} packages and the workbook with "
    uv = find_uv(place)
    if uv:
        with _fall_back_unless(place, status, "disk"):
            with status.step(1, 2, title):
                run([uv, "venv", "--python", base, str(place.venv)])
            with status.step(2, 2, packages + "uv"):
                run(_install_with_uv(uv, place, env))
            return "uv"
    with status.step(1, 2, title):
        run([base, "-m", "venv", "--clear", str(place.venv)])
    pip = [str(place.python), "-m", "pip", "install"]
    if "uv" in locked and not uv:
        with _fall_back_unless(place, status, "disk", "network"), status.step(2, 2, packages + "uv"):
            run([*pip, "--no-deps", "--only-binary=:all:", f"uv=={locked['uv'][0]}"])
            run(_install_with_uv(shutil.which("uv", path=str(place.programs)) or "uv", place, env))
            return "uv"
    with status.step(2, 2, packages + "pip"):
        run([*pip, *_everything(place)])
    return "pip"


def _tools_environment(place: Place) -> dict[str, str]:
    """Return the variables with which pip and uv run: quiet, and uv told what only pip's variables say."""
    env = {"PIP_RETRIES": "3"} | environment(place) | _QUIET
    return env | {uv: env[pip] for pip, uv in _FOR_UV.items() if env.get(pip) and not env.get(uv)}


def _everything(place: Place) -> list[str]:
    """Return the arguments, the same for pip and uv, that name the lock and the project."""
    return ["--no-deps", "-r", str(place.requirements), "-e", str(place.root)]


def _install_with_uv(uv: str, place: Place, env: dict[str, str]) -> list[str]:
    """Return the command that installs everything; bytecode is compiled now, or every first start takes seconds."""
    no_index = ["--no-index"] if env.get("PIP_NO_INDEX") else []  # not to be had as a variable
    return [uv, "pip", "install", "--python", str(place.python), "--compile-bytecode", *no_index, *_everything(place)]


def find_uv(place: Place) -> str | None:
    """Return the path of a uv on the PATH that runs, or None; not the one in the environment itself."""
    folders = os.environ.get("PATH", "").split(os.pathsep)
    elsewhere = os.pathsep.join(folder for folder in folders if folder and Path(folder) != place.programs)
    uv = shutil.which("uv", path=elsewhere)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if uv and subprocess.run([uv, "--version"], capture_output=True, timeout=30).returncode == 0:
            return uv
    return None


@contextlib.contextmanager
def _fall_back_unless(place: Place, status: StatusLine, *hopeless: str) -> Iterator[None]:
    """Let a failure pass, because another way is open; not one of a kind that would stop that way too."""
    try:
        yield
    except ToolFailed as failure:
        if diagnose(failure.output, place.root) in hopeless:
            raise
        status.say("uv could not do it; pip will.")


def _run(command: Sequence[str], status: StatusLine, place: Place, env: dict[str, str], descriptor: int) -> None:
    """Run a tool to its end. Raises ToolFailed when it fails; ends it when the user interrupts.

    It inherits the lock's descriptor: if this process is killed, the lock lasts while the tool still writes.
    """
    special: dict[str, Any] = {"pass_fds": (descriptor,), "start_new_session": True} if os.name == "posix" else {}
    process = subprocess.Popen(
        command,
        cwd=place.root,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        **special,
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    output: list[str] = []
    try:
        while (line := _next_line(lines, status, output)) is not None:
            output.append(line)
        code = process.wait()
    except BaseException:
        _terminate(process)
        raise
    finally:
        with contextlib.suppress(OSError), place.log.open("a", encoding="utf-8") as file:
            file.write(f"$ {' '.join(command)}\n{''.join(output)}\n")
    if code:
        raise ToolFailed("".join(output))


def _read(pipe: TextIO, lines: queue.SimpleQueue[str | None]) -> None:
    for line in pipe:
        lines.put(line)
    lines.put(None)


def _next_line(lines: queue.SimpleQueue[str | None], status: StatusLine, output: list[str]) -> str | None:
    """Return the tool's next line, or None at its end; redraws the status line meanwhile."""
    while True:
        status.heartbeat(_progress_detail(output))
        with contextlib.suppress(queue.Empty):
            return lines.get(timeout=0.5)


def _progress_detail(output: list[str]) -> str:
    """Return what the tool is at, by its own words: pip collects all packages, then installs them together."""
    for line in reversed(output):
        if line.startswith("Installing collected"):
            return "all fetched, unpacking and compiling"
        if found := re.match(r"\s*(Collecting|Downloading) (\S{1,40})", line):
            return f"{found[1].lower()} {found[2]}"
    return ""


def _terminate(process: subprocess.Popen[str]) -> None:
    """Terminate the tool and, where the system has process groups, all that it started."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        _signal(process, "SIGTERM")
        process.wait(timeout=5)
    _signal(process, "SIGKILL")
    process.wait()


def _signal(process: subprocess.Popen[str], name: str) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.name == "posix":
            os.killpg(process.pid, getattr(signal, name))
        else:
            process.terminate()
