"""Every lesson passes on an AWS that is slow, distant and failing; nothing is lost, and nothing is made twice."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from helpers.account import inventory
from helpers.account import state as account_state
from helpers.authoring.isolation import isolated, throw_away_account
from helpers.lessons import catch_up
from helpers.paths import NOTEBOOKS, PROJECT
from helpers.target import connection
from tests.support.difficult_aws import FAULTS, difficult_aws, struck

LESSONS = [path.stem for path in catch_up.lesson_files(NOTEBOOKS)]
#: Events that come twice, or in another order, are counted twice: delivery is at least once, and the lessons say so. So
#: under these faults what cells print is not compared. That they run, and what is in the account afterwards, is.
COUNTS_DIFFER = {"dropped", "partial", "shuffled"}
#: Two of them are in one run: neither hides what the other does.
RUNS = ["dropped", "errors", "iam", "partial+shuffled", "slow", "throttle"]
assert set("+".join(RUNS).split("+")) == FAULTS.keys()
#: What differs otherwise, and rightly so: {(lesson, cell id): why}.
DIFFERENT = {
    ("11_grant_least_privilege", "no-log-lines"): "IAM takes its time, so the cell looks more than once, and says so",
    ("07_match_only_orders", "watch-mixed"): "the rule takes its time, so the cell sends more than once, and says so",
    ("07_match_only_orders", "send-hundred"): "the same, with a second bar of progress",
    ("07_match_only_orders", "send-into-silence"): "the same",
    ("09_replay_the_past", "new-rule"): "the rule takes its time, so the cell replays more than once, and says so",
    ("10_call_microservice_y", "send-once-more"): "the same, with an order",
    ("12_measure_load_and_cost", "latency-findings"): "compares measured times, and a retry takes long",
}


def cell_ids(lesson: str) -> list[str]:
    """The ids of a lesson's code cells, in the order by which nbval counts them."""
    cells = json.loads((NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    return [cell["id"] for cell in cells if cell["cell_type"] == "code"]


def run_lessons(*names: str, compare: bool) -> tuple[dict[tuple[str, str], str], list[str]]:
    """{(lesson, cell id): pytest's words} of all cells that print something else than is stored or fail; and pytest's
    words about those that fail.
    """
    files = [f"notebooks/{name}.ipynb" for name in names]
    lax = [] if compare else ["--nbval-lax"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--target-as-set", *lax, *files]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, encoding="utf-8", errors="replace")
    report = re.sub(r"\x1b\[[0-9;]*m", "", run.stdout)
    assert re.search(r"^\d+ (passed|failed)", report, re.MULTILINE), report[-2000:] + run.stderr[-2000:]
    parts = re.split(r"^_{3,} (?:ERROR at \w+ of )?notebooks[/\\](\w+)\.ipynb::Cell (\d+) _{3,}$", report, flags=re.M)
    cells = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    found = {(name, cell_ids(name)[int(number)]): f"{name} {number} {text}" for name, number, text in cells}
    return found, [text for text in found.values() if "Cell outputs differ" not in text]


@pytest.fixture
def elsewhere(monkeypatch):
    """This process and its kernels speak to the account that a test gives, as to an endpoint.

    It waits as long as a learner's: a fault takes seconds, and a lesson must be quicker than Lambda's last retry.
    """
    before = dict(os.environ)
    del os.environ["LOCAL_AWS_TIME_SCALE"]
    monkeypatch.setattr(connection, "_connected", None)

    def speak_to(account):
        os.environ.update(account.environment() | {"WORKBOOK_TARGET": "endpoint"})
        connection.connect()

    yield speak_to
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


@pytest.mark.parametrize("faults", RUNS)
def test_every_lesson_passes(faults, tmp_path, elsewhere):
    each_fault = faults.split("+")
    with difficult_aws(tmp_path, faults) as account:
        elsewhere(account)
        lessons = [name for name in LESSONS if name != "99_clean_up"]
        different, failed = run_lessons(*lessons, compare=COUNTS_DIFFER.isdisjoint(each_fault))
        assert not failed, "\n".join(failed)
        setup = {(name, "setup") for name in LESSONS}  # names the endpoint
        unexpected = different.keys() - setup - DIFFERENT.keys()
        assert not unexpected, "\n".join(different[each] for each in unexpected)
        state = account_state.read()
        assert set(account_state.PARTS) - OF_LESSON_10 <= state.parts
        assert not account_state.missing(["orders:X-0001..X-0200"], state), "orders are lost"
        made = [each.name for kind in inventory.KINDS for each in kind.found()]
        of_lessons = sorted(name for name in made if not name.startswith("exercise-"))
        assert of_lessons == sorted(KEPT), "made twice, or left behind"
        _, failed = run_lessons("99_clean_up", compare=False)
        assert not failed, "\n".join(failed)
        assert not [each for kind in inventory.KINDS for each in kind.found()]
    for fault in each_fault:
        assert struck(tmp_path, fault) > 20, f"{fault} struck too seldom to say anything"


#: What lesson 10 makes and deletes again.
OF_LESSON_10 = {"announcement", "microservice-y", "order-stored-rule"}
#: What the lessons leave for one another; whatever else they make, they delete. (Exercises begin with things, too.)
KEPT = {
    "microservice-role", "sample-table", "sample-function", "/aws/lambda/sample-function", "sample-rule",
    "sample-rule-dlq", "sample-function-failures", "sample-archive",
}  # fmt: skip


# --- interrupted ---

BUILDING = [name for name in LESSONS if catch_up.read_lesson(NOTEBOOKS / f"{name}.ipynb").build_cells]
_CHANGES = re.compile(r"(Create|Put|Attach|Detach|Delete|Add|Remove|Update|Set|Start)[A-Z]")


def interrupt_after(count: int) -> list[str]:
    """From now on the `count`-th change of the account is made, and then Ctrl-C comes. Returns the list of changes."""
    changes: list[str] = []

    def changed(model, **_):
        if _CHANGES.match(model.name):
            changes.append(model.name)
            if len(changes) == count:
                raise KeyboardInterrupt

    boto3.DEFAULT_SESSION.events.register("after-call.*.*", changed)
    return changes


def snapshot() -> tuple:
    """What there is, by kind and name, and which parts the workbook sees."""
    return sorted((each.kind, each.name) for kind in inventory.KINDS for each in kind.found()), account_state.read()


@pytest.mark.parametrize("lesson", BUILDING)
def test_a_lesson_can_be_interrupted_after_each_of_its_changes(lesson, tmp_path):
    built = catch_up.read_lesson(NOTEBOOKS / f"{lesson}.ipynb")
    before = Path.cwd()
    with isolated(tmp_path), throw_away_account() as account:
        os.chdir(NOTEBOOKS)
        try:
            connection.connect_to(account)
            catch_up.catch_up(lesson, NOTEBOOKS, lambda name: None)
            for number in range(1, 100):
                connection.connect_to(account)
                changes = interrupt_after(number)
                with contextlib.suppress(KeyboardInterrupt):
                    catch_up.build(built)
                if len(changes) < number:
                    break  # the whole lesson has run
                connection.connect_to(account)
                catch_up.build(built)
                there, state = snapshot()
                assert not account_state.missing(built.provides, state), f"after {changes[-1]}"
                assert len(there) == len(set(there))
        finally:
            os.chdir(before)
            boto3.DEFAULT_SESSION = None
