"""Listen for requests: on loopback alone, with a thread for each connection, and nothing for a web page."""

from __future__ import annotations

import contextlib
import errno
import logging
import math
import os
import socket
import socketserver
from collections.abc import Callable
from typing import TypeVar

from helpers import settings

from ..engine import clock
from .admission import Admission
from .http1 import CONTINUE, BadRequest, Request, RequestReader, response

logger = logging.getLogger("local_aws.endpoint")

#: Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
T = TypeVar("T")

#: Seconds within which a request that has begun must be here, and its answer must have been read.
STALL_TIMEOUT = settings.number("LOCAL_AWS_STALL_SECONDS", 60)
#: Seconds that a stranger's connection has for a request that opens the account.
STRANGER_TIMEOUT = min(10.0, STALL_TIMEOUT)
#: Seconds after which an open connection that is never used again is closed.
IDLE_TIMEOUT = 3600.0
#: Connections at once, each with its thread. Thirty learners with all that they run need a few hundred.
MAX_CONNECTIONS = settings.whole_number("LOCAL_AWS_MAX_CONNECTIONS", 1000)
#: Bytes of unfinished requests that are kept, of all connections of known clients together. A request of up to LARGE
#: bytes is never refused for that.
MAX_UNFINISHED, LARGE = 512 * 1024 * 1024, 1024 * 1024
#: The same of strangers, whose bodies are not kept: these are heads.
MAX_STRANGE, LARGE_STRANGE = 8 * 1024 * 1024, 16 * 1024
#: Seconds between two looks for connections whose time is over.
SWEEP_INTERVAL = 1.0
#: Bytes taken from a connection at once.
CHUNK = 64 * 1024
#: What the system answers when it has no more files or memory for another connection, and seconds until the next try.
_EXHAUSTED, _RESPITE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}, 0.05


class Endpoint(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on loopback; a thread for each connection, which clients keep open.

    Sockets block without a wait timeout: with one, Python asks the system twice for each read, and releases the GIL
    each time. `service_actions` ends the connections whose time is over instead.
    """

    daemon_threads = True
    request_queue_size = 1024  # of connections that nobody has accepted yet
    allow_reuse_address = os.name == "posix"  # on Windows this would let two servers share the port

    def __init__(
        self,
        port: int,
        answer: Callable[[Request], Answer],
        screen: Callable[[Request], Answer | None],
        listening: int | None = None,
    ) -> None:
        """Bind the port, or go on with the socket whose file descriptor is `listening`. Raises OSError.

        answer: answers a request, and sets `vouched` of one that who may use the account has sent; screen: returns the
        refusal of a request that is refused whatever its body is, of which only the head is here.
        """
        self.answer, self.screen = answer, screen
        self.last_request = clock.monotonic()
        most = _at_most(MAX_CONNECTIONS)
        self.connections: Admission[Connection] = Admission(most, max(1, most // 2))
        self._next_sweep = 0.0
        super().__init__(("127.0.0.1", port), Connection, bind_and_activate=listening is None)
        if listening is not None:
            self.socket.close()
            self.socket = socket.socket(fileno=listening)
            self.server_address = self.socket.getsockname()
        self.port: int = self.server_address[1]
        self.own_hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}

    def unused_seconds(self) -> float:
        """Return for how long nobody has asked for anything. A machine that sleeps does not count it."""
        return clock.monotonic() - self.last_request

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection. When there are no files for it, one that can be done without is closed first."""
        try:
            accepted: tuple[socket.socket, tuple[str, int]] = super().get_request()
        except OSError as error:
            if error.errno in _EXHAUSTED:
                end(self.connections.least_wanted())
                clock.sleep(_RESPITE)  # until its thread has closed it; the queue of the system's waits
            raise
        return accepted

    def rest(self, timeout: float) -> None:
        """Accept no more connections, and wait until what has been asked is answered, at most so many seconds."""
        self.shutdown()
        end = clock.monotonic() + timeout
        while self.connections.busy() and clock.monotonic() < end:
            clock.sleep(0.01)

    def service_actions(self) -> None:
        """End the connections whose time is over; `serve_forever` calls this all the time."""
        now = clock.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_INTERVAL
        for connection in self.connections.late(now):
            connection.hang_up()

    def handle_error(self, request: object, client_address: object) -> None:
        logger.debug("connection ended", exc_info=True)


class Connection(socketserver.BaseRequestHandler):
    """Reads requests from one connection and answers each in turn.

    deadline: when whatever is waited for must have come, in clock.monotonic()'s seconds; idle: whether that is the
    beginning of a request; answering: whether nothing is waited for; reader: has what has arrived of a request.
    vouched: whether a request of this connection was signed validly; known: or names who may use the account.
    """

    server: Endpoint
    request: socket.socket
    idle: bool
    deadline: float

    def setup(self) -> None:
        self.reader = RequestReader()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.vouched = self.known = self.answering = False
        self._refusal: Answer | None = None
        self._screened = False  # whether the request that is on its way was looked at
        self._strange_until = clock.monotonic() + STRANGER_TIMEOUT
        self._await_request()
        end(self.server.connections.add(self))

    def finish(self) -> None:
        self.server.connections.remove(self)

    @property
    def size(self) -> int:
        """Bytes that it keeps of a request that is not whole yet."""
        return self.reader.size

    def hang_up(self) -> None:
        """End the connection from another thread; its own thread notices."""
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)
        if os.name == "nt":  # there a read that has begun goes on until the socket is closed
            self.request.close()

    def handle(self) -> None:
        try:
            while (request := self.receive()) is not None:
                self.server.last_request = clock.monotonic()
                foreign = self._foreign(request)
                status, headers, body = foreign or self._refusal or self._answer(request)
                self.vouched = self.vouched or request.vouched
                self._know(self.vouched)
                self.answering = False
                self.send(response(status, headers, body, head_only=request.method == "HEAD"))
                if foreign or request.headers.get("connection", "").lower() == "close":
                    return
        except BadRequest as error:
            with contextlib.suppress(OSError):
                self.send(response(error.status, {"Connection": "close"}, str(error).encode()))
        except OSError:
            return  # the client has gone

    def receive(self) -> Request | None:
        """Return the next request; None when the client has closed the connection. Raises BadRequest."""
        reader, self._refusal, self._screened = self.reader, None, False
        self._await_request()
        while (request := reader.next()) is None:
            if self._screen():
                continue
            if reader.wants_continue():
                self.request.sendall(CONTINUE)
            if self.idle and not reader.empty:
                self.idle = False
                self._expect_within(STALL_TIMEOUT)
            self._refuse_too_much()
            data = self.request.recv(CHUNK)
            if not data:
                if reader.empty:
                    return None
                raise BadRequest(400, "truncated request")
            reader.feed(data)
        self.idle, self.answering, self.deadline = False, True, math.inf  # an answer takes as long as it takes
        return request

    def send(self, data: bytes) -> None:
        self.deadline = clock.monotonic() + STALL_TIMEOUT
        self.request.sendall(data)

    def _screen(self) -> bool:
        """Look at a stranger's request of which the head alone is here. True: its body is not to be kept."""
        if self.known or self._screened or (head := self.reader.head) is None:
            return False
        self._screened = True
        self._refusal = self._foreign(head) or self._asked(self.server.screen, head)
        if self._refusal is None:
            self._know(True)
            self._expect_within(STALL_TIMEOUT)
            return False
        self.reader.drop_body()
        return True

    def _know(self, known: bool) -> None:
        if known != self.known:
            self.known = known
            end(self.server.connections.know(self, known))

    def _refuse_too_much(self) -> None:
        """Keep no more of requests that are not whole than all connections of this kind together may. Raises
        BadRequest."""
        most, free = (MAX_UNFINISHED, LARGE) if self.known else (MAX_STRANGE, LARGE_STRANGE)
        if self.size > free and self.server.connections.unfinished(self.known) > most:
            self.reader = RequestReader()  # let go first: what is refused must count against nobody else
            raise BadRequest(503, "too many large requests at once")

    def _expect_within(self, seconds: float) -> None:
        """Set the deadline; a stranger has a time for all that it does."""
        self.deadline = clock.monotonic() + seconds if self.known else self._strange_until

    def _answer(self, request: Request) -> Answer:
        return self._asked(self.server.answer, request)

    def _asked(self, ask: Callable[[Request], T], request: Request) -> T:
        """Ask the server; when that fails, the connection ends without an answer, and an SDK tries again."""
        try:
            return ask(request)
        except Exception as error:
            logger.exception("a request could not be answered")
            raise ConnectionAbortedError from error

    def _await_request(self) -> None:
        self.idle = True
        self._expect_within(IDLE_TIMEOUT)

    def _foreign(self, request: Request) -> Answer | None:
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


def end(connection: Connection | None) -> None:
    """End a connection that is to make room; None: none is."""
    if connection is not None:
        connection.hang_up()


def _at_most(connections: int) -> int:
    """Return how many connections there may be: they get half of the files that the system lets this process open."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            return max(1, min(connections, files // 3))  # a third is strangers'
    return connections
