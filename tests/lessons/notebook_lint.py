"""The rules that every lesson keeps: their parts, in order, and outputs that do not vary. `lint(path)` returns what
breaks them.

Each rule is a generator that takes a Lesson and yields findings, one line each. What only executing can show
(outputs that differ, a lesson that does not run from cold) is nbval's and tests/deep/test_walks.py's.
"""

from __future__ import annotations

import ast
import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import nbformat

from helpers.account import state as account_state
from helpers.authoring.notebooks import normal
from helpers.lessons.catch_up import lesson_files
from tests.lessons.exercise_lint import EXERCISES, QUESTIONS, WITHOUT_EXERCISES, exercises, quick_questions
from tests.lessons.lesson_reader import Lesson, code_lines, items, without_fences
from tests.lessons.reading_lint import console_folds, core_path, length_of_the_first, minutes, predict_run_explain
from tests.lessons.shell_folds import shell_folds

SETUP = "import boto3\n\nfrom helpers import workbook\n\nworkbook.begin({arguments})"
NOTHING_TO_BUILD = {"99"}  # what the account lacks needs no cleaning up
OPENING = ["What you build", "You will learn", "Before you start"]
CLOSING = ["Break it", EXERCISES, "In practice", QUESTIONS, "Summary", "Next"]
VERBS = {  # what lessons do: a new lesson may add its own
    "Start", "Create", "Send", "Explore", "Clean",
    "Match", "Survive", "Replay", "Call", "Grant", "Measure", "Deploy",
}  # fmt: skip
SECTIONS, LEARN = range(3, 7), range(3, 6)
CODE_CELLS = {"00": range(4, 31), "99": range(6, 31)}  # first and last lesson may be short; all others:
CODE_CELLS_OF_A_LESSON = range(12, 31)
LONGEST_CELL, MEDIAN_CELL = 20, 5  # lines that are not blank
PROSE_PER_LINE_OF_CODE = (10, 30)  # words

TAUGHT = {  # the lesson that shows this call of boto3, plainly, in a cell
    "01": ["create_role"],
    "02": ["create_table"],
    "03": ["create_function"],
    "04": ["put_rule", "put_targets", "add_permission"],
    "05": ["put_events"],
    "06": ["scan"],
    "07": ["test_event_pattern", "put_rule"],
    "08": ["put_targets", "put_function_event_invoke_config"],
    "09": ["create_archive", "start_replay"],
    "10": ["put_events", "create_function"],
    "11": ["put_role_policy", "detach_role_policy"],
    "12": ["get_metric_data"],
    "13": ["create_stack", "delete_stack"],
}
FORBIDDEN = {  # in what people read and run
    r"\bTODO\b|\bFIXME\b|\bXXX\b": "a leftover",
    r"\bbreakpoint\(|\bpdb\b|%debug": "a leftover of debugging",
    r"mock_aws|endpoint_url|\bif (is_)?local\b": "local and real AWS differ in the environment alone",
    r"(?<![\w:/.{])/(home|root|tmp|Users|usr|opt|private|work|mnt|var/folders)/": "a path of one machine",
    r"\b[A-Z]:\\": "a path of one machine",
}
NBVAL_MARK = re.compile(r"^\s*#\s*(NBVAL_\w+|PYTEST_VALIDATE_\w+)\s*$", re.MULTILINE)
NBVAL_TAGS = {"nbval-ignore-output", "nbval-check-output", "nbval-skip", "nbval-raises-exception"}
KNOWN_TAGS = {"build", "raises-exception"} | NBVAL_TAGS
REASON = re.compile(r"\bbecause\b", re.IGNORECASE)
CELL_ID = re.compile(r"(?![0-9a-f]{8}$)[a-z][a-z0-9-]{1,40}")  # a word, not the random id of an editor
ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}", re.IGNORECASE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def lint(path: Path) -> list[str]:
    """All findings in one lesson, each "file: what is wrong"."""
    lesson = Lesson(path)
    return [f"{path.name}: {finding}" for rule in RULES for finding in rule(lesson)]


def title(lesson: Lesson) -> Iterator[str]:
    first = lesson.parts[0][0] if lesson.parts else ""
    match = re.fullmatch(r"# (\d+)\. ((\w+) .+)", first)
    if not match or lesson.cells[0].cell_type != "markdown":
        yield f'the first cell must be a title "# {int(lesson.number)}. Verb …", not {first!r}'
        return
    if int(match[1]) != int(lesson.number):
        yield f"the title says lesson {match[1]}"
    if match[3] not in VERBS:
        yield f"the title begins with {match[3]!r}, which is none of the verbs {sorted(VERBS)}"
    if "_".join(match[2].lower().split()) != lesson.path.stem[3:]:
        yield f"the title {match[2]!r} is not that of the file"


def order_of_parts(lesson: Lesson) -> Iterator[str]:
    found = [heading[3:] for heading, _ in lesson.parts if heading.startswith("## ")]
    sections = [name for name in found if re.match(r"\d+\. ", name)]
    left_out = {EXERCISES, QUESTIONS} if lesson.number in WITHOUT_EXERCISES else set()
    expected = [*OPENING, *sections, *(name for name in CLOSING if name not in left_out)]
    if found != expected:
        yield f"the parts must be {expected}, not {found}"
    if len(sections) not in SECTIONS:
        yield f"{len(sections)} numbered sections, not 3 to 6"
    if [name.split(".")[0] for name in sections] != [str(number) for number in range(1, len(sections) + 1)]:
        yield f"the sections are not numbered from 1: {sections}"
    if sum(heading.startswith("# ") for heading, _ in lesson.parts) != 1:
        yield "there is more than one title"


def opening(lesson: Lesson) -> Iterator[str]:
    sentence = lesson.prose_of("What you build")
    if len(re.findall(r"[.!?](?=\s|$)", sentence)) != 1 or "\n\n" in sentence:
        yield f'"What you build" must be one sentence, not {sentence!r}'


def learning_and_summary(lesson: Lesson) -> Iterator[str]:
    learn, summary = items(lesson.prose_of("You will learn")), items(lesson.prose_of("Summary"))
    if learn not in LEARN:
        yield f'"You will learn" has {learn} items, not 3 to 5'
    if learn != summary:
        yield f'"Summary" has {summary} items for the {learn} of "You will learn"'


def setup_cell(lesson: Lesson) -> Iterator[str]:
    settings = ", catch_up=False" if lesson.number in NOTHING_TO_BUILD else ""
    setup = SETUP.format(arguments=f'"{lesson.path.stem}"{settings}')
    if not lesson.code_cells or lesson.code_cells[0].source != setup:
        yield f"the first code cell must be the setup cell:\n{setup}"
    elif lesson.code_cells[0] not in lesson.part("Before you start"):
        yield 'the setup cell must stand under "Before you start"'


def sizes(lesson: Lesson) -> Iterator[str]:
    # Exercises and questions come on top of a lesson, and have sizes of their own.
    apart = [cell.id for title in (EXERCISES, QUESTIONS) for cell in lesson.part(title)]
    cells = [cell for cell in lesson.code_cells if cell.id not in apart]
    lengths = [len(code_lines(cell)) for cell in cells]
    allowed = CODE_CELLS.get(lesson.number, CODE_CELLS_OF_A_LESSON)
    if len(lengths) not in allowed:
        yield f"{len(lengths)} code cells, not {allowed.start} to {allowed.stop - 1}"
    if not lengths or not all(lengths):
        yield "an empty code cell"
        return
    for cell, length in zip(cells, lengths, strict=True):
        if length > LONGEST_CELL:
            yield f"cell {cell.id} has {length} lines, more than {LONGEST_CELL}"
    if statistics.median(lengths) > MEDIAN_CELL:
        yield f"the median cell has {statistics.median(lengths)} lines, more than {MEDIAN_CELL}"
    prose = [
        without_fences(cell.source) for cell in lesson.cells if cell.cell_type == "markdown" and cell.id not in apart
    ]
    words = len(re.sub(r"\]\([^)]*\)", "]", "\n".join(prose)).split())
    low, high = PROSE_PER_LINE_OF_CODE
    if not low <= words / sum(lengths) <= high:
        yield f"{words / sum(lengths):.1f} words of prose per line of code, not {low} to {high}"


def cell_ids(lesson: Lesson) -> Iterator[str]:
    # Not from the notebook as nbformat reads it: that has already mended them.
    ids = [cell.get("id", "") for cell in json.loads(lesson.text)["cells"]]
    for cell_id in ids:
        if not CELL_ID.fullmatch(cell_id):
            yield f"the cell id {cell_id!r} is no short, telling word"
    for cell_id in sorted({cell_id for cell_id in ids if ids.count(cell_id) > 1}):
        yield f"the cell id {cell_id!r} occurs twice"


def normal_form(lesson: Lesson) -> Iterator[str]:
    """Counts 1..n and no volatile metadata: nbval does not compare a cell whose count is null."""
    unrun = [cell.id for cell in lesson.code_cells if cell.execution_count is None]
    if unrun:
        yield f"the cells {unrun} have not been executed, so nothing compares them"
    elif nbformat.writes(normal(lesson.notebook)) + "\n" != lesson.text:
        yield f"not in normal form; run: python3 -m helpers notebooks {lesson.path.name}"


def exceptions_have_reasons(lesson: Lesson) -> Iterator[str]:
    """What nbval is told to overlook, and errors that are meant, are explained where they are."""
    above = ""
    for cell in lesson.cells:
        if cell.cell_type == "code":
            tags = set(cell.metadata.get("tags", []))
            marks = NBVAL_MARK.findall(cell.source)
            if tags - KNOWN_TAGS:
                yield f"cell {cell.id} has unknown tags {sorted(tags - KNOWN_TAGS)}"
            needs_reason = marks or tags - {"build"}
            told = cell.metadata.get("because") or REASON.search(cell.source) or REASON.search(above)
            if needs_reason and not told:
                yield f'cell {cell.id} is an exception ({[*marks, *sorted(tags)]}) and nothing says "because"'
        above = cell.source


def outputs(lesson: Lesson) -> Iterator[str]:
    for cell in lesson.code_cells:
        for output in cell.outputs:
            expected = "raises-exception" in cell.metadata.get("tags", [])
            if output.output_type == "error" and not expected:
                yield f"cell {cell.id} ends in {output.ename}"
            if output.output_type == "stream" and output.name == "stderr":
                yield f"cell {cell.id} writes to stderr: {output.text[:60]!r}"
            if ADDRESS.search(str(output)):
                yield f"cell {cell.id} shows a memory address"


def forbidden_words(lesson: Lesson) -> Iterator[str]:
    for cell in lesson.cells:
        shown = [str(output) for output in cell.get("outputs", []) if "image/png" not in str(output)]
        for pattern, reason in FORBIDDEN.items():
            match = re.search(pattern, "\n".join([cell.source, *shown]))
            if match:
                yield f"cell {cell.id} has {match[0]!r}: {reason}"


def build_cells(lesson: Lesson) -> Iterator[str]:
    """Catching up executes them as plain Python, so that is what they are."""
    provides = lesson.notebook.metadata.get("workbook", {}).get("provides", [])
    cells = [cell for cell in lesson.code_cells if "build" in cell.metadata.get("tags", [])]
    if bool(cells) != bool(provides):
        yield "cells tagged build and what the metadata says that the lesson provides belong together"
    for word in provides:
        if word not in account_state.PARTS and not account_state.order_ids(word):
            yield f"the metadata provides {word!r}, which names nothing"
    for cell in cells:
        try:
            ast.parse(cell.source)
        except SyntaxError:
            yield f"the build cell {cell.id} is not plain Python"


def taught_calls(lesson: Lesson) -> Iterator[str]:
    code = "\n".join(cell.source for cell in lesson.code_cells)
    for call in TAUGHT.get(lesson.number, []):
        if not re.search(rf"\.{call}\(|get_paginator\(\"{call}\"\)", code):
            yield f"no cell calls {call}, which this lesson teaches"


def links(lesson: Lesson) -> Iterator[str]:
    targets = LINK.findall(lesson.prose)
    for target in targets:
        if target.startswith("http://"):
            yield f"{target} is not https"
        elif "://" not in target and not (lesson.path.parent / target.partition("#")[0]).exists():
            yield f"the link to {target} leads nowhere"
    later = [path.name for path in lesson_files(lesson.path.parent) if path.name > lesson.path.name]
    if later and f"]({later[0]})" not in lesson.prose_of("Next"):
        yield f'"Next" does not link to {later[0]}'


RULES = (
    title,
    order_of_parts,
    opening,
    learning_and_summary,
    setup_cell,
    minutes,
    core_path,
    length_of_the_first,
    predict_run_explain,
    console_folds,
    sizes,
    exercises,
    quick_questions,
    shell_folds,
    cell_ids,
    normal_form,
    exceptions_have_reasons,
    outputs,
    forbidden_words,
    build_cells,
    taught_calls,
    links,
)


def wrapped_calls(helpers: Path) -> list[str]:
    """Helpers that call what the lessons teach; the embedded AWS is the other side of those calls."""
    calls = "|".join(call for calls in TAUGHT.values() for call in calls)
    return [
        f"{path.name} calls {match[1]}, which belongs in a cell"
        for path in sorted([*helpers.glob("*.py"), *helpers.glob("timeline/*.py")])
        for match in re.finditer(rf"\.({calls})\(", path.read_text(encoding="utf-8"))
        # The command clean-up has to delete; lesson 99 teaches the same in its cells. Entries that are refused for now
        # are sent again, as lesson 5 teaches it; and a rule is tried with an event, after catching up.
        if not (path.name == "inventory.py" and match[1].startswith(("delete_", "remove_", "detach_")))
        if not (path.name in ("refused_entries.py", "propagation.py") and match[1] == "put_events")
    ]
