"""A JupyterLab as a learner starts it: in a terminal, with an embedded AWS of its own."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from jupyter_client import BlockingKernelClient

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.polling import PATIENCE, eventually


@pytest.fixture(name="home")
def home_of_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for an embedded AWS and a Jupyter of the test's own."""
    monkeypatch.setenv("LOCAL_AWS_HOME", str(tmp_path / "aws"))
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "workbook"))
    monkeypatch.setenv("WORKBOOK_MY_LESSONS", str(tmp_path / "my-lessons"))
    for name in ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"):
        monkeypatch.setenv(f"JUPYTER_{name}", str(tmp_path / name))
    yield tmp_path
    for lab in Lab.started:  # only after a failure does one still run
        lab.process.kill()
        lab.process.wait()
    Lab.started.clear()
    with contextlib.suppress(WorkbookError):
        lifecycle.stop()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Lab:
    """A JupyterLab as a learner starts it, in a terminal of its own."""

    started: ClassVar[list] = []

    def __init__(self, *options: str, project: Path = PROJECT):
        self.port = free_port()
        terminal, inside = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "helpers.lab.launch", "--no-browser", f"--port={self.port}", *options],
            cwd=project, stdin=inside, stdout=inside, stderr=inside, preexec_fn=lambda: _own_terminal(inside),
            env=os.environ | {"PYTHONPATH": str(project)},
        )  # fmt: skip
        self.started.append(self)
        os.close(inside)
        self._terminal = terminal
        self.screen = ""
        while not (found := re.search(r"http://\S+token=(\w+)", self.screen)):
            self.read()
        self.url, self.token = found[0], found[1]

    def read(self):
        assert select.select([self._terminal], [], [], PATIENCE)[0], f"JupyterLab hangs: {self.screen}"
        try:
            self.screen += os.read(self._terminal, 10_000).decode()
        except OSError as error:  # so a Linux terminal says that its last process has closed it
            raise EOFError(f"JupyterLab has ended: {self.screen}") from error

    def ask(self, path, data=None):
        """An answer of its server, which prints its address a moment before it listens there."""
        request = urllib.request.Request(f"http://localhost:{self.port}/{path}?token={self.token}", data=data)

        def answer() -> tuple[str] | None:
            try:
                with urllib.request.urlopen(request, timeout=PATIENCE) as found:
                    return (found.read().decode(),)
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionRefusedError):
                    raise
                return None

        return eventually(answer, "JupyterLab to listen")[0]

    def wait_for_kernel(self, kernel_id):
        """Wait until a kernel has started and answers."""
        with self.kernel(kernel_id):
            pass

    @contextlib.contextmanager
    def kernel(self, kernel_id: str) -> Iterator[BlockingKernelClient]:
        """The client of a kernel that has started and answers."""
        file = Path(os.environ["JUPYTER_RUNTIME_DIR"], f"kernel-{kernel_id}.json")
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels()

        def ready() -> bool:
            try:
                client.wait_for_ready(timeout=PATIENCE)
            except RuntimeError:  # one second without a heartbeat is its death, which a busy machine may take
                return False
            return True

        try:
            eventually(ready, "the kernel to answer")
            yield client
        finally:
            client.stop_channels()

    def type(self, keys):
        os.write(self._terminal, keys)

    def end(self):
        """Wait for its end; returns the exit status."""
        with contextlib.suppress(EOFError):
            while True:
                self.read()
        os.close(self._terminal)
        return self.process.wait(timeout=PATIENCE)


def _own_terminal(descriptor):
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # see tests.support.signals
    os.setsid()
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
