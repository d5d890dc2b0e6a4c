"""Leave out of a query or REST request what its operation does not have: parameters, headers, parts of a JSON body.

moto's handlers look for a parameter in the query string, the form, the body, the path and even the headers, whatever
the operation's model says; so what is no part of it must not get that far. What an SDK sends passes byte by byte.
https://smithy.io/2.0/aws/protocols/aws-query-protocol.html, https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode

from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.model import OperationModel

from . import members
from .http1 import Request

#: Parameters of the query protocol that every operation has.
_EVERY_FORM = frozenset({"Action", "Version", "ContentType"})
#: Headers of HTTP, of signatures and of SDKs, which are no operation's.
_EVERY_REQUEST = frozenset(
    {
        "accept", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "authorization", "connection",
        "content-encoding", "content-length", "content-md5", "content-type", "date", "expect", "host", "range",
        "transfer-encoding", "user-agent", "x-amz-api-version", "x-amz-content-sha256", "x-amz-date",
        "x-amz-decoded-content-length", "x-amz-sdk-checksum-algorithm", "x-amz-security-token", "x-amz-te",
        "x-amz-trailer", "x-amz-user-agent", "x-amzn-trace-id",
    }
)  # fmt: skip
_EVERY_PREFIX = ("x-amz-checksum-", "if-")
_LABEL = re.compile(r"\{([^}+]+)(\+?)\}")
_FORM = "application/x-www-form-urlencoded"


def leave_out_of_form(request: Request, operation: OperationModel, form: list[tuple[str, str]]) -> Request:
    """Return a request of the query protocol without what is foreign; itself, when there is nothing.

    form: its parameters. They are in its address or in its body; the other one says nothing.
    """
    known = [pair for pair in form if pair[0] in _EVERY_FORM or _is_in_form(operation, pair[0])]
    if request.query:
        text = request.query if len(known) == len(form) else urlencode(known)
        return (
            replace(request, target=f"{request.path}?{text}", body=b"")
            if text != request.query or request.body
            else request
        )
    return request if len(known) == len(form) else replace(request, body=urlencode(known).encode())


@lru_cache(maxsize=8192)
def _is_in_form(operation: OperationModel, key: str) -> bool:
    ec2 = operation.service_model.metadata["protocol"] == "ec2"
    return operation.input_shape is not None and _leads(operation.input_shape, key.split("."), ec2)


def _leads(shape: Shape, parts: list[str], ec2: bool) -> bool:
    """Return whether the parts of a parameter's name, "Tags.member.1.Key", lead to something in a shape."""
    if not parts:
        return True  # an empty list has its own name alone
    if isinstance(shape, StructureShape):
        return any(
            parts[0] in _names(name, each, ec2) and _leads(each, parts[1:], ec2) for name, each in shape.members.items()
        )
    flat = ec2 or bool(shape.serialization.get("flattened"))
    if isinstance(shape, ListShape):
        if not flat:
            inner = shape.member.serialization.get("name", "member")
            parts = parts[1:] if parts[0] == inner else [""]
        return parts == [] or (_is_number(parts[0]) and _leads(shape.member, parts[1:], ec2))
    if isinstance(shape, MapShape):
        if not flat:
            parts = parts[1:] if parts[0] == "entry" else []
        if len(parts) < 2 or not _is_number(parts[0]):
            return False
        key, value = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        return parts[1:] == [key] or (parts[1] == value and _leads(shape.value, parts[2:], ec2))
    return False


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _names(name: str, shape: Shape, ec2: bool) -> set[str]:
    """Return how a member may be called in a form; a flat list may have its items' name."""
    given: dict[str, Any] = shape.serialization
    if ec2:
        own = given.get("name", name)
        return {given.get("queryName", own[:1].upper() + own[1:])}
    names = {given.get("locationNameForQueryCompatibility", given.get("name", name))}
    if isinstance(shape, ListShape) and given.get("flattened") and "name" in shape.member.serialization:
        names.add(shape.member.serialization["name"])
    return names


@dataclass(frozen=True)
class _Bindings:
    """Where a REST operation's input is.

    query: names of parameters, None when any will do; lists: those that may come again; prefixes: of headers;
    json: what looks at the body, None when it is no JSON; keeps_path: whether the path stays as it was sent.
    """

    query: frozenset[str] | None
    lists: frozenset[str]
    headers: frozenset[str]
    prefixes: tuple[str, ...]
    has_body: bool
    json: Any
    keeps_path: bool


@lru_cache(maxsize=1024)
def _bindings(operation: OperationModel) -> _Bindings:
    shape = operation.input_shape
    located: dict[str, list[tuple[str, Shape]]] = {}
    for name, each in shape.members.items() if isinstance(shape, StructureShape) else ():
        where = each.serialization.get("location", "body")
        located.setdefault(where, []).append((each.serialization.get("name", name), each))
    query = {name for name, _ in located.get("querystring", ())} | set(operation.http_trait.query_args)
    any_name = any(isinstance(each, MapShape) for _, each in located.get("querystring", ()))
    payload = shape.serialization.get("payload") if shape is not None else None
    return _Bindings(
        None if any_name else frozenset(query),
        frozenset(name for name, each in located.get("querystring", ()) if isinstance(each, ListShape)),
        _EVERY_REQUEST | {name.lower() for name, _ in located.get("header", ())},
        (*_EVERY_PREFIX, *(name.lower() for name, _ in located.get("headers", ()))),
        payload is not None or "body" in located,
        members.of_body(operation),
        operation.service_model.service_name == "s3",  # whose keys have slashes of all kinds
    )


def leave_out_of_rest(request: Request, operation: OperationModel, labels: Mapping[str, str]) -> Request:
    """Return a REST request without what is foreign; itself, when there is nothing.

    labels: the input that is in its path, decoded. The path is written anew from it, as by an SDK: moto's handlers cut
    it themselves, and "/functions/mine/yours" would be a function "mine/yours" here and "yours" there.
    """
    known = _bindings(operation)
    path = request.path if known.keeps_path else _path(operation, tuple(labels.items()))
    query, body = _query(request.query, known), _body(request.body, known)
    headers = request.headers
    form = headers.get("content-type", "").lower().startswith(_FORM)  # moto would read the body as one
    if form or not headers.keys() <= known.headers:
        kept = {name: value for name, value in headers.items() if _is_header(name, known)}
        if form:
            del kept["content-type"]
        headers = kept if len(kept) < len(headers) else headers
    if (path, query) == (request.path, request.query) and body is request.body and headers is request.headers:
        return request
    return replace(request, target=f"{path}?{query}" if query else path, body=body, headers=headers)


@lru_cache(maxsize=1024)
def _path(operation: OperationModel, labels: tuple[tuple[str, str], ...]) -> str:
    given = dict(labels)

    def written(match: re.Match[str]) -> str:
        return quote(given[match[1]], safe="-._~/" if match[2] else "-._~")

    return _LABEL.sub(written, operation.http_trait.path)


def _is_header(name: str, known: _Bindings) -> bool:
    return name in known.headers or name.startswith(known.prefixes)


def _query(query: str, known: _Bindings) -> str:
    return "&".join(_pieces(query.split("&"), known)) if query and known.query is not None else query


def _pieces(pieces: Iterable[str], known: _Bindings) -> Iterable[str]:
    seen: set[str] = set()
    for piece in pieces:
        name = unquote_plus(piece.partition("=")[0])
        if known.query is not None and name in known.query and (name not in seen or name in known.lists):
            seen.add(name)
            yield piece


def _body(body: bytes, known: _Bindings) -> bytes:
    if not body or not known.has_body:
        return body if not body else b""
    if known.json is None:
        return body
    try:
        given = json.loads(body.decode())
    except (ValueError, RecursionError):
        return body  # for who reads it to refuse
    found = known.json.known(given)
    return body if found is given else json.dumps(found).encode()
