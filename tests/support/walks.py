"""Walking through lessons as a learner does: with exercises solved, and looking at what comes out."""

from __future__ import annotations

import copy

import nbformat

from helpers.authoring.notebooks import equal_outputs, is_compared
from helpers.paths import NOTEBOOKS

EXERCISE = "exercise-"  # how the ids of their cells begin


def with_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the lesson in which somebody has solved all exercises."""
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        if cell.id.startswith(EXERCISE):
            name = cell.id.replace(EXERCISE, "ex_").replace("-", "_")
            cell.source = (NOTEBOOKS / "solutions" / f"{name}.py").read_text(encoding="utf-8")
    return solved


def verdicts(executed: nbformat.NotebookNode) -> list[str]:
    """What the checks of the exercises said, a line each."""
    return [
        output.data["text/plain"]
        for cell in executed.cells
        if cell.id.startswith(EXERCISE)
        for output in cell.outputs
        if "text/plain" in output.get("data", {}) and output.data["text/plain"][:1] in "✓✗○"
    ]


def assert_all_solved(executed: nbformat.NotebookNode) -> None:
    said = verdicts(executed)
    assert len(said) == sum(cell.id.startswith(EXERCISE) for cell in executed.cells), said
    assert all(line.startswith("✓") for line in said), said


def differences(executed: nbformat.NotebookNode, stored: nbformat.NotebookNode) -> list[str]:
    """The ids of the cells that do not give their stored outputs, of all that nbval compares."""
    return [
        cell.id
        for cell, expected in zip(executed.cells, stored.cells, strict=True)
        if cell.cell_type == "code" and is_compared(cell)
        if not equal_outputs(cell.outputs, expected.outputs, pictures=False)
    ]
