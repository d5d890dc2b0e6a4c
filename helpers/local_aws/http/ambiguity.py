"""Refuse requests that name two operations: what IAM is asked about must be what then happens.

A request names its operation in one place, which its protocol decides: the header X-Amz-Target (AWS JSON), the
parameter Action (AWS query), or the path (REST, RPC). https://smithy.io/2.0/aws/protocols/index.html. moto looks in all
of them, and for parameters in the query string, the body and the headers; so somebody who may read could say "read" in
one place and "delete" in another.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from moto.core.responses import BaseResponse

from . import service_models
from .http1 import Request

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/"
#: A browser's upload to S3 is a form of many parts; no other service takes one.
_TAKES_PARTS = ("s3",)


def install() -> None:
    """Have moto take nothing but the body of a request that names its operation in X-Amz-Target.

    It would else read the body as a form, too: "&Action=…&" in the text of an event would be an operation.
    """
    set_up, action = BaseResponse.setup_class, BaseResponse._get_action  # noqa: SLF001  what moto asks itself

    def setup_class(self: BaseResponse, *arguments: Any, **named: Any) -> None:
        set_up(self, *arguments, **named)
        if "x-amz-target" in self.headers:
            self.querystring = self.data = {}

    def get_action(self: BaseResponse) -> str:
        target = self.headers.get("x-amz-target")
        return target.rpartition(".")[2] if target else action(self)

    BaseResponse.setup_class = setup_class
    BaseResponse._get_action = get_action  # noqa: SLF001


def problem(request: Request, service: str) -> str | None:
    """Return why one cannot tell for certain what a request asks for; None for every request that an SDK makes."""
    headers = request.headers
    unclear = next((name for name in headers if "_" in name or name == "action"), None)
    if unclear is not None:  # WSGI, which moto's requests come from, takes x_amz_target for x-amz-target
        return f"The header {unclear!r} is not allowed."
    content_type = headers.get("content-type", "").lower()
    if content_type.startswith(_MULTIPART) and service not in _TAKES_PARTS:
        return "A body of many parts is not allowed."
    form = _form(request, content_type)
    names = [name for name, _ in form]
    if "x-amz-target" in headers:
        if request.query or content_type.startswith(_FORM) or _is_rest(service):
            return "X-Amz-Target stands beside another operation or other parameters."
    elif "Action" in names:
        if _is_rest(service) or "/operation/" in request.path:
            return "An Action stands beside another operation."
        if len(names) > len(set(names)):
            return "A parameter stands in the request twice."
    return None


def _form(request: Request, content_type: str) -> list[tuple[str, str]]:
    fields = parse_qsl(request.query, keep_blank_values=True)
    if content_type.startswith(_FORM):
        fields += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    # With both, moto takes the body's alone; an Action in either must then be the only place for parameters.
    if request.query and content_type.startswith(_FORM) and request.body:
        fields += [("Action", "")] * ("Action" in dict(fields))
    return fields


@lru_cache(maxsize=64)
def _is_rest(service: str) -> bool:
    model = service_models.find(service)
    return model is not None and model.metadata.get("protocol", "").startswith("rest")
