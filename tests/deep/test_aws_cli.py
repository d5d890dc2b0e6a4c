"""The AWS CLI does what the lessons do: the very commands that stand in them under "The same in the shell"."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from helpers.authoring.isolation import isolate
from helpers.differences import differences
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.lessons.lesson_reader import Lesson
from tests.lessons.shell_folds import commands

LESSONS = {path.stem[:2]: Lesson(path) for path in lesson_files(PROJECT / "notebooks")}
SETUP = 'eval "$(python3 -m helpers shell-settings)"\nmkdir -p shell && cd shell\n'  # as lesson 1 begins
#: Prints what there is in an account, to compare two: parts, names with tags, and each setting of the service, asked
#: with lesson 13's own cells. Each argument is a lesson up to which the lessons' cells are to build before.
STATE = """
import json, sys
from pathlib import Path
import boto3
from helpers.account import inventory, state as account_state
from helpers.lessons import catch_up
from helpers.target import connection

connection.connect()
asked = {"boto3": boto3, "json": json}
for cell in json.loads(Path("13_deploy_as_code.ipynb").read_text(encoding="utf-8"))["cells"]:
    if cell["id"] in ("describe", "describe-failures"):
        exec("".join(cell["source"]), asked)
for lesson in sys.argv[1:]:
    catch_up.catch_up(lesson, Path(), announce=lambda name: None)
    state = {
        "parts": sorted(account_state.read().parts),
        "things": sorted([each.kind, each.name, each.tag] for kind in inventory.KINDS for each in kind.found()),
    }
    if "rule" in state["parts"]:
        service = asked["describe"]("microservice-role", "sample")
        state["settings"] = service | asked["describe_failures"]("sample")
    print(json.dumps(state, default=str), flush=True)
"""
NOTHING_TO_BUILD = "00_start_here"


@dataclass
class Terminal:
    """A terminal in a learner's folder: it has handler.py and the helpers in it, and leads to an account of its own."""

    folder: Path
    environment: dict[str, str]

    @cached_property
    def settings(self) -> str:
        """What the first line of lesson 1 has the shell evaluate, with the Python and AWS CLI that run this test."""
        command = [sys.executable, "-m", "helpers.lab.shell_settings"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, check=True
        ).stdout.decode()

    def run(self, script: str) -> str:
        """What commands print; they must all succeed."""
        script = f"{self.settings}\nmkdir -p shell && cd shell\n{script}"
        command = [shutil.which("bash"), "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, timeout=300)
        said, errors = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == 0, f"{said[-1500:]}\n{errors[-1500:]}"
        return said

    def lesson(self, number: str) -> str:
        """What the commands of a lesson print."""
        return self.run("\n".join(commands(LESSONS[number])).replace(SETUP, ""))

    def states(self, *lessons: str) -> subprocess.Popen:
        """A process that prints what there is in the account, before each of the lessons."""
        command = [sys.executable, "-c", STATE, *lessons]
        there = PROJECT / "notebooks"
        return subprocess.Popen(command, cwd=there, env=self.environment, stdout=subprocess.PIPE)

    def state(self) -> dict:
        """What there is in the account now."""
        with self.states(NOTHING_TO_BUILD) as process:
            return json.load(process.stdout)


@pytest.fixture
def terminal(tmp_path, monkeypatch) -> Iterator[Terminal]:
    if os.name == "nt" or shutil.which("bash") is None:
        pytest.skip("the commands are for bash")
    yield from a_terminal(tmp_path / "by-shell", monkeypatch)


@pytest.fixture
def by_cells(tmp_path, monkeypatch) -> Iterator[subprocess.Popen]:
    """Prints what there is in another account before lesson 7 and before lesson 12, made there by the lessons' cells.
    It works beside the commands.
    """
    for other in a_terminal(tmp_path / "by-cells", monkeypatch):
        with other.states("07_match_only_orders", "12_measure_load_and_cost") as process:
            yield process
            process.kill()


def a_terminal(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    folder.mkdir()
    shutil.copy(PROJECT / "handler.py", folder)
    (folder / "helpers").symlink_to(PROJECT / "helpers")
    with monkeypatch.context() as own:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            own.delenv(name)
        before = dict(os.environ)
        isolate(folder)
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        os.environ.clear()
        os.environ.update(before)
    try:
        yield Terminal(folder, environment)
    finally:
        subprocess.run([sys.executable, "-m", "helpers.local_aws", "stop"], cwd=folder, env=environment, check=True)


def test_the_tutorial_in_the_shell(terminal, by_cells):
    said = {number: terminal.lesson(number) for number in ["01", "02", "03", "04"]}
    assert '{"status": "stored", "orderId": "F-1"}' in said["03"]

    said["05"] = terminal.lesson("05")  # by the rule, the function and the table
    assert '"outcome": "stored"' in said["05"] and '"N": "65.5"' in said["05"]
    assert "\n200\n" in said["05"] and said["05"].count("\n0") == 20
    said["06"] = terminal.lesson("06")
    assert '"Count": 200' in said["06"] and '"S": "X-0001"' in said["06"] and "NextToken" in said["06"]
    as_by_cells = json.loads(by_cells.stdout.readline())
    the_same(terminal.state(), as_by_cells)

    assert '"Result": false' in terminal.lesson("07")
    said["08"] = terminal.lesson("08")
    assert "RetriesExhausted" in said["08"] and "Amount must be a number" in said["08"]
    assert "COMPLETED" in terminal.lesson("09")
    assert "Express: desk-lamp" in terminal.lesson("10")
    terminal.lesson("11")
    as_by_cells = json.loads(by_cells.stdout.readline())
    the_same(terminal.state(), as_by_cells)

    said["12"] = terminal.lesson("12")
    assert "Errors in %" in said["12"] and "\nALARM\n" in said["12"]
    assert '{"status": "stored", "orderId": "C-1"}' in terminal.lesson("13")
    the_same(terminal.state(), as_by_cells)  # these two lessons leave nothing behind

    listed = terminal.lesson("99").rpartition("\n[]")
    assert listed[1]
    assert terminal.state() == {"parts": [], "things": []}


def the_same(made: dict, expected: dict) -> None:
    """What the lessons have made is the same by either way, down to each tag and setting."""
    assert made["parts"] == expected["parts"]
    assert made["things"] == expected["things"]
    found = differences({"by shell": made["settings"], "by cells": expected["settings"]}, {})
    assert set(found.index) <= {"function.CodeSha256", "function.CodeSize"}, found.to_string()  # another zip


def test_the_server_of_a_terminal_is_its_own(terminal):
    """Nobody's account is touched: the commands lead to the one of this folder."""
    url = terminal.run('echo "$AWS_ENDPOINT_URL"').strip()
    running = lifecycle.status()
    assert url.startswith("http://127.0.0.1:") and (running is None or running.endpoint_url != url)
