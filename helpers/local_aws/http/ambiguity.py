"""Refuse requests that name two operations: what IAM is asked about must be what then happens.

moto looks for the operation's name and for parameters in the query string, the body and the headers; so somebody who
may read could say "read" in one place and "delete" in another.
"""

from __future__ import annotations

from ..account.service_table import named
from .call import FORM, form
from .http1 import Request

_MULTIPART = "multipart/"


def problem(request: Request, service_name: str) -> str | None:
    """Return why one cannot tell for certain what a request asks for; None for every request that an SDK makes."""
    headers, service = request.headers, named(service_name)
    unclear = next((name for name in headers if "_" in name or name == "action"), None)
    if unclear is not None:  # WSGI, which moto's requests come from, takes x_amz_target for x-amz-target
        return f"The header {unclear!r} is not allowed."
    content_type = headers.get("content-type", "").lower()
    if content_type.startswith(_MULTIPART) and not service.any_body:  # a browser's upload to S3 has many parts
        return "A body of many parts is not allowed."
    if "x-amz-target" in headers:
        if request.query or content_type.startswith(FORM) or service.is_rest or "/operation/" in request.path:
            return "X-Amz-Target stands beside another operation or other parameters."
        return None
    fields = form(request)
    names = [name for name, _ in fields]
    if "Action" not in names:
        return None
    if service.is_rest or "/operation/" in request.path:
        return "An Action stands beside another operation."
    if not service.takes_action:
        return "This service does not take an Action."
    # With both, moto takes the body's alone; an Action in either must then be the only place for parameters.
    if len(names) > len(set(names)) or (request.query and content_type.startswith(FORM) and request.body):
        return "A parameter stands in the request twice."
    return None
