"""A learner may open any lesson first, and run it again: from an empty account each gives the stored outputs; run again
in the account that it has left behind, with its exercises solved, it fails nowhere, and every check says correct.

`pytest --nbval` over all lessons in order is the other half; it is how the notebooks themselves are collected.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import execute
from helpers.lessons.catch_up import lesson_files
from helpers.paths import NOTEBOOKS
from tests.support import walks


@pytest.mark.parametrize("path", lesson_files(NOTEBOOKS), ids=lambda path: path.stem)
def test_a_lesson_runs_alone_and_again_with_its_exercises_solved(path: Path):
    stored = nbformat.read(path, as_version=4)
    with throw_away_account():
        first = execute(stored, path.parent)
        # Outputs may differ then (a diagram shows more); an error would raise.
        again = execute(walks.with_solutions(stored), path.parent)
    assert walks.differences(first, stored) == []
    walks.assert_all_solved(again)
