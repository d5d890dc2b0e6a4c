"""Judge by its name what a call may change: nothing, rows that are journalled where they change, or small state."""

from __future__ import annotations

import enum
import re

from ..http.http1 import Request


class Effect(enum.Enum):
    NOTHING = 0
    ROWS = 1
    STATE = 2


_READING = re.compile(
    "Get|List|Describe|Scan|Query|BatchGet|TransactGet|Head|Test|Filter|Search|Lookup|Select|Simulate|Validate|Check|"
    "Estimate|Detect"
)
#: Calls that change nothing but what has rows of its own (or is not kept: moto's list of what a topic has sent).
_OF_ROWS = {
    "dynamodb": {
        "PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement",
        "BatchExecuteStatement", "ExecuteTransaction",
    },
    "sqs": {
        "SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch",
        "ChangeMessageVisibility", "ChangeMessageVisibilityBatch", "PurgeQueue",
    },
    "events": {"PutEvents"},
    "logs": {"PutLogEvents", "StartQuery"},
    "monitoring": {"PutMetricData"},
    "sns": {"Publish", "PublishBatch"},
}  # fmt: skip
#: Services whose calls are named by method and address; a body may hold anything.
_REST = frozenset({"lambda", "s3"})
_ACTION = re.compile(rb"(?:^|&)Action=(\w+)")
_INVOCATION = re.compile(r"/functions/[^/]+/(?:invocations|invoke-async|response-streaming-invocations)/?$")


def effect_of(service: str, request: Request) -> Effect:
    """Return what `request` for `service` (its endpoint's name) may change."""
    action = _action(service, request)
    if action is None:  # REST: the method says it
        if request.method in ("GET", "HEAD"):
            return Effect.NOTHING
        invokes = service == "lambda" and _INVOCATION.search(request.path)
        return Effect.ROWS if invokes else Effect.STATE
    if action in _OF_ROWS.get(service, ()):
        return Effect.ROWS
    if service == "sts":  # its Get… calls make credentials
        return Effect.NOTHING if action == "GetCallerIdentity" else Effect.STATE
    return Effect.NOTHING if _READING.match(action) else Effect.STATE


def _action(service: str, request: Request) -> str | None:
    target = request.headers.get("x-amz-target")
    if target is not None:
        return target.rpartition(".")[2]
    if service in _REST:
        return None
    if "/operation/" in request.path:  # Smithy RPC: /service/NAME/operation/ACTION
        return request.path.rpartition("/")[2]
    found = _ACTION.search(request.body) or _ACTION.search(request.query.encode())
    return found[1].decode() if found else None
