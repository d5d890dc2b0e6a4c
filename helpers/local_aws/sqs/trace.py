"""Keep with a message through how many functions its chain has come, as the header of the request says that sent it.

The SDK inside of a function adds the header, and SQS hands it on as the message's AWSTraceHeader; so Lambda knows when
a queue and a function feed one another: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.sqs.models import Message

from ..engine import executor

_ATTRIBUTE = "AWSTraceHeader"


class _Request(executor.local):
    """What the request under way in this thread says; nothing waits in the middle of one."""

    header = ""


_request = _Request()


def noting(by_moto: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Have the messages that moto's handler of a request sends carry the request's header."""

    @functools.wraps(by_moto)
    def handle(self: Any) -> Any:
        _request.header = self.headers.get("X-Amzn-Trace-Id") or ""
        try:
            return by_moto(self)
        finally:
            _request.header = ""

    return handle


def with_header(attributes: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a message's system attributes with the header of the request, unless the sender has given one."""
    if "Lineage=" not in _request.header or _ATTRIBUTE in (attributes or {}):
        return attributes
    return {**(attributes or {}), _ATTRIBUTE: {"DataType": "String", "StringValue": _request.header}}


def header_of(message: Message) -> str:
    """Return the header that a message carries, "" without one."""
    text: str = (message.system_attributes.get(_ATTRIBUTE) or {}).get("StringValue") or ""
    return text
