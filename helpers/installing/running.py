"""Judge whether the Python that runs a command can run the workbook by itself, as under conda, on Binder or on a
JupyterHub: then nothing has to be installed. Standard library only.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

#: Commands that need what the extra `test` of pyproject.toml lists; all others need the dependencies alone.
FOR_MAINTAINERS = {"test", "notebooks", "ruff", "mypy"}


def will_do(root: Path, command: str) -> bool:
    """Return whether this Python has what pyproject.toml in `root` asks for, in versions that it accepts."""
    try:
        project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        needed: list[str] = list(project.get("dependencies", []))
        if needed and command in FOR_MAINTAINERS:
            needed += project.get("optional-dependencies", {}).get("test", [])
        # What a marker leaves out on some machines nothing depends on.
        return bool(needed) and all(_is_there(each) for each in needed if ";" not in each)
    except (OSError, LookupError, ValueError, TypeError, AttributeError):  # no such file, or not in its usual form
        return False


def environment() -> dict[str, str]:
    """Return the variables of a process that runs in this Python as if it had been activated."""
    programs = str(Path(sys.executable).parent)
    path = os.environ.get("PATH", "")
    return {**os.environ, "PATH": os.pathsep.join([programs, path]), "JUPYTER_PREFER_ENV_PATH": "1"}


def _is_there(requirement: str) -> bool:
    """Return whether a package is installed, and in the version that is asked for; only `==` asks for one here."""
    match = re.fullmatch(r"([\w.-]+)(?:\[[\w,-]+\])?(?:==([\w.]+))?", requirement.replace(" ", ""))
    if not match:
        return False
    try:
        installed = metadata.version(match[1])
    except metadata.PackageNotFoundError:
        return False
    return match[2] in (None, installed)
