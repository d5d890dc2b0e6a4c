"""Where the embedded AWS listens: loopback alone, a thread for each connection, and nothing for a web page."""

from __future__ import annotations

import logging
import os
import socketserver
import time
from collections.abc import Callable

from .http1 import BadRequest, Request, read_request, write_response

logger = logging.getLogger("local_aws.server")

#: Seconds that a client may stop in the middle of a request, or of reading its answer.
STALL_TIMEOUT = float(os.environ.get("LOCAL_AWS_STALL_SECONDS", "60"))


class Endpoint(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on loopback; a thread for each connection, which clients keep open."""

    daemon_threads = True
    request_queue_size = 128
    allow_reuse_address = os.name == "posix"  # on Windows this would let two servers share the port

    def __init__(self, port: int, answer: Callable[[Request], tuple[int, dict[str, str], bytes]]) -> None:
        self.answer = answer
        self.last_request = time.monotonic()
        super().__init__(("127.0.0.1", port), Connection)
        self.port: int = self.server_address[1]
        self.own_hosts = {f"127.0.0.1:{self.port}", f"localhost:{self.port}"}

    def handle_error(self, request: object, client_address: object) -> None:
        logger.debug("connection ended", exc_info=True)


class Connection(socketserver.StreamRequestHandler):
    """Reads requests from one connection and answers each in turn."""

    disable_nagle_algorithm = True
    timeout = 3600  # seconds; an open connection that is never used again is closed
    server: Endpoint

    def handle(self) -> None:
        try:
            while (request := self._next_request()) is not None:
                self.server.last_request = time.monotonic()
                refusal = self._foreign(request)
                status, headers, body = refusal or self.server.answer(request)
                write_response(self.connection, status, headers, body, head_only=request.method == "HEAD")
                if refusal or request.headers.get("connection", "").lower() == "close":
                    return
        except BadRequest as error:
            write_response(self.connection, error.status, {"Connection": "close"}, str(error).encode())
        except OSError:
            return  # the client has gone

    def _next_request(self) -> Request | None:
        """Wait long for a request to begin, and not long for the rest of one that has begun."""
        self.connection.settimeout(self.timeout)
        if not self.rfile.peek(1):  # type: ignore[attr-defined]
            return None
        self.connection.settimeout(STALL_TIMEOUT)
        return read_request(self.rfile, self.connection)

    def _foreign(self, request: Request) -> tuple[int, dict[str, str], bytes] | None:
        """A browser names the page that asks (Origin) and the name that it asked for (Host): both must be ours."""
        if request.headers.get("host") not in self.server.own_hosts:
            return 403, {}, b"This server answers only to 127.0.0.1 and localhost.\n"
        origin = request.headers.get("origin")
        if origin is not None and origin.removeprefix("http://") not in self.server.own_hosts:
            return 403, {}, b"This server does not answer web pages.\n"
        # An image or a form has no Origin; browsers say of every request whose page it comes from all the same.
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return 403, {}, b"This server does not answer web pages.\n"
        return None
