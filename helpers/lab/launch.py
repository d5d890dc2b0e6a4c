"""Start the embedded AWS and JupyterLab, and stop both. Runs in `.venv`: `python -m helpers.lab.launch`."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, NoReturn

from helpers.authoring import quick_imports  # noqa: F401  (before JupyterLab)
from helpers.errors import WorkbookError
from helpers.exercises import last_lesson
from helpers.lab import options as lab_options
from helpers.lab import working_copy
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import MY_LESSONS, NOTEBOOKS, PROJECT, my_lessons
from helpers.target.connection import LOCAL, chosen

FIRST_LESSON = "notebooks/00_start_here.ipynb"
KERNEL_SPECS = "helpers.lab.kernels.KernelSpecs"
HELP = """\
python3 -m helpers lab [LESSON] [options]   opens your lessons, in my-lessons, where you stopped.

  LESSON          a lesson to open, by its number or its file: 5, notebooks/05_send_events.ipynb
  --released      open the lessons as they are released, with their outputs, instead of your own

All other options are JupyterLab's:
"""
#: Options with which JupyterLab only prints something.
_PRINTS = {
    "-h",
    "--help",
    "--help-all",
    "--version",
    "--show-config",
    "--show-config-json",
    "--generate-config",
}


def main(arguments: list[str]) -> int:
    """Run JupyterLab until it is stopped; returns the exit status."""
    _handle_signals()
    aws = None
    try:
        if _is_subcommand(arguments):
            return _run_jupyterlab(arguments)
        asked = lab_options.read(arguments)
        if {"-h", "--help"} & set(asked.jupyter):
            print(HELP, flush=True)
        if _PRINTS & set(asked.jupyter):
            return _run_jupyterlab(asked.jupyter)
        lab_options.check_port(asked.jupyter)
        local = chosen(os.environ)[0] == LOCAL
        aws = EmbeddedAws() if local else None
        from jupyterlab.labapp import LabApp  # takes a second, in which the embedded AWS starts

        folder = lessons_folder(asked.released)
        ours = defaults(asked, folder)
        if not local:
            print("The lessons speak to the AWS that WORKBOOK_TARGET chooses; JupyterLab starts.", file=sys.stderr)
        if aws:
            word = "is ready" if aws.account().started else "was running already"
            print(f"The embedded AWS {word}; JupyterLab starts. Ctrl-C here ends it.", file=sys.stderr)
        server = LabApp.initialize_server(argv=[*asked.jupyter, *ours])
        _keep_early_signals(server)
        server.start()
        return 0
    except WorkbookError as problem:
        print(problem, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if aws:
            aws.end()


def _is_subcommand(arguments: list[str]) -> bool:
    """Return whether this is `lab build`, `lab paths` or another of JupyterLab's own, which opens nothing."""
    return bool(arguments) and arguments[0].isalpha() and arguments[0] in _subcommands()


def _subcommands() -> list[str]:
    from jupyterlab.labapp import LabApp

    return list(LabApp.subcommands)


def _run_jupyterlab(arguments: list[str]) -> int:
    from jupyterlab.labapp import LabApp

    LabApp.launch_instance(arguments)
    return 0


def lessons_folder(released: bool) -> Path:
    """Return the folder that JupyterLab shows, with the lessons in `notebooks`; kernels find it in their environment.

    That is the learner's own copy, which is made or brought up to date, or the release itself. Nothing is signed: a
    lesson may come from anybody, and our pictures are shown in notebooks that JupyterLab does not trust
    (https://jupyter-server.readthedocs.io/en/latest/operators/security.html#security-in-notebook-documents). Raises
    WorkbookError.
    """
    folder = PROJECT if released else my_lessons()
    if folder.resolve() != PROJECT:
        for line in working_copy.refresh(PROJECT, folder):
            print(line, file=sys.stderr)
    os.environ[MY_LESSONS] = str(folder)
    return folder


def _handle_signals() -> None:
    """Let Ctrl-C, a closed terminal and `kill` all end in the same way: whichever comes first tidies up.

    JupyterLab replaces the handler of SIGTERM by its own orderly end; the others lead there.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    for name in ("SIGINT", "SIGHUP", "SIGBREAK"):  # the last two exist on some systems only
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: signal.raise_signal(signal.SIGTERM))


def _keep_early_signals(server: Any) -> None:
    """Let a signal that comes before JupyterLab's loop runs end everything at once: JupyterLab would forget it."""
    theirs = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in theirs:
        signal.signal(number, _interrupt)
    if getattr(server, "_stopping", False):  # one has come already
        raise KeyboardInterrupt

    def hand_over() -> None:
        for number, handler in theirs.items():
            signal.signal(number, handler)

    server.io_loop.add_callback(hand_over)


def defaults(asked: lab_options.Chosen, folder: Path) -> list[str]:
    """Return the workbook's own options for JupyterLab, less those that the user gives: none may come twice."""
    given = {option.lstrip("-").partition("=")[0] for option in asked.jupyter if option.startswith("-")}
    ours = [
        # Ctrl-C needs no confirmation; what is still in an editor is not lost, the browser keeps it.
        (["-y", "y", "ServerApp.answer_yes"], "--ServerApp.answer_yes=True"),
        # The learner sees handler.py beside the notebooks.
        (["notebook-dir", "ServerApp.root_dir"], f"--ServerApp.root_dir={folder}"),
        # Opening a notebook starts a kernel, which must run nothing that lies beside it.
        (["ServerApp.kernel_spec_manager_class"], f"--ServerApp.kernel_spec_manager_class={KERNEL_SPECS}"),
        # What remains is the address to open, and what needs attention.
        (["log-level", "debug", "ServerApp.log_level", "Application.log_level"], "--log-level=WARN"),
    ]
    root = Path(lab_options.value(asked.jupyter, "--notebook-dir", "--ServerApp.root_dir") or folder).absolute()
    lesson = folder / lesson_to_open(asked.lesson)
    if lesson.is_relative_to(root):
        address = f"--LabApp.default_url=/lab/tree/{lesson.relative_to(root).as_posix()}"
        ours.append((["LabApp.default_url", "ServerApp.default_url"], address))
    if lab_options.explicit_port(asked.jupyter) is not None:  # then that one or none
        ours.append((["port-retries", "ServerApp.port_retries"], "--ServerApp.port_retries=0"))
    if getattr(os, "geteuid", lambda: 1)() == 0:  # in a container, where root is all there is
        ours.append((["allow-root", "ServerApp.allow_root"], "--allow-root"))
    return [option for names, option in ours if not given & set(names)]


def lesson_to_open(named: str | None) -> str:
    """Return the file of the lesson to open: the one that is named, or that was begun last, or the first."""
    lesson = named or last_lesson.remembered()
    there = {path.stem for path in lesson_files(NOTEBOOKS)}
    return f"notebooks/{lesson}.ipynb" if lesson in there else FIRST_LESSON


class EmbeddedAws:
    """The embedded AWS, while JupyterLab runs; starts in the background. One that runs already stays."""

    def __init__(self) -> None:
        self._account: lifecycle.Access | None = None
        self._error: WorkbookError | None = None
        self._thread = threading.Thread(target=self._start)
        self._thread.start()

    def _start(self) -> None:
        try:
            self._account = lifecycle.start()
        except WorkbookError as error:
            self._error = error

    def account(self) -> lifecycle.Access:
        """Wait until the embedded AWS runs, and return its account. Raises WorkbookError if it did not start."""
        self._thread.join()
        if self._account is None:
            raise self._error or WorkbookError("The embedded AWS did not start.")
        return self._account

    def end(self) -> None:
        """Stop the embedded AWS, if it was this that started it."""
        self._thread.join()
        if self._account is not None and self._account.started:
            lifecycle.stop()


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
