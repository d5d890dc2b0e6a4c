"""Clients that stop, dribble, do not read, or come in crowds: each is ended in its time, and nobody else notices."""

from __future__ import annotations

import errno
import socket
import socketserver
import threading
import time

import pytest

from helpers.local_aws import services
from helpers.local_aws.engine import clock
from helpers.local_aws.http import endpoint
from helpers.local_aws.http.http1 import Request
from tests.support.polling import PATIENCE, eventually

LARGE = b"x" * 64 * 1024 * 1024  # more than the system's buffers take


@pytest.fixture
def served(monkeypatch):
    """An endpoint whose times are short: it answers /large with LARGE, /slow late, everything else with its path.

    Whoever asks for /strange is a stranger; so is whoever does not say "Authorization: known" before a body is here.
    """
    monkeypatch.setattr(endpoint, "STALL_TIMEOUT", 0.5)
    monkeypatch.setattr(endpoint, "STRANGER_TIMEOUT", PATIENCE)
    monkeypatch.setattr(endpoint, "SWEEP_INTERVAL", 0.05)

    def answer(request):
        if request.path == "/fails":
            raise OSError("on purpose")
        if request.path == "/slow":
            time.sleep(3 * endpoint.STALL_TIMEOUT)
        request.vouched = request.path != "/strange"
        return 200, {}, LARGE if request.path == "/large" else request.path.encode()

    def screen(request):
        return None if request.headers.get("authorization") == "known" else (403, {}, b"a stranger")

    with endpoint.Endpoint(0, answer, screen) as listening:
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


def all_of(served) -> list[endpoint.Connection]:
    return [*served.connections._known, *served.connections._strangers]


def strangers(served) -> int:
    return len(served.connections._strangers)


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
        ask(served, stopped)
        stopped.sendall(part.encode())
        assert ended(stopped)
        assert ask(served, other).endswith(b"/here")


def test_a_client_that_sends_byte_by_byte_does_not_win_time(served):
    with connect(served) as slow:
        ask(served, slow)
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
            return len(served.connections) == 1

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
    head = f"POST /kept HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: 6000000\r\n"
    head = head.encode() + b"Authorization: known\r\n\r\n"
    answered, go_on, send = threading.Event(), threading.Event(), endpoint.Connection.send

    def send_and_wait(connection, data):
        send(connection, data)
        if data.startswith(b"HTTP/1.1 503 "):
            answered.set()
            assert go_on.wait(PATIENCE)

    monkeypatch.setattr(endpoint.Connection, "send", send_and_wait)
    with connect(served) as first, connect(served) as second, connect(served) as small:
        first.sendall(head + bytes(5_000_000))
        eventually(lambda: served.connections.unfinished(known=True) == 5_000_000)
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


def test_when_there_are_too_many_the_one_idle_longest_makes_room(served):
    served.connections._most_known = 5
    crowd = []
    try:
        for _ in range(12):
            crowd.append(connect(served))
            assert ask(served, crowd[-1]).endswith(b"/here")
            eventually(lambda: all(each.idle and each.known for each in all_of(served)))
        assert all(map(ended, crowd[:7]))
        for connection in crowd[7:]:
            assert ask(served, connection).endswith(b"/here")
        assert len(served.connections) == 5
    finally:
        for connection in crowd:
            connection.close()


class TestACrowdOfStrangers:
    """Another user of the machine has no credentials, and as many connections as they like."""

    @pytest.fixture
    def few(self, served, monkeypatch):
        served.connections._most_known = served.connections._most_strangers = 5
        return served

    @pytest.fixture
    def crowd(self, few):
        """Makes strangers, one after the other: each sends a part of a request, and not its end."""
        crowd: list[socket.socket] = []

        def come(count: int, part: bytes = b"POST / HT") -> list[socket.socket]:
            for _ in range(count):
                crowd.append(connect(few))
                crowd[-1].sendall(part)
            return crowd

        yield come
        for connection in crowd:
            connection.close()

    @pytest.mark.parametrize("part", [b"", b"POST / HT", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"])
    def test_it_ends_no_connection_of_who_is_known(self, few, crowd, part):
        with connect(few) as owners:
            ask(few, owners)
            for _ in range(4):
                assert all(map(ended, crowd(10, part)[:5]))
                eventually(lambda: strangers(few) == 5)
                assert ask(few, owners).endswith(b"/here"), "the connection that is used, and between two calls"
                with connect(few) as new:
                    assert ask(few, new).endswith(b"/here"), "and a new one, among them"

    def test_the_oldest_goes_first_also_if_it_is_refused_again_and_again(self, few, crowd):
        with connect(few) as oldest:
            for _ in range(3):
                assert ask(few, oldest, "/strange").endswith(b"/strange")
            eventually(lambda: all(not each.answering for each in all_of(few)))
            crowd(5)
            assert ended(oldest)

    def test_an_upload_on_a_new_connection_is_not_crowded_out(self, few, crowd):
        """Its first request is the large one; that it names who may be here has to do until it is whole."""
        with connect(few) as new:
            head = f"POST /kept HTTP/1.1\r\nHost: 127.0.0.1:{few.port}\r\nAuthorization: known\r\n"
            new.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode() + bytes(50_000))
            eventually(lambda: few.connections.unfinished(known=True) > 0)
            crowd(20)
            eventually(lambda: strangers(few) == 5)
            new.sendall(bytes(50_000))
            assert new.recv(65536).endswith(b"/kept")

    def test_who_names_the_known_and_cannot_sign_is_a_stranger_again(self, few):
        with connect(few) as liar:
            head = f"POST /strange HTTP/1.1\r\nHost: 127.0.0.1:{few.port}\r\nAuthorization: known\r\n"
            liar.sendall(f"{head}Content-Length: 8\r\n\r\nhalf".encode())
            eventually(lambda: len(few.connections._known) == 1)
            liar.sendall(b"half")
            assert liar.recv(65536).endswith(b"/strange")
            assert (len(few.connections._known), strangers(few)) == (0, 1)

    @pytest.mark.parametrize("coding", ["Content-Length: 4000000", "Transfer-Encoding: chunked"])
    def test_the_body_of_who_is_not_known_is_not_kept(self, few, coding):
        part = bytes(100_000) if "Length" in coding else b"%x\r\n%s\r\n" % (100_000, bytes(100_000))
        with connect(few) as stranger:
            stranger.sendall(f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{few.port}\r\n{coding}\r\n\r\n".encode())
            most = 0
            for _ in range(40):
                stranger.sendall(part)
                most = max(most, few.connections.unfinished(known=False))
            if "chunked" in coding:
                stranger.sendall(b"0\r\n\r\n")
            assert stranger.recv(65536).endswith(b"a stranger"), "in full, so that its SDK can read it"
            assert most <= 2 * endpoint.CHUNK
            assert ask(few, stranger).endswith(b"/here")

    def test_their_heads_have_a_small_share_in_common(self, few, monkeypatch):
        monkeypatch.setattr(endpoint, "MAX_STRANGE", 60_000)
        long = b"GET / HTTP/1.1\r\nX-Long: " + bytes(40_000).replace(b"\0", b"x")
        with connect(few) as first, connect(few) as second, connect(few) as owners:
            first.sendall(long)
            eventually(lambda: few.connections.unfinished(known=False) == len(long))
            second.sendall(long)
            assert second.recv(65536).startswith(b"HTTP/1.1 503 ")
            assert ask(few, owners).endswith(b"/here"), "a head of a usual size is not refused"

    def test_a_stranger_has_a_short_time_for_all_it_does(self, served, monkeypatch):
        monkeypatch.setattr(endpoint, "STALL_TIMEOUT", PATIENCE)
        monkeypatch.setattr(endpoint, "STRANGER_TIMEOUT", 0.3)
        with connect(served) as silent, connect(served) as half:
            half.sendall(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf")
            assert ended(silent) and ended(half)

    def test_without_files_for_more_a_stranger_makes_room(self, few, crowd, monkeypatch):
        with connect(few) as owners:
            ask(few, owners)
            oldest = crowd(3)[0]
            eventually(lambda: strangers(few) == 3)
            accept, failures = socketserver.TCPServer.get_request, [OSError(errno.EMFILE, "no more files")]

            def fails_once(self):
                if failures:
                    raise failures.pop()
                return accept(self)

            monkeypatch.setattr(socketserver.TCPServer, "get_request", fails_once)
            with connect(few) as new:
                assert ask(few, new).endswith(b"/here")
            assert ended(oldest)
            assert ask(few, owners).endswith(b"/here")


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


def test_a_machine_that_sleeps_does_not_make_the_account_an_unused_one():
    """Its hours, and those of a connection that is kept open, are the machine's waking hours."""
    before, scale = clock._clock, clock.scale()
    by_hand = clock.ManualClock()
    clock.use(by_hand)
    try:
        with endpoint.Endpoint(0, lambda _: (200, {}, b""), lambda _: None) as listening:
            by_hand.advance(5)
            by_hand.set_on(9 * 3600)
            assert listening.unused_seconds() == 5
    finally:
        clock.use(before, scale)
