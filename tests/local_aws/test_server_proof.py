"""Whoever listens where the embedded AWS was learns nothing: a server proves first that it has the account's secret."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from helpers.authoring.isolation import isolated
from helpers.lessons import explanations
from helpers.local_aws import lifecycle, server_proof
from helpers.target import connection, proven_connections
from tests.support.embedded_aws import gone
from tests.support.stranger import QUESTION, Stranger

KEY, SECRET = "LKIA" + "A" * 16, "s" * 40


@pytest.fixture
def home(tmp_path, monkeypatch) -> Iterator[Path]:
    """A home of its own, and boto3 as in a kernel that has just begun; one attempt for each request."""
    with isolated(tmp_path):
        monkeypatch.setattr(connection, "RETRIES", {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "1"})
        yield tmp_path / "account"
        lifecycle.stop()
    boto3.DEFAULT_SESSION = None


def left_behind(home: Path, url: str) -> None:
    """What a killed server leaves: a file that says that it runs."""
    home.mkdir(mode=0o700, exist_ok=True)
    access = lifecycle.Access(url, KEY, SECRET, "us-east-1", "123456789012", 1, started=True)
    (home / "account.json").write_text(json.dumps({**vars(access), "token": "the token"}))


def kill(account: lifecycle.Access) -> None:
    os.kill(account.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
    gone(account.pid)


# --- start, status, stop ---


def test_a_stranger_at_the_port_is_no_server_and_hears_a_question_alone(home):
    with Stranger() as stranger:
        left_behind(home, stranger.url)
        assert lifecycle.status() is None
        assert lifecycle.stop() is False
        left_behind(home, stranger.url)
        account = lifecycle.start()
        assert account.started and account.port != stranger.port
    assert stranger.heard_only_questions() and len(stranger.heard) == 3
    assert not any(word in each for each in stranger.heard for word in (SECRET.encode(), b"token"))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * 64,
        b"HTTP/1.1 200 OK\r\n\r\n" + b"\xff" * 64,
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n" * 400,
        b"x" * 65536,
    ],
)
def test_no_other_answer_is_a_proof(home, answer):
    with Stranger(answer=answer) as stranger:
        left_behind(home, stranger.url)
        assert lifecycle.status() is None
    assert stranger.heard_only_questions()


def test_the_question_cannot_be_handed_on_to_the_account_at_another_port(home):
    """A stranger at the old port who asks the account itself, which listens at a new one by now."""
    account = lifecycle.start()
    keys = account.access_key_id, account.secret_access_key
    with socket.create_connection(("127.0.0.1", account.port)) as there:
        assert server_proof.prove(there, account.port, *keys, 60)
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"0" * 64)
        assert not server_proof.prove(near, 1, *keys, 60)
        asked = QUESTION.fullmatch(far.recv(65536))
    assert asked
    authorization = asked[0].decode().partition("Authorization: ")[2].strip()
    assert server_proof.answer(authorization, 1, dict([keys]).get)
    assert server_proof.answer(authorization, account.port, dict([keys]).get) is None


@pytest.mark.parametrize(
    "asked", ["", "Bearer x", f"LOCAL-AWS {KEY} {'0' * 64} {'0' * 64}", f"LOCAL-AWS x {'0' * 64} {'0' * 64}"]
)
def test_a_server_answers_only_who_has_the_secret(asked):
    assert server_proof.answer(asked, 1, {KEY: SECRET}.get) is None


def test_who_breaks_off_is_another_matter_than_who_proves_nothing():
    near, far = socket.socketpair()
    with near:
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(ConnectionAbortedError):
            server_proof.prove(near, 1, KEY, SECRET, 60)
        far.close()


# --- whose socket it is ---

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: {loopback}:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1001        0 1 1
   1: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1002        0 2 1
   2: {loopback}:1F92 {loopback}:1F90 01 00000000:00000000 00:00000000 00000000  1003        0 3 1
   3: {other}:1F93 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1004        0 4 1
"""


@pytest.mark.parametrize(("port", "owners"), [(8080, {1001}), (8081, {1002}), (8082, set()), (8083, set()), (1, set())])
def test_the_kernels_table_says_who_listens(port, owners):
    words = {
        name: f"{int.from_bytes(bytes(address), sys.byteorder):08X}"
        for name, address in {"loopback": (127, 0, 0, 1), "other": (10, 0, 0, 1)}.items()
    }
    assert server_proof.listeners(TABLE.format(**words), port) == owners


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows whose a socket is")
@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET, ""), (socket.AF_INET6, "::")]
)
def test_ones_own_socket_is_ones_own(family, address):
    try:
        listener = socket.create_server((address, 0), family=family)
    except OSError:
        pytest.skip("no IPv6 here")
    with listener:
        found = set()
        for name in ("tcp", "tcp6"):
            if (table := Path("/proc/net", name)).exists():
                found |= server_proof.listeners(table.read_text(), listener.getsockname()[1])
        assert found == {os.geteuid()}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows whose a socket is")
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can listen as somebody else")
def test_another_users_socket_hears_nothing_at_all(home, monkeypatch):
    os.seteuid(65534)
    try:
        stranger = Stranger()
    finally:
        os.seteuid(0)
    with stranger, monkeypatch.context() as somebody:
        left_behind(home, stranger.url)
        somebody.setattr(os, "geteuid", lambda: 1234)
        assert lifecycle.status() is None
    assert stranger.heard == []


# --- a kernel that outlives its account's server ---

ORDER = [{"Source": "shop", "DetailType": "t", "Detail": json.dumps({"OrderId": "the order"})}]


@pytest.fixture
def kernel(home) -> lifecycle.Access:
    """This process connected to an account, as by a setup cell."""
    account = lifecycle.start()
    connection.connect_to(account)
    return account


def test_an_order_is_not_sent_to_who_took_the_servers_port(kernel):
    events, dynamodb = boto3.client("events"), boto3.client("dynamodb")
    of_another_session = boto3.Session().client("events", endpoint_url=kernel.endpoint_url)
    assert events.put_events(Entries=ORDER)["FailedEntryCount"] == 0
    kill(kernel)
    with Stranger(kernel.port) as stranger:
        for send in (events.put_events, of_another_session.put_events):
            with pytest.raises(EndpointConnectionError) as refused:
                send(Entries=ORDER)
        with pytest.raises(EndpointConnectionError):
            dynamodb.list_tables()
    assert stranger.heard_only_questions() and len(stranger.heard) == 3
    assert isinstance(refused.value.kwargs["error"], proven_connections.NotTheAccount)


def test_a_cell_ends_in_a_line_that_says_what_to_do(kernel, monkeypatch):
    monkeypatch.setenv("WORKBOOK_LESSON", "05_send_events")
    kill(kernel)
    with Stranger(kernel.port), pytest.raises(EndpointConnectionError) as refused:
        boto3.client("events").put_events(Entries=ORDER)
    (line,) = explanations.lines(refused.value, {})
    assert line.startswith("Another program listens where the embedded AWS was, and nothing was sent to it.")
    assert "Run the setup cell" in line


def test_the_account_is_there_again_at_another_port(kernel):
    events = boto3.client("events")
    events.put_rule(Name="kept", EventPattern='{"source": ["shop"]}')
    kill(kernel)
    with Stranger(kernel.port) as stranger:
        again = lifecycle.start()
        connection.connect_to(again)
        assert again.port != kernel.port
        assert [rule["Name"] for rule in boto3.client("events").list_rules()["Rules"]] == ["kept"]
    assert stranger.heard_only_questions()


def test_the_proof_is_asked_for_once_for_each_connection(kernel, monkeypatch):
    asked, prove = [], server_proof.prove

    def count(*arguments):
        asked.append(arguments[1])
        return prove(*arguments)

    monkeypatch.setattr(server_proof, "prove", count)
    for service, operation in (("events", "list_rules"), ("dynamodb", "list_tables")):
        client = boto3.client(service)
        for _ in range(3):
            getattr(client, operation)()
    assert asked == [kernel.port] * 2


def test_other_addresses_are_asked_for_nothing(kernel):
    with Stranger() as other:
        client = boto3.client("dynamodb", endpoint_url=other.url)
        client.list_tables()
    assert other.heard and other.heard[0].startswith(b"POST / HTTP/1.1")
