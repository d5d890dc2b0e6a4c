"""Serve what GetFunction's Location leads to: the very archive that was uploaded.

As on AWS, the link itself is the permission, and good for ten minutes:
https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs

from ..engine import clock
from ..http.http1 import Request
from .function_code import FunctionCode, kept_archive

#: Path of the links. No request of an AWS service begins like this.
PATH = "/_function-code/"
LIFETIME = 600  # seconds

_key = secrets.token_bytes(32)  # another one for each server: a link does not outlive it
_endpoint_url = ""


def set_endpoint(url: str) -> None:
    """Make links lead to the server at `url`."""
    global _endpoint_url  # noqa: PLW0603  set once, before the first request
    _endpoint_url = url


def location(code: FunctionCode) -> str:
    """Return a link to the code's archive."""
    name, expires = code.path.name, str(int(clock.now()) + LIFETIME)
    return f"{_endpoint_url}{PATH}{name}?Expires={expires}&Signature={_signature(name, expires)}"


def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
    """Answer a request for such a link: status, headers, body."""
    name, query = request.path.removeprefix(PATH), parse_qs(request.query)
    expires, signature = query.get("Expires", [""])[0], query.get("Signature", [""])[0]
    good = hmac.compare_digest(signature.encode(), _signature(name, expires).encode())
    if request.method != "GET" or not good or int(expires) < clock.now():
        return 403, {"Content-Type": "text/plain"}, b"Request has expired, or its signature is wrong.\n"
    request.vouched = True  # the account has made the link, for somebody who may use it
    archive = kept_archive(name)
    if archive is None:
        return 404, {"Content-Type": "text/plain"}, b"This code is no longer kept.\n"
    return 200, {"Content-Type": "application/zip"}, archive


def _signature(name: str, expires: str) -> str:
    return hmac.new(_key, f"{name}\n{expires}".encode(), hashlib.sha256).hexdigest()
