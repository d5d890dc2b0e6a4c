"""The learner's own copy: made from the release, brought up to date, and never at the learner's cost."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from helpers.errors import WorkbookError
from helpers.lab import working_copy
from helpers.lessons.catch_up import lesson_files
from helpers.lessons.notebook_files import parse
from helpers.paths import PROJECT
from tests.support.links import dead_links

ROLE = "notebooks/01_role.ipynb"
DIAGRAM = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": "<svg/>", "text/plain": "x"}}


def lesson(**sources: str) -> str:
    """A released lesson, with outputs: cells by their ids."""
    cells = [
        {"cell_type": "code", "id": name, "metadata": {}, "source": text, "outputs": [DIAGRAM], "execution_count": 1}
        for name, text in sources.items()
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Workbook:
    """A small workbook and the copy that a learner has of it."""

    def __init__(self, root: Path) -> None:
        self.root, self.mine = root / "workbook", root / "workbook" / "my-lessons"
        self.release("handler.py", "def lambda_handler(): ...\n")
        self.release(ROLE, lesson(setup="begin()", task="..."))
        self.release("notebooks/02_table.ipynb", lesson(setup="begin()"))
        self.release("notebooks/GLOSSARY.md", "# Glossary\n")
        self.release("notebooks/TEACHING.md", "secret")
        self.release("notebooks/images/a.svg", "<svg/>")
        self.release("notebooks/solutions/ex_01_1.py", "secret")

    def release(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def lab(self) -> list[str]:
        return working_copy.refresh(self.root, self.mine)

    def cells(self, name: str = ROLE) -> dict[str, str]:
        return {cell["id"]: "".join(cell["source"]) for cell in parse((self.mine / name).read_bytes())["cells"]}

    def edit(self, name: str = ROLE, outputs: bool = False, **sources: str) -> None:
        """Write into cells of the learner's lesson, as JupyterLab saves it."""
        notebook = nbformat.read(self.mine / name, as_version=4)
        for cell in notebook.cells:
            cell.source = sources.pop(cell.id, cell.source)
            if outputs:
                cell.outputs = [nbformat.from_dict(DIAGRAM)]
        notebook.cells += [nbformat.v4.new_code_cell(source, id=name) for name, source in sources.items()]
        nbformat.write(notebook, self.mine / name)

    def files(self) -> set[str]:
        there = (path.relative_to(self.mine) for path in self.mine.rglob("*") if path.is_file())
        return {path.as_posix() for path in there if path.parts[0] != working_copy.BASE}


@pytest.fixture
def workbook(tmp_path, monkeypatch) -> Workbook:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "signatures"))
    return Workbook(tmp_path)


def test_the_copy_has_the_lessons_without_outputs_and_nothing_of_the_teachers(workbook):
    [said] = workbook.lab()
    assert said.startswith("Your own lessons are in my-lessons")
    assert workbook.files() == {
        "README.md", "handler.py", ROLE, "notebooks/02_table.ipynb", "notebooks/GLOSSARY.md", "notebooks/images/a.svg"
    }  # fmt: skip
    for path in lesson_files(workbook.mine / "notebooks"):
        nbformat.validate(nbformat.read(path, as_version=4))
        assert all(
            not each["outputs"] and each["execution_count"] is None for each in parse(path.read_bytes())["cells"]
        )
    assert "secret" not in "".join(path.read_text() for path in workbook.mine.rglob("*") if path.is_file())
    assert workbook.lab() == [], "a second start has nothing to say"


def test_a_new_release_comes_in_and_the_learners_cells_stay(workbook):
    workbook.lab()
    workbook.edit(task="my answer", own="my own cell")
    workbook.release(ROLE, lesson(setup="begin(2)", new="look", task="..."))
    [said] = workbook.lab()
    assert said == f"New in my-lessons: {ROLE}. What you have changed is as it was."
    assert workbook.cells() == {"setup": "begin(2)", "new": "look", "task": "my answer", "own": "my own cell"}
    assert workbook.lab() == []


def test_what_was_run_and_gets_a_new_cell_is_kept_with_its_outputs(workbook):
    workbook.lab()
    workbook.edit(outputs=True)
    before = (workbook.mine / ROLE).read_bytes()
    workbook.release(ROLE, lesson(setup="begin(2)", task="..."))
    assert workbook.lab()[1:] == [f"{ROLE} as you ran it is kept in my-lessons/kept-lessons-1."]
    assert (workbook.mine / "kept-lessons-1" / "01_role.ipynb").read_bytes() == before
    setup, task = parse((workbook.mine / ROLE).read_bytes())["cells"]
    assert task["outputs"] and not setup["outputs"]
    workbook.release(ROLE, lesson(setup="begin(2)", task="...", new="look"))
    assert len(workbook.lab()) == 1, "nothing gives way to a cell that is only new"


def test_what_both_have_changed_stays_the_learners_and_is_told_once(workbook):
    workbook.lab()
    workbook.edit(task="my answer")
    workbook.release(ROLE, lesson(setup="begin()", task="a new task"))
    [said] = workbook.lab()
    assert f"{ROLE}: the workbook has a new version of task, which you have changed; yours stays." in said
    assert str(workbook.root / ROLE) in said and "\n" not in said
    assert workbook.cells()["task"] == "my answer"
    assert workbook.lab() == []


def test_only_the_release_of_a_lesson_counts_and_not_its_outputs(workbook):
    workbook.lab()
    before = (workbook.mine / ROLE).stat().st_mtime_ns
    workbook.release(ROLE, lesson(setup="begin()", task="...").replace('"execution_count": 1', '"execution_count": 2'))
    assert workbook.lab() == [] and (workbook.mine / ROLE).stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["handler.py", "notebooks/GLOSSARY.md"])
def test_a_file_follows_the_release_until_it_is_changed(workbook, name):
    workbook.lab()
    (workbook.mine / name).write_bytes((workbook.mine / name).read_bytes().replace(b"\n", b"\r\n"))  # no change
    workbook.release(name, "new\n")
    [said] = workbook.lab()
    assert name in said and (workbook.mine / name).read_text() == "new\n"
    (workbook.mine / name).write_text("mine\n")
    workbook.release(name, "newer\n")
    [said] = workbook.lab()
    assert said.startswith(f"{name} stays as you have changed it.") and str(workbook.root / name) in said
    assert (workbook.mine / name).read_text() == "mine\n" and workbook.lab() == []


@pytest.mark.parametrize(
    "content",
    [
        "", '{"cells": [', "<<<<<<< HEAD", "[]", '{"nbformat": 4, "metadata": {}}', "\x00", "[" * 200_000,
        '{"nbformat": 4, "nbformat_minor": "5", "metadata": {}, "cells": []}',
    ],
)  # fmt: skip
def test_a_lesson_that_is_half_written_is_kept_and_made_anew(workbook, content):
    workbook.lab()
    (workbook.mine / ROLE).write_text(content)
    [said] = workbook.lab()
    assert said == f"{ROLE} could not be read as a notebook: it is kept in my-lessons/kept-lessons-1, and made anew."
    assert (workbook.mine / "kept-lessons-1" / "01_role.ipynb").read_text() == content
    assert workbook.cells() == {"setup": "begin()", "task": "..."}


def test_a_released_lesson_in_the_middle_of_a_git_merge_keeps_nobody_from_the_others(workbook):
    workbook.lab()
    workbook.edit(task="my answer")
    workbook.release(ROLE, "<<<<<<< HEAD")
    workbook.release("notebooks/02_table.ipynb", lesson(setup="begin(2)"))
    said = workbook.lab()
    assert len(said) == 2 and "01_role.ipynb cannot be read" in said[1]
    assert workbook.cells()["task"] == "my answer"
    assert workbook.cells("notebooks/02_table.ipynb") == {"setup": "begin(2)"}


def test_a_lesson_that_is_released_no_longer_goes_unless_it_was_used(workbook):
    workbook.lab()
    workbook.edit(task="my answer")
    for name in (ROLE, "notebooks/02_table.ipynb", "notebooks/images/a.svg"):
        (workbook.root / name).unlink()
    [said] = workbook.lab()
    assert said == f"{ROLE} is no longer part of the workbook; yours is kept in my-lessons/kept-lessons-1."
    assert workbook.files() == {"README.md", "handler.py", "notebooks/GLOSSARY.md", "kept-lessons-1/01_role.ipynb"}
    assert workbook.lab() == []


def test_what_is_the_learners_alone_is_not_touched(workbook):
    workbook.lab()
    for name in ("orders.csv", "notebooks/mine.ipynb", "notebooks/01_role-Copy1.ipynb", "kept-lessons-1/01_role.ipynb"):
        (workbook.mine / name).parent.mkdir(exist_ok=True)
        (workbook.mine / name).write_text("mine")
    workbook.release(ROLE, lesson(setup="begin(2)"))
    workbook.lab()
    assert (workbook.mine / "orders.csv").read_text() == "mine"
    assert (workbook.mine / "notebooks" / "01_role-Copy1.ipynb").read_text() == "mine"
    assert (workbook.mine / "kept-lessons-1" / "01_role.ipynb").read_text() == "mine"


@pytest.mark.parametrize("failing", range(1, 13))
def test_an_interrupted_update_is_made_good_by_the_next(workbook, failing, monkeypatch):
    """Whichever write is the last one: nothing of the learner's is lost, or taken for a change of the learner's."""
    workbook.lab()
    workbook.edit(task="my answer")
    (workbook.mine / "handler.py").write_text("mine\n")
    workbook.release(ROLE, lesson(setup="begin(2)", task="...", new="look"))
    workbook.release("notebooks/02_table.ipynb", lesson(setup="begin(2)"))
    workbook.release("handler.py", "new\n")
    workbook.release("notebooks/GLOSSARY.md", "new\n")
    written, replace = 0, Path.replace

    def fails(self, target):
        nonlocal written
        written += 1
        if written == failing:
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fails)
    try:
        working_copy.WorkingCopy(workbook.root, workbook.mine).refresh()
    except OSError:
        pass
    else:
        assert written < failing, "there are no more writes"
    monkeypatch.setattr(Path, "replace", replace)
    workbook.lab()
    assert workbook.cells() == {"setup": "begin(2)", "task": "my answer", "new": "look"}
    assert workbook.cells("notebooks/02_table.ipynb") == {"setup": "begin(2)"}
    assert (workbook.mine / "handler.py").read_text() == "mine\n"
    assert (workbook.mine / "notebooks" / "GLOSSARY.md").read_text() == "new\n"


def test_without_what_it_was_made_from_all_that_differs_is_the_learners(workbook):
    workbook.lab()
    workbook.edit(task="my answer")
    (workbook.mine / working_copy.BASE / ROLE).unlink()
    workbook.release(ROLE, lesson(setup="begin(2)", task="..."))
    assert workbook.lab() == []
    assert workbook.cells() == {"setup": "begin()", "task": "my answer"}


def test_what_it_was_made_from_may_be_damaged(workbook):
    workbook.lab()
    workbook.edit(task="my answer")
    (workbook.mine / working_copy.BASE / ROLE).write_text("{")
    assert workbook.lab() == []
    assert workbook.cells() == {"setup": "begin()", "task": "my answer"}
    workbook.release(ROLE, lesson(setup="begin(2)", task="..."))
    workbook.lab()
    assert workbook.cells() == {"setup": "begin(2)", "task": "my answer"}, "now it is whole again"


def test_outputs_that_are_none_cost_nothing(workbook):
    workbook.lab()
    strange = json.loads(lesson(setup="begin()", task="my answer"))
    strange["cells"][0]["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": None}]
    (workbook.mine / ROLE).write_text(json.dumps(strange))
    workbook.release(ROLE, lesson(setup="begin()", task="...", new="look"))
    [said] = workbook.lab()
    assert said.startswith("New in my-lessons") and workbook.cells()["task"] == "my answer"


@pytest.mark.parametrize("strange", [{"id": ["x"]}, {"id": 7}, {"id": None}, {"source": ["half a character: \ud83d"]}])
def test_a_cell_as_no_editor_writes_it_costs_nothing(workbook, strange):
    workbook.lab()
    notebook = json.loads(lesson(setup="begin()", task="my answer"))
    notebook["cells"].append(notebook["cells"][1] | {"id": "own", "source": "my own"} | strange)
    (workbook.mine / ROLE).write_text(json.dumps(notebook))
    workbook.release(ROLE, lesson(setup="begin()", task="...", new="look"))
    assert workbook.lab()[0].startswith("New in my-lessons")
    cells = workbook.cells()
    assert all(isinstance(name, str) for name in cells) and len(cells) == 4
    assert cells["task"] == "my answer" and "".join(strange.get("source", "my own")) in cells.values()


@pytest.mark.parametrize("name, word", [(ROLE, "notebook"), ("handler.py", "file")])
@pytest.mark.parametrize("renew", [False, True])
def test_a_folder_in_the_place_of_a_file_is_kept(workbook, name, word, renew):
    workbook.lab()
    (workbook.mine / name).unlink()
    (workbook.mine / name / "mine").mkdir(parents=True)
    said = working_copy.WorkingCopy(workbook.root, workbook.mine).renew() if renew else workbook.lab()
    kept = "my-lessons/kept-lessons-1"
    assert said == [
        f"{name} is as it came again; yours is kept in {kept}."
        if renew
        else f"{name} could not be read as a {word}: it is kept in {kept}, and made anew."
    ]
    assert (workbook.mine / name).is_file()
    assert (workbook.mine / "kept-lessons-1" / Path(name).name / "mine").is_dir()


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
def test_a_lesson_that_lies_elsewhere_stays_there(workbook):
    workbook.lab()
    elsewhere = workbook.root / "elsewhere.ipynb"
    (workbook.mine / ROLE).rename(elsewhere)
    (workbook.mine / ROLE).symlink_to(elsewhere)
    workbook.edit(task="my answer")
    workbook.release(ROLE, lesson(setup="begin(2)", task="..."))
    workbook.lab()
    assert workbook.cells() == {"setup": "begin(2)", "task": "my answer"}
    assert (workbook.mine / ROLE).is_symlink() and "begin(2)" in elsewhere.read_text()


def test_a_readme_in_another_encoding_costs_nothing(workbook):
    (workbook.root / "README.md").write_bytes(b"## When something goes wrong\ncaf\xe9\n")
    workbook.lab()
    assert "caf" in (workbook.mine / "README.md").read_text(encoding="utf-8")


def test_an_empty_page_is_a_page(workbook):
    workbook.release("notebooks/GLOSSARY.md", "")
    workbook.lab()
    assert (workbook.mine / "notebooks" / "GLOSSARY.md").read_text() == ""
    workbook.release("notebooks/GLOSSARY.md", "# Glossary\n")
    workbook.lab()
    assert (workbook.mine / "notebooks" / "GLOSSARY.md").read_text() == "# Glossary\n"


def test_a_folder_that_cannot_be_written_is_one_line(workbook):
    workbook.mine.parent.mkdir(exist_ok=True)
    workbook.mine.write_text("a file that is in the way")
    with pytest.raises(WorkbookError, match="cannot be written") as caught:
        workbook.lab()
    assert "\n" not in str(caught.value) and "WORKBOOK_MY_LESSONS" in str(caught.value)


def test_nothing_is_signed_whatever_comes_in(workbook):
    """JupyterLab trusts what it has run itself. Somebody else's notebook may be among the lessons, or among ours."""
    workbook.lab()
    workbook.edit(outputs=True, task="my answer")
    workbook.release(ROLE, lesson(setup="begin()", task="...", new="look"))
    workbook.lab()
    merged = nbformat.read(workbook.mine / ROLE, as_version=4)
    assert "new" in workbook.cells() and merged.cells[0].outputs
    assert not NotebookNotary().check_signature(merged)


# --- the project's own ---


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("own") / "my-lessons"
    working_copy.refresh(PROJECT, folder)
    return folder


def test_the_projects_lessons_are_all_there_and_say_the_same(own):
    for path in lesson_files(PROJECT / "notebooks"):
        theirs, mine = (parse(each.read_bytes()) for each in (path, own / "notebooks" / path.name))
        assert mine["metadata"] == theirs["metadata"]
        for released, copied in zip(theirs["cells"], mine["cells"], strict=True):
            assert (released["id"], "".join(released["source"])) == (copied["id"], "".join(copied["source"]))
            assert not copied.get("outputs")
    assert (own / "handler.py").read_bytes() == (PROJECT / "handler.py").read_bytes()
    assert not list(own.rglob("TEACHING.md")) and not (own / "notebooks" / "solutions").exists()


def test_every_link_in_the_copy_leads_somewhere(own):
    texts = {path: path.read_text(encoding="utf-8") for path in [own / "README.md", *(own / "notebooks").glob("*.md")]}
    for path in lesson_files(own / "notebooks"):
        cells = parse(path.read_bytes())["cells"]
        texts[path] = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    assert not dead_links(texts)
    assert "## When something goes wrong" in texts[own / "README.md"]


def test_git_and_pytest_leave_the_copy_alone(pytestconfig):
    assert "my-lessons" in pytestconfig.getini("norecursedirs")
    if (PROJECT / ".git").exists():
        ignored = subprocess.run(["git", "check-ignore", "-q", "my-lessons/notebooks/x.ipynb"], cwd=PROJECT)
        assert ignored.returncode == 0
