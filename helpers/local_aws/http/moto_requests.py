"""Make of a request the one that moto knows, and have moto read it as it was read here.

moto's `setup_class` serves all protocols: it looks for forms and uploads, parses the body as a query, searches all
accounts for the caller's. A request with X-Amz-Target has none of that, and half of an order's requests (PutEvents,
PutItem, GetItem) are of this kind. What handlers find afterwards is the same.
Protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import functools
import io
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import ParseResult, parse_qs, unquote_to_bytes

from moto.core.request import Request as MotoRequest
from moto.core.responses import BaseResponse
from moto.iam.models import mark_account_as_visited
from moto.utilities.utils import get_partition
from werkzeug.datastructures import MultiDict
from werkzeug.http import http_date

from ..account.credentials import ACCOUNT_ID
from ..engine import clock
from .http1 import Request

#: Under this name the environment of a request of moto's has its call.
CALL = "local_aws.call"


class JsonRequest(MotoRequest):
    """A request that is read the short way: all of it is its headers and its body."""

    def __init__(self, environ: dict[str, Any], body: bytes) -> None:
        super().__init__(environ)
        self.data = body  # both are set at once, or werkzeug would look for a form
        self.values = MultiDict()  # type: ignore[assignment]  # is only read


def is_json(request: Request) -> bool:
    """Return whether a request is of the AWS JSON protocol, and its body not encoded otherwise."""
    headers = request.headers
    return (
        "x-amz-target" in headers
        and headers.get("content-type", "").startswith("application/x-amz-json-1.")
        and "content-encoding" not in headers
        and request.method == "POST"
        and request.target == "/"
    )


def moto_request(request: Request, host: str) -> MotoRequest:
    """Return moto's request for ours, which goes to the service that AWS has at `host`."""
    environ = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": _wsgi_path(request.path),
        "RAW_URI": request.target,
        "QUERY_STRING": request.query,
        "SERVER_NAME": host,
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(request.body),
        "CONTENT_LENGTH": str(len(request.body)),
    }
    for name, value in request.headers.items():
        if (variable := _variable(name)) is not None:
            environ[variable] = value
    environ["HTTP_HOST"] = host
    return JsonRequest(environ, request.body) if is_json(request) else MotoRequest(environ)


@functools.lru_cache(maxsize=256)
def _variable(header: str) -> str | None:
    """Return WSGI's name of a header (PEP 3333); None for one that moto is not to see.

    That is what the body's length is known by, and a header of moto's own that would choose another account.
    """
    if header in ("content-length", "transfer-encoding", "x-moto-account-id"):
        return None
    name = header.upper().replace("-", "_")
    return name if name == "CONTENT_TYPE" else f"HTTP_{name}"


def _wsgi_path(path: str) -> str:
    """WSGI wants the path percent-decoded, its bytes as Latin-1 characters (PEP 3333)."""
    return unquote_to_bytes(path).decode("latin-1") if "%" in path else path


def set_up(by_moto: Callable[..., None]) -> Callable[..., None]:
    """Have moto look for parameters where they are: in the body of a request that names its operation in X-Amz-Target,
    which goes the short way, and in the address of a REST request.

    It would else read the body as a form, too: "&Action=…&" in the text of an event would be an operation.
    """

    def setup_class(
        self: Any,
        request: MotoRequest,
        full_url: str | None = None,
        headers: Any = None,
        use_raw_body: bool | None = None,
    ) -> None:
        if isinstance(request, JsonRequest) and full_url is not None and not use_raw_body:
            _set_up_shortly(self, request, full_url)
            return
        by_moto(self, request, full_url, headers, use_raw_body)
        call: Any = request.environ.get(CALL)
        if "x-amz-target" in self.headers:
            self.querystring = self.data = {}
        elif call is not None and call.service.is_rest and not request.form and not request.files:
            # Without parameters in the address, moto would take the body for a form, and then the headers.
            self.querystring = self.data = parse_qs(request.query_string.decode(), keep_blank_values=True)

    return setup_class


def _set_up_shortly(self: Any, request: JsonRequest, full_url: str) -> None:
    call: Any = request.environ[CALL]
    self.is_werkzeug_request = False
    self.normalized_request = request
    self.parsed_url = ParseResult("https", request.environ["HTTP_HOST"], "/", "", "", "")
    self.raw_body = request.data
    self.body = request.data.decode()
    self.form_data = {}
    self.uri, self.path, self.raw_path, self.method = full_url, "/", "/", "POST"
    self.querystring = self.data = {}
    self.region = call.region
    self.partition = get_partition(self.region)
    self.uri_match = {}
    self.headers = request.headers
    self.response_headers = {"server": "amazon.com", "date": _date(int(clock.now()))}
    if self.automated_parameter_parsing and self._get_action():
        self.parse_parameters(request)
    self.access_key = call.caller.credentials.access_key_id
    self.current_account = ACCOUNT_ID
    mark_account_as_visited(ACCOUNT_ID, self.access_key, self.service_name, self.region)


@functools.lru_cache(maxsize=2)  # of a second, and the one that ends
def _date(second: int) -> str:
    return http_date(second)


def operation_name(by_moto: Callable[[BaseResponse], str]) -> Callable[[BaseResponse], str]:
    """Have moto do the operation that the request was read as, and IAM asked about; it would look in many places."""

    def _get_action(self: BaseResponse) -> str:
        call: Any = self.normalized_request.environ.get(CALL)
        if call is None or (not call.name and call.service.is_rest):
            return by_moto(self)
        self.uri_match = call.path
        return str(call.name)

    return _get_action


def own_account(self: BaseResponse) -> str:
    """There is one account. moto looks for the caller's key in all accounts of all of AWS's partitions, and makes an
    IAM with 1,500 policies for each of those.
    """
    return ACCOUNT_ID


def request_id(headers: dict[str, Any] | None = None) -> str:
    """Return an id in the form of DynamoDB's: 52 capital letters and digits. moto draws them one by one."""
    made = f"{random.getrandbits(208):052X}"
    if headers is not None:
        headers["x-amzn-requestid"] = made
    return made
