"""Every lesson keeps the rules of notebook_lint, and every rule fires on a lesson that breaks it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.authoring.notebooks import normal
from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT
from tests.lessons.exercise_lint import HINTS
from tests.lessons.lesson_reader import Lesson
from tests.lessons.notebook_lint import SETUP, lint, wrapped_calls
from tests.lessons.reading_lint import HEADER, length_of_the_first
from tests.lessons.shell_folds import TITLE

LESSONS = lesson_files(PROJECT / "notebooks")
NAME = "03_create_the_function"


def test_there_are_lessons():
    assert [path.stem[:2] for path in LESSONS] == [*(f"{number:02}" for number in range(14)), "99"]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_keeps_the_rules(path: Path):
    assert lint(path) == []


def test_no_helper_does_what_the_lessons_teach():
    assert wrapped_calls(PROJECT / "helpers") == []


# --- the lint itself ---


def good_lesson() -> nbformat.NotebookNode:
    """A lesson without meaning that keeps every rule."""
    words = "Plain words say what was seen. " * 4
    cells = [
        new_markdown_cell("# 3. Create the function", id="title"),
        new_markdown_cell("## What you build\n\nA function that stores orders.", id="build"),
        new_markdown_cell("## You will learn\n\n- one\n- two\n- three", id="learn"),
        new_markdown_cell(
            f"## Before you start\n\n{table()}\n\n**Core path:** sections 1 and 2. Section 3 goes deeper.",
            id="before",
        ),
        new_code_cell(SETUP.format(arguments=f'"{NAME}"'), id="setup"),
    ]
    for number in range(1, 4):
        mark = "*To go deeper.* More of the same.\n\n" if number == 3 else ""
        cells.append(new_markdown_cell(f"## {number}. Look\n\n{mark}> **Predict.** What comes?", id=f"see-{number}"))
        for letter in "abcd":
            cells.append(new_code_cell(f'print("{letter}")', id=f"show-{number}{letter}"))
            answer = "> **Explain.** " if letter == "a" else ""
            cells.append(new_markdown_cell(answer + words, id=f"explain-{number}{letter}"))
    cells[6].source = 'lambda_.create_function(FunctionName="sample-function")'
    cells[6].metadata["tags"] = ["build"]
    cells.insert(8, new_markdown_cell(shell_fold("create-function"), id="shell"))
    cells.insert(9, new_markdown_cell(CONSOLE_FOLD, id="console"))
    cells += [
        new_markdown_cell("## Break it\n\n> **Predict.** How does it fail?", id="break"),
        new_code_cell("1 / 0  # fails because nothing can be divided by zero", id="divide"),
        new_markdown_cell("> **Explain.** It failed.", id="break-explain"),
        *exercise_cells(),
        new_markdown_cell("## In practice\n\nMore of it.", id="practice"),
        *question_cells(),
        new_markdown_cell("## Summary\n\n- one\n- two\n- three", id="summary"),
        new_markdown_cell("## Next\n\n[4. Create the rule](04_create_the_rule.ipynb)", id="next"),
    ]
    notebook = new_notebook(cells=cells, metadata={"workbook": {"provides": ["function"]}})
    divide = cell(notebook, "divide")
    divide.metadata["tags"] = ["raises-exception"]
    divide.outputs = [new_output("error", ename="ZeroDivisionError", evalue="division by zero", traceback=[])]
    return normal(notebook)


CONSOLE_FOLD = "<details><summary>The same in the console</summary>\n\nChoose *Create function*.\n\n</details>"


def table() -> str:
    measured = "2 min | 5 min | 3 min | 15 min"
    return f"| {' | '.join(HEADER)} |\n|---|---|---|---|---|---|\n| Nothing | {measured} | Nothing |"


def shell_fold(command: str) -> str:
    block = f"```bash\naws lambda {command} --function-name sample-function\n```"
    return f"<details><summary>{TITLE}</summary>\n\n{block}\n\nThe same.\n\n</details>"


def exercise_cells() -> list:
    cells = [new_markdown_cell("## Exercises\n\nTen minutes.", id="exercises")]
    for number, kind in (("03-1", "Predict"), ("03-2", "Build")):
        hints = [f"<details><summary>{hint}</summary>\n\nThink.\n\n</details>" for hint in HINTS]
        task = "\n\n".join([f"### {number} {kind}: something", "Do it.", *hints])
        said = new_output("display_data", data={"text/plain": f"○ {number}: not attempted. Go on."})
        stub = new_code_cell(f'answer = ...\n\ncheck("{number}", answer)', id=f"exercise-{number}", outputs=[said])
        cells += [new_markdown_cell(task, id=f"task-{number}"), stub]
    return cells


def question_cells() -> list:
    answers = ["**Ask yourself:** why?", "**Yes.** It is.", "**Ask yourself:** when?"]
    options = [
        f"<details><summary>{letter}. Perhaps</summary>\n\n{answer}\n\n</details>"
        for letter, answer in zip("ABC", answers, strict=True)
    ]
    cells = [
        new_markdown_cell("\n\n".join([f"**{number}. What is it?**", *options]), id=f"question-{number}")
        for number in (1, 2, 3)
    ]
    cells[0].source = f"## Quick questions\n\n{cells[0].source}"
    return cells


def cell(notebook, cell_id: str):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def lint_of(notebook, folder: Path) -> list[str]:
    (folder / "04_create_the_rule.ipynb").write_text("{}")
    path = folder / f"{NAME}.ipynb"
    path.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    return lint(path)


def replaced(cell_id: str, old: str, new: str) -> Callable:
    def change(notebook) -> None:
        target = cell(notebook, cell_id)
        assert old in target.source
        target.source = target.source.replace(old, new)

    return change


def source(cell_id: str, new: str) -> Callable:
    return lambda notebook: cell(notebook, cell_id).update(source=new)


def removed(*cell_ids: str) -> Callable:
    def change(notebook) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in cell_ids]

    return change


def metadata(cell_id: str, **entries) -> Callable:
    return lambda notebook: cell(notebook, cell_id).metadata.update(entries)


def output(cell_id: str, *outputs) -> Callable:
    return lambda notebook: cell(notebook, cell_id).update(outputs=list(outputs))


def swapped(first: str, second: str) -> Callable:
    def change(notebook) -> None:
        ids = [cell.id for cell in notebook.cells]
        one, other = ids.index(first), ids.index(second)
        notebook.cells[one], notebook.cells[other] = notebook.cells[other], notebook.cells[one]

    return change


def provides(*words: str) -> Callable:
    return lambda notebook: notebook.metadata.workbook.update(provides=list(words))


def both(*changes: Callable) -> Callable:
    def change(notebook) -> None:
        for one in changes:
            one(notebook)

    return change


def text_output(text: str):
    return new_output("stream", name="stdout", text=text)


EXERCISE_IDS = ["exercises", *(f"{what}-03-{k}" for k in (1, 2) for what in ("task", "exercise"))]
BAD = {  # what is done to the good lesson: what the lint must say
    "no title": (removed("title"), "the first cell must be a title"),
    "another number": (replaced("title", "3.", "4."), "the title says lesson 4"),
    "no verb": (replaced("title", "Create the", "The"), "none of the verbs"),
    "another title": (replaced("title", "function", "table"), "is not that of the file"),
    "part missing": (removed("practice"), "the parts must be"),
    "parts in another order": (swapped("practice", "summary"), "the parts must be"),
    "unknown part": (replaced("break-explain", "It failed.", "It failed.\n\n## Aside"), "the parts must be"),
    "two titles": (replaced("practice", "More", "# 4. Create more\n\nMore"), "more than one title"),
    "too few sections": (replaced("see-3", "## 3. Look", ""), "2 numbered sections"),
    "wrong section number": (replaced("see-3", "3.", "4."), "not numbered from 1"),
    "two sentences": (replaced("build", "orders.", "orders. And more."), "must be one sentence"),
    "no table": (replaced("before", "| Needs", "| Time"), "must have a table"),
    "no minutes": (replaced("before", "5 min", "half an hour"), "the minutes must be 2 min"),
    "a long core path": (replaced("see-1", "Look", "Look\n\n" + "more " * 1_800), "words, more than 1800"),
    "a slow core path": (replaced("see-1", "Look", "Look\n\n" + "more " * 4_000), "minutes, more than 25"),
    "no core path": (replaced("before", "**Core path:**", "Path:"), 'a line that begins "**Core path:** "'),
    "an unnamed deeper section": (replaced("before", "Section 3 goes", "More goes"), "must name the sections"),
    "a deeper part": (replaced("break", "> **P", "*To go deeper.* It breaks.\n\n> **P"), "is no numbered section"),
    "deeper without a reason": (replaced("see-3", " More of the same.", ""), "and why directly below the heading"),
    "too little to learn": (
        both(replaced("learn", "- three", ""), replaced("summary", "- three", "")),
        "has 2 items, not 3 to 5",
    ),
    "another summary": (replaced("summary", "- three", ""), '"Summary" has 2 items for the 3'),
    "no setup": (removed("setup"), "the first code cell must be the setup cell"),
    "setup of another lesson": (replaced("setup", "03_create", "04_create"), "must be the setup cell"),
    "setup too late": (swapped("setup", "see-1"), 'must stand under "Before you start"'),
    "no question": (replaced("see-2", "> **Predict.** What comes?", "Look:"), 'no "> **Predict.**"'),
    "no explanation": (removed(*(f"explain-2{letter}" for letter in "abcd")), "ends with a question that nothing"),
    "another text first": (replaced("explain-2a", "> **Explain.** ", ""), 'must begin "> **Explain.**"'),
    "explained and not asked": (replaced("explain-2b", "Plain", "> **Explain.** Plain"), "and nothing was asked"),
    "asked too early": (replaced("see-2", "comes?", "comes?\n\nRun it."), "must be its last paragraph"),
    "asked twice": (replaced("see-2", "comes?", "comes?\n\n> **Predict.** What else?"), "asks or answers twice"),
    "asked and not run": (removed("show-2a"), "nothing runs between a question and the text explain-2a"),
    "nothing in the console": (removed("console"), 'has no "The same in the console"'),
    "console without blank lines": (replaced("console", "</summary>\n\n", "</summary>"), "one <details>"),
    "nothing broken": (removed("divide"), "breaks nothing"),
    "too few cells": (removed("show-1b", "show-1c", "show-1d"), "11 code cells"),
    "empty cell": (source("show-1b", "\n"), "an empty code cell"),
    "long cell": (source("show-1b", "print(1)\n" * 21), "has 21 lines"),
    "long cells": (
        lambda notebook: [
            cell.update(source="print(1)\n" * 6) for cell in notebook.cells if cell.id.startswith("show-")
        ],
        "the median cell has 6",
    ),
    "too few words": (
        lambda notebook: [cell.update(source="print(1)\n" * 20) for cell in notebook.cells if "show-" in cell.id],
        "words of prose per line",
    ),
    "too many words": (replaced("practice", "More", "more " * 900), "words of prose per line"),
    "no exercises": (removed(*EXERCISE_IDS), "the parts must be"),
    "one exercise": (removed("task-03-2", "exercise-03-2"), "must be exercise-03-1, -2 and perhaps -3"),
    "exercise of another lesson": (
        lambda notebook: cell(notebook, "exercise-03-2").update(id="exercise-04-2"),
        "must be exercise-03-1, -2",
    ),
    "task after its stub": (swapped("task-03-1", "exercise-03-1"), "the cells of the exercises must be"),
    "unknown kind": (replaced("task-03-1", "Predict", "Guess"), "KIND one of"),
    "no rising freedom": (
        both(replaced("task-03-1", "Predict:", "Build:"), replaced("task-03-2", "Build:", "Change:")),
        "do not rise in freedom",
    ),
    "hint missing": (replaced("task-03-1", "Hint 2: the idea", "Hint"), "must have the hints"),
    "hint without blank lines": (replaced("task-03-1", "</summary>\n\n", "</summary>"), "must have the hints"),
    "no gap": (replaced("exercise-03-1", "...", "1"), "has no gap"),
    "long stub": (replaced("exercise-03-1", "answer", "a = 1\n" * 15 + "answer"), "more than 15 lines"),
    "no check": (replaced("exercise-03-1", 'check("03-1"', 'check("03-2"'), "does not end with its check"),
    "stub that passes": (
        lambda notebook: cell(notebook, "exercise-03-1").outputs[0].data.update({"text/plain": "✓ 03-1: correct."}),
        "nobody has attempted",
    ),
    "two questions": (removed("question-3"), "must be the Markdown cells"),
    "question without a mark": (replaced("question-2", "is it?**", "is it**"), "must be a line"),
    "two options": (replaced("question-2", "<summary>C. Perhaps", "<summary>Perhaps"), "three or four options"),
    "no right option": (replaced("question-2", "**Yes.**", "**Ask yourself:**"), 'begins with "**Yes.**"'),
    "answer instead of a question": (replaced("question-2", "why?", "No."), "is answered with"),
    "nothing in the shell": (removed("shell"), f'nothing is told under "{TITLE}"'),
    "step without its commands": (replaced("shell", "create-", "delete-"), "cell show-1a calls create_function"),
    "commands in another section": (swapped("shell", "explain-2a"), "cell show-1a calls create_function"),
    "fold without blank lines": (replaced("shell", "</summary>\n\n", "</summary>\n"), "and blank lines around both"),
    "fold without a language": (replaced("shell", "```bash", "```"), "one ```bash block"),
    "fold away from its cell": (swapped("shell", "console"), "must stand below the cell"),
    "three folds in a section": (
        lambda notebook: [cell.update(source=shell_fold("wait")) for cell in notebook.cells if "explain-2" in cell.id],
        '"## 2. Look" has 4 folds',
    ),
    "id of an editor": (
        lambda notebook: cell(notebook, "show-1b").update(id="0a1b2c3d"),
        "no short, telling",
    ),
    "not executed": (
        lambda notebook: cell(notebook, "show-1b").update(execution_count=None),
        "not been executed",
    ),
    "counts out of order": (
        lambda notebook: cell(notebook, "show-1b").update(execution_count=40),
        "normal form",
    ),
    "volatile metadata": (metadata("show-1b", execution={"iopub.execute_input": "now"}), "normal form"),
    "another kernel": (lambda notebook: notebook.metadata.kernelspec.update(name="mine"), "normal form"),
    "widget state": (lambda notebook: notebook.metadata.update(widgets={"state": {}}), "normal form"),
    "ignored without a reason": (
        source("show-1b", "# NBVAL_IGNORE_OUTPUT\nprint(1)"),
        'nothing says "because"',
    ),
    "tag without a reason": (metadata("show-1b", tags=["nbval-skip"]), 'nothing says "because"'),
    "error without a reason": (replaced("divide", "because", "as"), 'nothing says "because"'),
    "unknown tag": (metadata("show-1b", tags=["hide"]), "unknown tags ['hide']"),
    "error left": (metadata("divide", tags=[]), "ends in ZeroDivisionError"),
    "stderr": (output("show-1b", new_output("stream", name="stderr", text="careful")), "writes to stderr"),
    "address": (output("show-1b", text_output("<object at 0x7f1b2c3d4e5f>")), "memory address"),
    "path in a cell": (source("show-1b", 'open("/home/me/handler.py")'), "a path of one machine"),
    "path in an output": (output("show-1b", text_output("/Users/me/x.py")), "a path of one machine"),
    "path of Windows": (output("show-1b", text_output("C:\\Users\\x.py")), "a path of one machine"),
    "leftover": (source("show-1b", "print(1)  # TODO"), "a leftover"),
    "debugging": (source("show-1b", "breakpoint()"), "a leftover of debugging"),
    "moto in a lesson": (source("show-1b", "from moto import mock_aws"), "the environment alone"),
    "endpoint": (source("show-1b", "boto3.client('s3', endpoint_url=url)"), "the environment alone"),
    "if local": (source("show-1b", "if local: print(1)"), "the environment alone"),
    "provides without building": (metadata("show-1a", tags=[]), "belong together"),
    "builds without providing": (provides(), "belong together"),
    "provides nonsense": (provides("tabel"), "names nothing"),
    "magic in a build cell": (source("show-1a", "!ls\nlambda_.create_function()"), "is not plain Python"),
    "not taught": (source("show-1a", "helpers.make_function()"), "no cell calls create_function"),
    "dead link": (replaced("practice", "More", "[More](11_more.ipynb)"), "leads nowhere"),
    "plain http": (replaced("practice", "More", "[More](http://example.org)"), "is not https"),
    "no next": (replaced("next", "04_create", "03_create"), '"Next" does not link to 04'),
}


def test_the_good_lesson_is_good(tmp_path):
    assert lint_of(good_lesson(), tmp_path) == []


@pytest.mark.parametrize("change, finding", BAD.values(), ids=BAD)
def test_each_rule_fires(change, finding, tmp_path):
    notebook = copy.deepcopy(good_lesson())
    change(notebook)
    findings = lint_of(notebook, tmp_path)
    assert any(finding in line for line in findings), findings


@pytest.mark.filterwarnings("ignore::nbformat.warnings.DuplicateCellId")
def test_an_id_that_occurs_twice_is_found(tmp_path):
    path = tmp_path / f"{NAME}.ipynb"  # as text: nbformat would give one of them a new id
    path.write_text(nbformat.writes(good_lesson()).replace('"show-1b"', '"show-1c"') + "\n", encoding="utf-8")
    assert any("'show-1c' occurs twice" in line for line in lint(path))


def test_a_helper_that_wraps_a_taught_call_is_found(tmp_path):
    (tmp_path / "orders.py").write_text("def send(events, entries):\n    events.put_events(Entries=entries)\n")
    assert wrapped_calls(tmp_path) == ["orders.py calls put_events, which belongs in a cell"]


def test_a_first_lesson_that_is_long_is_found(tmp_path):
    path = tmp_path / "00_start_here.ipynb"
    path.write_text(nbformat.writes(new_notebook(cells=[new_markdown_cell("word " * 1_501)])), encoding="utf-8")
    assert [*length_of_the_first(Lesson(path))] == ["the first lesson has 1501 words, more than 1500"]
