"""Make `.venv`, the workbook's own Python environment, and judge whether the one that is there will do.

Standard library only. The rule is simple, so that no half-made state can last: an environment counts when its
stamp, which is written last, says that it is complete and fits; any other is made anew from nothing. A lock
beside `.venv` lets one process at a time do this, and the system frees it when its holder dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

from helpers.errors import WorkbookError
from helpers.filelock import lock
from helpers.installing import installer, trouble
from helpers.installing.place import Place
from helpers.installing.status_line import StatusLine
from helpers.installing.trouble import ToolFailed
from helpers.paths import PROJECT


def ensure(root: Path = PROJECT) -> Place:
    """Return a complete environment, made first if need be. Raises WorkbookError, one line for the user."""
    place = Place(root)
    try:
        if flaw(place) is None:
            return place
        with lock(place.lock, "Another start is making .venv; waiting for it to finish.") as descriptor:
            reason = flaw(place)  # the other start may have made it
            if reason is not None:
                _make(place, reason, descriptor)
    except OSError as error:
        kind = trouble.diagnose_os_error(error)
        raise WorkbookError(trouble.advice(kind, root, place.log, str(error))) from None
    return place


def flaw(place: Place) -> str | None:
    """Return why the environment will not do, in a few words; None when it is complete and fits. Raises OSError."""
    if not os.path.lexists(place.venv):
        return "there is none yet"
    try:
        stamp = json.loads(place.stamp.read_text(encoding="utf-8"))
        root, wanted, version, installed = (stamp[name] for name in ("root", "wanted", "python", "installed"))
    except (OSError, ValueError, KeyError, TypeError):
        return "the one there is not complete"
    if root != str(place.root):
        return "the workbook was moved"
    if wanted != place.wanted():
        return "what it should contain has changed"
    if version is None or version != _version(place.python):
        return "its Python is gone or was replaced"
    if missing := sorted(set(installed) - set(place.installed())):
        return f"{missing[0].removesuffix('.dist-info')} is missing in it"
    return None


def _make(place: Place, reason: str, descriptor: int) -> None:
    """Make the environment from nothing. There is no stamp in it unless all went well."""
    status = StatusLine()
    status.say(f"Making the workbook's Python environment in .venv ({reason}). This takes about a minute.")
    _clear(place, status)
    place.making.touch()
    place.log.unlink(missing_ok=True)
    try:
        tool = installer.install(place, status, descriptor)
    except ToolFailed as failure:
        kind = trouble.diagnose(failure.output, place.root)
        _discard(place)  # no use to the next try; on a full disk it would be in everybody's way
        raise WorkbookError(trouble.advice(kind, place.root, place.log, failure.output)) from None
    stamp = {
        "made_with": tool,
        "root": str(place.root),
        "wanted": place.wanted(),
        "python": _version(place.python),
        "installed": place.installed(),
    }
    draft = place.stamp.with_suffix(".draft")
    draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    draft.replace(place.stamp)
    place.making.unlink(missing_ok=True)


def _clear(place: Place, status: StatusLine) -> None:
    """Make room for a new environment. One that somebody else made is set aside, not deleted."""
    for rest in place.root.glob(".venv.trash-*"):
        shutil.rmtree(rest, ignore_errors=True)
    if not os.path.lexists(place.venv):
        return
    if place.making.exists() or place.stamp.exists():
        _discard(place)
        return
    number = 1
    while os.path.lexists(kept := place.root / f".venv.old-{number}"):
        number += 1
    place.venv.rename(kept)
    status.say(f"There was a .venv that the workbook had not made: it is kept as {kept.name}.")


def _discard(place: Place) -> None:
    """Delete `.venv`. It is renamed first: a deletion cut short leaves nothing that looks like one."""
    trash = place.root / f".venv.trash-{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        place.venv.rename(trash)
        if trash.is_symlink() or not trash.is_dir():
            trash.unlink()
        shutil.rmtree(trash, ignore_errors=True)


def _version(python: Path) -> list[int] | None:
    """Return the version of a Python, [3, 13], or None when it does not run."""
    try:
        answer = subprocess.run(
            [python, "-I", "-S", "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return [int(number) for number in answer.stdout.split()]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
