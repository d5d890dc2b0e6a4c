"""Many at once, and things that are killed in the middle: one account each, nothing lost, and the next start works.

tests/deep/test_classroom.py has thirty kernels; here are what starts them, what runs beside them, and what dies.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient.exceptions import CellExecutionError

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import execute
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws, Gate, gone, own_home
from tests.support.lab import Lab, home_of_a_lab  # noqa: F401
from tests.support.learners import Learner, classroom
from tests.support.polling import eventually

posix = pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
LESSONS = {path.stem[:2]: path for path in lesson_files(PROJECT / "notebooks")}
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)

# At the same instant

START = (
    Gate.SOURCE
    + """
import json, sys
from helpers.local_aws import lifecycle
pass_gate(sys.argv[1])
account = lifecycle.start()
print(json.dumps([account.endpoint_url, account.access_key_id, account.pid, account.started]))
"""
)


def start_many(count: int, gate: Gate) -> list[list]:
    """So many processes, all of which ask for the account at one moment: what each got."""
    command = [sys.executable, "-c", START, gate.folder]
    processes = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(count)
    ]
    gate.wait_for(count)
    gate.open()
    shown = [process.communicate(timeout=180) for process in processes]
    assert [error for _, error in shown if error] == []
    return [json.loads(answer) for answer, _ in shown]


def servers_of(folder: Path) -> list[int]:
    """The processes that are an embedded AWS in this folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "helpers.local_aws" in words and str(folder) in words and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process.pid)
    return found


@pytest.mark.parametrize("left_behind", ["nothing", pytest.param("a killed server", marks=posix)])
def test_thirty_processes_get_one_account(tmp_path, left_behind):
    folder = tmp_path / "account"
    with own_home(folder):
        if left_behind != "nothing":
            killed = lifecycle.start()
            os.kill(killed.pid, KILL)
            assert gone(killed.pid)
            assert (folder / "account.json").exists(), "its state file names a server that is no more"
        try:
            answers = start_many(30, Gate(tmp_path / "gate"))
            assert len({tuple(answer[:3]) for answer in answers}) == 1
            assert sum(started for *_, started in answers) == 1
            assert servers_of(folder) == [answers[0][2]]
            assert Aws(lifecycle.start()).client("sts").get_caller_identity()["Account"] == "123456789012"
        finally:
            lifecycle.stop()


# Beside one another

IGNORED = shutil.ignore_patterns(".git", ".venv", ".local_aws", "__pycache__", "docs", "tests", ".workbook")
OWN = """
import boto3
from helpers import workbook
workbook.begin("02_create_the_table")
boto3.client("sqs").create_queue(QueueName={name!r})
print(boto3.client("sqs").meta.endpoint_url, *boto3.client("sqs").list_queues()["QueueUrls"])
"""


def clone_run(clone: Path, name: str) -> str:
    """A kernel's cell in a clone of the workbook, whose account is where a learner's is."""
    variables = {key: value for key, value in os.environ.items() if key not in ("LOCAL_AWS_HOME", "PYTHONPATH")}
    variables |= {"WORKBOOK_HOME": str(clone / "home"), "PYTHONPATH": str(clone)}
    command = [sys.executable, "-m", "IPython", "--no-banner", "--colors=NoColor", "-c", OWN.format(name=name)]
    done = subprocess.run(command, cwd=clone / "notebooks", env=variables, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout.splitlines()[-1]


def test_two_clones_have_two_accounts(tmp_path):
    clones = [tmp_path / "one", tmp_path / "two"]
    for clone in clones:
        shutil.copytree(PROJECT, clone, ignore=IGNORED)
    try:
        with ThreadPoolExecutor(2) as pool:
            shown = list(pool.map(clone_run, clones, ["queue-one", "queue-two"]))
        endpoints = {line.split()[0] for line in shown}
        assert len(endpoints) == 2
        queues = [[url.rpartition("/")[2] for url in line.split()[1:]] for line in shown]
        assert queues == [["queue-one"], ["queue-two"]]
        assert all((clone / ".local_aws" / "account.json").exists() for clone in clones)
    finally:
        for clone in clones:
            with own_home(clone / ".local_aws"):
                lifecycle.stop()


#: Makes a lesson give a wait up soon, where it names no time of its own.
IMPATIENCE = "from helpers import waiting\nwaiting.wait_until.__defaults__ = (5, *waiting.wait_until.__defaults__[1:])"


def run_beside(*lessons: str, impatient: str | None = None) -> list[str]:
    """Run lessons at once in one account, a kernel for each; returns of each the error that it ended in, or ""."""

    def run(lesson: str) -> str:
        notebook = nbformat.read(LESSONS[lesson], as_version=4)
        if lesson == impatient:
            notebook.cells.insert(0, nbformat.v4.new_code_cell(IMPATIENCE))
        try:
            executed = execute(notebook, LESSONS[lesson].parent)
        except CellExecutionError as error:
            return f"{error.ename}: {error.evalue}"
        assert all(cell.execution_count for cell in executed.cells if cell.cell_type == "code")
        return ""

    with ThreadPoolExecutor(len(lessons)) as pool:
        return list(pool.map(run, lessons))


def test_two_lessons_run_at_once_in_one_account():
    """From an account that has nothing yet: both build what is missing, and neither is in the other's way."""
    with throw_away_account():
        assert run_beside("03", "04") == ["", ""]


def test_a_lesson_that_disturbs_another_leaves_nothing_broken():
    """Lesson 4 takes away, for a while, the permission that lesson 5's orders need, and lesson 5 counts what is in the
    table that both write to. It may then wait in vain, which it says; and it runs as soon as lesson 4 has.
    """
    with throw_away_account():
        beside_it, disturbed = run_beside("04", "05", impatient="05")
        assert beside_it == ""
        assert disturbed == "" or disturbed.startswith("WaitTimeout: "), disturbed
        assert run_beside("05") == [""]


# Killed in the middle

SEND = """
import boto3, json
from helpers import microservice_x
orders = microservice_x.orders(200, first=1)
for batch in microservice_x.batches(orders):
    answer = boto3.client("events").put_events(Entries=[
        {"Source": "microservice_x", "DetailType": "microservice_x_test_event", "Detail": json.dumps({"body": order})}
        for order in batch
    ])
    assert answer["FailedEntryCount"] == 0
print(len(orders))
"""


@pytest.fixture
def learner(tmp_path) -> Iterator[Learner]:
    with classroom(1, tmp_path) as learners:
        yield learners[0]


def account_of(learner: Learner) -> Aws:
    with own_home(learner.home):
        return Aws(lifecycle.start(), learner.home)


def stored(aws: Aws) -> set[str]:
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName="sample-table", ConsistentRead=True)
    return {item["OrderId"]["S"] for page in pages for item in page["Items"]}


@posix
def test_a_kernel_dies_while_its_orders_are_on_their_way(learner):
    """The orders do not need it any more; and the lesson, run again from the top, is as it always is."""
    learner.begin(time.time())
    assert learner.run(SEND).strip() == "200"
    os.kill(learner.pid, KILL)
    aws = account_of(learner)
    sent = {f"X-{number:04d}" for number in range(1, 201)}
    assert eventually(lambda: sent <= stored(aws)), f"lost: {sorted(sent - stored(aws))}"
    with own_home(learner.home):
        assert lifecycle.start().pid == aws.account.pid
        execute(nbformat.read(LESSONS["05"], as_version=4), LESSONS["05"].parent)
    assert sent <= stored(aws)


@posix
@pytest.mark.parametrize("after", [0.2, 0.8])
def test_a_kernel_dies_while_it_builds(tmp_path, after):
    """Wherever the setup cell of lesson 5 was, another kernel finishes what it has begun."""
    with classroom(2, tmp_path, shared=True) as (first, second):
        aws = account_of(first)
        first.start("from helpers import workbook; workbook.begin('05_send_events')")
        assert eventually(lambda: aws.client("iam").list_roles()["Roles"])
        time.sleep(after)
        os.kill(first.pid, KILL)
        second.begin(time.time())
        second.send()
        assert second.own_orders <= second.read()


@posix
def test_jupyterlab_is_killed_and_starts_again(home):
    """Its embedded AWS lives on with all that is in it, and is found again; what it left on disk is in nobody's way."""
    lab = Lab()
    lab.ask("api/kernels", b"{}")
    kernels = [
        child
        for child in psutil.Process(lab.process.pid).children(recursive=True)
        if "ipykernel" in " ".join(child.cmdline())
    ]
    assert kernels
    before = lifecycle.status()
    Aws(before).client("sqs").create_queue(QueueName="kept")
    os.kill(lab.process.pid, KILL)
    lab.process.wait()
    assert all(gone(kernel.pid) for kernel in kernels), "a kernel ends when its parent has"
    again = Lab()
    assert "The embedded AWS was running already" in again.screen
    account = lifecycle.status()
    assert account is not None and account.pid == before.pid
    assert [url.rpartition("/")[2] for url in Aws(account).client("sqs").list_queues()["QueueUrls"]] == ["kept"]
    again.ask("api/status")
    again.process.send_signal(signal.SIGTERM)
    assert again.end() == 0
    assert lifecycle.status().pid == before.pid
