"""Clients that stop, dribble, do not read, or come in crowds: each is ended in its time, and nobody else notices."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from helpers.local_aws import services
from helpers.local_aws.http import endpoint
from helpers.local_aws.http.http1 import Request
from tests.support.polling import PATIENCE, eventually

LARGE = b"x" * 64 * 1024 * 1024  # more than the system's buffers take


@pytest.fixture
def served(monkeypatch):
    """An endpoint whose times are short: it answers /large with LARGE, /slow late, everything else with its path."""
    monkeypatch.setattr(endpoint, "STALL_TIMEOUT", 0.5)
    monkeypatch.setattr(endpoint, "SWEEP_INTERVAL", 0.05)

    def answer(request):
        if request.path == "/fails":
            raise OSError("on purpose")
        if request.path == "/slow":
            time.sleep(3 * endpoint.STALL_TIMEOUT)
        return 200, {}, LARGE if request.path == "/large" else request.path.encode()

    with endpoint.Endpoint(0, answer) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def connect(served) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(served, connection: socket.socket, path: str = "/here") -> bytes:
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
    return connection.recv(65536)


def ended(connection: socket.socket) -> bool:
    """Whether the other side hangs up; what it may say before is read."""
    try:
        while connection.recv(1024 * 1024):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_several_requests_in_one_connection(served):
    with connect(served) as connection:
        for path in ("/a", "/b", "/c"):
            assert ask(served, connection, path).endswith(path.encode())


def test_two_requests_at_once_are_both_answered(served):
    with connect(served) as connection:
        request = f"GET /twice HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode()
        connection.sendall(request * 2)
        received = b""
        while received.count(b"/twice") < 2:
            received += connection.recv(65536)


@pytest.mark.parametrize("part", ["GET / HT", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
def test_a_client_that_stops_in_the_middle_is_hung_up_on(served, part):
    with connect(served) as stopped, connect(served) as other:
        stopped.sendall(part.encode())
        assert ended(stopped)
        assert ask(served, other).endswith(b"/here")


def test_a_client_that_sends_byte_by_byte_does_not_win_time(served):
    with connect(served) as slow:
        slow.settimeout(0.01)

        def finds_nobody() -> bool:
            try:
                slow.sendall(b"G")
            except OSError:
                return True
            return False

        assert eventually(finds_nobody)


def test_a_client_that_does_not_read_is_hung_up_on(served):
    with connect(served) as deaf, connect(served) as other:
        deaf.sendall(f"GET /large HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n\r\n".encode())
        assert deaf.recv(1) and ask(served, other).endswith(b"/here")  # both are known by now

        def the_other_alone_is_left() -> bool:
            assert ask(served, other).endswith(b"/here")
            return len(served._connections) == 1

        assert eventually(the_other_alone_is_left)


def test_a_failure_ends_the_connection_and_is_logged(served, caplog):
    with connect(served) as unlucky:
        assert ask(served, unlucky, "/fails") == b""
        assert ended(unlucky)
    assert "on purpose" in caplog.text


def test_an_answer_may_take_its_time(served):
    with connect(served) as patient:
        assert ask(served, patient, "/slow").endswith(b"/slow")


def test_large_requests_have_a_limit_in_common(served, monkeypatch):
    """Half-sent bodies take memory, and anybody on the machine can send some. Small requests go on."""
    monkeypatch.setattr(endpoint, "MAX_UNFINISHED", 8 * 1024 * 1024)
    monkeypatch.setattr(endpoint, "STALL_TIMEOUT", PATIENCE)
    head = f"POST /kept HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: 6000000\r\n\r\n".encode()
    answered, go_on, send = threading.Event(), threading.Event(), endpoint.Connection.send

    def send_and_wait(connection, data):
        send(connection, data)
        if data.startswith(b"HTTP/1.1 503 "):
            answered.set()
            assert go_on.wait(PATIENCE)

    monkeypatch.setattr(endpoint.Connection, "send", send_and_wait)
    with connect(served) as first, connect(served) as second, connect(served) as small:
        first.sendall(head + bytes(5_000_000))
        eventually(lambda: served.unfinished() == 5_000_000)
        # Not a byte more than is read before the refusal: the system drops an answer to somebody who is still sending.
        second.sendall(head + bytes(endpoint.MAX_UNFINISHED - 5_000_000 + 1))
        assert second.recv(65536).startswith(b"HTTP/1.1 503 ")
        assert answered.wait(PATIENCE)  # the connection that was refused is still there, and in nobody's way
        assert ask(served, small).endswith(b"/here")
        first.sendall(bytes(1_000_000))
        assert first.recv(65536).endswith(b"/kept")
        go_on.set()


def test_a_connection_between_two_requests_stays(served):
    with connect(served) as kept:
        ask(served, kept)
        time.sleep(3 * endpoint.STALL_TIMEOUT)
        assert ask(served, kept).endswith(b"/here")


def test_a_connection_that_is_never_used_again_is_closed(served, monkeypatch):
    with connect(served) as forgotten:
        ask(served, forgotten)
        monkeypatch.setattr(endpoint, "IDLE_TIMEOUT", 0.3)  # from the end of the next request
        assert ask(served, forgotten).endswith(b"/here")
        assert ended(forgotten)


def test_when_there_are_too_many_the_one_idle_longest_makes_room(served, monkeypatch):
    monkeypatch.setattr(endpoint, "MAX_CONNECTIONS", 5)
    crowd = []
    try:
        for _ in range(12):
            crowd.append(connect(served))
            assert ask(served, crowd[-1]).endswith(b"/here")
            eventually(lambda: all(each.idle for each in list(served._connections)))
        assert all(map(ended, crowd[:7]))
        for connection in crowd[7:]:
            assert ask(served, connection).endswith(b"/here")
        assert len(served._connections) == 5
    finally:
        for connection in crowd:
            connection.close()


@pytest.mark.parametrize(("service", "kind"), [("dynamodb", "json"), ("iam", "xml")])
def test_what_fails_in_the_server_is_answered_as_aws_would(monkeypatch, caplog, service, kind):
    """In the form that the service's SDKs can read, so that they say what happened and try again."""

    def fails(self, request):
        raise OSError("no more files")

    monkeypatch.setattr(services.Account, "_answered", fails)
    broken = services.Account.__new__(services.Account)
    scope = f"AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host"
    status, headers, body = broken.answer(Request("POST", "/", {"authorization": scope}, b""))
    assert status == 500 and kind in headers["Content-Type"] and b"server.log says why" in body
    assert b"InternalFailure" in body and "no more files" in caplog.text
