"""Make `.venv`, the workbook's own Python environment, and judge whether the one that is there will do.

Standard library only. The rule is simple, so that no half-made state can last: an environment counts when its
stamp, which is written last, says that it is complete and fits. A new one is made from nothing, in a folder beside
`.venv`, and takes its place when it is complete: until then what was there stays, whatever happens. A `.venv` that the
workbook has not made, and one that is a link, are nobody's to replace but the user's. A lock beside `.venv` lets one
process at a time do this, and the system frees it when its holder dies.
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

#: Bytes of the longest file that may be a script, or a launcher, with the environment's own path in it.
_SCRIPT = 1_000_000


def ensure(root: Path = PROJECT) -> Place:
    """Return a complete environment, made first if need be. Raises WorkbookError, one line for the user."""
    place = Place(root)
    try:
        if flaw(place) is None and not _litter(place):
            return place
        with lock(place.lock, "Another start is making .venv; waiting for it to finish.") as descriptor:
            reason = flaw(place)  # the other start may have made it
            if reason is not None:
                _replace(place, reason, descriptor)
            for rest in _litter(place):
                with contextlib.suppress(OSError):  # something in it may be in use: the next start tries again
                    _delete(rest)
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


def not_ours(place: Place) -> str | None:
    """Return what is to be done, in a line, with a `.venv` that the workbook may not replace; None when it may."""
    if not os.path.lexists(place.venv):
        return None
    where = Path(os.path.realpath(place.venv))  # which bears a link to itself
    if where != place.root.resolve() / place.name:  # a link, or what Windows calls a junction
        return f"{place.venv} leads to {where}, so it stays as it is. Delete the link, then run this again."
    if place.stamp.exists():
        return None
    return f"{place.venv} was not made by the workbook, so it stays as it is. Rename or delete it, then run this again."


def _replace(place: Place, reason: str, descriptor: int) -> None:
    """Put a complete environment in the place of one that will not do, or of none."""
    if problem := not_ours(place):
        raise WorkbookError(problem)
    new = place.new
    if flaw(new) is not None:  # otherwise an earlier start has made it, and ended before it was in its place
        status = StatusLine()
        status.say(f"Making the workbook's Python environment in .venv ({reason}). This takes about a minute.")
        _make(new, place, status, descriptor)
    old = _trash(place)
    if os.path.lexists(place.venv):
        place.venv.rename(old)
    try:
        new.venv.rename(place.venv)
    except OSError:
        if os.path.lexists(old):
            old.rename(place.venv)
        raise
    _delete(old)


def _make(new: Place, place: Place, status: StatusLine, descriptor: int) -> None:
    """Make an environment from nothing, to be moved to `place`. There is no stamp in it unless all went well."""
    _delete(new.venv)
    new.log.unlink(missing_ok=True)
    try:
        tool = installer.install(new, status, descriptor)
        _name_the_place(new, place)
        stamp = {
            "made_with": tool,
            "root": str(new.root),
            "wanted": new.wanted(),
            "python": _version(new.python),
            "installed": new.installed(),
        }
        draft = new.stamp.with_suffix(".draft")
        draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
        draft.replace(new.stamp)
    except BaseException as failure:
        kind = trouble.diagnose(failure.output, new.root) if isinstance(failure, ToolFailed) else ""
        _delete(new.venv)  # no use to the next try; on a full disk it would be in everybody's way
        if not isinstance(failure, ToolFailed):
            raise
        kept = " The .venv that was there is unchanged." if os.path.lexists(place.venv) else ""
        raise WorkbookError(trouble.advice(kind, new.root, new.log, failure.output) + kept) from None


def _name_the_place(new: Place, place: Place) -> None:
    """Have scripts, launchers and settings of the new environment name the folder where it will be."""
    made, final = new.name.encode(), place.name.encode()
    for path in [new.venv / "pyvenv.cfg", *new.programs.iterdir()]:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _SCRIPT:
            continue
        content = path.read_bytes()
        if made in content:
            draft = path.with_name(f"{path.name}.draft")  # not in the file itself: uv's cache may have it as well
            draft.write_bytes(content.replace(made, final))
            shutil.copymode(path, draft)
            draft.replace(path)


def _litter(place: Place) -> list[Path]:
    """Return what earlier starts that were killed have left beside `.venv`."""
    return place.trash + ([place.new.venv] if os.path.lexists(place.new.venv) else [])


def _trash(place: Place) -> Path:
    """Return a name that is free."""
    number, taken = 1, place.trash
    while (path := place.root / f".venv.trash-{number}") in taken:
        number += 1
    return path


def _delete(path: Path) -> None:
    """Delete an environment. It is renamed first: a deletion cut short leaves nothing that looks like one."""
    trash = path if path.name.startswith(".venv.trash-") else _trash(Place(path.parent))
    with contextlib.suppress(FileNotFoundError):
        if path != trash:
            path.rename(trash)
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
