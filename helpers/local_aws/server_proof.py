"""Have a server prove that it is the account's, before it is sent anything that others must not have.

When a server has crashed, another user's program may listen at its port: what it answers proves nothing, a 200 neither.
So whoever opens a connection sends a nonce first, and the server answers with a keyed digest of it (HMAC,
https://www.rfc-editor.org/rfc/rfc2104) that only who has the account's secret can make. The address is part of it, so
that nobody can hand the question on to the account at another port. Who asks shows by such a digest that they have the
secret too: a server answers nobody else. What the question holds is of no use to others.

One who has answered keeps the connection: only this machine's administrators could take it over.

Standard library only.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

#: Where a server answers the question.
PATH = "/_local_aws/status"
#: Characters of a digest; bytes that an answer has at most.
_LENGTH, _MOST = 64, 4096
_QUESTION = re.compile(r"LOCAL-AWS (\S{1,128}) ([0-9a-f]{64}) ([0-9a-f]{64})")
_LISTENS = "0A"  # TCP_LISTEN in https://github.com/torvalds/linux/blob/master/include/net/tcp_states.h
#: Addresses at which something that is asked for at 127.0.0.1 may listen: that, any, any of IPv6.
_HERE = {bytes([127, 0, 0, 1]), bytes(4), bytes(16), bytes([*bytes(10), 0xFF, 0xFF, 127, 0, 0, 1])}


def prove(connection: socket.socket, port: int, key_id: str, secret: str, timeout: float) -> bool:
    """Return whether at the other end of a new connection is the server of the account with these credentials.

    port: where it was asked for. The connection can be used afterwards when it is. Raises TimeoutError without a whole
    answer after `timeout` seconds, and OSError.
    """
    nonce = secrets.token_hex(32)
    shown = _digest(secret, "client", port, key_id, nonce)
    before, deadline = connection.gettimeout(), time.monotonic() + timeout
    connection.settimeout(timeout)
    question = f"Host: 127.0.0.1:{port}\r\nAuthorization: LOCAL-AWS {key_id} {nonce} {shown}"
    connection.sendall(f"GET {PATH} HTTP/1.1\r\n{question}\r\n\r\n".encode())
    head, _, body = _read(connection, deadline).partition(b"\r\n\r\n")
    connection.settimeout(before)
    wanted = _digest(secret, "server", port, key_id, nonce).encode()
    return head.startswith(b"HTTP/1.1 200 ") and hmac.compare_digest(body, wanted)


def answer(authorization: str, port: int, secret_of: Callable[[str], str | None]) -> str | None:
    """Return the proof for a question in an Authorization header; None for one of nobody who has the secret."""
    asked = _QUESTION.fullmatch(authorization)
    secret = secret_of(asked[1]) if asked else None
    if asked is None or secret is None:
        return None
    key_id, nonce, shown = asked.groups()
    if not hmac.compare_digest(shown, _digest(secret, "client", port, key_id, nonce)):
        return None
    return _digest(secret, "server", port, key_id, nonce)


def is_another_users(port: int) -> bool:
    """Return whether another user listens at a port of 127.0.0.1, as far as can be seen: on Linux, and not by root.

    Root may speak to anybody's account, and anybody to root's.
    """
    if sys.platform != "linux" or os.geteuid() == 0:
        return False
    owners: set[int] = set()
    for name in ("tcp", "tcp6"):
        try:
            owners |= listeners(Path(f"/proc/net/{name}").read_text(encoding="ascii"), port)
        except (OSError, ValueError):
            continue
    return bool(owners) and not owners & {0, os.geteuid()}


def listeners(table: str, port: int) -> set[int]:
    """Return the users who listen at a port of 127.0.0.1, as a table of the kernel's says.

    Its form: https://www.kernel.org/doc/html/latest/networking/proc_net_tcp.html. An address is written as words of
    the machine's byte order.
    """
    owners = set()
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, number = fields[1].partition(":")
        if fields[3] != _LISTENS or int(number, 16) != port:
            continue
        words = [address[at : at + 8] for at in range(0, len(address), 8)]
        if b"".join(int(word, 16).to_bytes(4, sys.byteorder) for word in words) in _HERE:
            owners.add(int(fields[7]))
    return owners


def _digest(secret: str, who: str, port: int, key_id: str, nonce: str) -> str:
    said = f"{who} 127.0.0.1:{port} {key_id} {nonce}"
    return hmac.digest(f"local_aws{secret}".encode(), said.encode(), "sha256").hex()


def _read(connection: socket.socket, deadline: float) -> bytes:
    """Return an answer that may be a proof; of another, what has come of it so far. Raises TimeoutError and OSError."""
    received = b""
    while len(received) < _MOST:
        head, end, body = received.partition(b"\r\n\r\n")
        if end and (len(body) >= _LENGTH or f"\r\ncontent-length: {_LENGTH}".encode() not in head.lower()):
            break
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        data = connection.recv(_MOST - len(received))
        if not data and not received:
            raise ConnectionAbortedError("the server ended the connection before it answered")
        if not data:
            break
        received += data
    return received
