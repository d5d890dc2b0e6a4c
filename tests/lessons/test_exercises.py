"""The gate over every exercise: its stub runs and does not pass, its solution passes, each wrong answer that
people give gets a message of its own, and no message gives the answer away.

Lessons come in their order and share an account, which is built lesson by lesson, as a learner's is.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from helpers import workbook
from helpers.authoring.isolation import throw_away_account
from helpers.exercises import record, verdict, verdicts
from helpers.lessons.catch_up import build, lesson_files, read_lesson
from helpers.paths import PROJECT
from tests.lessons import wrong_answers
from tests.lessons.exercise_lint import WITHOUT_EXERCISES
from tests.lessons.mistakes import settle
from tests.support.levels import Level

SOLUTIONS = PROJECT / "notebooks" / "solutions"
LESSONS = {path.stem[:2]: path for path in lesson_files(PROJECT / "notebooks")}
IN_ONE_LINE = range(1, 241)  # characters


def cells(path: Path) -> dict[str, str]:
    """{cell id: source} of a lesson."""
    return {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]}


STUBS = {
    cell_id.removeprefix("exercise-"): source
    for path in LESSONS.values()
    for cell_id, source in cells(path).items()
    if cell_id.startswith("exercise-")
}
for number in sorted({each[:2] for each in STUBS}):
    importlib.import_module(f"tests.lessons.wrong_answers.lesson_{number}")


def solution(exercise_id: str) -> str:
    return (SOLUTIONS / f"ex_{exercise_id.replace('-', '_')}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def account() -> Iterator[Callable[[str], None]]:
    """account("03"): the kernel's view of an account in which lessons 00 to 03 have been run."""
    folder, built = Path.cwd(), set()

    def reach(number: str) -> None:
        for each in sorted(LESSONS):
            if each > number or each in built:
                continue
            workbook.begin(LESSONS[each].stem)
            build(read_lesson(LESSONS[each]))
            built.add(each)
        os.environ["WORKBOOK_LESSON"] = LESSONS[number].stem

    with throw_away_account():
        yield reach
    os.chdir(folder)


@pytest.fixture
def run(account, monkeypatch) -> Callable[[str, str], list[verdicts.Verdict]]:
    """run(id, source): execute a cell as the learner does, and return what check said."""
    said = []
    monkeypatch.setattr(verdicts, "display", lambda shown: said.append(shown._verdict))

    def execute(exercise_id: str, source: str) -> list[verdicts.Verdict]:
        account(exercise_id[:2])
        said.clear()
        exec(compile(source, f"<exercise {exercise_id}>", "exec"), {"__name__": "__main__"})
        return list(said)

    return execute


def restore(exercise_id: str) -> None:
    if exercise_id in wrong_answers.UNDO:
        wrong_answers.UNDO[exercise_id]()


def last_line(source: str) -> str:
    return source.rstrip().splitlines()[-1]


# --- what holds of the files ---


def test_every_lesson_has_exercises():
    assert {each[:2] for each in STUBS} == set(LESSONS) - WITHOUT_EXERCISES


def test_each_exercise_has_one_stub_one_check_one_solution_and_its_wrong_answers():
    checks = set()
    for number in sorted({each[:2] for each in STUBS}):
        importlib.import_module(f"helpers.exercises.lesson_{number}")
        checks |= {each for each in verdicts._EXERCISES if each[:2] == number}
    solutions = {path.stem.removeprefix("ex_").replace("_", "-") for path in SOLUTIONS.glob("*.py")}
    assert checks == solutions == {each for each, found in wrong_answers.WRONG.items() if found} == set(STUBS)
    assert set(wrong_answers.SECRETS) == set(STUBS)


@pytest.mark.parametrize("exercise_id", STUBS)
def test_stub_and_solution_end_with_the_same_check(exercise_id):
    check = last_line(STUBS[exercise_id])
    assert check == last_line(solution(exercise_id)) and check.startswith(f'check("{exercise_id}"')
    assert "..." in STUBS[exercise_id] and "..." not in solution(exercise_id).partition('"""\n')[2]
    assert solution(exercise_id).startswith(f'"""Exercise {exercise_id}: ')


@pytest.mark.parametrize("exercise_id", STUBS)
def test_wrong_answers_are_told_apart(exercise_id):
    says = [wrong.says for wrong in wrong_answers.WRONG[exercise_id]]
    assert len(says) >= 2 and len(set(says)) == len(says)


# --- what holds of each exercise, when it is done ---


@pytest.mark.parametrize("exercise_id", STUBS)
def test_exercise(exercise_id, run):
    """Stub, every wrong answer, odd values, solution: in the order in which a learner could meet them."""
    assert [said.outcome for said in run(exercise_id, STUBS[exercise_id])] == ["not attempted"]
    messages = {}
    for wrong in wrong_answers.WRONG[exercise_id]:
        said = verdict(exercise_id, *wrong.answer())
        assert said.outcome == "not yet", f"{wrong.name}: {said}"
        assert wrong.says in said.message, f"{wrong.name}: {said.message}"
        assert len(said.message) in IN_ONE_LINE and "\n" not in said.message
        for secret in wrong_answers.SECRETS[exercise_id]:
            assert not re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said.message), f"{wrong.name} tells {secret}"
        messages[wrong.name] = said.message
        if Level.everything or len(messages) == 1:
            assert said == verdict(exercise_id, *wrong.answer()), "the same answer gets the same line"
        restore(exercise_id)
        if exercise_id in wrong_answers.UNDO:
            assert [said.outcome for said in run(exercise_id, STUBS[exercise_id])] == ["not attempted"], "undo undoes"
    assert len(set(messages.values())) == len(messages), "each wrong answer has a message of its own"
    settle(exercise_id, messages)
    odd_values(exercise_id)
    said = run(exercise_id, solution(exercise_id))
    assert [each.outcome for each in said] == ["correct"], said
    assert record.remembered()[exercise_id]["solved"]
    assert [each.outcome for each in run(exercise_id, solution(exercise_id))] == ["correct"], "a second time"


ODD = [  # fmt: skip
    None,
    True,
    0,
    -1,
    1e308,
    float("nan"),
    "",
    "…",
    b"x",
    [],
    [None],
    {},
    {"": {}},
    {1: [2]},
    set(),
    object(),
    lambda *_: None,
    lambda *_: 1 / 0,
    pd.DataFrame(),
    pd.DataFrame({"OrderId": []}),
    pd.Series(dtype=float),
]


def odd_values(exercise_id: str) -> None:
    """Whatever is given to it, a check answers with a verdict, in one line."""
    count = len(verdicts.find(exercise_id).takes)
    for value in ODD if count else []:
        said = verdict(exercise_id, *[value] * count)
        assert said.outcome != "correct" and "\n" not in said.message, f"{value!r}: {said}"
