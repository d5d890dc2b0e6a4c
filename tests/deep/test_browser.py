"""Some lessons in a real JupyterLab, in a real browser, as a learner sees them.

With WORKBOOK_SCREENSHOTS=1 the pictures of the README are taken anew, so that they stay true.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.browser import Browser, _until, find
from tests.support.embedded_aws import own_home

CHROMIUM = find()
REQUIRED = os.environ.get("WORKBOOK_REQUIRE_BROWSER") == "1"

if not CHROMIUM and not REQUIRED:
    pytest.skip("no Chromium was found; WORKBOOK_CHROMIUM may name one", allow_module_level=True)

#: The lessons that are opened, and what must be seen in each: kinds of output by the element that shows them.
DIAGRAM = 'img[src^="data:image/svg+xml"], .jp-RenderedSVG svg'
FOLLOWED = 'img[alt*="event bus default"]'
LESSONS = {
    "05_send_events": {"the diagram": DIAGRAM, "the way of an event": FOLLOWED},
    "06_explore_the_orders": {
        "the diagram": DIAGRAM,
        "the DataFrame": "table.dataframe",
        "a chart": 'img[src^="data:image/png"]',
    },
    "08_survive_failures": {
        "the diagram": DIAGRAM,
        "the way of an event": FOLLOWED,
        "a chart": 'img[src^="data:image/png"]',
    },
}
#: Cells outside the window are taken out of the page otherwise, and could not be looked at.
WHOLE_NOTEBOOK = {"windowingMode": "none"}


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A JupyterLab over a copy of the notebooks (running them changes them); yields its address."""
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps(WHOLE_NOTEBOOK))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"),
        *("--LabApp.expose_app_in_browser=True", f"--LabApp.user_settings_dir={folder / 'settings'}"),
        *("--LabApp.workspaces_dir=" + str(folder / "workspaces"), "--allow-root"),
    ]
    variables = {
        **os.environ,
        "JUPYTER_CONFIG_PATH": str(PROJECT / "helpers" / "lab" / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }
    with (folder / "jupyterlab.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        try:
            _until(lambda: _answers(port, token), 60, "JupyterLab to start")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/{{}}.ipynb?token={token}&reset"
        finally:
            server.terminate()
            server.wait(20)


def _answers(port: int, token: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of a JupyterLab with an account of its own behind it."""
    if not CHROMIUM:
        pytest.fail("WORKBOOK_REQUIRE_BROWSER=1, and no Chromium was found")
    folder = tmp_path_factory.mktemp("jupyterlab")
    with own_home(folder / "account"):
        lifecycle.start()
        try:
            with jupyterlab(folder) as address, Browser(CHROMIUM, folder) as browser:
                yield browser, address
        finally:
            lifecycle.stop()


#: The notebook that is open in the page.
NOTEBOOK = "[...window.jupyterapp.shell.widgets('main')].find(widget => widget.context && widget.content.model)"


def run_all_cells(browser: Browser, address: str) -> None:
    """Open a notebook, run all of its cells, and return when the last has run."""
    browser.open(address)
    browser.until("!!window.jupyterapp && window.jupyterapp.restored.then(() => true)", what="JupyterLab")
    browser.until(f"!!({NOTEBOOK})?.content.model.cells.length", what="the notebook")
    browser.until(f"({NOTEBOOK}).sessionContext.session?.kernel?.status === 'idle'", what="a kernel")
    browser.run(f"window.jupyterapp.shell.activateById(({NOTEBOOK}).id)")
    browser.run("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")


def outputs(browser: Browser) -> list[dict]:
    """Code cells of the open notebook: their execution count, tags and outputs."""
    return browser.run(
        f"""[...({NOTEBOOK}).content.model.cells].map(cell => cell.toJSON())
        .filter(cell => cell.cell_type === 'code')
        .map(cell => ({{count: cell.execution_count, tags: cell.metadata.tags || [], outputs: cell.outputs}}))"""
    )


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_in_jupyterlab(page, lesson):
    browser, address = page
    run_all_cells(browser, address.format(lesson))
    cells = outputs(browser)
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1)), "every cell has run, in order"
    failed = [
        output["evalue"]
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error" and "raises-exception" not in cell["tags"]
    ]
    assert failed == []
    for what, selector in LESSONS[lesson].items():
        seen = f"""[...document.querySelectorAll(`.jp-OutputArea-output :is({selector})`)]
            .filter(element => element.getBoundingClientRect().width > 200 && element.complete !== false
                               && element.naturalWidth !== 0).length"""
        assert browser.until(seen, 20, f"{what} in {lesson}") >= 1
    assert browser.foreign_requests() == [], "no request has left the machine"
    assert browser.errors == []
    if lesson in PICTURES and os.environ.get("WORKBOOK_SCREENSHOTS") == "1":
        name, take = PICTURES[lesson]
        path = PROJECT / "docs" / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        browser.run("window.jupyterapp.commands.execute('filebrowser:toggle-main').then(() => true)")
        take(browser, path)


def settle(browser: Browser) -> None:
    """Until what moves in the page has come to rest."""
    browser.run("new Promise(done => setTimeout(() => done(true), 1000))")


def take_lesson(browser: Browser, path: Path) -> None:
    """The lesson alone, from its setup cell on: the diagram, and what comes next."""
    browser.run("document.querySelectorAll('.jp-CodeCell')[0].scrollIntoView({block: 'start'})")
    settle(browser)
    browser.screenshot(path)


def take_followed_event(browser: Browser, path: Path) -> None:
    """The first cell that follows an event, with the picture below it, in a window that is high enough for both."""
    browser.resize(1120, 1400)
    cell = f"document.querySelector(`.jp-CodeCell:has({FOLLOWED})`)"
    browser.run(f"{cell}.scrollIntoView({{block: 'center'}})")
    settle(browser)
    part = browser.run(f"{cell}.getBoundingClientRect().toJSON()")
    browser.screenshot(path, {side: part[side] for side in ("x", "y", "width", "height")})


#: Pictures in the README: the lesson that they show, their name, and what takes them.
PICTURES = {
    "05_send_events": ("lesson.png", take_lesson),
    "08_survive_failures": ("followed-event.png", take_followed_event),
}
