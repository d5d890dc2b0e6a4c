"""The rules of a lesson's exercises and quick questions for notebook_lint.

What only running can show (that the stub does not pass and the solution does) is tests/lessons/test_exercises.py's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.lessons.lesson_reader import Lesson, code_lines

EXERCISES, QUESTIONS = "Exercises", "Quick questions"
WITHOUT_EXERCISES = {"99"}  # where nothing is new
KINDS = ["Predict", "Fill the gap", "Change", "Build"]  # of exercises, from the least freedom to the most
HINTS = ["Hint 1: a nudge", "Hint 2: the idea", "Hint 3: almost the code"]
LONGEST_STUB = 15  # lines that are not blank


def exercises(lesson: Lesson) -> Iterator[str]:
    """Two or three, each a task with its hints and a stub that has been run."""
    if lesson.number in WITHOUT_EXERCISES:
        return
    cells = lesson.part(EXERCISES)
    stubs = [cell.id for cell in cells if cell.cell_type == "code"]
    if stubs not in [[f"exercise-{lesson.number}-{k}" for k in range(1, count + 1)] for count in (2, 3)]:
        yield f"the code cells of the exercises must be exercise-{lesson.number}-1, -2 and perhaps -3, not {stubs}"
        return
    expected = [
        "exercises",
        *(f"{what}-{stub.removeprefix('exercise-')}" for stub in stubs for what in ("task", "exercise")),
    ]
    if [cell.id for cell in cells] != expected:
        yield f"the cells of the exercises must be {expected}"
        return
    kinds = []
    for task, stub in zip(cells[1::2], cells[2::2], strict=True):
        number = stub.id.removeprefix("exercise-")
        heading = re.match(rf"### {number} ({'|'.join(KINDS)}): \S", task.source)
        if not heading:
            yield f'the task {number} must begin "### {number} KIND: title", KIND one of {KINDS}'
            return
        kinds.append(KINDS.index(heading[1]))
        yield from _task_and_stub(number, task.source, stub)
    if kinds != sorted(kinds):
        yield "the exercises do not rise in freedom"


def _task_and_stub(number: str, task: str, stub) -> Iterator[str]:
    hints = re.findall(r"<details><summary>(.+?)</summary>\n\n(?:(?!<details>).)+?\n\n</details>", task, re.DOTALL)
    if hints != HINTS or task.count("<details>") != len(HINTS):
        yield f"the task {number} must have the hints {HINTS}, each in a <details>, with blank lines around its text"
    if "..." not in stub.source or len(code_lines(stub)) > LONGEST_STUB:
        yield f"the stub {number} has no gap, or more than {LONGEST_STUB} lines"
    if not re.match(rf'check\("{number}"[,)]', stub.source.rstrip().splitlines()[-1]):
        yield f"the stub {number} does not end with its check"
    if f"○ {number}: not attempted." not in str(stub.outputs) or len(stub.outputs) != 1:
        yield f"the stub {number} must have been run, and show that nobody has attempted it"


def quick_questions(lesson: Lesson) -> Iterator[str]:
    """Three, with answers to every option: one is right, the others are answered with a question."""
    if lesson.number in WITHOUT_EXERCISES:
        return
    cells = lesson.part(QUESTIONS)
    if [cell.id for cell in cells] != ["question-1", "question-2", "question-3"]:
        yield '"Quick questions" must be the Markdown cells question-1, question-2 and question-3'
        return
    for number, cell in enumerate(cells, start=1):
        options = re.findall(
            r"<details><summary>([A-D])\. .+?</summary>\n\n(.+?)\n\n</details>", cell.source, re.DOTALL
        )
        answers = [answer for _, answer in options]
        if not re.search(rf"^\*\*{number}\. .+\?\*\*$", cell.source, re.MULTILINE):
            yield f'question {number} must be a line "**{number}. …?**"'
        if [letter for letter, _ in options] != list("ABCD")[: len(options)] or len(options) not in (3, 4):
            yield f"question {number} must have three or four options, A to D"
        if sum(answer.startswith("**Yes.**") for answer in answers) != 1:
            yield f'question {number} must have one answer that begins with "**Yes.**"'
        asked = [
            answer for answer in answers if answer.startswith("**Ask yourself:**") and answer.rstrip().endswith("?")
        ]
        if len(asked) != len(answers) - 1:
            yield f'question {number}: a wrong option is answered with "**Ask yourself:** …?"'
