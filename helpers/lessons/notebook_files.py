"""Read and write notebooks as plain JSON: importing nbformat takes longer than most of what is done with them."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers.errors import WorkbookError

Notebook = dict[str, Any]


def parse(text: str | bytes) -> Notebook:
    """Return the notebook that a file holds. Raises ValueError when it is none, or one of another format than 4."""
    try:
        notebook = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep for a notebook") from None
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise ValueError("no notebook of format 4")
    metadata, cells = notebook.get("metadata"), notebook.get("cells")
    if not isinstance(metadata, dict) or not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise ValueError("no metadata, or no cells")
    if not isinstance(notebook.get("nbformat_minor", 0), int):
        raise ValueError("no minor number of its format")
    return notebook


def _is_cell(cell: Any) -> bool:
    if not isinstance(cell, dict) or not isinstance(cell.get("metadata"), dict):
        return False
    kind, source = cell.get("cell_type"), cell.get("source")
    lines = source if isinstance(source, list) else [source]
    if not isinstance(kind, str) or not all(isinstance(line, str) for line in lines):
        return False
    outputs = cell.get("outputs") if kind == "code" else []
    return isinstance(outputs, list) and all(isinstance(output, dict) for output in outputs)


def read(path: Path) -> Notebook:
    """Return a released lesson. Raises WorkbookError when the file is no notebook, OSError when it cannot be read."""
    try:
        return parse(path.read_bytes())
    except ValueError:
        raise WorkbookError(
            f"notebooks/{path.name} cannot be read as a notebook. Mend it or bring it back, then run this again."
        ) from None


def text_of(notebook: Notebook) -> bytes:
    """Return a notebook in the form in which Jupyter writes it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    try:
        return _json(notebook, ensure_ascii=False)
    except UnicodeEncodeError:  # half of a character, which no file can hold as it is
        return _json(notebook, ensure_ascii=True)


def _json(notebook: Notebook, ensure_ascii: bool) -> bytes:
    return (json.dumps(notebook, ensure_ascii=ensure_ascii, indent=1, sort_keys=True) + "\n").encode()


def write(notebook: Notebook, path: Path) -> None:
    """Write a notebook; the file is at every moment either what it was or complete."""
    replace(path, text_of(notebook))


def replace(path: Path, content: bytes) -> None:
    """Write a file whose readers see either what it was or all of the new. Raises OSError.

    Where a link leads to a file, that file is written, and the link stays.
    """
    path = path.resolve() if path.is_symlink() and path.exists() else path
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(content)
        new.replace(path)
    except OSError:
        with suppress(OSError):  # half of it only takes room, on a full disk
            new.unlink()
        raise


def without_outputs(notebook: Notebook) -> Notebook:
    """Return a copy of the notebook as if nobody had run it."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell |= {"outputs": [], "execution_count": None}
    return notebook
