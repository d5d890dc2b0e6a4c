"""A real JupyterHub with its proxy, by the recipe of docs/jupyterhub: two learners log in and run lesson 5.

It needs Linux, root (a system user for each learner), npm for the proxy and a network for both; otherwise it is skipped
with a word. WORKBOOK_REQUIRE_HUB=1 makes what is missing a failure.
"""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket

from helpers.authoring.isolation import TIME_SCALE
from helpers.paths import PROJECT
from tests.support.polling import eventually

RECIPE = PROJECT / "docs" / "jupyterhub"
VERSION = "6.1.1"
LEARNERS = ("workbook-test-ada", "workbook-test-ben")
LESSON = "05_send_events"
PATIENCE = 300  # seconds
CONFIG = """\
load_subconfig({recipe!r})
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = [{proxy!r}]
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allowed_users = {learners!r}
c.Spawner.environment = {{"LOCAL_AWS_TIME_SCALE": {scale!r}}}
c.JupyterHub.services = [{{"name": "test", "api_token": {token!r}}}]
c.JupyterHub.load_roles = [
    {{"name": "test", "services": ["test"], "scopes": ["admin:servers", "admin:users", "access:servers"]}}
]
"""


def lacking() -> str | None:
    """What this machine lacks for a hub."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a JupyterHub with system users needs Linux and root"
    missing = [name for name in ("npm", "node", "useradd") if not shutil.which(name)]
    return f"{', '.join(missing)} not found: npm brings JupyterHub's proxy" if missing else None


def give_up(why: str) -> None:
    if os.environ.get("WORKBOOK_REQUIRE_HUB") == "1":
        pytest.fail(f"WORKBOOK_REQUIRE_HUB=1, and {why}")
    pytest.skip(why)


@dataclass
class Hub:
    """A running hub: its address, a token for its API, and what it runs from."""

    address: str
    token: str
    password: str
    shared: Path
    log: Path

    def api(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"token {self.token}"}
        answer = requests.request(method, f"{self.address}{path}", headers=headers, timeout=60, **arguments)
        answer.raise_for_status()
        return answer

    def log_in(self, name: str) -> None:
        """Log in as people do, in the form of the hub's page, and wait for the learner's own server."""
        session = requests.Session()
        page = session.get(f"{self.address}/hub/login", timeout=60)
        assert page.ok
        form = {"username": name, "password": self.password, "_xsrf": session.cookies["_xsrf"]}
        answer = session.post(f"{self.address}/hub/login?next=/hub/spawn", data=form, timeout=PATIENCE)
        assert answer.ok, told(self.log)
        eventually(lambda: self.server(name).get("ready"), f"the server of {name}", PATIENCE)

    def server(self, name: str) -> dict[str, Any]:
        return self.api("GET", f"/hub/api/users/{name}").json()["servers"].get("", {})

    def stop(self, name: str) -> None:
        self.api("DELETE", f"/hub/api/users/{name}/server")
        eventually(lambda: not self.server(name), f"the server of {name} to stop", PATIENCE)

    def run(self, name: str, cells: list[str]) -> list[list[dict[str, Any]]]:
        """Run cells in a new kernel of the learner's, in the folder of the lessons; returns each one's outputs."""
        kernels = f"/user/{name}/api/kernels"
        kernel = self.api("POST", kernels, json={"name": "python3", "path": "notebooks"}).json()["id"]
        address = self.address.replace("http", "ws", 1)
        headers = [f"Authorization: token {self.token}"]
        channels = websocket.create_connection(
            f"{address}{kernels}/{kernel}/channels", header=headers, timeout=PATIENCE
        )
        try:
            return [executed(channels, cell) for cell in cells]
        finally:
            channels.close()
            self.api("DELETE", f"{kernels}/{kernel}")


def executed(channels: websocket.WebSocket, code: str) -> list[dict[str, Any]]:
    """Execute code by Jupyter's messages (https://jupyter-client.readthedocs.io/en/stable/messaging.html)."""
    number = uuid.uuid4().hex
    header = {"msg_id": number, "msg_type": "execute_request", "username": "", "session": number, "version": "5.3"}
    content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
    channels.send(json.dumps(message))
    outputs = []
    while True:
        answer = json.loads(channels.recv())
        if answer["parent_header"].get("msg_id") != number:
            continue
        if answer["msg_type"] in ("stream", "execute_result", "display_data", "error"):
            outputs.append({"output_type": answer["msg_type"], **answer["content"]})
        if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
            return outputs


def free_ports(count: int) -> list[int]:
    with ExitStack() as taken:
        return [taken.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in range(count)]


def tried(command: list[Any], why: str, **options: Any) -> None:
    """Run a command that needs the network; without one there is no hub."""
    run = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    if run.returncode:
        give_up(f"{why}: {(run.stderr or run.stdout).strip().splitlines()[-1:]}")


def python_for_all() -> Path:
    """A Python that every user may run: this one, unless it lies in somebody's home; then the system's."""
    for python in (
        Path(sys._base_executable),
        *Path("/usr/local/bin").glob("python3"),
        *Path("/usr/bin").glob("python3"),
    ):
        try:
            nobody = pwd.getpwnam("nobody").pw_uid
            tell = [python, "-c", "import sys; print(*sys.version_info[:2])"]
            said = subprocess.run(tell, user=nobody, extra_groups=[], capture_output=True, text=True, check=True)
        except (OSError, KeyError, subprocess.SubprocessError):
            continue
        if tuple(map(int, said.stdout.split())) >= (3, 11):
            return python
    give_up("there is no Python 3.11 or later that every user may run")
    raise AssertionError  # not reached


def make_environment(shared: Path) -> Path:
    """What the recipe's first two steps make; returns the program of the proxy."""
    uv, env, python = Path(sys.executable).with_name("uv"), shared / "env", python_for_all()
    lock = ["-r", PROJECT / "requirements.txt", f"jupyterhub=={VERSION}"]
    tried([uv, "venv", "-q", "--python", python, env], "no environment could be made")
    tried([uv, "pip", "install", "-q", "--python", env, *lock], "JupyterHub could not be installed")
    tried([uv, "pip", "install", "-q", "--python", env, "--no-deps", PROJECT], "the workbook could not be installed")
    proxy = shared / "proxy"
    tried(
        ["npm", "install", "--no-fund", "--no-audit", "--prefix", proxy, "configurable-http-proxy"],
        "npm could not install the proxy",
    )
    student = [sys.executable, "-m", "helpers.teaching", "student", str(shared / "student")]
    subprocess.run(student, cwd=PROJECT, check=True, capture_output=True)
    subprocess.run(["chmod", "-R", "go+rX", str(shared)], check=True)
    return proxy / "node_modules" / ".bin" / "configurable-http-proxy"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    why = lacking()
    if why:
        give_up(why)
    with ExitStack() as end:
        # Not pytest's folder: other users may not enter that.
        folder = Path(
            end.enter_context(tempfile.TemporaryDirectory(prefix="workbook-hub-", ignore_cleanup_errors=True))
        )
        folder.chmod(0o755)
        shared = folder / "shared"
        shared.mkdir()
        proxy = make_environment(shared)
        for name in LEARNERS:
            subprocess.run(["useradd", "-m", "-d", str(folder / name), "-s", "/bin/sh", name], check=True)
            end.callback(subprocess.run, ["userdel", name], check=False)
        ports, token, password = free_ports(3), secrets.token_hex(16), secrets.token_hex(8)
        config = folder / "jupyterhub_config.py"
        config.write_text(
            CONFIG.format(
                recipe=str(RECIPE / "jupyterhub_config.py"), ports=ports, proxy=str(proxy), token=token,
                password=password, learners=set(LEARNERS), scale=TIME_SCALE,
            )
        )  # fmt: skip
        variables = {
            "PATH": f"{shared / 'env' / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "WORKBOOK_SHARED": str(shared), "HOME": str(folder), "LANG": "C.UTF-8",
        }  # fmt: skip
        log = end.enter_context((folder / "log").open("wb"))
        command = [shared / "env" / "bin" / "jupyterhub", "--config", config]
        server = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log)
        end.callback(lambda: print(told(folder / "log")))  # pytest shows it when a test fails
        end.callback(end_hub, server)
        address = f"http://127.0.0.1:{ports[0]}"
        eventually(lambda: answers(address, server, folder / "log"), "the hub to answer", PATIENCE)
        yield Hub(address, token, password, shared, folder / "log")


def told(log: Path) -> str:
    """The end of the hub's log, less the questions of this test."""
    lines = log.read_text(errors="replace").splitlines()
    return "\n".join([line for line in lines if " 200 GET /hub/api/users/" not in line][-60:])


def answers(address: str, server: subprocess.Popen, log: Path) -> bool:
    assert server.poll() is None, told(log)
    try:
        return requests.get(f"{address}/hub/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def end_hub(server: subprocess.Popen) -> None:
    """Stop it as an administrator would; it stops the learners' servers."""
    server.terminate()
    try:
        server.wait(60)
    except subprocess.TimeoutExpired:
        server.kill()


def code_of(lesson: str) -> list[tuple[str, set[str]]]:
    notebook = json.loads((PROJECT / "notebooks" / f"{lesson}.ipynb").read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [("".join(cell["source"]), set(cell["metadata"].get("tags", []))) for cell in cells]


def processes_of(name: str) -> list[str]:
    """The command lines of a user's processes."""
    uid = pwd.getpwnam(name).pw_uid
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid == uid:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # it has ended meanwhile
    return found


def count_of_orders(hub: Hub, name: str) -> str:
    """How many orders the learner's account holds, without building any of it."""
    setup = 'import boto3\nfrom helpers import workbook\nworkbook.begin("06_explore_the_orders", catch_up=False)'
    count = 'print("orders:", boto3.client("dynamodb").scan(TableName="sample-table")["Count"])'
    return "".join(output.get("text", "") for output in hub.run(name, [setup, count])[1])


def test_two_learners_run_a_lesson_and_find_their_accounts_again(hub):
    for name in LEARNERS:
        hub.log_in(name)
    cells = code_of(LESSON)
    with ThreadPoolExecutor() as at_once:
        runs = list(at_once.map(lambda name: hub.run(name, [source for source, _ in cells]), LEARNERS))
    for results in runs:
        failed = [
            (source, output["evalue"])
            for (source, tags), outputs in zip(cells, results, strict=True)
            for output in outputs
            if output["output_type"] == "error" and "raises-exception" not in tags
        ]
        assert failed == []
    first, second = (count_of_orders(hub, name) for name in LEARNERS)
    assert first == second != "orders: 0\n"
    assert any("helpers.local_aws" in line for line in processes_of(LEARNERS[0]))
    hub.stop(LEARNERS[0])
    eventually(lambda: not processes_of(LEARNERS[0]), "all that belonged to the learner's server to end", PATIENCE)
    assert any("helpers.local_aws" in line for line in processes_of(LEARNERS[1])), "the other one works on"
    hub.log_in(LEARNERS[0])
    assert count_of_orders(hub, LEARNERS[0]) == first, "the account has outlived its server"


def test_a_learner_cannot_write_what_all_share(hub):
    env = hub.shared / "env"
    user = pwd.getpwnam(LEARNERS[0])
    attempt = f"open({str(env / 'x')!r}, 'w')"
    run = subprocess.run(
        [str(env / "bin" / "python"), "-c", attempt], user=user.pw_uid, group=user.pw_gid, extra_groups=[],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "PermissionError" in run.stderr
