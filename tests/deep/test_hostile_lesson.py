"""A lesson of somebody else's is opened, as a teacher opens a hand-in, in the JupyterLab that `lab` starts.

Nothing in it runs: not what its outputs hold, wherever it lies and whatever git says of it, nor what lies beside it.
"""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from helpers.lab import working_copy
from helpers.paths import PROJECT
from tests.deep.test_front_ends import browser_or_skip
from tests.deep.test_own_copy import clone, git
from tests.support.browser import Browser
from tests.support.front_ends import NOTEBOOK, open_page
from tests.support.lab import Lab, home_of_a_lab  # noqa: F401
from tests.support.polling import eventually

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals")
LESSON = "notebooks/01_create_the_role.ipynb"
NEVER_DRAWN = {"application/javascript", "image/svg+xml"}
#: What a script of a lesson could do: write a file with the rights of whoever has opened the lesson.
WRITE = (
    "fetch('/api/contents/written.txt',{method:'PUT',headers:{'Content-Type':'application/json',"
    "'X-XSRFToken':(document.cookie.match(/_xsrf=([^;]+)/)||[])[1]},"
    "body:JSON.stringify({type:'file',format:'text',content:'x'})}).then(()=>{window.wrote=true})"
)


def hostile_outputs() -> list[dict[str, Any]]:
    """Outputs of each kind, which note that they ran, and write."""

    def run(name: str) -> str:
        return f"(window.ran=window.ran||[]).push('{name}');{WRITE}"

    def display(kind: str, content: str) -> dict[str, Any]:
        return {"output_type": "display_data", "metadata": {}, "data": {kind: content}}

    image = '<img src="data:," onerror="{}">'
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="{}"><script>{}</script></svg>'
    return [
        display("text/html", image.format(run("onerror"))),
        display("text/html", f"<script>{run('script')}</script>"),
        display("text/html", svg.format(run("svg in html"), run("script of svg in html"))),
        display("text/html", f'<details open ontoggle="{run("ontoggle")}">x</details>'),
        display("text/html", f'<iframe srcdoc="<script>parent.eval(`{run("iframe")}`)</script>"></iframe>'),
        display("text/markdown", image.format(run("markdown"))),
        display("application/javascript", run("javascript")),
        display("image/svg+xml", svg.format(run("svg"), run("script of svg"))),
        {"output_type": "stream", "name": "stdout", "text": image.format(run("stream"))},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": [image.format(run("traceback"))]},
    ]


def with_hostile_outputs(lesson: bytes) -> bytes:
    notebook = json.loads(lesson)
    first = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    first["outputs"] = hostile_outputs()
    mark = "<img src='data:,' onerror=\"(window.ran=window.ran||[]).push('markdown cell')\">"
    # What tests look at comes first: JupyterLab draws what is in sight.
    own = [{"cell_type": "markdown", "id": "mark", "metadata": {"trusted": True}, "source": mark}, first]
    first["metadata"]["trusted"] = True  # a notebook says much of itself
    notebook["cells"] = [*own, *(cell for cell in notebook["cells"] if cell is not first)]
    return json.dumps(notebook).encode()


def open_lesson(lab: Lab, browser: Browser) -> None:
    """Open the lesson, and wait until its outputs are drawn."""
    open_page(browser, f"http://localhost:{lab.port}/lab/tree/{LESSON}?token={lab.token}&reset")
    browser.until(f"({NOTEBOOK})?.context.path === '{LESSON}'", what="the lesson")
    # Of an output that is a script or an SVG and nothing else, JupyterLab draws nothing without trust.
    count = sum(not NEVER_DRAWN & set(output.get("data", {})) for output in hostile_outputs())
    browser.until(f"document.querySelectorAll('.jp-OutputArea-child').length >= {count}", what="its outputs")


def check_that_nothing_runs(lab: Lab, folder: Path, tmp_path: Path) -> None:
    with Browser(browser_or_skip(), tmp_path) as browser:
        open_lesson(lab, browser)
        beside, idle = folder / "beside.txt", f"({NOTEBOOK}).sessionContext.session?.kernel?.status === 'idle'"
        eventually(lambda: beside.exists() or browser.run(idle), "a kernel")
        assert browser.run("window.ran") is None, "what the outputs hold has run"
        assert not (folder / "written.txt").exists()
        assert not beside.exists(), "the kernel has run what lies beside the lesson"
        # The same lesson, once its user has said that it may: so this test would have seen it.
        NotebookNotary().sign(nbformat.read(folder / LESSON, as_version=4))
        open_lesson(lab, browser)
        browser.until("window.ran && window.ran.includes('onerror')", what="what the outputs hold, when it is trusted")
        browser.until("window.wrote", what="the file that it writes")
        assert "markdown cell" not in browser.run("window.ran"), "text is no output: nobody needs to trust it"
        assert (folder / "written.txt").exists()


def lay_beside(folder: Path) -> None:
    """A file that a kernel imports before anything else, if it looks there."""
    note = f"open({str(folder / 'beside.txt')!r}, 'w').close()\n"
    for name in ("ipykernel_launcher", "importlib", "pickle", "helpers"):
        (folder / "notebooks" / f"{name}.py").write_text(note)


def test_a_hand_in_among_ones_own_lessons_runs_nothing(home, tmp_path):
    """Though a new release comes into it: it is no more trusted than before."""
    mine = home / "my-lessons"
    working_copy.refresh(PROJECT, mine)
    base = mine / working_copy.BASE / LESSON
    older = json.loads(base.read_text(encoding="utf-8"))
    older["cells"][-1]["source"] = "What an older release said."
    base.write_text(json.dumps(older), encoding="utf-8")
    (mine / LESSON).write_bytes(with_hostile_outputs(base.read_bytes()))
    lay_beside(mine)
    lab = Lab("--LabApp.expose_app_in_browser=True")
    assert "an older release" not in (mine / LESSON).read_text(encoding="utf-8"), "the new one has come in"
    check_that_nothing_runs(lab, mine, tmp_path)
    lab.type(b"\x03")
    lab.end()


def test_a_hand_in_in_the_place_of_a_released_lesson_runs_nothing(home, tmp_path):
    """Though it is committed, and an archive of what came says that it came so."""
    project = clone(tmp_path / "workbook")
    hostile = with_hostile_outputs((project / LESSON).read_bytes())
    (project / LESSON).write_bytes(hostile)
    git(project, "commit", "-q", "-a", "-m", "a hand-in")
    with zipfile.ZipFile(project / "lessons.zip", "w") as archive:
        archive.writestr(LESSON, hostile)
    lay_beside(project)
    lab = Lab("--released", "--LabApp.expose_app_in_browser=True", project=project)
    check_that_nothing_runs(lab, project, tmp_path)
    lab.type(b"\x03")
    lab.end()
