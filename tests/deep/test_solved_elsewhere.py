"""Nothing depends on exercises, solved or not, nor on where the lessons run: with every stub replaced by its solution,
they run in order in one account, at an endpoint and with a prefix before each name; every check says correct, and all
other cells give the stored outputs.
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import execute
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS
from tests.support import walks

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


@pytest.mark.parametrize("path", lesson_files(NOTEBOOKS), ids=lambda path: path.stem)
def test_a_lesson_with_its_exercises_solved(path: Path, account):
    stored = nbformat.read(path, as_version=4)
    executed = execute(walks.with_solutions(stored), path.parent)
    different = [cell for cell in walks.differences(executed, stored) if not cell.startswith(walks.EXERCISE)]
    assert set(different) <= DIFFERENT.keys(), "these cells notice that exercises were solved"
    walks.assert_all_solved(executed)
