"""Listen for requests: on loopback alone, with a thread for each connection, and nothing for a web page."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import socketserver
import threading
import time
from collections.abc import Callable

from .http1 import CONTINUE, BadRequest, Request, RequestReader, response

logger = logging.getLogger("local_aws.endpoint")

#: Seconds within which a request that has begun must be here, and its answer must have been read.
STALL_TIMEOUT = float(os.environ.get("LOCAL_AWS_STALL_SECONDS", "60"))
#: Seconds after which an open connection that is never used again is closed.
IDLE_TIMEOUT = 3600.0
#: Connections at once, each with its thread. Thirty learners with all that they run need a few hundred.
MAX_CONNECTIONS = int(os.environ.get("LOCAL_AWS_MAX_CONNECTIONS", "1000"))
#: Bytes of unfinished requests that are kept, of all connections together: anybody on this machine may send some. A
#: request of up to LARGE bytes is never refused for that.
MAX_UNFINISHED, LARGE = 512 * 1024 * 1024, 1024 * 1024
#: Seconds between two looks for connections whose time is over.
SWEEP_INTERVAL = 1.0
#: Bytes taken from a connection at once.
CHUNK = 64 * 1024


class Endpoint(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on loopback; a thread for each connection, which clients keep open.

    Sockets block without a wait timeout: with one, Python asks the system twice for each read, and releases the GIL
    each time. `service_actions` ends the connections whose time is over instead.
    """

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name == "posix"  # on Windows this would let two servers share the port

    def __init__(self, port: int, answer: Callable[[Request], tuple[int, dict[str, str], bytes]]) -> None:
        self.answer = answer
        self.last_request = time.monotonic()
        self._connections: set[Connection] = set()
        self._lock = threading.Lock()
        self._next_sweep = 0.0
        super().__init__(("127.0.0.1", port), Connection)
        self.port: int = self.server_address[1]
        self.own_hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}

    def admit(self, connection: Connection) -> None:
        """Count a new connection. When there are too many, the one that has been idle longest is closed for it."""
        with self._lock:
            self._connections.add(connection)
            if len(self._connections) <= MAX_CONNECTIONS:
                return
            longest = min(self._connections, key=lambda each: each.deadline if each.idle else math.inf)
            self._connections.discard(longest)
        longest.hang_up()

    def dismiss(self, connection: Connection) -> None:
        with self._lock:
            self._connections.discard(connection)

    def unfinished(self) -> int:
        """Return the bytes that are here of requests that are not whole yet."""
        with self._lock:
            return sum(each.reader.size for each in self._connections)

    def service_actions(self) -> None:
        """End the connections whose time is over; `serve_forever` calls this all the time."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_INTERVAL
        with self._lock:
            late = [each for each in self._connections if each.deadline < now]
        for connection in late:
            connection.hang_up()

    def handle_error(self, request: object, client_address: object) -> None:
        logger.debug("connection ended", exc_info=True)


class Connection(socketserver.BaseRequestHandler):
    """Reads requests from one connection and answers each in turn.

    deadline: when whatever is waited for must have come, in time.monotonic()'s seconds; idle: whether that is the
    beginning of a request; reader: has what has arrived of it.
    """

    server: Endpoint
    request: socket.socket
    idle: bool
    deadline: float

    def setup(self) -> None:
        self.reader = RequestReader()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._await_request()
        self.server.admit(self)

    def finish(self) -> None:
        self.server.dismiss(self)

    def hang_up(self) -> None:
        """End the connection from another thread; its own thread notices."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
        if os.name == "nt":  # there a read that has begun goes on until the socket is closed
            self.request.close()

    def handle(self) -> None:
        try:
            while (request := self.receive()) is not None:
                self.server.last_request = time.monotonic()
                refusal = self._foreign(request)
                status, headers, body = refusal or self._answer(request)
                self.send(response(status, headers, body, head_only=request.method == "HEAD"))
                if refusal or request.headers.get("connection", "").lower() == "close":
                    return
        except BadRequest as error:
            with contextlib.suppress(OSError):
                self.send(response(error.status, {"Connection": "close"}, str(error).encode()))
        except OSError:
            return  # the client has gone

    def receive(self) -> Request | None:
        """Return the next request; None when the client has closed the connection. Raises BadRequest."""
        reader = self.reader
        self._await_request()
        while (request := reader.next()) is None:
            if reader.wants_continue():
                self.request.sendall(CONTINUE)
            if self.idle and not reader.empty:
                self.idle, self.deadline = False, time.monotonic() + STALL_TIMEOUT
            data = self.request.recv(CHUNK)
            if not data:
                if reader.empty:
                    return None
                raise BadRequest(400, "truncated request")
            reader.feed(data)
            if reader.size > LARGE and self.server.unfinished() > MAX_UNFINISHED:
                self.reader = RequestReader()  # let go first: what is refused must count against nobody else
                raise BadRequest(503, "too many large requests at once")
        self.idle, self.deadline = False, math.inf  # an answer takes as long as it takes
        return request

    def send(self, data: bytes) -> None:
        self.deadline = time.monotonic() + STALL_TIMEOUT
        self.request.sendall(data)

    def _answer(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        try:
            return self.server.answer(request)
        except Exception as error:  # an SDK retries when the connection ends without an answer
            logger.exception("a request could not be answered")
            raise ConnectionAbortedError from error

    def _await_request(self) -> None:
        self.idle, self.deadline = True, time.monotonic() + IDLE_TIMEOUT

    def _foreign(self, request: Request) -> tuple[int, dict[str, str], bytes] | None:
        """Return the refusal of a request whose Origin (the page that asks) or Host (the name it asked) is not ours."""
        if request.headers.get("host") not in self.server.own_hosts:
            return 403, {}, b"This server answers only to 127.0.0.1 and localhost.\n"
        origin = request.headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.own_hosts:
            return 403, {}, b"This server does not answer web pages.\n"
        # An image or a form has no Origin; browsers say of every request whose page it comes from all the same.
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, {}, b"This server does not answer web pages.\n"
        return None
