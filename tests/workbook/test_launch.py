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
from helpers.exercises import last_lesson
from helpers.lab import launch, options
from helpers.lessons.catch_up import lesson_files
from helpers.local_aws import lifecycle
from helpers.paths import NOTEBOOKS, PROJECT
from tests.support.lab import Lab, free_port, home_of_a_lab  # noqa: F401
from tests.support.polling import PATIENCE

posix = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals and signals")


MINE = PROJECT / "my-lessons"


def our_own(*given: str, folder=MINE) -> list[str]:
    """The workbook's own options beside those that are given."""
    return launch.defaults(options.read(list(given)), folder)


def opened(*given: str, folder=MINE) -> str:
    """What JupyterLab opens; "" when that is JupyterLab's to say."""
    addresses = [option for option in our_own(*given, folder=folder) if option.startswith("--LabApp.default_url")]
    return addresses[0].partition("=")[2] if addresses else ""


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
    assert "Your own lessons are in my-lessons: change what you like" in lab.screen
    page = lab.ask("lab/tree/notebooks/00_start_here.ipynb")
    assert "jupyter-config-data" in page
    listed = [json.loads(lab.ask(f"api/contents/{folder}"))["content"] for folder in ("", "notebooks")]
    there = {entry["name"] for entries in listed for entry in entries}
    assert {path.name for path in lesson_files(NOTEBOOKS)} | {"handler.py", "README.md", "notebooks"} <= there
    assert not {"TEACHING.md", "solutions", "helpers", ".released"} & there
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
@pytest.mark.parametrize("ready", [pytest.param(True, marks=pytest.mark.deep), False])
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
        options.check_port(write.format(taken).split())
    options.check_port(write.format(free_port()).split())


def test_without_a_port_jupyterlab_looks_for_a_free_one(taken):
    options.check_port(["--no-browser"])
    assert not [option for option in our_own() if "port" in option]
    assert "--ServerApp.port_retries=0" in our_own("--port", str(taken))


@pytest.mark.parametrize("port", ["http", "99999", "", "-1", "8888.0"])
def test_a_port_must_be_a_port(port):
    with pytest.raises(WorkbookError, match="is not a port"):
        options.explicit_port([f"--port={port}"])


def test_an_address_that_is_not_ours_is_one_line():
    with pytest.raises(WorkbookError, match="cannot listen on 192.0.2.1") as problem:  # from a range nobody has
        options.check_port(["--ip=192.0.2.1", f"--port={free_port()}"])
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
    assert [option for option in our_own() if option.startswith(ours)]
    assert not [option for option in our_own(given) if option.startswith(ours)]


@pytest.mark.parametrize(
    "word", ["5", "05", "05_send_events", "notebooks/05_send_events.ipynb", "my-lessons/notebooks/05_send_events.ipynb"]
)
def test_another_lesson_opens_when_it_is_named(word):
    for given in (
        [word],
        ["--no-browser", word],
        [word, "--port", "8899"],
        ["--ServerApp.tornado_settings", "{}", word],
    ):
        assert opened(*given) == "/lab/tree/notebooks/05_send_events.ipynb"
        assert word not in options.read(given).jupyter, "JupyterLab would look for a file of that name"


def test_without_a_name_it_opens_where_the_learner_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "home"))
    assert opened() == f"/lab/tree/{launch.FIRST_LESSON}"
    last_lesson.remember("07_match_only_orders")
    assert opened() == "/lab/tree/notebooks/07_match_only_orders.ipynb"
    assert opened("5") == "/lab/tree/notebooks/05_send_events.ipynb"
    last_lesson.remember("77_gone")
    assert opened() == f"/lab/tree/{launch.FIRST_LESSON}"
    (tmp_path / "home" / "last-lesson").write_bytes(b"\xff")
    assert opened() == f"/lab/tree/{launch.FIRST_LESSON}"
    last_lesson.forget()
    last_lesson.forget()
    assert last_lesson.remembered() is None


def test_what_cannot_be_written_spoils_no_lesson(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "file"))
    last_lesson.remember("05_send_events")
    assert last_lesson.remembered() is None


def test_another_folder_opens_at_the_lesson_if_that_lies_in_it(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBOOK_HOME", str(tmp_path / "home"))  # where no lesson has begun
    assert opened(f"--notebook-dir={PROJECT}") == f"/lab/tree/my-lessons/{launch.FIRST_LESSON}"
    assert opened("--notebook-dir", str(tmp_path)) == ""


@pytest.mark.parametrize(
    "given, says",
    [
        ("--no-broser", "lab has no option --no-broser. Did you mean --no-browser?"),
        ("--prot 8899", "lab has no option --prot. Did you mean --port?"),
        ("--prot=8899", "lab has no option --prot. Did you mean --port?"),
        ("-port 8899", "Did you mean --port?"),
        ("--realesed", "Did you mean --released?"),
        ("--core-mod", "Did you mean --core-mode?"),
        ("--xyzzy", "lab has no option --xyzzy. All there are: python3 -m helpers lab --help"),
        ("--ip", "--ip needs a value"),
        ("--app-dir", "--app-dir needs a value"),
        ("5" * 5000, "There is no lesson '5555"),
        ("77", "There is no lesson '77'. The lessons are: 00_start_here,"),
        ("05_send_event", "Did you mean 05_send_events?"),
        ("notebooks/05_sent_events.ipynb", "Did you mean 05_send_events?"),
        ("5 6", "One lesson opens at a time; '6' is too many"),
    ],
)
def test_a_slip_is_one_line(given, says):
    with pytest.raises(WorkbookError) as caught:
        options.read(given.split())
    assert says in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        *("--no-browser -y", "--core-mode", "--app-dir /tmp", "--ServerApp.port 8899", "--ip 0.0.0.0 --debug"),
        *("--gateway-url=x", "--watch", "--log-level 10", "--ServerApp.token= --certfile=a"),
    ],
)
def test_all_that_jupyterlab_knows_goes_on_to_it(given):
    assert options.read(given.split()) == options.Chosen(None, False, given.split())
    assert options.read([*given.split(), "--released"]).released


def test_a_slip_starts_nothing(home):
    command = [sys.executable, "-m", "helpers.lab.launch", "--no-broser"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 2 and answer.stderr.count("\n") == 1 and "--no-browser" in answer.stderr
    assert not (home / "aws").exists() and not (home / "my-lessons").exists()


def test_the_help_names_our_own_options_before_jupyterlabs(home):
    command = [sys.executable, "-m", "helpers.lab.launch", "--help"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 0
    assert answer.stdout.index("--released") < answer.stdout.index("--no-browser")
    assert not (home / "aws").exists() and not (home / "my-lessons").exists()


def test_the_released_lessons_open_on_request(home, monkeypatch):
    monkeypatch.setenv("WORKBOOK_MY_LESSONS", str(home / "my-lessons"))
    assert launch.lessons_folder(released=True) == PROJECT
    assert os.environ["WORKBOOK_MY_LESSONS"] == str(PROJECT), "its kernels work there, too"
    assert opened("--released", folder=PROJECT) == f"/lab/tree/{launch.FIRST_LESSON}"
    assert not (home / "my-lessons").exists()


def test_printing_the_help_starts_no_aws(home):
    command = [sys.executable, "-m", "helpers.lab.launch", "--version"]
    answer = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE)
    assert answer.returncode == 0 and re.match(r"\d+\.\d+", answer.stdout)
    assert not (home / "aws").exists()
