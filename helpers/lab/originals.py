"""Find the lessons and handler.py as they came: in git, or in the archive of a copy that has no git."""

from __future__ import annotations

import subprocess
import zipfile
import zlib
from pathlib import Path

from helpers.errors import WorkbookError

ARCHIVE = "lessons.zip"


def originals(root: Path) -> dict[str, bytes]:
    """Return {name relative to `root`: what the file held when it came}; {} where neither git nor archive is.

    Raises WorkbookError for a damaged archive.
    """
    archive = root / ARCHIVE
    if archive.is_file():
        try:
            with zipfile.ZipFile(archive) as packed:
                return {name: packed.read(name) for name in packed.namelist()}
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise WorkbookError(
                f"{archive} is damaged: unpack the workbook anew, and take {ARCHIVE} from it."
            ) from None
    names = (_git(root, "ls-tree", "--name-only", "HEAD", "handler.py", "notebooks/") or b"").decode().split()
    found = {name: _git(root, "show", f"HEAD:./{name}") for name in names if name.endswith((".ipynb", ".py"))}
    return {name: content for name, content in found.items() if content is not None}


def differs(path: Path, original: bytes) -> bool:
    """Return whether the file is missing or has another text; git on Windows writes other ends of lines."""
    return not path.is_file() or path.read_bytes().replace(b"\r\n", b"\n") != original.replace(b"\r\n", b"\n")


def _git(root: Path, *arguments: str) -> bytes | None:
    """Return what git prints, or None: no git, no clone."""
    try:
        run = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout if run.returncode == 0 else None
