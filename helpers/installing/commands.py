"""Run the commands: python3 -m helpers lab | test | progress | … Standard library only."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import NoReturn

from helpers.errors import WorkbookError
from helpers.installing import bootstrap, installer, pins, running
from helpers.installing.place import Place
from helpers.paths import PROJECT

USAGE = """\
The notebook workbook: event-driven, serverless AWS on your own machine.

  python3 -m helpers lab [LESSON]      open your lessons in JupyterLab, where you stopped
  python3 -m helpers progress          show how far you are (--certificate NAME: make a page of it, to print)
  python3 -m helpers start-over        empty account, open exercises, fresh lessons (yours are kept)
  python3 -m helpers shell-settings    print what leads the AWS CLI to the account of the notebooks
  python3 -m helpers clean-up          delete what the lessons made in the account (--dry-run: only list it)

For teachers:
  python3 -m helpers student-copy FOLDER   the workbook to hand out: no outputs, no solutions
  python3 -m helpers solved-copy FOLDER    the same with every exercise solved
  python3 -m helpers handouts FOLDER       a worksheet, a one-page handout and slides, to print and to project
  python3 -m helpers nbgrader LESSON COURSE    a lesson as an assignment of nbgrader, with points

For maintainers:
  python3 -m helpers test [options]    run every lesson and the quick tests (--all: every test)
  python3 -m helpers notebooks [NAME]  execute lessons and store what comes out (--check: only compare)
  python3 -m helpers ruff [options]    check the code (ruff check), or its form (ruff format --check)
  python3 -m helpers mypy [options]    check its types
  python3 -m helpers lock [options]    make requirements.txt anew from pyproject.toml

The first start makes .venv and installs everything into it. The options are those of JupyterLab
(--no-browser, --port 8899, --ip 0.0.0.0 ...), of pytest (-x, -k NAME, notebooks/05_send_events.ipynb ...)
and of uv (--upgrade)."""


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit status: 2 for a foreseeable failure, 130 when interrupted."""
    for name in ("SIGTERM", "SIGHUP"):  # so that a set-up is left as tidily as with Ctrl-C
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), _interrupt)
    command, options = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    try:
        if command in ("-h", "--help", "help"):
            print(USAGE)
            return 0
        if command in _MODULES:
            return _exec_module(*_chosen(command), *_MODULES[command], options)
        if command == "lock":
            return _lock(options)
        raise WorkbookError(f"There is no command {command!r}. There are: {', '.join(KNOWN)}; --help tells more.")
    except WorkbookError as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nStopped. Nothing is broken: run the same command again to go on.", file=sys.stderr)
        return 130


#: What each command runs in the environment: a module, and options that come before the user's.
_MODULES = {
    "lab": ("helpers.lab.launch", []),
    "test": ("pytest", []),
    "progress": ("helpers.exercises", []),
    "start-over": ("helpers.lab.start_over", []),
    "shell-settings": ("helpers.lab.shell_settings", []),
    "clean-up": ("helpers.account.clean_up", []),
    "student-copy": ("helpers.teaching", ["student"]),
    "solved-copy": ("helpers.teaching", ["solved"]),
    "nbgrader": ("helpers.teaching", ["nbgrader"]),
    "handouts": ("helpers.teaching", ["handouts"]),
    "notebooks": ("helpers.authoring.notebooks", []),
    "ruff": ("ruff", []),
    "mypy": ("mypy", []),
}
KNOWN = [*_MODULES, "lock"]


def _lock(options: list[str]) -> int:
    place = bootstrap.ensure()
    inside = place.programs / ("uv.exe" if os.name == "nt" else "uv")
    uv = str(inside) if inside.exists() else installer.find_uv(place)
    if uv is None:
        raise WorkbookError("This command needs uv: python3 -m pip install uv, then run it again.")
    return pins.refresh(place.root, uv, options)


def _chosen(command: str) -> tuple[str, dict[str, str]]:
    """Return the Python that runs a command, and its variables: `.venv`, unless this one has all that is needed and
    `.venv` is not the workbook's own."""
    place = Place(PROJECT)
    absent = not place.venv.exists() or (bootstrap.not_ours(place) and bootstrap.flaw(place))
    if absent and running.will_do(place.root, command):
        return sys.executable, running.environment()
    place = bootstrap.ensure()
    return str(place.python), installer.environment(place)


def _exec_module(python: str, env: dict[str, str], module: str, first: list[str], options: list[str]) -> int:
    """Run a module in a Python, in this very process where the system can do that."""
    command = [python, "-m", module, *first, *options]
    os.chdir(PROJECT)
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name == "posix":
        os.execve(command[0], command, env)
    # Windows: Ctrl-C reaches the child as well, which ends in its own time; wait for that.
    process = subprocess.Popen(command, env=env)
    while True:
        with contextlib.suppress(KeyboardInterrupt):
            return process.wait()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
