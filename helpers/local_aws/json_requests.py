"""Requests of the AWS JSON protocol, read without looking for what only other protocols have.

moto's `setup_class` serves all protocols: it looks for forms and uploads, parses the body as a query, searches all
accounts for the caller's. A request with X-Amz-Target has none of that, and half of an order's requests (PutEvents,
PutItem, GetItem) are of this kind. What handlers find afterwards is the same. Pinned, as moto is, to 5.2.5.
Protocol: https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import base64
import functools
import os
from typing import Any
from urllib.parse import ParseResult

import moto.core.responses as responses
from moto.core.parse import BaseJSONParser
from moto.core.request import Request as MotoRequest
from moto.core.utils import utcnow
from moto.dynamodb.exceptions import ItemSizeTooLarge
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.utilities import bytesize
from moto.iam.models import mark_account_as_visited
from moto.utilities.utils import get_partition
from werkzeug.datastructures import MultiDict
from werkzeug.http import http_date

from .credentials import ACCOUNT_ID
from .http1 import Request

#: Bytes of an item that moto accepts; see its LimitedSizeDict.
MAX_ITEM = 405_000

#: DynamoDB's types whose content stands in a request as it is; all others are decoded, or have others inside.
_PLAIN = frozenset({"S", "N", "BOOL", "NULL"})

_by_moto = responses.BaseResponse.setup_class
_structure_by_moto = BaseJSONParser._parse_structure


class JsonRequest(MotoRequest):
    """A request that is read the short way: all of it is its headers and its body."""

    def __init__(self, environ: dict[str, Any], body: bytes) -> None:
        super().__init__(environ)
        self.data, self.values = body, MultiDict()  # set at once, or werkzeug would look for a form


def is_json(request: Request) -> bool:
    """Whether a request is of the AWS JSON protocol, and its body as it was sent."""
    headers = request.headers
    return (
        "x-amz-target" in headers
        and headers.get("content-type", "").startswith("application/x-amz-json-1.")
        and "content-encoding" not in headers
        and request.method == "POST"
        and request.target == "/"
    )


def install() -> None:
    """Make moto read these requests this way, and spare it what costs most beside."""
    responses.BaseResponse.setup_class = _setup  # type: ignore[method-assign]
    # The same few answers, worked out on each request.
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
    responses.camelcase_to_underscores = functools.cache(responses.camelcase_to_underscores)
    responses.gen_amzn_requestid_long = _request_id
    BaseJSONParser._parse_structure = _parse_structure  # type: ignore[method-assign]
    Item.__init__ = _make_item  # type: ignore[method-assign]


def _setup(
    self: Any, request: MotoRequest, full_url: str | None = None, headers: Any = None, use_raw_body: bool | None = None
) -> None:
    if not isinstance(request, JsonRequest) or full_url is None or use_raw_body:
        _by_moto(self, request, full_url, headers, use_raw_body)
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
    self.response_headers = {"server": "amazon.com", "date": http_date(utcnow())}
    if self.automated_parameter_parsing and self._get_action():
        self.parse_parameters(request)
    self.access_key = self.get_access_key()
    self.current_account = ACCOUNT_ID
    mark_account_as_visited(ACCOUNT_ID, self.access_key, self.service_name, self.region)


def _request_id(headers: dict[str, Any] | None = None) -> str:
    """An id in the form of DynamoDB's: 52 capital letters and digits. moto draws them one by one."""
    request_id = base64.b32encode(os.urandom(33))[:52].decode()
    if headers is not None:
        headers["x-amzn-requestid"] = request_id
    return request_id


def _parse_structure(self: BaseJSONParser, shape: Any, value: Any) -> Any:
    """moto asks each value of an item for all ten types that it may have; most say at once which one it is."""
    if shape.name == "AttributeValue" and isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in _PLAIN and content is not None:
            return self.MAP_TYPE({kind: content})
    return _structure_by_moto(self, shape, value)


def _make_item(self: Item, hash_key: DynamoType, range_key: DynamoType | None, attrs: dict[str, Any]) -> None:
    """moto measures all attributes anew with each one that is added; once, at the end, says the same."""
    self.hash_key, self.range_key = hash_key, range_key
    self.attrs = LimitedSizeDict()
    size = 0
    for name, value in attrs.items():
        attribute = DynamoType(value)
        dict.__setitem__(self.attrs, name, attribute)
        size += bytesize(name) + attribute.size()
    if size > MAX_ITEM:
        raise ItemSizeTooLarge
