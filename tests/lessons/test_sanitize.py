"""The sanitize file does what it looks like, and no more than the lessons need."""

from __future__ import annotations

import json
import re

import pytest
from nbval.plugin import get_sanitize_patterns

from helpers.lessons.catch_up import lesson_files
from helpers.paths import PROJECT

TEXT = (PROJECT / "tests" / "nbval_sanitize.cfg").read_text(encoding="utf-8")
RULES = get_sanitize_patterns(TEXT)
EXAMPLES = {  # two runs of the same cell
    "Event 0b1c2d3e-1111-2222-3333-444455556666 stored": "Event 77777777-aaaa-4bbb-8ccc-ddddeeeeffff stored",
    "Duration: 1.27 ms\tBilled Duration: 2 ms": "Duration: 103 ms\tBilled Duration: 103 ms",
    "Memory Size: 128 MB\tMax Memory Used: 62 MB": "Memory Size: 128 MB\tMax Memory Used: 101 MB",
    "In the table after the last answer: 13 of 200": "In the table after the last answer: 200 of 200",
    "One page: 60 orders, revenue 2793.31 USD": "One page: 60 orders, revenue 810.00 USD",
}
RESULTS = ["200", "0 failed", "X-0001", "python3.13", "Memory Size: 128 MB", "65.5", "3 s", "2026-11-23"]


def sanitized(text: str) -> str:
    for regex, replacement in RULES:
        text = re.sub(regex, replacement, text)
    return text


def outputs() -> str:
    """Everything that nbval compares, of all lessons."""
    cells = [
        cell for path in lesson_files(PROJECT / "notebooks")
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
    ]  # fmt: skip
    return "\n".join(texts([cell["outputs"] for cell in cells]))


def texts(value) -> list[str]:
    """All strings in an output, lists of lines joined as in the file; not tracebacks and pictures."""
    if isinstance(value, dict):
        left_out = ("traceback", "image/png")
        return [text for key, entry in value.items() if key not in left_out for text in texts(entry)]
    if isinstance(value, list):
        if all(isinstance(entry, str) for entry in value):
            return ["".join(value)]
        return [text for entry in value for text in texts(entry)]
    return [value] if isinstance(value, str) else []


def test_nbval_sees_every_rule_of_the_file():
    written = re.findall(r"^\s*regex:", TEXT, re.MULTILINE)
    assert len(RULES) == len(written) == len(re.findall(r"^\s*replace:", TEXT, re.MULTILINE)) > 0


@pytest.mark.parametrize("first", EXAMPLES)
def test_what_differs_by_nature_is_made_equal(first):
    assert sanitized(first) == sanitized(EXAMPLES[first]) != first


@pytest.mark.parametrize("text", RESULTS)
def test_results_are_compared(text):
    assert sanitized(text) == text


@pytest.mark.parametrize("regex", [regex for regex, _ in RULES])
def test_every_rule_is_needed_by_a_committed_output(regex):
    used = re.search(regex, outputs()) is not None
    assert used, "no output of a lesson has this: remove the rule"
