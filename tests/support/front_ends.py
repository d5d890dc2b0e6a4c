"""Jupyter's front ends as a learner has them: a server over a copy of the notebooks, and what a page of it shows."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.paths import PROJECT
from tests.support.browser import Browser
from tests.support.lab import free_port
from tests.support.polling import PATIENCE, eventually

#: Cells outside the window are taken out of the page otherwise, and could not be looked at.
_WHOLE_NOTEBOOK = {"windowingMode": "none"}


@dataclass(frozen=True)
class FrontEnd:
    """A program with a page for each file: its module, the name of its application, where it shows a file."""

    name: str
    module: str
    application: str
    page: str
    python: str = sys.executable


JUPYTERLAB = FrontEnd("JupyterLab", "jupyterlab", "LabApp", "lab/tree")
NOTEBOOK_7 = FrontEnd("Jupyter Notebook", "notebook", "JupyterNotebookApp", "notebooks")


@contextmanager
def serve(front_end: FrontEnd, folder: Path, settings: dict[str, Any] | None = None) -> Iterator[str]:
    """Serve a copy of the notebooks (running them changes them); yields an address with {} for a file's path.

    `settings` are the user's own: {"@jupyterlab/apputils-extension/themes": {"theme": …}}.
    """
    shutil.copytree(PROJECT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    for plugin, values in {"@jupyterlab/notebook-extension/tracker": _WHOLE_NOTEBOOK, **(settings or {})}.items():
        path = folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    port, token, app = free_port(), secrets.token_hex(16), front_end.application
    command = [
        *(front_end.python, "-m", front_end.module, "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *(f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}", "--ServerApp.port_retries=0"),
        *(f"--{app}.expose_app_in_browser=True", f"--{app}.user_settings_dir={folder / 'settings'}"),
        *(f"--{app}.workspaces_dir={folder / 'workspaces'}", "--allow-root"),
    ]
    with (folder / "jupyter.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **own_jupyter(folder)}, stdout=log, stderr=log
        )
        try:
            eventually(lambda: _answers(port, token), f"{front_end.name} to start", 60)
            yield f"http://127.0.0.1:{port}/{front_end.page}/{{}}?token={token}&reset"
        finally:
            server.terminate()
            server.wait(PATIENCE)


def own_jupyter(folder: Path) -> dict[str, str]:
    """Variables for a Jupyter that reads and writes nothing of the user's, and the workbook's settings as they are."""
    return {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_CONFIG_PATH": str(PROJECT / "helpers" / "lab" / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
    }


def _answers(port: int, token: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status?token={token}", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


#: The notebook that is open in the page.
NOTEBOOK = "[...window.jupyterapp.shell.widgets('main')].find(widget => widget.context && widget.content.model?.cells)"


def open_page(browser: Browser, address: str) -> None:
    """Open a page of a front end, and return when it has started."""
    browser.open(address)
    browser.until(f"location.href.startsWith({json.dumps(address.partition('?')[0])})", what="the page")
    browser.until("!!window.jupyterapp && window.jupyterapp.restored.then(() => true)", what="the front end")


def run_all_cells(browser: Browser, address: str) -> None:
    """Open a notebook, run all of its cells, and return when the last has run, or one has failed."""
    open_page(browser, address)
    browser.until(f"!!({NOTEBOOK})?.content.model.cells.length", what="the notebook")
    browser.until(f"({NOTEBOOK}).sessionContext.session?.kernel?.status === 'idle'", what="a kernel")
    browser.run(f"window.jupyterapp.shell.activateById(({NOTEBOOK}).id)")
    browser.run("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")


def outputs(browser: Browser) -> list[dict[str, Any]]:
    """Code cells of the open notebook: their execution count, tags and outputs."""
    return browser.run(
        f"""[...({NOTEBOOK}).content.model.cells].map(cell => cell.toJSON())
        .filter(cell => cell.cell_type === 'code')
        .map(cell => ({{count: cell.execution_count, tags: cell.metadata.tags || [], outputs: cell.outputs}}))"""
    )


def check_lesson(browser: Browser, seen: dict[str, str], known: Collection[str] = ()) -> None:
    """Every cell of the open lesson has run without an error; what `seen` names is in the page: {what: selector}.

    `known` are errors in the page that are not the lesson's: those that the front end has with any notebook.
    """
    cells = outputs(browser)
    assert [cell["count"] for cell in cells] == list(range(1, len(cells) + 1)), "every cell has run, in order"
    failed = [
        output["evalue"]
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error" and "raises-exception" not in cell["tags"]
    ]
    assert failed == []
    for what, selector in seen.items():
        shown = f"""[...document.querySelectorAll(`.jp-OutputArea-output :is({selector})`)]
            .filter(element => element.getBoundingClientRect().width > 200 && element.complete !== false
                               && element.naturalWidth !== 0).length"""
        assert browser.until(shown, 20, what) >= 1
    assert browser.foreign_requests() == [], "no request has left the machine"
    assert set(browser.errors) <= set(known)
