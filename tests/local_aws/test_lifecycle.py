"""Starting, finding and stopping the embedded AWS."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import psutil
import pytest

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws, gone, own_home
from tests.support.polling import PATIENCE, eventually
from tests.support.signals import interruptible


@pytest.fixture
def home(tmp_path):
    """A home of its own, whose server is stopped in the end."""
    folder = tmp_path / "home"
    with own_home(folder):
        yield folder
        lifecycle.stop()


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "helpers.local_aws", *words],
        cwd=PROJECT,
        env={**os.environ, "LOCAL_AWS_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def test_start_attach_and_stop(home):
    assert lifecycle.status() is None
    assert lifecycle.stop() is False
    first = lifecycle.start()
    second = lifecycle.start()
    assert (first.started, second.started) == (True, False)
    assert first.endpoint_url == second.endpoint_url == lifecycle.status().endpoint_url
    assert lifecycle.stop() is True
    assert lifecycle.status() is None
    assert gone(first.pid)


@pytest.mark.deep
def test_many_starts_at_once_make_one_server(home):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: command(home, "start").stdout, range(8)))
    assert sum(answer.startswith("Started: ") for answer in answers) == 1
    assert len({answer.split(": ", 1)[1] for answer in answers}) == 1


def test_the_commands(home):
    assert command(home, "status").stdout == "Not running.\n"
    assert command(home, "status").returncode == 1
    assert command(home, "start").stdout.startswith("Started: http://127.0.0.1:")
    assert command(home, "status").stdout.startswith("Running: http://127.0.0.1:")
    variables = json.loads(command(home, "env", "--json").stdout)
    identity = boto3.client(
        "sts",
        endpoint_url=variables["AWS_ENDPOINT_URL"],
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        region_name=variables["AWS_DEFAULT_REGION"],
    ).get_caller_identity()
    assert identity["Account"] == "123456789012"
    if os.name == "posix":
        lines = command(home, "env").stdout
        shown = subprocess.run(["sh", "-c", f"{lines}\necho $AWS_ENDPOINT_URL"], capture_output=True, text=True).stdout
        assert shown.strip() == variables["AWS_ENDPOINT_URL"]
    assert command(home, "stop").stdout == "Stopped. The account is kept: the next start goes on with it.\n"
    assert command(home, "stop").stdout == "Not running. The account is kept: the next start goes on with it.\n"
    assert command(home, "stop", "--forget").stdout == "Not running. The account is removed.\n"
    assert command(home, "stop", "--forget").stdout == "Not running.\n"


def test_a_port_of_ones_own_choice(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = command(home, "start", "--port", str(port))
        assert answer.returncode == 2
        assert answer.stderr.strip() == answer.stderr.strip().splitlines()[-1], "one line"
        assert str(port) in answer.stderr and "--port" in answer.stderr
    answer = command(home, "start", "--port", str(port))
    assert answer.stdout.startswith(f"Started: http://127.0.0.1:{port} ")
    other = command(home, "start", "--port", str(port + 1))
    assert (other.returncode, "Stop it first" in other.stderr) == (2, True)


@pytest.mark.parametrize(
    "left_behind",
    ["", "{", "[]", "null", '{"endpoint_url": "http://127.0.0.1:1", "token": "x"}', '{"endpoint_url": 5, "token": 6}'],
)
def test_a_stale_state_file_confuses_nobody(home, left_behind):
    home.mkdir()
    (home / "account.json").write_text(left_behind)
    assert lifecycle.status() is None
    assert lifecycle.stop() is False


@pytest.mark.skipif(os.name != "posix", reason="only POSIX can stop a process for a while")
def test_a_server_that_is_slow_to_answer_is_not_replaced(home, monkeypatch):
    """Thirty at once on a small machine: the server lives, and has no turn for many seconds."""
    account, ask, timeouts = lifecycle.start(), lifecycle._ask, []

    def ask_and_wake_it_when_it_was_too_slow(*arguments):
        try:
            return ask(*arguments)
        except TimeoutError:
            timeouts.append(arguments)
            os.kill(account.pid, signal.SIGCONT)
            raise

    monkeypatch.setattr(lifecycle, "_ask", ask_and_wake_it_when_it_was_too_slow)
    monkeypatch.setattr(lifecycle, "ANSWER_TIMEOUTS", (0.5, *lifecycle.ANSWER_TIMEOUTS[1:]))
    os.kill(account.pid, signal.SIGSTOP)
    again = lifecycle.start()
    assert timeouts
    assert again.pid == account.pid and not again.started


@pytest.mark.parametrize("word", ["run", "seams"])
def test_a_python_without_the_packages_is_one_clear_line(tmp_path, word):
    """As the machine's own, beside the workbook's environment: -S leaves its packages out."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "helpers.local_aws", word],
        cwd=PROJECT, env={**os.environ, "LOCAL_AWS_HOME": str(tmp_path / "home")}, capture_output=True, text=True,
        timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and sys.executable in done.stderr and "Use the workbook's own: " in done.stderr


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    answer = command(tmp_path / "file" / "home", "start")
    assert answer.returncode == 2
    assert len(answer.stderr.strip().splitlines()) == 1
    assert "LOCAL_AWS_HOME" in answer.stderr


def one_line(home: Path, *words: str, **variables: str) -> str:
    """What a command says in vain, which is one line, and the same in a setup cell; it ends with 2."""
    with pytest.MonkeyPatch.context() as changed:
        for name, value in variables.items():
            changed.setenv(name, value)
        answer = command(home, *words)
    assert (answer.returncode, answer.stdout) == (2, ""), answer
    assert answer.stderr.count("\n") == 1, answer.stderr
    return answer.stderr.strip()


@pytest.mark.parametrize("name", ["functions", "server.log", "lock", "account.json", "account.sqlite"])
def test_what_lies_in_the_way_in_its_folder_is_named_in_one_line(tmp_path, name):
    folder = tmp_path / "home"
    (folder / name).mkdir(parents=True)
    (folder / "lock").touch() if name != "lock" else None
    if name == "functions":
        (folder / name).rmdir()
        (folder / name).touch()
    said = one_line(folder, "start")
    assert str(folder / name) in said and ("Remove it" in said or "stop --forget" in said)
    with own_home(folder), pytest.raises(WorkbookError) as error:
        lifecycle.start()
    assert str(error.value) == said


def test_what_lies_in_the_place_of_its_temporary_files_is_removed(home):
    home.mkdir(mode=0o700)
    (home / "scratch").touch()
    assert lifecycle.start().started and (home / "scratch").is_dir()


@pytest.mark.parametrize("port", ["80000", "-1", "x", "1e3", "99999999999"])
def test_a_port_that_is_none_is_one_line(tmp_path, port):
    for word in ("start", "run"):
        assert one_line(tmp_path / "home", word, f"--port={port}").startswith(f"--port {port} is no port; it must be")
    if port.removeprefix("-").isdigit():
        with own_home(tmp_path / "home"), pytest.raises(WorkbookError, match=f"There is no port {port}"):
            lifecycle.start(int(port))


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = one_line(tmp_path / "home", "start", f"--port={port}")
    assert said.startswith(f"Port {port} cannot be used: ") and said.endswith("Choose another with --port.")


@pytest.mark.parametrize(("name", "value"), [
    ("LOCAL_AWS_IDLE_HOURS", "x"), ("LOCAL_AWS_IDLE_HOURS", "nan"), ("LOCAL_AWS_STALL_SECONDS", "-1"),
    ("LOCAL_AWS_MAX_CONNECTIONS", "0"), ("LOCAL_AWS_MAX_EVENTS", "many"), ("LOCAL_AWS_MAX_EVENT_MB", "1.5"),
    ("LOCAL_AWS_TIME_SCALE", "quick"),
])  # fmt: skip
def test_a_setting_that_is_nonsense_is_one_line(tmp_path, name, value, monkeypatch):
    said = one_line(tmp_path / "home", "start", **{name: value})
    assert said.startswith(f"{name} is {value!r}; it must be a ") and ", such as " in said
    monkeypatch.setenv(name, value)
    with own_home(tmp_path / "home"), pytest.raises(WorkbookError) as error:
        lifecycle.start()
    assert str(error.value) == said


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of 64 KB."""
    folder = tmp_path / "disk"
    folder.mkdir(mode=0o700)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only Linux's administrator makes a disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("free", [0, 4096, 16384])
def test_a_full_disk_is_one_line(small_disk, free):
    home = small_disk / "home"
    home.mkdir(mode=0o700)
    (home / "lock").touch()
    with (small_disk / "large").open("wb", buffering=0) as large, contextlib.suppress(OSError):
        while True:
            large.write(bytes(4096))
    os.truncate(small_disk / "large", (small_disk / "large").stat().st_size - free)
    said = one_line(home, "start")
    assert "the disk is full. Make room" in said and str(home) in said
    (small_disk / "large").unlink()


def test_the_server_ends_when_its_folder_is_gone(tmp_path):
    with own_home(tmp_path / "home"):
        account = lifecycle.start()
        shutil.rmtree(tmp_path / "home")
    assert gone(account.pid)


class TestNoMoreFiles:
    """A process may open so many files and no more; what cannot be looked at then is not gone."""

    @pytest.mark.skipif(sys.platform != "linux", reason="only Linux changes the limits of another process")
    def test_the_server_and_a_warm_function_go_on(self, home):
        account = lifecycle.start()
        aws, server = Aws(account, home), psutil.Process(account.pid)
        name = aws.function("import os\ndef handler(event, context):\n    return os.getpid()\n")
        worker = aws.invoke(name)["Json"]
        aws.client("dynamodb").list_tables()
        before = server.rlimit(psutil.RLIMIT_NOFILE)
        server.rlimit(psutil.RLIMIT_NOFILE, (3, before[1]))
        try:
            eventually(lambda: aws.server_log().count("cannot be read now") >= 2, "two looks at the state file")
            assert aws.client("dynamodb").list_tables()["TableNames"] == []
            assert aws.invoke(name)["Json"] == worker
            stranger = socket.create_connection(("127.0.0.1", int(account.endpoint_url.rpartition(":")[2])))
        finally:
            server.rlimit(psutil.RLIMIT_NOFILE, before)
        with stranger:
            assert Aws(account).client("dynamodb").list_tables()["TableNames"] == [], "a new connection"
        assert lifecycle.status().pid == account.pid
        assert aws.invoke(name)["Json"] == worker
        assert "Traceback" not in aws.server_log()

    def test_whoever_cannot_read_the_state_file_starts_no_second_server(self, home, monkeypatch):
        account = lifecycle.start()

        def fails(*_, **__):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

        for place, opening in ((Path, "read_text"), (socket, "create_connection")):
            with monkeypatch.context() as changed:
                changed.setattr(place, opening, fails)
                for call in (lifecycle.start, lifecycle.status, lifecycle.stop):
                    with pytest.raises(WorkbookError, match="cannot be found out.*Too many open files"):
                        call()
        assert lifecycle.status().pid == account.pid

    def test_who_hangs_up_is_asked_again(self, home, monkeypatch):
        account, ask, hang_ups = lifecycle.start(), lifecycle._ask, [ConnectionResetError(), ConnectionResetError()]

        def hangs_up_first(*asked):
            if hang_ups:
                raise hang_ups.pop()
            return ask(*asked)

        monkeypatch.setattr(lifecycle, "_ask", hangs_up_first)
        assert lifecycle.start().pid == account.pid and not hang_ups


def test_the_server_ends_by_itself_when_nobody_uses_it(home, monkeypatch):
    monkeypatch.setenv("LOCAL_AWS_IDLE_HOURS", "0.001")  # under four seconds
    account = lifecycle.start()
    eventually(lambda: lifecycle.home().read() is None, "its end")  # asking it would be a use
    assert lifecycle.status() is None
    assert account.started


def test_run_stays_in_the_foreground_until_it_is_interrupted(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "helpers.local_aws", "run"],
        cwd=PROJECT,
        env={**os.environ, "LOCAL_AWS_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        **interruptible(),
    )
    assert eventually(lifecycle.status).pid == process.pid
    process.send_signal(signal.SIGINT if os.name == "posix" else signal.CTRL_BREAK_EVENT)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Ctrl-C" in output
    assert lifecycle.status() is None
