"""Serve the socket side of a Runtime API: one listener on loopback, for one worker.

Any process of this machine could connect to a port on loopback, another user's too. So each connection is
looked up: it is served only when it comes from the worker. That asks nothing of the client: AWS's own works
unmodified.
"""

from __future__ import annotations

import contextlib
import selectors
import socket

import psutil

from ..engine import clock, executor
from ..http.http1 import CONTINUE, MAX_BODY, BadRequest, Request, RequestReader, response
from .environment import MAX_ERROR_TYPE

#: Connections that a worker may have open at once. AWS's clients use one; each costs this process a file descriptor.
MAX_CONNECTIONS = 16
#: Bytes of unfinished requests that are kept, of all its connections together; an answer may have 6 MB.
MAX_UNFINISHED = MAX_BODY
#: Seconds that a worker may take to read an answer.
SEND_TIMEOUT = 30.0
#: Bytes taken from a connection at once.
CHUNK = 64 * 1024
#: Seconds until the next try when a connection cannot be accepted.
RESPITE = 0.02


class Disconnected(Exception):
    """The worker has closed its connection."""


def given_error_type(request: Request, default: str) -> str:
    """Read the error type that a worker gives; it is shown in one line of the log."""
    given = request.headers.get("lambda-runtime-function-error-type") or default
    return given[:MAX_ERROR_TYPE]


class RuntimeApiServer:
    """Receives one request at a time and answers it. Used by one thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._readers: dict[socket.socket, RequestReader] = {}
        self._current: socket.socket | None = None
        self._worker_pid: int | None = None
        self.refused_body = False  # the worker has sent more than any answer may have
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RuntimeApiServer:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in list(self._readers):
            self._forget(connection)
        self._selector.close()
        self._listener.close()

    def only_for(self, pid: int) -> None:
        self._worker_pid = pid

    def receive(self, deadline: float) -> Request | None:
        """Return the next request; None when there is none by `deadline` (in clock.monotonic()'s seconds).

        Raises Disconnected when the worker's last connection closes.
        """
        for connection in list(self._readers):  # what came together with the request before
            request = self._next(connection)
            if request is not None:
                return request
        while True:
            ready = self._selector.select(max(0.0, deadline - clock.monotonic()))
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                    continue
                request = self._read(key.fileobj)  # type: ignore[arg-type]  # only sockets are registered
                if request is not None:
                    return request
            if not ready or clock.monotonic() > deadline:
                return None

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> bool:
        """Answer the request received last; False when the worker is no longer there to hear it."""
        if self._current is None:
            return False
        try:
            _send(self._current, response(status, headers or {"Content-Type": "application/json"}, body))
        except OSError:
            self._forget(self._current)
            return False
        return True

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:  # it has hung up; or there are no files for it, and there may be some in a moment
            executor.sleep(RESPITE)
            return
        if len(self._readers) >= MAX_CONNECTIONS or not self._is_worker(peer[1]):
            connection.close()
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._readers[connection] = RequestReader()
        self._selector.register(connection, selectors.EVENT_READ)

    def _is_worker(self, port: int) -> bool:
        """Is the loopback port on the other end one of the worker's own?"""
        if self._worker_pid is None:
            return False
        try:
            connections = psutil.Process(self._worker_pid).net_connections("tcp4")
        except (psutil.Error, OSError):  # it has ended; or no more files can be opened to look
            return False
        here = self._listener.getsockname()
        # The port alone is not enough: one port can be in use towards several destinations, by several users.
        return any(
            connection.raddr and (connection.laddr.port, *connection.raddr) == (port, *here)
            for connection in connections
        )

    def _read(self, connection: socket.socket) -> Request | None:
        """Return the request that is complete with what has arrived at a connection, or None."""
        try:
            data = connection.recv(CHUNK)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        if not data:
            self._hung_up(connection)
            return None
        self._readers[connection].feed(data)
        request = self._next(connection)
        if request is None and sum(reader.size for reader in self._readers.values()) > MAX_UNFINISHED:
            self._hung_up(connection)
        return request

    def _next(self, connection: socket.socket) -> Request | None:
        reader = self._readers[connection]
        try:
            request = reader.next()
            if reader.wants_continue():
                _send(connection, CONTINUE)
        except BadRequest as error:
            self.refused_body = self.refused_body or error.status == 413
            with contextlib.suppress(OSError):
                _send(connection, response(error.status, {}))
            self._hung_up(connection)
            return None
        except OSError:
            self._hung_up(connection)
            return None
        if request is not None:
            self._current = connection
        return request

    def _hung_up(self, connection: socket.socket) -> None:
        self._forget(connection)
        if not self._readers:
            raise Disconnected

    def _forget(self, connection: socket.socket) -> None:
        if self._readers.pop(connection, None) is not None:
            self._selector.unregister(connection)
            connection.close()
        if self._current is connection:
            self._current = None


def _send(connection: socket.socket, data: bytes) -> None:
    """Send all of it through a socket that does not block. Raises OSError when the worker does not read it in time."""
    deadline = clock.monotonic() + SEND_TIMEOUT
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[connection.send(rest) :]
        except BlockingIOError:
            if clock.monotonic() > deadline:
                raise TimeoutError from None
            _await_room(connection, 1.0)


def _await_room(connection: socket.socket, seconds: float) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_WRITE)
        selector.select(seconds)
