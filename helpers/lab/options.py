"""Read what `python3 -m helpers lab` is given: a lesson, options of our own, and JupyterLab's, which are passed on."""

from __future__ import annotations

import difflib
import errno
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS

RELEASED = "--released"
#: JupyterLab's options that are often given. With others, it is asked which it has, and that takes a second.
_OFTEN = {"-h", "--help", "--version", "--no-browser", "--allow-root", "--debug", "-y"}
_OFTEN_WITH_VALUE = {"--port", "--ip", "--notebook-dir", "--log-level"}
#: What every program of Jupyter has besides what it lists.
_ALWAYS = {"-h", "--help", "--help-all", "--version"}


@dataclass(frozen=True)
class Chosen:
    """What the command is to do: the lesson that was named, if any, and the options that go on to JupyterLab.

    `released`: open the lessons as they are released, with their outputs, instead of the learner's own copy.
    """

    lesson: str | None
    released: bool
    jupyter: list[str]


def read(options: list[str]) -> Chosen:
    """Return what the options say. Raises WorkbookError for an option or a lesson that there is not."""
    given = [option for option in options if option != RELEASED]
    lesson = None
    jupyter = []
    for word, is_option in _words(given):
        if is_option:
            jupyter.append(word)
        elif lesson is None:
            lesson = named(word)
        else:
            raise WorkbookError(f"One lesson opens at a time; {word!r} is too many. Open it in JupyterLab.")
    return Chosen(lesson, len(given) < len(options), jupyter)


def named(word: str) -> str:
    """Return the lesson's name for `5`, `05`, `05_send_events` or a path to its file. Raises WorkbookError."""
    lessons = [path.stem for path in lesson_files(NOTEBOOKS)]
    name = Path(word).stem if word.endswith(".ipynb") else word
    for lesson in lessons:
        if name == lesson or (name.isdecimal() and len(name) < 9 and int(name) == int(lesson[:2])):
            return lesson
    near = difflib.get_close_matches(name, lessons, 1)
    hint = f"Did you mean {near[0]}?" if near else f"The lessons are: {', '.join(lessons)}."
    raise WorkbookError(f"There is no lesson {word!r}. {hint}")


def _words(options: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield each word, and whether it belongs to an option. Raises WorkbookError for an unknown option."""
    alone, with_value = _OFTEN, _OFTEN_WITH_VALUE
    if any(option.startswith("-") and _name(option) not in alone | with_value for option in options):
        alone, with_value = _jupyters()
    wanting = ""  # the option whose value comes next
    for option in options:
        if wanting and not option.startswith("--"):
            wanting = ""
            yield option, True
        elif not option.startswith("-"):
            yield option, False
        else:
            _refuse_unknown(option, alone | with_value)
            takes_value = _name(option) in with_value or "." in option
            wanting = option if takes_value and "=" not in option else ""
            yield option, True
    if wanting and wanting not in ("--port", "--ServerApp.port"):  # check_port tells more about those
        raise WorkbookError(f"{wanting} needs a value, such as {wanting}=…; the command ends before it.")


def _name(option: str) -> str:
    return option.partition("=")[0]


def _refuse_unknown(option: str, known: set[str]) -> None:
    if _name(option) in known or "." in _name(option):  # --ServerApp.port: which there are is JupyterLab's to say
        return
    near = difflib.get_close_matches("--" + _name(option).lstrip("-"), [*known, RELEASED], 1)
    hint = f"Did you mean {near[0]}?" if near else "All there are: python3 -m helpers lab --help"
    raise WorkbookError(f"lab has no option {_name(option)}. {hint}")


def _jupyters() -> tuple[set[str], set[str]]:
    """Return the options that JupyterLab takes: those that stand alone, and those with a value after them."""
    from jupyterlab.labapp import LabApp

    of_server = LabApp.serverapp_class.class_traits()
    alone, with_value = (
        {("-" if len(name) == 1 else "--") + name for names in listed for name in _each(names)}
        for listed in (
            [*of_server["flags"].default(), *LabApp.flags],
            [*of_server["aliases"].default(), *LabApp.aliases],
        )
    )
    return alone | _ALWAYS, with_value - alone


def _each(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names


def explicit_port(options: list[str]) -> int | None:
    """Return the port that the user asks for, or None. Raises WorkbookError when it is no port."""
    text = value(options, "--port", "--ServerApp.port")
    if text is None:
        return None
    if not text.isdecimal() or len(text) > 5 or int(text) > 65535:
        raise WorkbookError(f"{text!r} is not a port: give a number up to 65535, such as --port 8899.")
    return int(text)


def check_port(options: list[str]) -> None:
    """Raise WorkbookError when the port that the user asks for cannot be had. (Not asked, JupyterLab finds one.)"""
    port = explicit_port(options)
    if not port:
        return
    host = value(options, "--ip", "--ServerApp.ip") or "localhost"
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


def value(options: list[str], *names: str) -> str | None:
    """Return what an option is set to, whether written `--port 8899` or `--port=8899`; None without it."""
    for option, following in zip_longest(options, options[1:], fillvalue=""):
        name, equals, text = option.partition("=")
        if name in names:
            return text if equals else following
    return None
