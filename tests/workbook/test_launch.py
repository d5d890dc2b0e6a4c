"""`python -m helpers.lab.launch`, which `lab` becomes: its port, its options; and nothing outlives Ctrl-C."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import psutil
import pytest

from helpers.errors import WorkbookError
from helpers.lab import launch
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.lab import Lab, free_port, home_of_a_lab  # noqa: F401
from tests.support.polling import PATIENCE

posix = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals and signals")


@pytest.fixture
def taken():
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@posix
def test_ctrl_c_ends_all_that_lab_started(home):
    lab = Lab()
    assert "The embedded AWS is ready" in lab.screen
    assert lab.url.startswith(f"http://localhost:{lab.port}/lab/tree/notebooks/00_start_here.ipynb?token=")
    page = lab.ask("lab/tree/notebooks/00_start_here.ipynb")
    assert "jupyter-config-data" in page
    kernel = json.loads(lab.ask("api/kernels", b"{}"))
    assert kernel["name"] == "python3"
    aws = lifecycle.status()
    processes = [*psutil.Process(lab.process.pid).children(recursive=True), psutil.Process(aws.pid)]
    assert len(processes) >= 2, "a kernel and the embedded AWS"
    lab.wait_for_kernel(kernel["id"])  # a kernel that is interrupted while it starts says so, at length

    lab.type(b"\x03")
    assert lab.end() == 0
    assert "(y/[n])" not in lab.screen, "nobody is asked for confirmation"
    assert "Traceback" not in lab.screen, lab.screen
    assert not psutil.wait_procs(processes, timeout=PATIENCE)[1], "nothing is left running"
    assert lifecycle.status() is None


@posix
@pytest.mark.parametrize("ready", [True, False])
def test_sigterm_ends_it_too_and_leaves_an_aws_that_was_there_before(home, ready):
    before = lifecycle.start()
    lab = Lab()
    assert "The embedded AWS was running already" in lab.screen
    if ready:
        lab.ask("api/status")
    lab.process.send_signal(signal.SIGTERM)  # not ready: before its loop runs, when JupyterLab would lose it
    assert lab.end() in ([0] if ready else [0, 130])
    after = lifecycle.status()
    assert after is not None and after.pid == before.pid


def test_a_taken_port_is_one_line(home, taken):
    command = [sys.executable, "-m", "helpers.lab.launch", "--no-browser", "--port", str(taken)]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 2
    assert answer.stderr.startswith(f"Port {taken} is taken") and answer.stderr.count("\n") == 1
    assert lifecycle.status() is None, "nothing was started for it"


@pytest.mark.parametrize("write", ["--port {}", "--port={}", "--ServerApp.port={}", "--ip 127.0.0.1 --port {}"])
def test_every_way_to_write_a_port_is_checked(taken, write):
    with pytest.raises(WorkbookError, match=f"Port {taken} is taken"):
        launch.check_port(write.format(taken).split())
    launch.check_port(write.format(free_port()).split())


def test_without_a_port_jupyterlab_looks_for_a_free_one(taken):
    launch.check_port(["--no-browser"])
    assert not [option for option in launch.defaults([]) if "port" in option]
    assert "--ServerApp.port_retries=0" in launch.defaults(["--port", str(taken)])


@pytest.mark.parametrize("port", ["http", "99999", "", "-1", "8888.0"])
def test_a_port_must_be_a_port(port):
    with pytest.raises(WorkbookError, match="is not a port"):
        launch.explicit_port([f"--port={port}"])


def test_an_address_that_is_not_ours_is_one_line():
    with pytest.raises(WorkbookError, match="cannot listen on 192.0.2.1") as problem:  # from a range nobody has
        launch.check_port(["--ip=192.0.2.1", f"--port={free_port()}"])
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    "given, ours",
    [
        ("--notebook-dir=/tmp", "--ServerApp.root_dir"),
        ("--ServerApp.root_dir=/tmp", "--ServerApp.root_dir"),
        ("--LabApp.default_url=/lab", "--LabApp.default_url"),
        ("-y", "--ServerApp.answer_yes"),
        ("--debug", "--log-level"),
        ("--log-level=INFO", "--log-level"),
        ("--allow-root", "--allow-root"),
    ],
)
def test_what_the_user_says_wins(monkeypatch, given, ours):
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)
    assert [option for option in launch.defaults([]) if option.startswith(ours)]
    assert not [option for option in launch.defaults([given]) if option.startswith(ours)]


def test_another_lesson_opens_when_it_is_named():
    options = launch.defaults(["--no-browser", "notebooks/05_send_events.ipynb"])
    assert "--LabApp.default_url=/lab/tree/notebooks/05_send_events.ipynb" in options


def test_printing_the_help_starts_no_aws(home):
    command = [sys.executable, "-m", "helpers.lab.launch", "--version"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 0 and re.match(r"\d+\.\d+", answer.stdout)
    assert not (home / "aws").exists()
