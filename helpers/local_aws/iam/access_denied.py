"""Make the error with which a service refuses what IAM does not allow, in the service's own form."""

from __future__ import annotations

import json

from ..http import cbor
from ..http.call import Call
from ..http.dispatch import Answer, error_answer
from .permissions import Permission


def refusal(call: Call, permission: Permission, reason: str) -> Answer:
    """Return the answer to a request that lacks `permission`.

    reason: the end of AWS's sentence, such as "with an explicit deny in an identity-based policy"; {action} in
    it is replaced. Wording: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    action = permission.shown_action or permission.action
    resource = permission.shown_resource or permission.resource
    caller, ending = call.caller.credentials.principal_arn, reason.format(action=action)
    return _answer(call, f"User: {caller} is not authorized to perform: {action} on resource: {resource} {ending}")


def without_resource(call: Call) -> Answer:
    """Return the answer to a request of which one cannot say what it is about, so that no policy can allow it."""
    action = f"{call.service.iam}:{call.name or '(an operation that is not known)'}"
    return _answer(
        call,
        f"User: {call.caller.credentials.principal_arn} is not authorized to perform: {action}: the embedded AWS does "
        "not know on which resource, so policies cannot allow it here; use the account's own credentials",
    )


def _answer(call: Call, message: str) -> Answer:
    service, headers = call.service, call.request.headers
    if service.answers_xml or call.protocol == "query":
        return error_answer("iam", 403, "AccessDenied", message)
    if call.protocol.startswith("rest"):
        answered = {"Content-Type": "application/json", "x-amzn-ErrorType": "AccessDeniedException"}
        return 403, answered, json.dumps({"Message": message}).encode()
    if "cbor" in headers.get("content-type", ""):
        answered = {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
        return 403, answered, cbor.of({"__type": "AccessDeniedException", "message": message})
    answered = {"Content-Type": headers.get("content-type", "application/x-amz-json-1.1")}
    if service.endpoint == "sqs":  # its clients go by the code that it had when it spoke XML
        answered["x-amzn-query-error"] = "AccessDenied;Sender"
        return 403, answered, _json("com.amazon.coral.service#AccessDeniedException", message)
    namespace = "com.amazon.coral.service#" if service.endpoint == "dynamodb" else ""
    return 400, answered, _json(f"{namespace}AccessDeniedException", message)


def _json(error_type: str, message: str) -> bytes:
    return json.dumps({"__type": error_type, "Message": message}).encode()
