"""Make the error with which a service refuses what IAM does not allow, in the service's own form."""

from __future__ import annotations

import json

from ..http.dispatch import Answer, error_answer
from ..http.http1 import Request
from .permissions import Permission

#: Services that speak XML, or did once; their code is AccessDenied and the status 403.
_QUERY_SERVICES = frozenset({"iam", "sts", "sns", "cloudformation", "s3", "ec2", "elasticloadbalancing", "autoscaling"})
#: Services with a REST API: status 403.
_REST_SERVICES = frozenset({"lambda", "scheduler", "pipes", "apigateway"})


def refusal(request: Request, service: str, caller_arn: str, permission: Permission, reason: str) -> Answer:
    """Return the answer to a request that lacks `permission`.

    reason: the end of AWS's sentence, such as "with an explicit deny in an identity-based policy"; {action} in
    it is replaced. Wording: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    action = permission.shown_action or permission.action
    resource = permission.shown_resource or permission.resource
    message = f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource} " + reason.format(
        action=action
    )
    speaks_query = "x-amz-target" not in request.headers and "/operation/" not in request.path
    if service in _QUERY_SERVICES or (service in ("sqs", "monitoring") and speaks_query):
        return error_answer("iam", 403, "AccessDenied", message)
    if service in _REST_SERVICES:
        headers = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
        return 403, headers, json.dumps({"Message": message}).encode()
    if "cbor" in request.headers.get("content-type", ""):
        headers = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return 403, headers, _cbor({"__type": "AccessDeniedException", "message": message})
    headers = {"Content-Type": request.headers.get("content-type", "application/x-amz-json-1.1")}
    if service == "sqs":  # its clients go by the code that it had when it spoke XML
        headers["x-amzn-query-error"] = "AccessDenied;Sender"
        return 403, headers, _json("com.amazon.coral.service#AccessDeniedException", message)
    full = "com.amazon.coral.service#AccessDeniedException" if service == "dynamodb" else "AccessDeniedException"
    return 400, headers, _json(full, message)


def _json(error_type: str, message: str) -> bytes:
    return json.dumps({"__type": error_type, "Message": message}).encode()


def _cbor(texts: dict[str, str]) -> bytes:
    """Return a map of a few texts in CBOR (RFC 8949)."""
    parts = [bytes([0xA0 + len(texts)])]
    for text in (text for pair in texts.items() for text in pair):
        raw = text.encode()
        parts += [b"\x79", len(raw).to_bytes(2, "big"), raw]
    return b"".join(parts)
