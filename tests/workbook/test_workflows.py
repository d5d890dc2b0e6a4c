"""What GitHub runs, and what opens in a dev container: pinned, limited, nothing but commands that this repository has.

Neither can run here. What they call can, and is looked up; their form is GitHub's own matter, which `check-jsonschema
--builtin-schema vendor.github-workflows .github/workflows/*.yml` knows.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.__main__ import NEWEST_TRIED, OLDEST
from helpers.installing import pins
from helpers.installing.commands import KNOWN
from helpers.lab.launch import FIRST_LESSON
from helpers.paths import PROJECT

FOLDER = PROJECT / ".github" / "workflows"
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}
JOBS = {f"{name}: {job}": content for name, flow in WORKFLOWS.items() for job, content in flow["jobs"].items()}
#: Publishers whose actions may be used: GitHub's own.
PUBLISHERS = {"actions"}
#: Minutes that a job may take at most. GitHub's own limit is six hours.
LONGEST = 60
#: What a step may run that is no command of this repository.
ALSO = {"git diff requirements.txt"}
EDGES = ["{}.{}".format(*OLDEST), "{}.{}".format(*NEWEST_TRIED)]
DEVCONTAINER = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))

every_workflow = pytest.mark.parametrize("name", WORKFLOWS)
every_job = pytest.mark.parametrize("job", JOBS.values(), ids=list(JOBS))


def variants(job: dict[str, Any]) -> Iterator[dict[str, str]]:
    """Give the values of a job's matrix in every combination; one that is empty for a job without."""
    matrix = job.get("strategy", {}).get("matrix", {})
    for values in product(*matrix.values()):
        yield dict(zip(matrix, values, strict=True))


def filled_in(text: str, values: dict[str, str]) -> str:
    """Put a matrix's values into a text. Raises KeyError for one that the matrix does not have."""
    return re.sub(r"\$\{\{ matrix\.(\w+) \}\}", lambda found: values[found[1]], text)


def commands(job: dict[str, Any]) -> list[str]:
    """List what a job runs, for each combination of its matrix."""
    return [filled_in(step["run"], values) for values in variants(job) for step in job["steps"] if "run" in step]


def problem(command: str) -> str | None:
    """Say why a command is none that this repository has, in one line, or whose arguments are not there."""
    if "\n" in command.strip() or "${{" in command or re.search(r"[;&|<>`$]", command):
        return "more than one command, or something that only GitHub knows: put it into a script"
    if command in ALSO:
        return None
    program, *arguments = shlex.split(command)
    if program in ("python", "python3"):
        if arguments[:2] != ["-m", "helpers"] or arguments[2] not in KNOWN:
            return "not a command of python3 -m helpers"
        arguments = arguments[3:]
    elif program.startswith(".venv/bin/"):
        locked = program.removeprefix(".venv/bin/") in pins.read(PROJECT / "requirements.txt")
        return None if locked else "not a program of the lock"
    elif not is_script(PROJECT / program):
        return "not a script of this repository"
    paths = [word for word in arguments if re.match(r"[\w.]", word) and not re.fullmatch(r"\d+/\d+", word)]
    missing = [path for path in paths if not (PROJECT / path).exists()]
    return f"not there: {', '.join(missing)}" if missing else None


def is_script(path: Path) -> bool:
    """Tell whether a file can be run (on Windows, whether it is there)."""
    return path.is_file() and (os.name == "nt" or os.access(path, os.X_OK))


def test_there_are_these_workflows():
    assert list(TEXTS) == ["check.yml", "weekly.yml"]


@every_workflow
def test_each_action_is_pinned_by_its_commit_with_the_version_beside(name):
    lines = re.findall(r"^.*\buses:.*$", TEXTS[name], re.MULTILINE)
    assert lines
    for line in lines:
        assert (found := re.search(r"uses: (\w+)/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)), line
        assert found[1] in PUBLISHERS


def test_an_action_has_one_version_everywhere():
    used = set(re.findall(r"uses: (\S+)@(\S+ # \S+)$", "\n".join(TEXTS.values()), re.MULTILINE))
    assert len(used) == len({action for action, _ in used})


@every_workflow
def test_it_may_read_the_code_and_nothing_else(name):
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    assert not [job for job in WORKFLOWS[name]["jobs"].values() if "permissions" in job]
    assert not re.search(r"secrets\.|github\.token|pull_request_target|workflow_run", TEXTS[name])


@every_workflow
def test_a_newer_run_takes_the_place_of_an_older_one(name):
    assert "${{ github.ref }}" in WORKFLOWS[name]["concurrency"]["group"]
    assert WORKFLOWS[name]["concurrency"]["cancel-in-progress"]


@every_job
def test_a_job_has_a_time_limit(job):
    assert 0 < job["timeout-minutes"] <= LONGEST


@every_job
def test_a_clone_keeps_no_credentials(job):
    clones = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"] for step in clones] == [{"persist-credentials": False}]


@every_job
def test_what_is_run_exists_here(job):
    run = commands(job)
    assert run
    assert not {command: why for command in run if (why := problem(command))}


@pytest.mark.parametrize("command", [
    "python -m helpers tests", "python -m pytest", "pip install moto", ".ci/walk", ".ci/audit.sh", ".venv/bin/black",
    "python -m helpers test tests/nowhere", "python -m helpers test && rm -r .", "python -m helpers test\npip list",
    "python -m helpers test ${{ github.event.head_commit.message }}",
])  # fmt: skip
def test_what_does_not_exist_is_noticed(command):
    assert problem(command)


@every_job
def test_each_job_uses_a_python_that_is_at_an_edge_of_what_is_supported(job):
    setups = [step for step in job["steps"] if step.get("uses", "").startswith("actions/setup-python@")]
    assert len(setups) == 1
    for values in variants(job):
        assert filled_in(setups[0]["with"]["python-version"], values) in EDGES
        for step in job["steps"]:  # what is installed for one Python is no use to another
            if step.get("uses", "").startswith("actions/cache@"):
                version = filled_in(setups[0]["with"]["python-version"], values)
                assert f"-{version}-" in filled_in(step["with"]["key"], values)
                assert "hashFiles('requirements.txt')" in step["with"]["key"]


def test_the_default_level_runs_on_three_systems_and_both_edges():
    job = WORKFLOWS["check.yml"]["jobs"]["test"]
    systems = [f"{system}-latest" for system in ("ubuntu", "macos", "windows")]
    assert job["strategy"]["matrix"] == {"os": systems, "python": EDGES}
    assert set(commands(job)) == {"python -m helpers test"} and not job["strategy"]["fail-fast"]


def test_the_parts_of_all_tests_are_all_of_them():
    shards = WORKFLOWS["check.yml"]["jobs"]["all"]["strategy"]["matrix"]["shard"]
    assert shards == [f"{number}/{len(shards)}" for number in range(1, len(shards) + 1)]


def test_the_weekly_run_changes_the_lock_before_it_tests():
    for job in WORKFLOWS["weekly.yml"]["jobs"].values():
        first, *_, last = commands(job)
        assert " lock --upgrade" in first and (".ci/run" in last or " test" in last)


# --- the dev container ---


def test_a_dev_container_has_condas_python():
    conda = (PROJECT / "environment.yml").read_text(encoding="utf-8")
    image, _, version = DEVCONTAINER["image"].rpartition(":")
    assert image.endswith("/python") and f"- python={version}\n" in conda


def test_a_dev_container_is_set_up_by_the_workbooks_own_command():
    assert problem(DEVCONTAINER["updateContentCommand"]) is None
    assert not {name for name in DEVCONTAINER if name.endswith("Command")} - {"updateContentCommand"}


def test_a_dev_container_opens_the_first_lesson():
    editors = DEVCONTAINER["customizations"]
    assert editors["codespaces"]["openFiles"] == [FIRST_LESSON] and (PROJECT / FIRST_LESSON).is_file()
    interpreter = "${containerWorkspaceFolder}/.venv/bin/python"
    assert editors["vscode"]["settings"]["python.defaultInterpreterPath"] == interpreter
    assert set(editors["vscode"]["extensions"]) >= {"ms-python.python", "ms-toolsai.jupyter"}


def test_a_kernel_in_a_dev_container_starts_beside_its_lesson():
    assert DEVCONTAINER["customizations"]["vscode"]["settings"]["jupyter.notebookFileRoot"] == "${fileDirname}"


def test_a_dev_container_forwards_the_port_that_the_readme_names():
    [port] = DEVCONTAINER["forwardPorts"]
    assert str(port) in DEVCONTAINER["portsAttributes"]
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert f"python3 -m helpers lab --no-browser --port {port}" in readme
