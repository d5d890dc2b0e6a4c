"""What AWS itself was recorded to answer, as data in a folder that is no part of the project."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from helpers.paths import PROJECT

CHOSEN = os.environ.get("WORKBOOK_CONFORMANCE")
FOLDER = Path(CHOSEN or PROJECT.parent / "shared" / "conformance")
ABSENT = "the recorded answers of AWS are not here"


def read(name: str) -> Any:
    """The content of one of the folder's JSON files; skips the test where there is no such folder.

    A folder that somebody has named must be there: its absence is a failure.
    """
    path = FOLDER / name
    assert FOLDER.is_dir() or not CHOSEN, f"WORKBOOK_CONFORMANCE is {CHOSEN!r}, and there is no such folder"
    if not path.is_file():
        pytest.skip(ABSENT)
    return json.loads(path.read_text(encoding="utf-8"))
