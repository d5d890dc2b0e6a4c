"""The little of HTTP/1.1 that AWS's clients speak: requests with a body, answers with a length, keep-alive.

Two servers share it: the account's endpoint (`server`) and each function's Runtime API
(`execution_environment`). The standard library's `http.server` answers correctly too, but parses headers with
the e-mail package and writes line by line: a warm put_item takes a fifth longer through it (2.25 ms against
1.85 ms). Every order crosses HTTP four times, so that fifth counts. Grammar and limits follow RFC 9112.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO

MAX_LINE = 64 * 1024
MAX_HEADERS = 200
#: Digits of a length; one with more is beyond every limit.
MAX_DIGITS = 18
#: Largest request body, in bytes. AWS's largest here is a zip of 50 MB in base64 (CreateFunction).
MAX_BODY = 96 * 1024 * 1024

_HEX = re.compile(rf"[0-9a-fA-F]{{1,{MAX_DIGITS}}}")
_LINE_END = re.compile(r"[\r\n\0]+")
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    """The peer did not send a request that HTTP/1.1 allows, or one larger than the limits above."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass
class Request:
    """One request. `target` is the path and query as sent; header names are lower case; `body` is whole."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


def read_request(stream: BinaryIO, connection: socket.socket) -> Request | None:
    """Read the next request from a buffered `stream`; None when the peer has closed the connection."""
    line = _read_line(stream)
    if line is None:
        return None
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1.") or not parts[1].startswith("/"):
        raise BadRequest(400, "malformed request line")
    headers = _read_headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    return Request(parts[0], parts[1], headers, _read_body(stream, headers))


def write_response(
    connection: socket.socket,
    status: int,
    headers: dict[str, str],
    body: bytes = b"",
    head_only: bool = False,
) -> None:
    """Send one answer in a single packet where it fits; `Content-Length` is set here.

    `head_only` answers HEAD: the headers alone, with the length that the caller gave or that the body has.
    """
    names = {name.lower() for name in headers}
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Unknown')}"]
    lines += [
        f"{name}: {_LINE_END.sub(' ', value)}"  # a value with an end of line would be a second header
        for name, value in headers.items()
        if head_only or name.lower() != "content-length"
    ]
    if not head_only or "content-length" not in names:
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    connection.sendall(head if head_only else head + body)


def _read_line(stream: BinaryIO) -> str | None:
    raw = stream.readline(MAX_LINE + 1)
    if not raw:
        return None
    if len(raw) > MAX_LINE:
        raise BadRequest(431, "line too long")
    if not raw.endswith(b"\n"):
        raise BadRequest(400, "truncated line")
    return raw.rstrip(b"\r\n").decode("latin-1")


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    for _ in range(MAX_HEADERS):
        line = _read_line(stream)
        if line is None:
            raise BadRequest(400, "truncated headers")
        if not line:
            return headers
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise BadRequest(400, "malformed header")
        name, value = name.lower(), value.strip()
        # A repeated header is one list (RFC 9110, 5.3); a repeated length or host would be an attack.
        if name in headers:
            if name in ("content-length", "host", "transfer-encoding"):
                raise BadRequest(400, f"repeated {name}")
            value = f"{headers[name]},{value}"
        headers[name] = value
    raise BadRequest(431, "too many headers")


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
            raise BadRequest(400, "unsupported transfer encoding")
        return _read_chunks(stream)
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit():
        raise BadRequest(400, "malformed content length")
    if len(length) > MAX_DIGITS:  # Python refuses to read numbers of thousands of digits
        raise BadRequest(413, "body too large")
    size = int(length)
    if size > MAX_BODY:
        raise BadRequest(413, "body too large")
    return _read_exactly(stream, size)


def _read_chunks(stream: BinaryIO) -> bytes:
    chunks, total = [], 0
    while True:
        line = _read_line(stream)
        digits = (line or "").partition(";")[0].strip()
        if not _HEX.fullmatch(digits):
            raise BadRequest(400, "malformed chunk")
        size = int(digits, 16)
        total += size
        if total > MAX_BODY:
            raise BadRequest(413, "body too large")
        if size == 0:
            _read_headers(stream)  # trailers
            return b"".join(chunks)
        chunks.append(_read_exactly(stream, size))
        if _read_line(stream) != "":
            raise BadRequest(400, "malformed chunk")


def _read_exactly(stream: BinaryIO, size: int) -> bytes:
    body = stream.read(size) if size else b""
    if len(body) != size:
        raise BadRequest(400, "truncated body")
    return body
