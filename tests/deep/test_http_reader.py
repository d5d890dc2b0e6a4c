"""Our reader of HTTP beside h11, the reader that others trust: what both take means the same, and ours takes no more.

Ours takes a sixth of its time, and an order crosses HTTP four times (docs/SPEED.md); so it is kept, and watched here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import h11
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.local_aws.http import http1
from tests.support.campaign import examples

#: Why ours refuses what h11 takes.
STRICTER = {
    "malformed end of line": "h11 takes a bare LF for the end of a line; two readers that differ there can be deceived",
    "malformed header": "h11 takes a line that begins with a blank for the end of the one before; RFC 9112, 5.2, lets "
    "a server refuse that",
    "malformed request line": "h11 takes a target that is no path: of a proxy, or of OPTIONS *",
    "malformed content length": "h11 takes '5, 5' for 5",
    "unsupported transfer encoding": "h11 takes a length beside chunks and forgets it; RFC 9112, 6.1, lets a server "
    "refuse that",
    "repeated content-length": "h11 takes the same one twice",
    "too many headers": "h11 has no limit of their number",
    "headers too large": "h11's limit is of what it has not read yet",
    "body too large": "h11 has no limit",
    "malformed trailer": "h11 takes a length, coding or host behind the body; RFC 9110, 6.5.1, forbids to send it",
    "malformed chunk": "h11 takes control characters in what nobody reads of a chunk's first line",
}


class Outcome:
    """The requests that a reader has found in some bytes, and why it stopped: "" when it waits for more."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.refusal = ""


def ours(pieces: list[bytes]) -> Outcome:
    reader, outcome = http1.RequestReader(), Outcome()
    try:
        for piece in pieces:
            reader.feed(piece)
            while (found := reader.next()) is not None:
                outcome.requests.append((found.method, found.target, found.headers, found.body))
    except http1.BadRequest as refusal:
        outcome.refusal = str(refusal)
    return outcome


def theirs(pieces: list[bytes]) -> Outcome:
    connection, outcome = h11.Connection(h11.SERVER, max_incomplete_event_size=http1.MAX_HEAD), Outcome()
    head: h11.Request | None = None
    body = b""
    try:
        for piece in pieces:
            connection.receive_data(piece)
            while True:
                event = connection.next_event()
                if isinstance(event, h11.Request):
                    head, body = event, b""
                elif isinstance(event, h11.Data):
                    body += event.data
                elif isinstance(event, h11.EndOfMessage):
                    assert head is not None
                    method, target = head.method.decode(), head.target.decode()
                    outcome.requests.append((method, target, joined(head), body))
                    answer(connection)
                    if connection.our_state is h11.MUST_CLOSE:  # ours leaves it to the endpoint
                        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=http1.MAX_HEAD)
                        raise Ended
                    connection.start_next_cycle()
                else:
                    break
    except Ended:
        outcome.refusal = "ended"
    except h11.RemoteProtocolError as refusal:
        outcome.refusal = str(refusal)
    return outcome


class Ended(Exception):
    """The connection ends after this request."""


def answer(connection: h11.Connection) -> None:
    connection.send(h11.Response(status_code=204, headers=[]))
    connection.send(h11.EndOfMessage())


def joined(head: h11.Request) -> dict[str, str]:
    """The headers, each once (RFC 9110, 5.3)."""
    found: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode(), value.decode("latin-1")
        found[key] = f"{found[key]},{text}" if key in found else text
    return found


NAMES = st.sampled_from(
    [
        b"X-Amz-Date",
        b"x-amz-date",
        b"A",
        b"Content-Length",
        b"Transfer-Encoding",
        b"Host",
        b"Expect",
        b"X Y",
        b"X:",
        b"",
    ]
    + [b"x_y", b"X-\xe9", b"(a)", b'"', b"\x00", b" X", b"X\t"]
)
VALUES = st.sampled_from(
    [
        b"",
        b"a",
        b" a  b ",
        b"\t",
        b"a\x00b",
        b"a\x01b",
        b"a\x0bb",
        b"\xa0a",
        b"\x85",
        b"\xe9",
        b"5",
        b"+5",
        b"5_0",
        b" 5 ",
    ]
    + [b"chunked", b"Chunked", b"gzip, chunked", b"identity", b"5, 5", b"x\r\n y", b"x\ny", b"x\ry", b"\x7f", b"close"]
) | st.binary(max_size=6)
LINES = st.sampled_from(
    [b"GET / HTTP/1.1", b"POST /p?q=%20 HTTP/1.1", b"GET /\xe9 HTTP/1.1", b"GET /a b HTTP/1.1", b"GET * HTTP/1.1"]
    + [
        b"get / HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"GET / HTTP/1.10",
        b"GET / http/1.1",
        b"GET / HTTP/1.0",
        b"GET / HTTP/2.0",
    ]
    + [
        b"GET http://x/ HTTP/1.1",
        b"GET  / HTTP/1.1",
        b" GET / HTTP/1.1",
        b"GET / HTTP/1.1 ",
        b"GET /\x7f HTTP/1.1",
        b"",
    ]
    + [b"GET /\x01 HTTP/1.1", b"GET / HTTP/1.x"]
)
SIZES = st.sampled_from(
    [b"%x", b"%X", b"0%x", b" %x", b"%x ", b"%x;a=b", b"%x;\x00", b"%x\t;a", b"-%x", b"0x%x", b"+%x"]
)
ENDS = st.sampled_from([b"\r\n"] * 12 + [b"\n", b"\r", b"\r\r\n", b"\n\r\n"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers that say how long a body is, and the body."""
    body = draw(st.binary(max_size=30))
    way = draw(st.sampled_from(["none", "length", "length", "wrong", "chunks", "chunks", "both"]))
    if way == "none":
        return [], b""
    if way in ("length", "wrong"):
        return [(b"Content-Length", b"%d" % (len(body) + (way == "wrong")))], body
    size = draw(SIZES)
    chunk = size % len(body) + draw(ENDS) + body + draw(ENDS) if body else b""
    trailers = b"".join(
        name + b": " + value + b"\r\n" for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=1))
    )
    headers = [(b"Transfer-Encoding", b"chunked"), *([(b"Content-Length", b"3")] if way == "both" else [])]
    return headers, chunk + draw(st.sampled_from([b"0", b"000", b"0;x"])) + b"\r\n" + trailers + b"\r\n"


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A request, good or odd. Its Host is there, since h11 demands one, which ours leaves to the endpoint."""
    headers, body = draw(bodies())
    odd = draw(st.lists(st.tuples(NAMES, VALUES), max_size=2))
    lines = draw(st.just(b"POST / HTTP/1.1") | LINES)
    for name, value in [(b"Host", b"127.0.0.1:1"), *odd, *headers]:
        lines += draw(ENDS) + name + b":" + draw(st.sampled_from([b" ", b"", b"\t"])) + value
    return lines + draw(ENDS) + b"\r\n" + body


PIPELINES = st.lists(requests(), min_size=1, max_size=3).map(b"".join)
CUTS = st.lists(st.integers(0, 10**6), max_size=8)


def cut(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    for begin, end in pairwise([0, *sorted(each % (len(data) + 1) for each in cuts), len(data)]):
        if begin < end:  # nothing at all would mean to h11 that the client has gone
            yield data[begin:end]


HOST = b" HTTP/1.1\r\nHost: a\r\n"


@examples(3000)
@given(PIPELINES | st.binary(max_size=200), CUTS)
@example(b"POST /" + HOST + b"Content-Length: 3\r\n\r\nabcGET /next" + HOST + b"\r\n", [5, 40])
@example(b"POST /" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\nT: x\r\n\r\n", [60])
@example(b"POST /" + HOST + b"X(: a\r\n\r\n", [])
@example(b"POST /" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: x\r\n\r\n", [])
@example(b"GET /\xe9" + HOST + b"\r\n", [])
@example(b"POST /" + HOST + b"Transfer-Encoding: chunked\r\n\r\n 3\r\nabc\r\n0\r\n\r\n", [])
def test_what_both_take_means_the_same_and_ours_takes_no_more(data, cuts):
    pieces = list(cut(data, cuts))
    mine, other = ours(pieces), theirs(pieces)
    common = min(len(mine.requests), len(other.requests))
    assert mine.requests[:common] == other.requests[:common]
    if other.refusal == "ended":  # of HTTP/1.0, or of "Connection: close": the endpoint ends it, not the reader
        return
    assert len(mine.requests) <= len(other.requests), f"h11 refuses: {other.refusal}"
    if len(mine.requests) < len(other.requests) or (mine.refusal and not other.refusal):
        assert mine.refusal in STRICTER


HEADERS = st.dictionaries(
    st.sampled_from(["Content-Type", "x-amz-crc32", "Date", "X-A", "content-length"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12).map(str.strip)
    | st.sampled_from(["a\r\nSet-Cookie: b", "a\nb", "a\x00b"]),
    max_size=4,
)


@examples(500)
@given(st.sampled_from([200, 201, 202, 204, 400, 403, 404, 500, 507, 599]), HEADERS, st.binary(max_size=60))
def test_what_we_answer_is_what_h11_reads(status, headers, body):
    if status == 204:
        body = b""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    client.send(h11.EndOfMessage())
    client.receive_data(http1.response(status, headers, body))
    head = client.next_event()
    assert isinstance(head, h11.Response) and head.status_code == status
    read, event = b"", client.next_event()
    while isinstance(event, h11.Data):
        read, event = read + bytes(event.data), client.next_event()
    assert isinstance(event, h11.EndOfMessage) and read == body
    assert len(head.headers) == len(headers | {"Content-Length": ""}) - ("content-length" in headers)
