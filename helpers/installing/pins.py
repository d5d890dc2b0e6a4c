"""Read requirements.txt, the lock, and make it anew from pyproject.toml. Standard library only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

#: The lock holds for every system and every Python from 3.11 on; it names no server and no path of a machine.
_COMPILE = [
    "pip",
    "compile",
    "pyproject.toml",
    "--all-extras",
    "--universal",
    "--python-version",
    "3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--quiet",
    "--custom-compile-command",
    "python3 -m helpers lock",
    "--output-file",
    "requirements.txt",
]


def read(path: Path) -> dict[str, list[str]]:
    """Return the versions that a lock pins: {"numpy": ["2.4.6", "2.5.5"], ...}; several where a marker decides."""
    found: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;]+)", line):
            found.setdefault(match[1].lower(), []).append(match[2])
    return found


def refresh(root: Path, uv: str, options: list[str]) -> int:
    """Make requirements.txt from pyproject.toml; returns uv's exit status. What uv says goes to the terminal.

    A version stays as it is while it satisfies pyproject.toml. `options` are uv's: `--upgrade` takes the
    newest versions of all, `--upgrade-package NAME` of one.
    """
    return subprocess.run([uv, *_COMPILE, *options], cwd=root).returncode
