"""Nothing depends on exercises, solved or not, nor on where the lessons run: with every stub replaced by its solution,
they run in order in one account, at an endpoint and with a prefix before each name; every check says correct, and all
other cells give the stored outputs.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import equal_outputs, execute, is_compared
from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT

LESSONS = lesson_files(PROJECT / "notebooks")
SOLUTIONS = PROJECT / "notebooks" / "solutions"
#: Cells that print something else, and why.
DIFFERENT = {
    "setup": "names the endpoint and the prefix",
    "first-differences": "one of a stack's physical ids is made of the stack's name",
}


@pytest.fixture(scope="module")
def account():
    with throw_away_account() as account:  # which also restores the environment
        os.environ.update(account.environment() | {"WORKBOOK_TARGET": "endpoint", "WORKBOOK_PREFIX": "team1-"})
        yield account


def with_solutions(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the lesson in which somebody has solved all exercises."""
    solved = copy.deepcopy(notebook)
    for cell in solved.cells:
        if cell.id.startswith("exercise-"):
            name = cell.id.replace("exercise-", "ex_").replace("-", "_")
            cell.source = (SOLUTIONS / f"{name}.py").read_text(encoding="utf-8")
    return solved


def same(cell: nbformat.NotebookNode, before: nbformat.NotebookNode) -> bool:
    """Whether a cell gives what is stored, if it is one that is compared."""
    if cell.id in DIFFERENT or not is_compared(cell):
        return True
    return equal_outputs(cell.outputs, before.outputs, pictures=False)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_a_lesson_with_its_exercises_solved(path: Path, account):
    stored = nbformat.read(path, as_version=4)
    executed = execute(with_solutions(stored), path.parent)
    said, different = [], []
    for cell, before in zip(executed.cells, stored.cells, strict=True):
        if cell.cell_type != "code":
            continue
        if cell.id.startswith("exercise-"):
            said += [
                output.data["text/plain"]
                for output in cell.outputs
                if "text/plain" in output.get("data", {}) and output.data["text/plain"][:1] in "✓✗○"
            ]
        elif not same(cell, before):
            different.append(cell.id)
    assert different == [], "these cells notice that exercises were solved"
    exercises = sum(cell.id.startswith("exercise-") for cell in stored.cells)
    assert len(said) == exercises and all(line.startswith("✓") for line in said), said
