"""A committed lesson, taken apart for the lint."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat


@dataclass(frozen=True)
class Lesson:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def notebook(self) -> nbformat.NotebookNode:
        return nbformat.reads(self.text, as_version=4)

    @property
    def cells(self) -> list:
        return self.notebook.cells

    @property
    def code_cells(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> str:
        """All markdown, without fenced code."""
        return "\n\n".join(without_fences(cell.source) for cell in self.cells if cell.cell_type == "markdown")

    @property
    def number(self) -> str:
        return self.path.stem[:2]

    @cached_property
    def parts(self) -> list[tuple[str, list]]:
        """Pairs of a heading ("# …" or "## …") and the cells under it; a part begins with its heading's
        cell.
        """
        parts: list[tuple[str, list]] = []
        for cell in self.cells:
            if cell.cell_type == "markdown":
                for heading in re.findall(r"^##? .*$", without_fences(cell.source), re.MULTILINE):
                    parts.append((heading.strip(), []))
            if parts:
                parts[-1][1].append(cell)
        return parts

    def part(self, title: str) -> list:
        return next((cells for heading, cells in self.parts if heading == f"## {title}"), [])

    def prose_of(self, title: str) -> str:
        """The markdown under "## title", without the heading."""
        sources = [cell.source for cell in self.part(title) if cell.cell_type == "markdown"]
        return "\n\n".join(sources).partition(f"## {title}")[2].partition("\n## ")[0].strip()


def without_fences(markdown: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)


def code_lines(cell) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def items(markdown: str) -> int:
    return len(re.findall(r"^- ", markdown, re.MULTILINE))
