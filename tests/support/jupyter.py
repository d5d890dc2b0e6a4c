"""A JupyterLab of a test's own, and what a browser does in it."""

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

from helpers.paths import PROJECT
from tests.support.browser import Browser
from tests.support.polling import eventually

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
            eventually(lambda: _answers(port, token), "JupyterLab to start", 60)
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


#: The notebook that is open in the page.
NOTEBOOK = "[...window.jupyterapp.shell.widgets('main')].find(widget => widget.context && widget.content.model)"


def open_notebook(browser: Browser, address: str) -> None:
    """Open a notebook, and return when its cells are there."""
    browser.open(address)
    browser.until("!!window.jupyterapp && window.jupyterapp.restored.then(() => true)", what="JupyterLab")
    browser.until(f"!!({NOTEBOOK})?.content.model.cells.length", what="the notebook")


def run_all_cells(browser: Browser, address: str) -> None:
    """Open a notebook, run all of its cells, and return when the last has run."""
    open_notebook(browser, address)
    browser.until(f"({NOTEBOOK}).sessionContext.session?.kernel?.status === 'idle'", what="a kernel")
    browser.run(f"window.jupyterapp.shell.activateById(({NOTEBOOK}).id)")
    browser.run("window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true)")
