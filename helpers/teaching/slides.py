"""Make slides of a lesson: one HTML file that needs no network, for the projector and for paper.

A slide is a text with the cells below it, as `helpers.authoring.notebooks` marks them. What a cell printed stays hidden
until the key is pressed once more: the room predicts first.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from helpers.authoring import quick_imports  # noqa: F401  (before nbformat)

# isort: split

import nbformat
from nbconvert import HTMLExporter

PAGE = Path(__file__).parent / "page"
#: Parts of a lesson that learners do by themselves, or read afterwards.
LEFT_OUT = {"## Exercises", "## Quick questions"}


def slides(path: Path) -> str:
    """Return the page for a lesson's file. Raises nbformat's errors for what is no notebook."""
    notebook = nbformat.read(path, as_version=4)
    exporter = HTMLExporter(template_name="basic", embed_images=True)  # type: ignore[no-untyped-call]
    resources = {"metadata": {"path": str(path.parent)}}
    bodies = []
    for cells in _groups(notebook.cells):
        body, _ = exporter.from_notebook_node(nbformat.v4.new_notebook(cells=cells), resources=dict(resources))
        bodies.append(f"<section>{body}</section>")
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    return page(title, "\n".join(bodies), style="slides.css", script="slides.js")


def page(title: str, body: str, style: str, script: str | None = None) -> str:
    """Return a whole HTML page that asks for nothing else."""
    code = f"<script>{(PAGE / script).read_text(encoding='utf-8')}</script>" if script else ""
    css = (PAGE / style).read_text(encoding="utf-8")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{css}</style></head>'
        f"<body>{body}{code}</body></html>\n"
    )


def _groups(cells: list[Any]) -> list[list[Any]]:
    """Return the cells of each slide; a text begins one."""
    groups: list[list[Any]] = []
    left_out = False
    for cell in cells:
        if cell.cell_type == "markdown":
            heading = cell.source.splitlines()[0] if cell.source.startswith("## ") else None
            left_out = heading in LEFT_OUT if heading else left_out
            if not left_out and not cell.source.startswith("<details>"):  # folds are for reading
                groups.append([])
        if groups and not left_out and not cell.source.startswith("<details>"):
            groups[-1].append(cell)
    return groups
