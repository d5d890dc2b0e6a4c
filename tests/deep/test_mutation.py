"""The regression is no formality: whatever of a stored output is altered, `pytest --nbval` fails in that
very cell.
"""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from helpers.authoring.isolation import isolated
from helpers.authoring.notebooks import execute
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT

LESSON = PROJECT / "notebooks" / "06_explore_the_orders.ipynb"  # results, tables, pictures
NOT_COMPARED = {"image/png"}
DIAGRAM = (
    "from helpers.account import state\nfrom helpers.pictures import diagram\n"
    "diagram.Diagram(state.AccountState(frozenset()))"
)
FRAME = "import pandas\npandas.DataFrame({'a': [1, 2]})"
CELLS = {  # source of a cell, and what of its outputs is altered
    "stream": ("print('one')\nprint('two')", "stdout"),
    "progress": ("print('1/2', end='\\r')\nprint('2/2')", "stdout"),
    "stderr": ("import sys\nprint('careful', file=sys.stderr)", "stderr"),
    "result": ("{'FailedEntryCount': 0}", "text/plain"),
    "table": (FRAME, "text/html"),
    "table-as-text": (FRAME, "text/plain"),
    "picture": (DIAGRAM, "text/html"),
    "picture-in-words": (DIAGRAM, "text/plain"),
    "markdown": ("from IPython.display import Markdown\nMarkdown('**bold**')", "text/markdown"),
    "second-display": ("display(1)\ndisplay(2)", "last"),
    "error-name": ("{}['x']", "ename"),
    "error-text": ("{}['x']", "evalue"),
    "output-missing": ("print('one')", "removed"),
    "output-too-many": ("one = 1", "added"),
    "sanitized": ("print('12.5 ms for both')", "stdout"),
}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory) -> dict[tuple[str, str], bool]:
    """{(notebook, cell id): passed} of one pytest run over a notebook as it was executed, the same with every
    cell altered, and a lesson with every cell altered.
    """
    folder = tmp_path_factory.mktemp("mutation")
    with isolated(folder):
        executed = execute(new_notebook(cells=[*made_cells()]), folder)
        notebooks = {"intact": executed, "altered": altered(executed), "lesson": altered(read(LESSON))}
        for name, notebook in notebooks.items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
        try:
            return run_pytest(folder, notebooks)
        finally:
            lifecycle.stop()


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def made_cells():
    for name, (source, part) in CELLS.items():
        tags = {"tags": ["raises-exception"]} if part in ("ename", "evalue") else {}
        yield new_code_cell(source, id=name, metadata=tags)


def altered(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy in which one thing of every code cell's outputs is not what the cell gives."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            alter(cell, CELLS.get(cell.id, (None, "last"))[1])
    return notebook


def alter(cell, part: str) -> None:
    if part == "removed":
        cell.outputs = []
    elif part == "added" or not cell.outputs:
        cell.outputs = [new_output("stream", name="stdout", text="one\n")]
    else:
        output = cell.outputs[-1 if part == "last" else 0]
        if output.output_type == "stream":
            output.text = changed(output.text)
        elif output.output_type == "error":
            output["ename" if part == "ename" else "evalue"] += "?"
        else:
            mime = next(mime for mime in output.data if mime not in NOT_COMPARED) if part == "last" else part
            output.data[mime] = changed(output.data[mime])


def changed(text: str) -> str:
    """The text with its last letter or digit replaced by another one."""
    place = max(place for place, character in enumerate(text) if character.isalnum())
    return text[:place] + ("b" if text[place] == "a" else "a") + text[place + 1 :]


def run_pytest(folder: Path, notebooks: dict[str, nbformat.NotebookNode]) -> dict[tuple[str, str], bool]:
    """Run pytest with the project's own settings over notebooks that lie elsewhere."""
    settings = ["-c", PROJECT / "pyproject.toml", f"--rootdir={folder}", "-q", "-rA", "--color=no"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, *(folder / f"{name}.ipynb" for name in notebooks)],
        cwd=PROJECT, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    verdicts = re.findall(r"^(PASSED|FAILED) .*?(\w+)\.ipynb::Cell (\d+)", run.stdout, re.MULTILINE)
    assert run.returncode == 1 and verdicts, run.stdout + run.stderr
    code_cells = {name: [cell for cell in notebook.cells if cell.cell_type == "code"]
                  for name, notebook in notebooks.items()}  # fmt: skip
    return {(name, code_cells[name][int(number)].id): verdict == "PASSED" for verdict, name, number in verdicts}


@pytest.mark.parametrize("cell_id", CELLS)
def test_an_altered_output_fails_and_an_intact_one_does_not(verdicts, cell_id):
    assert (verdicts["intact", cell_id], verdicts["altered", cell_id]) == (True, False)


def test_every_altered_cell_of_a_lesson_fails(verdicts):
    passed = {cell_id: verdict for (name, cell_id), verdict in verdicts.items() if name == "lesson"}
    assert set(passed) == {cell.id for cell in read(LESSON).cells if cell.cell_type == "code"}
    assert not any(passed.values()), passed
