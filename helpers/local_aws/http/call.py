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
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any
from urllib.parse import parse_qsl

from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request as MotoRequest
from moto.core.routing import get_router_class
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from ..account.credentials import ACCOUNT_ID
from ..account.service_table import Effect, Service, named, operation_of
from . import members
from .http1 import MAX_BODY, Request
from .moto_requests import CALL, moto_request
from .signing import Caller

#: Status, headers, body.
Answer = tuple[int, dict[str, str], bytes]

FORM = "application/x-www-form-urlencoded"
_RPC = re.compile(r"/service/[^/]+/operation/(\w+)/?")


class Unreadable(Exception):
    """The request is not what its operation's model says. AWS: SerializationException."""


@dataclass
class Call:
    """A verified request, and all that is known of it.

    protocol: by botocore's name, such as "query"; name: what the request calls its operation, "" when it calls it
    nothing; model: botocore's of the service, or of the part of it that the operation belongs to; operation: None when
    botocore does not know it; path: the input that is in the path.
    """

    request: Request
    caller: Caller
    service: Service
    protocol: str
    name: str
    model: ServiceModel | None
    operation: OperationModel | None
    path: dict[str, Any] = field(default_factory=dict)
    json: dict[str, Any] | None = None  # the input, if it came as AWS JSON
    answer: Answer = (500, {}, b"")  # set by whoever serves it

    @property
    def region(self) -> str:
        return self.caller.region

    @property
    def host(self) -> str:
        """The address that the service has on AWS."""
        prefix = self.model.endpoint_prefix if self.model is not None else self.service.endpoint
        return f"{prefix}.amazonaws.com" if self.service.one_endpoint else f"{prefix}.{self.region}.amazonaws.com"

    @cached_property
    def for_moto(self) -> MotoRequest:
        made = moto_request(self.request, self.host)
        made.environ[CALL] = self
        return made

    @cached_property
    def input(self) -> dict[str, Any]:
        """The operation's input, by the names of its members; of what its model does not know, nothing.

        Raises Unreadable.
        """
        if self.json is not None:
            return self.json
        return _parsed(self, self.operation) if self.operation is not None else {}

    @property
    def effect(self) -> Effect:
        return self.service.effect(self.name, self.request.method)

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
    """Read a request that is for one operation alone (see ambiguity). Raises Unreadable."""
    service = named(caller.service)
    if not service.any_body:
        request = _unpacked(request)
    target = request.headers.get("x-amz-target")
    if target is not None:
        return _json_call(request, caller, service, target)
    if (rpc := _RPC.fullmatch(request.path)) is not None:  # its body may be CBOR
        return _with_json(_named_call(request, caller, service, "smithy-rpc-v2-cbor", rpc[1]), _if_json(request.body))
    given = dict(form(request)) if service.takes_action else {}
    if "Action" in given:
        protocol = "ec2" if service.protocol == "ec2" else "query"
        return _named_call(request, caller, service, protocol, given["Action"], given.get("Version"))
    return _rest_call(request, caller, service)


def form(request: Request) -> list[tuple[str, str]]:
    """Return the parameters of a request of the AWS query protocol: of its address, and of its body."""
    fields = parse_qsl(request.query, keep_blank_values=True)
    if request.headers.get("content-type", "").lower().startswith(FORM):
        fields += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
    return fields


def _named_call(
    request: Request, caller: Caller, service: Service, protocol: str, name: str, version: str | None = None
) -> Call:
    """Find an operation by its name; two parts of a service that have the same differ in their version."""
    for model in sorted(service.described, key=lambda each: each.metadata.get("apiVersion") != version):
        operation = operation_of(model, name)
        if operation is not None:
            return Call(request, caller, service, protocol, name, model, operation)
    return Call(request, caller, service, protocol, name, next(iter(service.described), None), None)


def _json_call(request: Request, caller: Caller, service: Service, target: str) -> Call:
    prefix, _, name = target.rpartition(".")
    described = service.described
    model = next((each for each in described if each.metadata.get("targetPrefix") == prefix), None)
    model = model or next(iter(described), None)
    operation = operation_of(model, name) if model is not None else None
    return _with_json(Call(request, caller, service, "json", name, model, operation), _json(request.body))


def _with_json(call: Call, given: dict[str, Any]) -> Call:
    """Give a call its input. A service does not see either what is no part of it."""
    call.json = members.known(call.operation, given)
    if call.json is not given:
        call.request = replace(call.request, body=json.dumps(call.json).encode())
    return call


def _json(body: bytes) -> dict[str, Any]:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Unreadable("The request's body is no JSON that can be read.") from None
    if not isinstance(parameters, dict):
        raise Unreadable("The request's body is not a JSON object.")
    return parameters


def _if_json(body: bytes) -> dict[str, Any]:
    try:
        return _json(body)
    except Unreadable:
        return {}


def _rest_call(request: Request, caller: Caller, service: Service) -> Call:
    call = Call(request, caller, service, service.protocol, "", next(iter(service.described), None), None)
    for model in service.described:
        if (router := _router(model)) is not None:
            with contextlib.suppress(HTTPException):
                call.operation, call.path = router.match(call.for_moto)
                call.model, call.name, call.protocol = model, call.operation.name, str(model.protocol)
                break
    return call


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
        "values": MultiDict(form(call.request)),
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
