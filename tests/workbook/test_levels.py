"""Which tests a run has, and in how many processes: with a small project that has the plugins of this one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import PROJECT

FILES = {
    "conftest.py": 'pytest_plugins = ["tests.support.parallel", "tests.support.levels"]\n',
    "pytest.ini": "[pytest]\ntestpaths = checks\naddopts = -n auto --max-worker-restart=0 -p no:nbval\n",
    "checks/deep/test_long.py": "def test_long(): pass\ndef test_longer(): pass\n",
    "checks/test_a.py": """
import os, pytest
from tests.support import levels, recorded

def test_quick(): print("process", os.getpid(), "everything", levels.Level.everything)

@pytest.mark.deep
def test_slow(): pass

def test_as_recorded(): assert recorded.read("answers.json") == {}
""",
    "checks/test_b.py": "import os\ndef test_other(): print('process', os.getpid())\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    recorded = tmp_path / "recorded"
    recorded.mkdir()
    (recorded / "answers.json").write_text("{}", encoding="utf-8")
    return tmp_path / "project"


def run(project: Path, *options: str, recorded: str | None = "recorded") -> tuple[dict[str, str], str]:
    """({test: its outcome}, all that pytest said)."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "WORKBOOK_"))}
    chosen = {"WORKBOOK_CONFORMANCE": str(project.parent / recorded)} if recorded else {}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", *options],
        cwd=project,
        env=kept | {"PYTHONPATH": str(PROJECT)} | chosen,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    said = done.stdout + done.stderr
    return dict(re.findall(r"^(?:PASSED|FAILED) \S+::(\w+)()", said, re.MULTILINE)), said


QUICK = {"test_quick", "test_other", "test_as_recorded"}
DEEP = {"test_long", "test_longer", "test_slow"}


def test_a_whole_run_goes_through_several_processes_and_says_what_it_leaves_out(project):
    ran, said = run(project)
    assert set(ran) == QUICK
    assert "\nleft out: 3 deep tests, --all runs them\n" in said
    assert "everything False" in said, "property-based tests try less"
    assert re.search(r"\d workers|created: \d/\d", said)
    assert len(set(re.findall(r"^process (\d+)\b", said, re.MULTILINE))) == 2, "each file has one of its own"


def test_all_leaves_nothing_out(project):
    ran, said = run(project, "--all", "-n0")
    assert set(ran) == QUICK | DEEP
    assert "left out" not in said and "everything True" in said


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["checks/test_a.py"], {"test_quick", "test_slow", "test_as_recorded"}),
        (["checks/deep/test_long.py::test_long"], {"test_long"}),
        (["-k", "long"], {"test_long", "test_longer"}),
        (["-m", "deep"], {"test_slow"}),
    ],
)
def test_what_is_named_by_hand_runs_in_this_process(project, named, expected):
    ran, said = run(project, *named)
    assert set(ran) == expected
    assert "left out" not in said and "workers" not in said


@pytest.mark.deep
def test_shards_together_are_all(project):
    parts = [set(run(project, "--all", "--shard", f"{number}/3", "-n0")[0]) for number in (1, 2, 3)]
    assert set.union(*parts) == QUICK | DEEP
    assert sum(map(len, parts)) == len(QUICK | DEEP), "none runs twice"
    assert all(parts)


@pytest.mark.parametrize("shard", ["0/3", "4/3", "2", "a/b"])
def test_a_shard_that_cannot_be_is_refused_in_one_line(project, shard):
    ran, said = run(project, "--shard", shard, "-n0")
    assert not ran
    assert f"--shard {shard}: give it as K/N with K from 1 to N, such as 2/4." in said
    assert "Traceback" not in said


@pytest.mark.deep
def test_a_process_that_crashes_ends_the_run_as_a_failure(project):
    (project / "checks" / "test_c.py").write_text("import os\ndef test_crash(): os._exit(3)\n", encoding="utf-8")
    _, said = run(project)
    assert "crashed" in said and re.search(r"\b1 failed", said)
    assert "left out: 3 deep tests" in said


@pytest.mark.deep
def test_the_last_failures_are_named_by_hand_when_there_are_any(project):
    assert set(run(project, "--lf", "-n0")[0]) == QUICK
    (project / "checks" / "deep" / "test_long.py").write_text("def test_long(): assert False\n", encoding="utf-8")
    run(project, "--all", "-n0")
    assert set(run(project, "--lf", "-n0")[0]) == {"test_long"}


def test_a_folder_that_was_named_must_be_there(project):
    _, said = run(project, "-n0", recorded="nowhere")
    assert "FAILED checks/test_a.py::test_as_recorded" in said and "there is no such folder" in said


@pytest.mark.deep
def test_checks_that_have_nothing_to_compare_with_are_counted_loudly(project):
    (project / "conftest.py").write_text(
        "from pathlib import Path\nfrom tests.support import recorded\nrecorded.FOLDER = Path('nowhere')\n"
        + FILES["conftest.py"],
        encoding="utf-8",
    )
    ran, said = run(project, "-n0", recorded=None)
    assert "test_as_recorded" not in ran
    assert "NOT COMPARED WITH AWS: 1 checks did not run" in said and "WORKBOOK_CONFORMANCE" in said
    assert "NOT COMPARED" not in run(project, "-n0")[1]
