"""The socket side of a Runtime API: one listener on loopback, for one worker.

Any process of this machine could connect to a port on loopback, another user's too. So each connection is
looked up: it is served only when it comes from the worker. That asks nothing of the client: AWS's own works
unmodified.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
from typing import BinaryIO

import psutil

from .http1 import BadRequest, Request, read_request, write_response

#: Connections that a worker may have open at once. AWS's clients use one; each costs this process a file descriptor.
MAX_CONNECTIONS = 16


class Disconnected(Exception):
    """The worker has closed its connection."""


class RuntimeApiServer:
    """Receives one request at a time and answers it. Used by one thread."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._streams: dict[socket.socket, BinaryIO] = {}
        self._current: socket.socket | None = None
        self._worker_pid: int | None = None
        self.refused_body = False  # the worker has sent more than any answer may have
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RuntimeApiServer:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in list(self._streams):
            self._forget(connection)
        self._selector.close()
        self._listener.close()

    def only_for(self, pid: int) -> None:
        self._worker_pid = pid

    def receive(self, deadline: float) -> Request | None:
        """The next request; None when there is none by `deadline` (in time.monotonic's seconds).

        Raises Disconnected when the worker's last connection closes.
        """
        while True:
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            for key, _ in ready:
                if key.fileobj is self._listener:
                    self._accept()
                    continue
                request = self._read(key.fileobj)  # type: ignore[arg-type]
                if request is not None:
                    return request

    def reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> bool:
        """Answer the request received last; False when the worker is no longer there to hear it."""
        if self._current is None:
            return False
        try:
            write_response(self._current, status, headers or {"Content-Type": "application/json"}, body)
        except OSError:
            self._forget(self._current)
            return False
        return True

    def _accept(self) -> None:
        try:
            connection, peer = self._listener.accept()
        except OSError:
            return
        if len(self._streams) >= MAX_CONNECTIONS or not self._is_worker(peer[1]):
            connection.close()
            return
        connection.setblocking(True)
        connection.settimeout(30.0)  # a worker that stops in the middle of a request holds nobody up for ever
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._streams[connection] = connection.makefile("rb")
        self._selector.register(connection, selectors.EVENT_READ)

    def _is_worker(self, port: int) -> bool:
        """Is the loopback port on the other end one of the worker's own?"""
        if self._worker_pid is None:
            return False
        try:
            connections = psutil.Process(self._worker_pid).net_connections("tcp4")
        except psutil.Error:
            return False
        here = self._listener.getsockname()
        # The port alone is not enough: one port can be in use towards several destinations, by several users.
        return any(
            connection.raddr and (connection.laddr.port, *connection.raddr) == (port, *here)
            for connection in connections
        )

    def _read(self, connection: socket.socket) -> Request | None:
        self._current = connection
        try:
            request = read_request(self._streams[connection], connection)
        except BadRequest as error:
            self.refused_body = self.refused_body or error.status == 413
            with contextlib.suppress(OSError):
                write_response(connection, error.status, {})
            request = None
        except OSError:
            request = None
        if request is None:
            self._forget(connection)
            if not self._streams:
                raise Disconnected
        return request

    def _forget(self, connection: socket.socket) -> None:
        if connection in self._streams:
            self._selector.unregister(connection)
            self._streams.pop(connection).close()
            connection.close()
        if self._current is connection:
            self._current = None
