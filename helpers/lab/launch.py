"""Start the embedded AWS and JupyterLab, and stop both. Runs in `.venv`: `python -m helpers.lab.launch`."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
from itertools import zip_longest
from typing import Any, NoReturn

from helpers.errors import WorkbookError
from helpers.lab.trust import trust
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from helpers.target.connection import LOCAL, chosen

FIRST_LESSON = "notebooks/00_start_here.ipynb"
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


def main(options: list[str]) -> int:
    """Run JupyterLab until it is stopped; returns the exit status."""
    _handle_signals()
    aws = None
    try:
        ours = defaults(options)
        check_port(options)
        local = chosen(os.environ)[0] == LOCAL
        aws = EmbeddedAws() if local and not _PRINTS & set(options) else None
        from jupyterlab.labapp import LabApp  # takes a second, in which the embedded AWS starts

        trust(PROJECT / "notebooks")

        if not local:
            print("The lessons speak to the AWS that WORKBOOK_TARGET chooses; JupyterLab starts.", file=sys.stderr)
        if aws:
            word = "is ready" if aws.account().started else "was running already"
            print(f"The embedded AWS {word}; JupyterLab starts. Ctrl-C here ends it.", file=sys.stderr)
        if (local and not aws) or (options and options[0] in LabApp.subcommands):
            LabApp.launch_instance(options)
            return 0
        server = LabApp.initialize_server(argv=[*options, *ours])
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


def defaults(options: list[str]) -> list[str]:
    """Return the workbook's own options for JupyterLab, less those that the user gives: none may come twice."""
    given = {option.lstrip("-").partition("=")[0] for option in options if option.startswith("-")}
    lesson = next((option for option in options if (PROJECT / option).is_file()), FIRST_LESSON)
    ours = [
        # Ctrl-C needs no confirmation; what is still in an editor is not lost, the browser keeps it.
        (["-y", "y", "ServerApp.answer_yes"], "--ServerApp.answer_yes=True"),
        # The learner sees handler.py and the README beside the notebooks.
        (["notebook-dir", "ServerApp.root_dir"], f"--ServerApp.root_dir={PROJECT}"),
        (["LabApp.default_url", "ServerApp.default_url"], f"--LabApp.default_url=/lab/tree/{lesson}"),
        # What remains is the address to open, and what needs attention.
        (["log-level", "debug", "ServerApp.log_level", "Application.log_level"], "--log-level=WARN"),
    ]
    if explicit_port(options) is not None:  # then that one or none
        ours.append((["port-retries", "ServerApp.port_retries"], "--ServerApp.port_retries=0"))
    if getattr(os, "geteuid", lambda: 1)() == 0:  # in a container, where root is all there is
        ours.append((["allow-root", "ServerApp.allow_root"], "--allow-root"))
    return [option for names, option in ours if not given & set(names)]


def explicit_port(options: list[str]) -> int | None:
    """Return the port that the user asks for, or None. Raises WorkbookError when it is no port."""
    text = _value(options, "--port", "--ServerApp.port")
    if text is None:
        return None
    if not text.isdecimal() or int(text) > 65535:
        raise WorkbookError(f"{text!r} is not a port: give a number up to 65535, such as --port 8899.")
    return int(text)


def check_port(options: list[str]) -> None:
    """Raise WorkbookError when the port that the user asks for cannot be had. (Not asked, JupyterLab finds one.)"""
    port = explicit_port(options)
    if not port:
        return
    host = _value(options, "--ip", "--ServerApp.ip") or "localhost"
    try:
        host = "" if host == "*" else host
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as server:
            if os.name == "posix":  # as JupyterLab does: a connection that just ended is in nobody's way
                server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(address)
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", None)):
            reason = f"Port {port} is taken, perhaps by another JupyterLab"
        elif error.errno == errno.EACCES:
            reason = f"You may not listen on port {port}"
        else:
            reason = f"JupyterLab cannot listen on {host}, port {port}: {error.strerror or error}"
        raise WorkbookError(f"{reason}. Give another one, or leave --port out to get any free one.") from None


def _value(options: list[str], *names: str) -> str | None:
    """Return what an option is set to, whether written `--port 8899` or `--port=8899`; None without it."""
    for option, following in zip_longest(options, options[1:], fillvalue=""):
        name, equals, value = option.partition("=")
        if name in names:
            return value if equals else following
    return None


class EmbeddedAws:
    """The embedded AWS, while JupyterLab runs; starts in the background. One that runs already stays."""

    def __init__(self) -> None:
        self._account: lifecycle.Account | None = None
        self._error: WorkbookError | None = None
        self._thread = threading.Thread(target=self._start)
        self._thread.start()

    def _start(self) -> None:
        try:
            self._account = lifecycle.start()
        except WorkbookError as error:
            self._error = error

    def account(self) -> lifecycle.Account:
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
