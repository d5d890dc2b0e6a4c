"""Every lesson in an account of its own interpreter, without kernel and server: cell by cell what is stored."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest

from helpers.authoring.notebooks import equal_outputs, execute
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS, PROJECT

#: Cells that cannot be as they are stored: (lesson, number among its code cells), and why not.
CANNOT_BE = {
    ("12_measure_load_and_cost", 14): "functions run one at a time: never more than one is measured",
}
#: Cells that may be otherwise, as it happens, and why.
MAY_BE_OTHERWISE = {
    (
        "12_measure_load_and_cost",
        21,
    ): "an init imports little, since libraries are shared: it may be no ten times as long",
}


def failed_cells(report: Path) -> set[tuple[str, int]]:
    """The cells of a pytest run that have not passed; the run must have had every cell of every lesson."""
    cells = list(ElementTree.parse(report).getroot().iter("testcase"))
    assert len(cells) == sum(count_of_code_cells(path) for path in lesson_files(NOTEBOOKS))
    return {named(cell) for cell in cells if len(cell)}


def named(cell: ElementTree.Element) -> tuple[str, int]:
    """What "notebooks.12_measure_load_and_cost.ipynb" and "Cell 14" name."""
    lesson = cell.attrib["classname"].removesuffix(".ipynb").rpartition(".")[2]
    return lesson, int(cell.attrib["name"].removeprefix("Cell "))


def count_of_code_cells(path: Path) -> int:
    return sum(cell.cell_type == "code" for cell in nbformat.read(path, as_version=4).cells)


@pytest.mark.parametrize("clock", ["quick", "machine"])
def test_all_lessons_pass_in_one_interpreter(clock: str, tmp_path: Path):
    """With a quick clock nobody waits; with the machine's, it is as for somebody whose browser is all there is."""
    report = tmp_path / "report.xml"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.support.in_process",
        f"--junitxml={report}",
        NOTEBOOKS,
    ]
    run = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "WORKBOOK_CLOCK": clock}, capture_output=True, text=True
    )
    assert report.exists(), run.stdout + run.stderr
    assert failed_cells(report) - MAY_BE_OTHERWISE.keys() == CANNOT_BE.keys(), run.stdout


def test_a_lesson_passes_in_a_kernel_that_has_the_account_itself():
    """The kernel's own threads sleep meanwhile, and its event loop goes on."""
    path = NOTEBOOKS / "05_send_events.ipynb"
    stored = nbformat.read(path, as_version=4)
    open_account = "from helpers.local_aws import in_process\naccount = in_process()"
    mine = nbformat.from_dict({**stored, "cells": [nbformat.v4.new_code_cell(open_account), *stored.cells]})
    done = execute(mine, NOTEBOOKS).cells[1:]
    pairs = [pair for pair in zip(stored.cells, done, strict=True) if pair[0].cell_type == "code"]
    others = [before.id for before, after in pairs if not equal_outputs(before.outputs, after.outputs, pictures=False)]
    assert not others
