"""Read a request as its service understands it, once: service, operation and input, by botocore's model.

A request names its operation in one place, which its protocol decides: the header X-Amz-Target (AWS JSON), the
parameter Action (AWS query), or the path (REST, Smithy's RPC): https://smithy.io/2.0/aws/protocols/index.html. What IAM
is asked about, what moto is told to do, and what is saved afterwards all come from here.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationNotFoundError
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_router_class
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from ..account.credentials import ACCOUNT_ID
from ..account.service_table import Effect, Service
from . import foreign, members
from .http1 import MAX_BODY, Request
from .moto_requests import CALL, moto_request
from .query_protocol import FORM, Form, form_of, of_query
from .signing import Caller

#: Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]
#: What may be half of a surrogate pair, in JSON.
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_RPC = re.compile(r"/service/[^/]+/operation/(\w+)/?")


class Unreadable(Exception):
    """The request is not what its operation's model says. code: AWS's, of the answer."""

    code = "SerializationException"


class Ambiguous(Unreadable):
    """One cannot tell for certain what the request asks for. No SDK sends such a one."""

    code = "ValidationException"


@dataclass
class Call:
    """A verified request, and all that is known of it.

    protocol: by botocore's name, such as "query"; name: what the request calls its operation, "" when it calls it
    nothing; model: botocore's of the service, or of the part of it that the operation belongs to; operation: None when
    botocore does not know it; host: the address that the service has on AWS; effect: what the call may change;
    for_moto: the same request, as moto knows it; path: the input that is in the path; form: what came as parameters;
    changed: service (moto's name) and region of states to be saved; undone: how often any had been taken back before.
    """

    request: Request
    caller: Caller
    service: Service
    region: str
    protocol: str
    name: str
    model: ServiceModel | None
    operation: OperationModel | None
    host: str
    effect: Effect
    for_moto: MotoRequest
    path: dict[str, Any] = field(default_factory=dict)
    form: Form = field(default_factory=list)
    answer: Answer = (500, {}, b"")  # set by whoever serves it, as are:
    changed: frozenset[tuple[str, str]] = frozenset()
    undone: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @cached_property
    def input(self) -> dict[str, Any]:
        """The operation's input, by the names of its members; of what its model does not know, nothing.

        Raises Unreadable, but for what came as AWS JSON, which is read with the call.
        """
        return _parsed(self, self.operation) if self.operation is not None else {}

    def arn(self, resource: str) -> str:
        """Return the ARN of a resource of this service, where the call is made."""
        return f"arn:aws:{self.service.iam}:{self.region}:{ACCOUNT_ID}:{resource}"

    def names(self, *parameters: str) -> list[str]:
        """Return the texts that are given for these parameters; a list gives all of its own."""
        found: list[str] = []
        for parameter in parameters:
            value = self.input.get(parameter)
            found += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str) and v]
        return found


def read(request: Request, caller: Caller) -> Call:
    """Read a request. Raises Unreadable, and Ambiguous for one that names two operations.

    What IAM is asked about must be what then happens. moto looks for the operation's name and for parameters in the
    query string, the body and the headers; so somebody who may read could say "read" in one place and "delete" in
    another.
    """
    service, headers = caller.service, request.headers
    if "action" in headers or "_" in "".join(headers):  # WSGI, which moto goes by, takes x_amz_target for x-amz-target
        unclear = next(name for name in headers if "_" in name or name == "action")
        raise Ambiguous(f"The header {unclear!r} is not allowed.")
    content_type = headers.get("content-type", "").lower()
    if not service.any_body:  # a browser's upload to S3 has many parts
        if content_type.startswith("multipart/"):
            raise Ambiguous("A body of many parts is not allowed.")
        request = _unpacked(request)
    if (target := headers.get("x-amz-target")) is not None:
        if request.query or content_type.startswith(FORM) or service.is_rest or "/operation/" in request.path:
            raise Ambiguous("X-Amz-Target stands beside another operation or other parameters.")
        return _json_call(request, caller, target)
    form = form_of(request)
    given = dict(form)
    if "Action" in given:
        _refuse_second(request, service, form)
        protocol = "ec2" if service.protocol == "ec2" else "query"
        model, operation = _found(service, given["Action"], given.get("Version"))
        request, form = of_query(request, service, operation, form)
        call = _call(request, caller, protocol, given["Action"], model, operation)
    elif (rpc := _RPC.fullmatch(request.path)) is not None:  # its body may be CBOR
        found = _found(service, rpc[1])
        return _call(request, caller, "smithy-rpc-v2-cbor", rpc[1], *found, _if_json(request.body))
    else:
        call = _rest_call(request, caller)
        if call.operation is not None:  # whose body is no form
            form = parse_qsl(call.request.query, keep_blank_values=True) if call.request.query else []
    call.form = form
    if _HALF.search(request.body) and call.operation is not None:
        _refuse_halves(call.input)
    return call


def _refuse_second(request: Request, service: Service, form: Form) -> None:
    """Let an Action pass that is the request's only operation. Raises Ambiguous."""
    if service.is_rest or "/operation/" in request.path:
        raise Ambiguous("An Action stands beside another operation.")
    if not service.takes_action:
        raise Ambiguous("This service does not take an Action.")
    in_both = request.query and request.body and request.headers.get("content-type", "").lower().startswith(FORM)
    # With both, moto takes the body's alone; an Action in either must then be the only place for parameters.
    if in_both or len(form) > len(dict(form)):
        raise Ambiguous("A parameter stands in the request twice.")


def _call(
    request: Request,
    caller: Caller,
    protocol: str,
    name: str,
    model: ServiceModel | None,
    operation: OperationModel | None,
    given: dict[str, Any] | None = None,
) -> Call:
    """Fill in what follows from the operation that a request names.

    given: the input that came as JSON. A service does not see either what is no part of it.
    """
    known = members.known(operation, given) if given is not None else None
    if known is not given:
        request = replace(request, body=json.dumps(known).encode())
    if request.path != "/" and protocol == "json":  # moto would take a queue's name from there
        request = replace(request, target="/")
    service, region = caller.service, caller.region
    host = _host(service, model, region)
    effect = service.effect(name, request.method)
    for_moto = moto_request(request, host)
    call = Call(request, caller, service, region, protocol, name, model, operation, host, effect, for_moto)
    for_moto.environ[CALL] = call
    if known is not None:
        call.input = known
    return call


def _host(service: Service, model: ServiceModel | None, region: str) -> str:
    prefix = model.endpoint_prefix if model is not None else service.endpoint
    return f"{prefix}.amazonaws.com" if service.one_endpoint else f"{prefix}.{region}.amazonaws.com"


def _operation(model: ServiceModel, name: str) -> OperationModel | None:
    """Return botocore's description of an operation; None when the model has none of that name."""
    try:
        operation: OperationModel = model.operation_model(name)
    except OperationNotFoundError:
        return None
    return operation


def _found(
    service: Service, name: str, version: str | None = None
) -> tuple[ServiceModel | None, OperationModel | None]:
    """Find an operation by its name; two parts of a service that have the same differ in their version."""
    for model in sorted(service.described, key=lambda each: each.metadata.get("apiVersion") != version):
        operation = _operation(model, name)
        if operation is not None:
            return model, operation
    return service.model, None


def _json_call(request: Request, caller: Caller, target: str) -> Call:
    prefix, _, name = target.rpartition(".")
    model = caller.service.by_target.get(prefix, caller.service.model)
    operation = _operation(model, name) if model is not None else None
    return _call(request, caller, "json", name, model, operation, _json(request.body))


def _json(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body.decode() or "{}")  # as moto decodes it
    except (ValueError, RecursionError):
        raise Unreadable("The request's body is no JSON that can be read.") from None
    if not isinstance(parameters, dict):
        raise Unreadable("The request's body is not a JSON object.")
    if _HALF.search(body):
        _refuse_halves(parameters)
    return parameters


def _refuse_halves(parameters: Any) -> None:
    """Refuse half of a surrogate pair, which JSON can write down: it is no text (https://www.rfc-editor.org/rfc/rfc8259
    8.2), and neither a disk nor another protocol takes it. Raises Unreadable. What a blob holds is nobody's business.
    """
    try:
        json.dumps(parameters, ensure_ascii=False, default=lambda blob: None).encode()
    except UnicodeEncodeError:
        raise Unreadable("A text in the request has half of a surrogate pair, which is no text.") from None


def _if_json(body: bytes) -> dict[str, Any]:
    try:
        return _json(body)
    except Unreadable:
        return {}


def _rest_call(request: Request, caller: Caller) -> Call:
    service = caller.service
    call = _call(request, caller, service.protocol, "", service.model, None)
    for model in service.described:
        if (router := _router(model)) is not None:
            with contextlib.suppress(HTTPException):
                call.operation, call.path = router.match(call.for_moto)
                call.model, call.name, call.protocol = model, call.operation.name, str(model.protocol)
                call.host, call.effect = _host(service, model, call.region), service.effect(call.name, request.method)
                _leave_out(call, call.operation)
                break
    return call


def _leave_out(call: Call, operation: OperationModel) -> None:
    request = foreign.leave_out_of_rest(call.request, operation, call.path)
    if request is not call.request:
        call.request, call.for_moto = request, moto_request(request, call.for_moto.environ["HTTP_HOST"])
        call.for_moto.environ[CALL] = call


@cache
def _router(model: ServiceModel) -> Any:
    """Return moto's router of a REST API; None for other protocols."""
    protocol = str(model.protocol)
    router = get_router_class(model.service_name, protocol) if protocol.startswith("rest") else None
    return router(model) if router is not None else None


def _parsed(call: Call, operation: OperationModel) -> dict[str, Any]:
    """Return the input of a call whose protocol is not AWS JSON; a time and a blob are as they were sent."""
    given: Any = {
        "method": call.request.method,
        "values": MultiDict(call.form),
        "headers": call.for_moto.headers,
        "body": call.request.body,
        "url_path": call.request.path,
        "url_params": call.path,
    }
    try:
        found: dict[str, Any] = PROTOCOL_PARSERS[call.protocol](operation, _as_sent, _as_sent).parse(given)
    except Exception as error:  # moto's parsers take for granted what a model says
        raise Unreadable(f"The request is not one of {call.name}: {error}") from error
    return found


def _as_sent(value: Any) -> Any:
    return value


def _unpacked(request: Request) -> Request:
    """Unpack a body that an SDK has compressed: everybody reads the same then. Raises Unreadable."""
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(request.body)) as packed:
            body = packed.read(MAX_BODY + 1)
    except (OSError, EOFError, zlib.error):
        raise Unreadable("The request's body is no gzip that can be read.") from None
    if len(body) > MAX_BODY:
        raise Unreadable("The request's body is too large.")
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    return replace(request, headers=headers, body=body)
