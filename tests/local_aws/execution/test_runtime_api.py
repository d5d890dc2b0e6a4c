"""The socket side of a Runtime API: requests in any pieces, several at once, and a limit to what may lie half-sent."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest

from helpers.local_aws.execution import runtime_api
from helpers.local_aws.execution.runtime_api import Disconnected, RuntimeApiServer

NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n"


@pytest.fixture
def api():
    with RuntimeApiServer() as server:
        server.only_for(os.getpid())
        yield server


def connect(api) -> socket.socket:
    host, port = api.address.split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def received(api):
    return api.receive(time.monotonic() + 30)


def answer(body: bytes) -> bytes:
    return b"POST /answer HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def test_an_answer_and_the_wish_for_the_next_event_may_come_together(api):
    with connect(api) as worker:
        worker.sendall(answer(b"done") + NEXT)
        assert received(api).body == b"done"
        assert api.reply(202, b"first")
        assert received(api).path.endswith("/next")
        assert api.reply(200, b"second")
        heard = b""
        while not heard.endswith(b"second"):
            heard += worker.recv(65536)
        assert heard.count(b"HTTP/1.1") == 2


def test_nothing_comes_before_the_deadline(api):
    with connect(api) as worker:
        worker.sendall(b"GET / HT")
        assert api.receive(time.monotonic() + 0.2) is None
        worker.sendall(b"TP/1.1\r\n\r\n")
        assert received(api).path == "/"


def test_bytes_that_never_become_a_request_do_not_stop_the_clock(api):
    """A worker that sends all the time is asked after its deadline, too."""
    with connect(api) as worker:
        worker.setblocking(False)
        worker.send(b"POST / HTTP/1.1\r\nContent-Length: 90000000\r\n\r\n")
        for _ in range(100):
            worker.send(bytes(1000))
            assert api.receive(time.monotonic()) is None


def test_a_large_answer_is_read_and_a_large_event_is_sent(api):
    with connect(api) as worker:
        worker.sendall(NEXT)
        assert received(api).path.endswith("/next")
        heard = []

        def listen() -> None:
            while sum(map(len, heard)) < 20_000_000:
                heard.append(worker.recv(65536))
            worker.sendall(answer(bytes(6_000_000)))

        listener = threading.Thread(target=listen)
        listener.start()
        assert api.reply(200, bytes(20_000_000))
        assert len(received(api).body) == 6_000_000
        listener.join(30)


def test_what_lies_half_sent_has_a_limit_for_all_connections_together(api, monkeypatch):
    monkeypatch.setattr(runtime_api, "MAX_UNFINISHED", 3_000_000)
    head = b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n"
    with connect(api) as first, connect(api) as second, connect(api) as honest:
        for worker in (first, second):
            worker.setblocking(False)
            rest = memoryview(head + bytes(1_900_000))
            deadline = time.monotonic() + 30
            while rest and time.monotonic() < deadline:
                try:
                    rest = rest[worker.send(rest) :]
                except BlockingIOError:
                    pass
                except OSError:
                    break  # hung up
                assert api.receive(time.monotonic() + 0.01) is None
        kept = sum(reader.size for reader in api._readers.values())
        assert kept <= 3_000_000
        honest.sendall(NEXT)
        assert received(api).path.endswith("/next")


def test_the_last_connection_that_closes_is_noticed(api):
    with connect(api) as worker:
        worker.sendall(NEXT)
        assert received(api).path.endswith("/next")
    with pytest.raises(Disconnected):
        received(api)


def test_who_is_not_the_worker_is_not_heard(api):
    api.only_for(os.getppid())
    with connect(api) as stranger:
        stranger.sendall(NEXT)
        assert api.receive(time.monotonic() + 0.3) is None
        with pytest.raises(OSError):
            while stranger.recv(1):
                pass
            raise ConnectionError("it was hung up on")
