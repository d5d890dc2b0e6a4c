"""A learner's own copy from beginning to end: a new clone, a lesson, a release, starting over, each as they do it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from helpers.authoring.isolation import throw_away_account
from helpers.authoring.notebooks import execute
from helpers.lab import working_copy
from helpers.paths import PROJECT
from helpers.teaching import copies
from tests.support.lab import Lab, home_of_a_lab  # noqa: F401
from tests.support.polling import PATIENCE

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
LESSON = "notebooks/03_create_the_function.ipynb"
NEW = "What a new release says."
MINE = "# the learner's own cell\n6 * 7"


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "commit.gpgsign=false"]
    run = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return run.stdout


def clone(folder: Path) -> Path:
    """A new clone of the project as it stands here, committed or not."""
    if not (PROJECT / ".git").exists():
        pytest.skip("this folder is no git clone: nothing says which files belong to the project")
    for name in git(PROJECT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and not name.startswith("tests/") and (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, folder / name)
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "all")
    return folder


def student_copy(folder: Path) -> Path:
    copies.make(folder)
    return folder


@pytest.fixture(params=[clone, student_copy], ids=lambda make: make.__name__)
def project(request, home, tmp_path, monkeypatch) -> Path:
    """A workbook that nobody has started yet, as a learner gets it."""
    monkeypatch.delenv("WORKBOOK_MY_LESSONS")
    return request.param(tmp_path / "workbook")


def in_jupyterlab(lab: Lab, lesson: str, *sources: str) -> Iterator[str]:
    """What cells print in the kernel that JupyterLab starts for a lesson."""
    asked = {"path": lesson, "name": lesson, "type": "notebook", "kernel": {"name": "python3"}}
    kernel = json.loads(lab.ask("api/sessions", json.dumps(asked).encode()))["kernel"]["id"]
    with lab.kernel(kernel) as client:
        for source in sources:
            printed: list[str] = []

            def keep(message: dict, printed: list[str] = printed) -> None:
                if message["msg_type"] == "stream":
                    printed.append(message["content"]["text"])

            reply = client.execute_interactive(source, timeout=PATIENCE, output_hook=keep)["content"]
            assert reply["status"] == "ok", f"{source}\n{reply}"
            yield "".join(printed)


def cells(path: Path) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def leave(lab: Lab) -> str:
    lab.type(b"\x03")
    assert lab.end() in (0, 130) and "Traceback" not in lab.screen, lab.screen  # 130: its loop did not run yet
    return lab.screen


def test_a_lesson_a_new_release_and_a_new_beginning(project):
    mine = project / "my-lessons"
    lab = Lab(project=project)
    assert "/lab/tree/notebooks/00_start_here.ipynb?" in lab.url and "Your own lessons are in my-lessons" in lab.screen
    assert not [cell for cell in cells(mine / LESSON).values() if cell.get("outputs")]

    handler = (mine / "handler.py").read_text(encoding="utf-8")
    assert '"ignored"' in handler
    (mine / "handler.py").write_text(handler.replace('"ignored"', '"overlooked"'), encoding="utf-8")
    setup, by_hand = (cells(mine / LESSON)[name].source for name in ("setup", "call-by-hand"))
    builds = [cell.source for cell in cells(mine / LESSON).values() if "build" in cell.metadata.get("tags", [])]
    invoke = 'boto3.client("lambda").invoke(FunctionName="sample-function", Payload=b"{}")["Payload"].read().decode()'
    where = "import handler, os; print(os.getcwd()); print(handler.__file__)"
    said = list(in_jupyterlab(lab, LESSON, setup, *builds, f"print({invoke})", by_hand, where))
    assert "Local AWS, account" in said[0]
    assert "overlooked" in said[-3], "the learner's own handler.py is deployed"
    assert said[-1].split() == [str((mine / "notebooks").resolve()), str((mine / "handler.py").resolve())]
    leave(lab)

    notebook = nbformat.read(mine / LESSON, as_version=4)
    notebook.cells.insert(1, nbformat.v4.new_code_cell(MINE, id="mine"))
    nbformat.write(notebook, mine / LESSON)
    release = nbformat.read(project / LESSON, as_version=4)
    release.cells[0].source += f"\n\n{NEW}"
    nbformat.write(release, project / LESSON)
    lab = Lab(project=project)
    assert f"/lab/tree/{LESSON}?" in lab.url, "where the learner stopped"
    assert f"New in my-lessons: {LESSON}." in leave(lab)
    assert NEW in next(iter(cells(mine / LESSON).values())).source
    assert list(cells(mine / LESSON))[1] == "mine" and cells(mine / LESSON)["mine"].source == MINE
    assert "overlooked" in (mine / "handler.py").read_text(encoding="utf-8")

    command = [sys.executable, "-m", "helpers.lab.start_over", "--yes"]
    variables = os.environ | {"PYTHONPATH": str(project)}
    done = subprocess.run(command, cwd=project, env=variables, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    assert "yours are kept in my-lessons/kept-lessons-1" in done.stdout
    assert (mine / "handler.py").read_text(encoding="utf-8") == handler
    assert "mine" not in cells(mine / LESSON) and "mine" in cells(mine / "kept-lessons-1" / Path(LESSON).name)
    lab = Lab(project=project)
    assert "/lab/tree/notebooks/00_start_here.ipynb?" in lab.url
    leave(lab)


@pytest.mark.parametrize("name", ["03_create_the_function", "06_explore_the_orders", "10_call_microservice_y"])
def test_a_lesson_runs_in_the_copy_as_it_does_where_it_is_released(name, tmp_path):
    """Lessons that read `../handler.py`, and one that writes files."""
    mine = tmp_path / "my-lessons"
    working_copy.refresh(PROJECT, mine)
    path = mine / "notebooks" / f"{name}.ipynb"
    before = {each: each.stat().st_mtime_ns for each in (PROJECT / "notebooks").iterdir()}
    with throw_away_account():
        executed = execute(nbformat.read(path, as_version=4), path.parent)
    stored = cells(PROJECT / "notebooks" / path.name)
    for cell in executed.cells:
        if cell.cell_type == "code":
            assert len(cell.outputs) == len(stored[cell.id].outputs), cell.id
    after = {each: each.stat().st_mtime_ns for each in (PROJECT / "notebooks").iterdir()}
    assert after == before, "what cells write lies beside the learner's lesson"
