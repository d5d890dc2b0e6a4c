"""Read requests of the AWS JSON protocol without looking for what only other protocols have.

moto's `setup_class` serves all protocols: it looks for forms and uploads, parses the body as a query, searches all
accounts for the caller's. A request with X-Amz-Target has none of that, and half of an order's requests (PutEvents,
PutItem, GetItem) are of this kind. What handlers find afterwards is the same. Pinned, as moto is, to 5.2.5.
Protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import functools
import random
import time
from typing import Any
from urllib.parse import ParseResult

import moto.core.responses as responses
from moto.core.request import Request as MotoRequest
from moto.iam.models import mark_account_as_visited
from moto.utilities.utils import get_partition
from werkzeug.datastructures import MultiDict
from werkzeug.http import http_date

from ..account.credentials import ACCOUNT_ID
from .http1 import Request

_other_ways = responses.BaseResponse.setup_class  # as it is when this is installed


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


def install() -> None:
    """Make moto read these requests this way, and spare it what costs most beside.

    Whoever else changes `setup_class` (ambiguity) goes before: all other requests are still read that way.
    """
    global _other_ways  # noqa: PLW0603  what moto has when this is installed
    _other_ways = responses.BaseResponse.setup_class
    responses.BaseResponse.setup_class = _setup
    # There is one account. moto looks for the caller's key in all accounts of all of AWS's partitions, and makes an IAM
    # with 1,500 policies for each of those.
    responses.BaseResponse.get_current_account = lambda self: ACCOUNT_ID
    # The same few answers, worked out on each request.
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    responses.camelcase_to_underscores = functools.cache(responses.camelcase_to_underscores)
    responses.gen_amzn_requestid_long = _request_id  # type: ignore[assignment]  # called by position


def _setup(
    self: Any, request: MotoRequest, full_url: str | None = None, headers: Any = None, use_raw_body: bool | None = None
) -> None:
    if not isinstance(request, JsonRequest) or full_url is None or use_raw_body:
        _other_ways(self, request, full_url, headers, use_raw_body)
        return
    self.is_werkzeug_request = False
    self.normalized_request = request
    self.parsed_url = ParseResult("https", request.environ["HTTP_HOST"], "/", "", "", "")
    self.raw_body = request.data
    self.body = request.data.decode()
    self.form_data = {}
    self.uri, self.path, self.raw_path, self.method = full_url, "/", "/", "POST"
    self.querystring = self.data = {}
    self.region = self.get_region_from_url(request, full_url)
    self.partition = get_partition(self.region)
    self.uri_match = {}
    self.headers = request.headers
    self.response_headers = {"server": "amazon.com", "date": _date(int(time.time()))}
    if self.automated_parameter_parsing and self._get_action():
        self.parse_parameters(request)
    self.access_key = self.get_access_key()
    self.current_account = ACCOUNT_ID
    mark_account_as_visited(ACCOUNT_ID, self.access_key, self.service_name, self.region)


@functools.lru_cache(maxsize=2)  # of a second, and the one that ends
def _date(second: int) -> str:
    return http_date(second)


def _request_id(headers: dict[str, Any] | None = None) -> str:
    """Return an id in the form of DynamoDB's: 52 capital letters and digits. moto draws them one by one."""
    request_id = f"{random.getrandbits(208):052X}"
    if headers is not None:
        headers["x-amzn-requestid"] = request_id
    return request_id
