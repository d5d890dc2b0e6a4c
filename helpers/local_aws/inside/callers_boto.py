"""Have this interpreter's botocore ask an account that is in the same interpreter: no socket is opened for it.

Botocore emits `before-send` when a request is complete and signed, and takes what a handler answers for the answer:
https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html. Its list of built-in handlers is what
each new session begins with; so every client of a session made from now on comes by here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

from helpers.errors import WorkbookError

from ..engine.loop import Loop
from ..execution import call_stack
from ..http.http1 import Request

#: Where the account says it is. A loopback address, so that botocore puts a bucket's name into the path; and nothing
#: listens at port 1, so that what does not go through botocore fails at once.
ENDPOINT_URL = "http://127.0.0.1:1"
#: Bytes that a caller who reads an answer piece by piece gets at a time.
_PIECE = 65536

Answer = Callable[[Request], tuple[int, dict[str, str], bytes]]


class _Body(io.BytesIO):
    """An answer's body as botocore reads it from urllib3."""

    def stream(self, amt: int = _PIECE, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amt):
            yield piece


class Door:
    """Where requests of this interpreter's clients come in, on the loop's thread."""

    def __init__(self, answer: Answer, loop: Loop) -> None:
        self._answer, self._loop = answer, loop

    def open(self) -> None:
        """Answer the requests for ENDPOINT_URL from now on. Of sessions made before, clients do not come here."""
        BUILTIN_HANDLERS.append(self._handler)

    def close(self) -> None:
        """Answer no more. Clients that are left get a WorkbookError."""
        BUILTIN_HANDLERS.remove(self._handler)
        self._answer = _closed

    @property
    def _handler(self) -> tuple[str, Callable[..., AWSResponse | None]]:
        return "before-send", self._answered

    def _answered(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        """Return the answer, or None for a request that goes elsewhere."""
        if request.url != ENDPOINT_URL and not request.url.startswith(f"{ENDPOINT_URL}/"):
            return None
        if not self._loop.is_here():
            raise WorkbookError("An account in this interpreter answers the thread that opened it, and no other.")
        received = _as_received(request)
        with call_stack.outside():  # a function may be who asks
            status, headers, body = self._answer(received)
        headers = {"Content-Length": str(len(body)), **headers}
        return AWSResponse(request.url, status, headers, _Body(b"" if request.method == "HEAD" else body))


def _closed(_: Request) -> tuple[int, dict[str, str], bytes]:
    raise WorkbookError("The account of this client was in this interpreter, and has been closed.")


def _as_received(request: AWSPreparedRequest) -> Request:
    """Return the request as an HTTP server would have read it."""
    parts = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    headers.setdefault("host", parts.netloc)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return Request(request.method, target, headers, _bytes(request.body))


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(body: Any) -> bytes:
    """Return a body that botocore was given in any of its forms."""
    if body is None:
        return b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body if isinstance(body, (bytes, bytearray)) else body.read())
