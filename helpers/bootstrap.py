"""Makes `.venv`, the workbook's own Python environment, and knows whether the one that is there will do.

Standard library only. The rule is simple, so that no half-made state can last: an environment counts when its
stamp, which is written last, says that it is complete and fits; any other is made anew from nothing. A lock
beside `.venv` lets one process at a time do this, and the system frees it when its holder dies.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

from helpers import installer, trouble
from helpers.filelock import lock
from helpers.progress import Progress
from helpers.trouble import Problem, ToolFailed

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Place:
    """The project's folder, and what the set-up makes in it."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def programs(self) -> Path:
        return self.venv / ("Scripts" if os.name == "nt" else "bin")

    @property
    def python(self) -> Path:
        return self.programs / ("python.exe" if os.name == "nt" else "python")

    @property
    def stamp(self) -> Path:
        return self.venv / "workbook.json"

    @property
    def making(self) -> Path:
        """There while `.venv` is being made: what lies there without a stamp is ours then, and may go."""
        return self.root / ".venv.making"

    @property
    def log(self) -> Path:
        return self.root / ".venv.log"

    @property
    def lock(self) -> Path:
        return self.root / ".venv.lock"

    @property
    def requirements(self) -> Path:
        return self.root / "requirements.txt"

    @property
    def jupyter(self) -> list[Path]:
        """JupyterLab's settings, which the installation copies into the environment."""
        return sorted((self.root / "helpers" / "jupyter").rglob("*.json"))

    def wanted(self) -> str:
        """A digest of all that decides what belongs into the environment (ruff's settings do not)."""
        with open(self.root / "pyproject.toml", "rb") as file:
            project = tomllib.load(file)
        parts = [project.get("build-system"), project.get("project"), project.get("tool", {}).get("hatch")]
        files = [self.requirements, *self.jupyter]
        parts += [path.read_text(encoding="utf-8") for path in files if path.exists()]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def installed(self) -> list[str]:
        """What is installed, by its metadata folders: ["boto3-1.44.5.dist-info", ...], sorted."""
        folder = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
        return sorted(path.name for path in self.venv.glob(f"{folder}/*.dist-info"))


def ensure(root: Path = ROOT) -> Place:
    """A complete environment, made first if need be. Raises Problem, one line for the user."""
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
        raise Problem(trouble.advice(kind, root, place.log, str(error))) from None
    return place


def flaw(place: Place) -> str | None:
    """Why the environment will not do, in a few words; None: it is complete and fits."""
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
    progress = Progress()
    progress.say(f"Making the workbook's Python environment in .venv ({reason}). This takes a minute or two.")
    _clear(place, progress)
    place.making.touch()
    place.log.unlink(missing_ok=True)
    try:
        tool = installer.install(place, progress, descriptor)
    except ToolFailed as failure:
        kind = trouble.diagnose(failure.output, place.root)
        _discard(place)  # no use to the next try; on a full disk it would be in everybody's way
        raise Problem(trouble.advice(kind, place.root, place.log, failure.output)) from None
    stamp = {
        "made_with": tool,
        "root": str(place.root),
        "wanted": place.wanted(),
        "python": _version(place.python),
        "installed": place.installed(),
    }
    draft = place.stamp.with_suffix(".draft")
    draft.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    os.replace(draft, place.stamp)
    place.making.unlink(missing_ok=True)


def _clear(place: Place, progress: Progress) -> None:
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
    os.rename(place.venv, kept)
    progress.say(f"There was a .venv that the workbook had not made: it is kept as {kept.name}.")


def _discard(place: Place) -> None:
    """Delete `.venv`. It is renamed first: a deletion cut short leaves nothing that looks like one."""
    trash = place.root / f".venv.trash-{os.getpid()}"
    with contextlib.suppress(FileNotFoundError):
        os.rename(place.venv, trash)
        if trash.is_symlink() or not trash.is_dir():
            trash.unlink()
        shutil.rmtree(trash, ignore_errors=True)


def _version(python: Path) -> list[int] | None:
    """The version of a Python, [3, 13], or None when it does not run."""
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
