"""Read and write the little of HTTP/1.1 that AWS's clients speak: requests with a body, answers with a length.

Bytes in, requests out; answers in, bytes out. Whoever has the sockets sends and receives: the account's endpoint
(`endpoint`) and each function's Runtime API (`runtime_api`). The standard library's `http.server` answers correctly
too, but parses headers with the e-mail package, and each read from its streams releases the GIL; an order
crosses HTTP four times. Grammar and limits follow RFC 9112.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from http import HTTPStatus

#: Largest request line and headers together, in bytes.
MAX_HEAD = 64 * 1024
MAX_HEADERS = 200
#: Digits of a length; one with more is beyond every limit.
MAX_DIGITS = 18
#: Largest request body, in bytes. AWS's largest here is a zip of 50 MB in base64 (CreateFunction).
MAX_BODY = 96 * 1024 * 1024
#: What answers a client that asks whether it may send its body.
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_CHUNK = re.compile(rf"([0-9a-fA-F]{{1,{MAX_DIGITS}}})(?:;[\t\x20-\x7e\x80-\xff]*)?[ \t]*")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIRST_LINE = re.compile(rf"({_TOKEN}) (/[\x21-\x7e]*) HTTP/1\.[0-9]")
_is_name = re.compile(_TOKEN).fullmatch
#: What ends a line elsewhere: two readers that differ there can be deceived.
_BARE_END = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)")
#: Control characters, which no header has but for a tab.
_CONTROLS = bytes({*range(32), 127} - set(b"\t\r\n"))
_LINE_END = re.compile(r"[\r\n\0]+")
_REASONS = {status.value: status.phrase for status in HTTPStatus}
#: Headers of which there may be one alone: a second one would be an attack.
_SINGLE = frozenset({"content-length", "host", "transfer-encoding"})


class BadRequest(Exception):
    """The peer did not send a request that HTTP/1.1 allows, or one larger than the limits above."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Request:
    """One request. `target` is the path and query as sent; header names are lower case; `body` is whole.

    vouched: set by whoever has found that somebody who may use the account has sent it.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    path: str = field(init=False)
    query: str = field(init=False)
    vouched: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self.path, _, self.query = self.target.partition("?")


class RequestReader:
    """Puts the requests of one connection together from what arrives, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._length: int | None = None  # of the body; None: it comes in chunks
        self._chunks: list[bytes] = []
        self._chunked = 0  # bytes of the body in chunks that have been read so far
        self._dropping = False  # the body is not kept
        self._asked = False  # the client waits for CONTINUE
        self._looked = 0  # bytes at the beginning in which all lines end well

    @property
    def empty(self) -> bool:
        """Whether nothing has arrived of a next request."""
        return self._head is None and not self._buffer

    @property
    def size(self) -> int:
        """Bytes that are here of requests that are not whole yet."""
        return len(self._buffer) + (0 if self._dropping else self._chunked)

    @property
    def head(self) -> Request | None:
        """The request whose body is still on its way, without that body; None when there is none."""
        return Request(*self._head, b"") if self._head is not None else None

    def drop_body(self) -> None:
        """Keep nothing of the body that is on its way: its request will come with an empty one."""
        self._dropping, self._chunks = True, []

    def feed(self, data: bytes) -> None:
        self._buffer += data

    def wants_continue(self) -> bool:
        """Return whether the client waits to be told to send its body; True once for each request."""
        asked, self._asked = self._asked, False
        return asked

    def next(self) -> Request | None:
        """Return the next request; None until all of it is here. Raises BadRequest: then nothing can be read."""
        if self._head is None:
            self._head = self._take_head()
            if self._head is None:
                return None
        body = self._take_chunked() if self._length is None else self._take(self._length)
        if body is None:
            return None
        request, self._head, self._asked, self._dropping = Request(*self._head, body), None, False, False
        return request

    def _take_head(self) -> tuple[str, str, dict[str, str]] | None:
        end = self._buffer.find(b"\r\n\r\n", 0, MAX_HEAD + 4)
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise BadRequest(431, "headers too large")
            self._refuse_bare_ends(0)
            return None
        first, headers = _parsed(self._buffer[:end])
        self._drop(end + 4)
        parts = _FIRST_LINE.fullmatch(first)
        if parts is None:
            raise BadRequest(400, "malformed request line")
        self._length = _body_length(headers)
        self._asked = headers.get("expect", "").lower() == "100-continue"
        return parts[1], parts[2], headers

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._looked = 0

    def _refuse_bare_ends(self, begin: int) -> None:
        """Refuse lines that end otherwise than in CR LF, before their end is waited for in vain."""
        if _BARE_END.search(self._buffer, max(begin, self._looked)):
            raise BadRequest(400, "malformed end of line")
        self._looked = len(self._buffer) - 1  # the last may be half of an end

    def _take(self, size: int) -> bytes | None:
        if self._dropping:
            self._length = size - min(size, len(self._buffer))
            self._drop(size - self._length)
            return None if self._length else b""
        if len(self._buffer) < size:
            return None
        taken = bytes(self._buffer[:size])
        self._drop(size)
        return taken

    def _take_chunked(self) -> bytes | None:
        while (end := self._buffer.find(b"\r\n", 0, MAX_HEAD)) >= 0:
            line = _CHUNK.fullmatch(self._buffer[:end].decode("latin-1"))
            if line is None:
                raise BadRequest(400, "malformed chunk")
            size = int(line[1], 16)
            if size == 0:
                return self._take_trailers(end)
            if self._chunked + size > MAX_BODY:
                raise BadRequest(413, "body too large")
            begin, after = end + 2, end + 2 + size
            if len(self._buffer) < after + 2:
                if self._dropping:
                    self._drop_part(begin, size)
                return None
            if self._buffer[after : after + 2] != b"\r\n":
                raise BadRequest(400, "malformed chunk")
            if not self._dropping:
                self._chunks.append(bytes(self._buffer[begin:after]))
            self._chunked += size
            self._drop(after + 2)
        if len(self._buffer) >= MAX_HEAD:
            raise BadRequest(400, "malformed chunk")
        return None

    def _drop_part(self, begin: int, size: int) -> None:
        """Drop what is here of a chunk but for its last byte, and go on as if the rest were a chunk of its own."""
        here = max(0, min(size - 1, len(self._buffer) - begin))
        if here:
            self._buffer[: begin + here] = b"%x\r\n" % (size - here)
            self._chunked += here

    def _take_trailers(self, begin: int) -> bytes | None:
        """Return the whole body, when the headers that may follow it, and are of no use here, have arrived."""
        end = self._buffer.find(b"\r\n\r\n", begin, begin + MAX_HEAD + 4)
        if end < 0:
            if len(self._buffer) > begin + MAX_HEAD:
                raise BadRequest(431, "headers too large")
            self._refuse_bare_ends(begin)
            return None
        if _SINGLE & _parsed(self._buffer[begin:end])[1].keys():
            raise BadRequest(400, "malformed trailer")
        self._drop(end + 4)
        body, self._chunks, self._chunked = b"".join(self._chunks), [], 0
        return body


def _parsed(raw: bytearray) -> tuple[str, dict[str, str]]:
    """Return the first line, and the headers that follow it. Raises BadRequest."""
    head = raw.decode("latin-1")
    first, *lines = head.split("\r\n")
    if head.count("\n") != len(lines) or head.count("\r") != len(lines):
        raise BadRequest(400, "malformed end of line")
    if len(lines) > MAX_HEADERS:
        raise BadRequest(431, "too many headers")
    if len(raw.translate(None, _CONTROLS)) < len(raw):
        raise BadRequest(400, "malformed header")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _is_name(name):
            raise BadRequest(400, "malformed header")
        name, value = name.lower(), value.strip(" \t")
        if name in headers:  # one list (RFC 9110, 5.3)
            if name in _SINGLE:
                raise BadRequest(400, f"repeated {name}")
            value = f"{headers[name]},{value}"
        headers[name] = value
    return first, headers


def _body_length(headers: dict[str, str]) -> int | None:
    """Bytes of the body that follows; None when it comes in chunks."""
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise BadRequest(400, "unsupported transfer encoding")
        return None
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise BadRequest(400, "malformed content length")
    if len(length) > MAX_DIGITS or int(length) > MAX_BODY:  # Python refuses to read numbers of thousands of digits
        raise BadRequest(413, "body too large")
    return int(length)


def response(status: int, headers: dict[str, str], body: bytes = b"", head_only: bool = False) -> bytes:
    """Return one answer as it is sent; `Content-Length` is set here.

    `head_only` answers HEAD: the headers alone, with the length that the caller gave or that the body has.
    """
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    given = False
    for name, value in headers.items():
        if name.lower() == "content-length":
            given = head_only
            if not given:
                continue
        lines.append(f"{name}: {_LINE_END.sub(' ', value)}")  # with an end of line it would be a second header
    if not given:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return head if head_only else head + body
