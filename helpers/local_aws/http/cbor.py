"""Write errors for who speaks CBOR (Smithy's RPC v2): its clients can read no other, and fail without a word.

https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from .call import Answer
from .http1 import Request

_PROTOCOL = "rpc-v2-cbor"
_HEADERS = {"Content-Type": "application/cbor", "smithy-protocol": _PROTOCOL}


def of(texts: Mapping[str, str]) -> bytes:
    """Return a map of a few texts in CBOR (RFC 8949)."""
    parts = [bytes([0xA0 + len(texts)])]
    for text in (text for pair in texts.items() for text in pair):
        raw = text.encode()
        parts += [b"\x79", len(raw).to_bytes(2, "big"), raw]
    return b"".join(parts)


def understood(request: Request, answer: Answer) -> Answer:
    """Return an answer as it is, or an error in JSON as CBOR for who has asked in that."""
    status, headers, body = answer
    if status < 400 or request.headers.get("smithy-protocol") != _PROTOCOL or not body.startswith(b"{"):
        return answer
    said = json.loads(body)
    texts = {"__type": str(said.get("__type", "")), "message": str(said.get("message", ""))}
    return status, {**headers, **_HEADERS}, of(texts)
