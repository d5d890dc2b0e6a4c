"""Give code an interpreter that looks like its own, and take it back: what a process would have for itself alone.

Shared are the modules of Python and of its installed packages, which take their time to import. All others belong to
who imported them: the modules of a function are not its caller's, even where their names are equal.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import sysconfig
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

Tops = frozenset[str]


def _libraries() -> tuple[str, ...]:
    """Return the folders, and the archive, that hold Python's own modules and the installed ones."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    archive = f"python{sys.version_info[0]}{sys.version_info[1]}.zip"
    folders |= {path for path in sys.path if path.endswith(("site-packages", "dist-packages", archive))}
    return tuple(sorted(folders))


_LIBRARIES = _libraries()
_INSIDE_LIBRARIES = tuple(folder + os.sep for folder in _LIBRARIES)


@dataclass
class InterpreterState:
    """What code finds around it, and may change.

    modules: its own ones; level, handlers: of the root logger; session: what boto3's functions use; temporary: the
    folder that tempfile has settled on; sleep, end: what time.sleep and os._exit do.
    """

    modules: dict[str, ModuleType]
    variables: dict[str, str]
    path: list[str]
    finders: list[Any]
    folder: str | None
    stdout: Any
    stderr: Any
    handlers: list[logging.Handler]
    level: int
    session: Any
    temporary: str | None
    keeps_bytecode: bool
    sleep: Callable[[float], None]
    end: Callable[[int], Any]

    def put(self) -> None:
        """Make the interpreter this. What was there must have been taken before."""
        sys.modules.update(self.modules)
        _set_variables(self.variables)
        sys.path[:], sys.meta_path[:] = self.path, self.finders
        if self.folder is not None:
            with contextlib.suppress(OSError):  # it was deleted meanwhile
                os.chdir(self.folder)
        sys.stdout, sys.stderr = self.stdout, self.stderr
        root = logging.getLogger()
        root.handlers[:] = self.handlers
        if root.level != self.level:  # which forgets what all loggers know of their levels
            root.setLevel(self.level)
        boto3: Any = sys.modules.get("boto3")
        if boto3 is not None:
            boto3.DEFAULT_SESSION = self.session
        tempfile.tempdir = self.temporary
        sys.dont_write_bytecode = not self.keeps_bytecode
        time.sleep, os._exit = self.sleep, self.end  # type: ignore[assignment]


def taken(tops: Tops) -> InterpreterState:
    """Take the interpreter's state, without the modules that are its own: whatever is `put` next has others.

    tops: the first parts of module names that are somebody's own, wherever the modules come from.
    """
    root = logging.getLogger()
    session = getattr(sys.modules.get("boto3"), "DEFAULT_SESSION", None)
    return InterpreterState(
        _taken_modules(tops),
        dict(os.environ),
        list(sys.path),
        list(sys.meta_path),
        _current_folder(),
        sys.stdout,
        sys.stderr,
        list(root.handlers),
        root.level,
        session,
        tempfile.tempdir,
        not sys.dont_write_bytecode,
        time.sleep,
        os._exit,
    )


def library_path(path: Iterable[str]) -> list[str]:
    """Return those entries of an import path that are no caller's own."""
    return [entry for entry in path if entry in _LIBRARIES or entry.startswith(_INSIDE_LIBRARIES)]


#: Names of modules that are shared, so that each is looked at once: there are thousands, and each call is to be quick.
_shared: set[str] = set()
_shared_by_top: defaultdict[str, list[str]] = defaultdict(list)


def _taken_modules(tops: Tops) -> dict[str, ModuleType]:
    own = [name for name in sys.modules.keys() - _shared if not _found_shared(name)]
    own += [name for top in tops & _shared_by_top.keys() for name in _shared_by_top[top] if name in sys.modules]
    return {name: sys.modules.pop(name) for name in own}


def _found_shared(name: str) -> bool:
    """Tell whether a module is Python's or an installed one, and remember those that are."""
    members = getattr(sys.modules.get(name), "__dict__", {})
    file = members.get("__file__") or next(iter(members.get("__path__") or ()), None)
    if isinstance(file, str) and not file.startswith(_INSIDE_LIBRARIES) and name != "__main__":
        return False
    _shared.add(name)
    _shared_by_top[name.partition(".")[0]].append(name)
    return True


def _current_folder() -> str | None:
    try:
        return str(Path.cwd())
    except OSError:  # it was deleted
        return None


def _set_variables(variables: dict[str, str]) -> None:
    before = dict(os.environ)
    for name in before.keys() - variables.keys():
        del os.environ[name]
    for name, value in variables.items():
        if before.get(name) != value:
            os.environ[name] = value
    if before.get("TZ") != variables.get("TZ") and hasattr(time, "tzset"):
        time.tzset()
