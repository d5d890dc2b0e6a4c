"""A learner makes the foreseeable mistakes in every lesson, in a real kernel: each ends in a line or two that help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpers.lessons import sections
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import NOTEBOOKS
from tests.support.embedded_aws import own_home
from tests.support.learners import PATIENCE, Learner, setup_cell

LESSONS = [path.stem for path in lesson_files(NOTEBOOKS)]
LAST = "12_measure_load_and_cost"  # its setup cell builds all that lessons 1 to 11 do

BREAK = """
import io, zipfile
buffer = io.BytesIO()
with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("handler.py", "import json\\ndef lambda_handler(event, context:\\n")
lambda_client = boto3.client("lambda")
lambda_client.update_function_code(FunctionName="sample-function", ZipFile=buffer.getvalue())
boto3.client("events").disable_rule(Name="sample-rule")
dynamodb = boto3.client("dynamodb")
dynamodb.delete_table(TableName="sample-table")
dynamodb.create_table(
    TableName="sample-table", BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
)
del io, zipfile, buffer, archive, lambda_client, dynamodb
"""
WRONG = {  # what the setup cell says of it: the lesson that puts it right
    "sample-table has the key Id (string), and orders need OrderId, a string.": 2,
    "sample-function does not run: SyntaxError in handler.py, line 2: '(' was never closed.": 3,
    "sample-rule is disabled.": 4,
}
WAIT = "from helpers.waiting import wait_until\nwait_until(lambda: False, waiting_for='an order', timeout=0.1)"


class Clumsy(Learner):
    """A learner of whom we see what the notebook shows."""

    def see(self, source: str) -> tuple[str, list[str]]:
        """Run a cell; returns what it printed, and the lines of the error that it ended with."""
        printed: list[str] = []
        failed: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                failed.extend("\n".join(message["content"]["traceback"]).splitlines())

        self._client.execute_interactive(source, timeout=PATIENCE, output_hook=keep)
        return "".join(printed), failed


@pytest.fixture(scope="module")
def account(tmp_path_factory) -> Iterator[Path]:
    """An account with all that the lessons build."""
    folder = tmp_path_factory.mktemp("mistakes")
    builder = Learner(1, folder / "builder", folder / "account")
    try:
        builder.run(setup_cell(LAST))
    finally:
        builder.leave()
    yield folder / "account"
    with own_home(folder / "account"):
        lifecycle.stop()


@pytest.fixture
def learner(account, tmp_path) -> Iterator[Clumsy]:
    made = Clumsy(1, tmp_path, account)
    yield made
    made.leave()


def skipping(lesson: str) -> tuple[str, sections.Cell] | None:
    """A name that a cell of the lesson uses, and the cell before it that defines it; None when there is none."""
    setup = sections.names(lesson) - {
        name for name in sections.names(lesson) if sections.defining(name, lesson).id != "setup"
    }
    for cell in [cell for cell in sections.cells() if cell.lesson == lesson]:
        first = ast.parse(cell.source).body[:1]
        for node in [node for statement in first for node in ast.walk(statement)]:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in setup:
                maker = sections.defining(node.id, lesson)
                if maker and maker.id not in ("setup", cell.id):
                    return node.id, maker
    return None


@pytest.mark.parametrize("lesson", LESSONS)
def test_mistakes_end_in_a_line_or_two(learner, lesson):
    # without the setup cell
    assert_short(learner.see("iam = boto3.client('iam')"), "boto3 is not defined")
    assert_short(
        learner.see("import boto3 as b\nb.client('dynamodb').list_tables()"), "No lesson has begun in this kernel"
    )

    _, failed = learner.see(setup_cell(lesson))
    assert not failed

    # a skipped cell, a misspelled name, a gap
    skipped = skipping(lesson)
    if skipped:
        name, cell = skipped
        assert_short(
            learner.see(name), f"{name} is not defined yet. A cell in {cell.section}", "Run All Above Selected"
        )
    misspelled = "boto3.client('lambda').get_function(FunctionName='sample-functoin')"
    assert_short(learner.see(misspelled), "Did you mean sample-function?")
    gap = "import json\n\njson.dumps({'id': ...})"
    assert_short(learner.see(gap), "There is still a ... in this cell, line 3")

    # the server is stopped in the middle
    learner.run("from helpers.local_aws import lifecycle; lifecycle.stop()")
    assert_short(
        learner.see("boto3.client('dynamodb').list_tables()"), "The embedded AWS has ended. Run the setup cell"
    )


@pytest.mark.parametrize("lesson", [lesson for lesson in LESSONS if lesson != "99_clean_up"])
def test_what_is_wrong_is_said_by_the_setup_cell_and_repaired(learner, lesson):
    learner.run(setup_cell(lesson))
    learner.run(BREAK)
    said, failed = learner.see(setup_cell(lesson))
    assert not failed
    crosses = [line for line in said.splitlines() if line.startswith("✗ ")]
    assert len(crosses) == len(WRONG), said
    for (words, number), line in zip(WRONG.items(), crosses, strict=True):
        assert words in line
        place = re.search(r"esson (\d+), section \d+", line)
        assert place and (int(place[1]) == number or number == 4 and int(place[1]) == 7)
    assert "workbook.repair()" in said

    lines = assert_short(learner.see(WAIT), "Waited 0.1 s for an order, and it did not happen. What is wrong: ")
    assert all(words in lines for words in WRONG)

    said, failed = learner.see("workbook.repair()")
    assert not failed and said.endswith("Now all is as the lessons need it.\n"), (said, failed)
    said, failed = learner.see(setup_cell(lesson))
    assert not failed and "✗" not in said


def assert_short(seen: tuple[str, list[str]], *words: str) -> str:
    """The error of a cell, which has at most two lines and all of the words."""
    _, failed = seen
    assert 1 <= len(failed) <= 2, failed
    shown = " ".join(failed)
    assert all(word in shown for word in words), failed
    return shown
