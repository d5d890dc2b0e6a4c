"""Answer Lambda's HTTP API where moto's answers are not AWS's: Invoke, permissions, and the form of errors."""

from __future__ import annotations

import base64
import binascii
import json
import uuid
from typing import Any
from urllib.parse import parse_qs

from moto.awslambda.responses import LambdaResponse
from moto.core.common_types import TYPE_RESPONSE

from ..account.backlog import BACKLOG
from ..execution.function_names import locate
from ..execution.lambda_errors import LambdaError, constraint_errors, error_body
from .async_settings_api import AsyncSettingsApi
from .json_payload import check_json

#: Largest payloads, in bytes: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html.
#: That of an event was 256 KB until October 2025.
MAX_REQUEST = 6 * 1024 * 1024
MAX_EVENT = 1024 * 1024

_KINDS = ("Event", "RequestResponse", "DryRun")


def event_too_large(size: int) -> str:
    """Return the message for an asynchronous invocation whose payload of `size` bytes is too large."""
    return f"{size} byte payload is too large for the Event invocation type (limit {MAX_EVENT} bytes)"


class LambdaApi(AsyncSettingsApi, LambdaResponse):  # type: ignore[misc]  # methods answer in another form than moto's
    """Requests to https://lambda.<region>.amazonaws.com."""

    use_raw_body = True  # a payload need not be text; and moto would look for form fields in it

    def call_action(self) -> TYPE_RESPONSE:
        status, headers, body = super().call_action()
        return status, headers, _error_as_aws_has_it(headers, body) if status >= 400 else body

    @staticmethod
    def _enrich_response(headers: dict[str, Any], body: Any) -> tuple[dict[str, Any], Any]:
        headers = {name: str(value) for name, value in headers.items() if name != "status"}
        headers.setdefault("x-amzn-RequestId", str(uuid.uuid4()))
        return headers, body

    def _get_action(self) -> str:
        # Path and method say it. moto would also believe a query parameter or header.
        action = self._get_action_from_method_and_request_uri(self.normalized_request)
        if action is None:
            raise LambdaError("UnknownOperationException", f"Lambda has no operation {self.method} {self.path}")
        return action

    @property
    def json_body(self) -> dict[str, Any]:  # type: ignore[override]  # a plain attribute in AsyncSettingsApi
        try:
            return json.loads(self.raw_body)
        except ValueError:
            problem = check_json(self.raw_body)
            raise LambdaError(
                "InvalidRequestContentException", f"Could not parse request body into json: {problem}"
            ) from None

    # Invoke: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html

    def invoke(self) -> TYPE_RESPONSE:
        kind = self.headers.get("X-Amz-Invocation-Type") or "RequestResponse"
        if kind not in _KINDS:
            rule = "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
            raise constraint_errors([("invocationType", kind, rule)])
        function = self.backend.invoked_function(self.uri_match["FunctionName"], self._qualifier())
        payload = _checked_payload(self.raw_body, MAX_EVENT if kind == "Event" else MAX_REQUEST)
        if kind == "DryRun":
            return 204, {"status": 204}, b""
        trace_id = self.headers.get("X-Amzn-Trace-Id")
        if kind == "Event":
            _check_backlog()
            request_id = function.enqueue_watched(payload, trace_id, self._invoked_qualifier())
            return 202, {"status": 202, "x-amzn-RequestId": request_id}, b""
        request_id, context = str(uuid.uuid4()), _client_context(self.headers.get("X-Amz-Client-Context"))
        invocation = function.run(payload, request_id, context, trace_id)
        headers = {
            "x-amzn-RequestId": request_id,
            "X-Amz-Executed-Version": str(function.version),
            "Content-Type": "application/json",
        }
        if invocation.function_error:
            headers["X-Amz-Function-Error"] = invocation.function_error
        if self.headers.get("X-Amz-Log-Type") == "Tail":
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log_tail).decode()
        return 200, headers, invocation.payload

    def invoke_async(self) -> TYPE_RESPONSE:
        function = self.backend.invoked_function(self.uri_match["FunctionName"], None)
        payload = _checked_payload(self.raw_body, MAX_EVENT)
        _check_backlog()
        request_id = function.enqueue_watched(payload, self.headers.get("X-Amzn-Trace-Id"), self._invoked_qualifier())
        return 202, {"status": 202, "x-amzn-RequestId": request_id}, b""

    # Permissions.

    def add_permission(self) -> TYPE_RESPONSE:  # type: ignore[override]  # another form of an answer
        name = self.uri_match["FunctionName"]
        statement = self.backend.add_permission(name, self._qualifier(), self.json_body)
        return 201, {"status": 201}, json.dumps({"Statement": json.dumps(statement, separators=(",", ":"))})

    def get_policy(self) -> str:
        policy = self.backend.resource_policy(self.uri_match["FunctionName"], self._qualifier())
        document = json.dumps(policy.document(), separators=(",", ":"))
        return json.dumps({"Policy": document, "RevisionId": policy.revision_id})

    def remove_permission(self) -> TYPE_RESPONSE:
        name, statement_id = self.uri_match["FunctionName"], self.uri_match["StatementId"]
        self.backend.remove_permission(name, statement_id, self._query("RevisionId") or "", self._qualifier())
        return 204, {"status": 204}, ""

    def create_function(self) -> TYPE_RESPONSE:
        function = self.backend.create_function(self.json_body)
        return 201, {"status": 201}, json.dumps(function.get_configuration(on_create=True))

    def _invoked_qualifier(self) -> str:
        """Return the version or alias that an Invoke request names, in its address or beside it."""
        backend = self.backend
        name = self.uri_match["FunctionName"]
        return locate(name, self._qualifier(), backend.account_id, backend.region_name)[1] or "$LATEST"

    def _qualifier(self) -> str | None:
        return self._query("Qualifier")

    def _query(self, name: str) -> str | None:
        return parse_qs(self.parsed_url.query).get(name, [None])[0]


def _checked_payload(payload: bytes, limit: int) -> bytes:
    """Return the event that the function gets. Raises LambdaError when it is too large, or no JSON."""
    if len(payload) > limit:
        message = (
            event_too_large(len(payload))
            if limit == MAX_EVENT
            else f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        )
        raise LambdaError("RequestEntityTooLargeException", message)
    if not payload:
        return b"{}"
    problem = check_json(payload)
    if problem:
        raise LambdaError(
            "InvalidRequestContentException",
            f"Could not parse request body into json: Could not parse payload into json: {problem}",
        )
    return payload


def _check_backlog() -> None:
    """Refuse an event when too many are under way. Raises LambdaError."""
    if BACKLOG.full():
        raise LambdaError("TooManyRequestsException", "Rate Exceeded.", Reason="CallerRateLimitExceeded")


def _client_context(header: str | None) -> str | None:
    """Return the JSON text of the header that carries it in base64. Raises LambdaError."""
    if not header:
        return None
    try:
        return json.dumps(json.loads(base64.b64decode(header, validate=True)))
    except (binascii.Error, ValueError):
        raise LambdaError(
            "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None


def _error_as_aws_has_it(headers: dict[str, Any], body: Any) -> Any:
    """moto's own errors, in the form of LambdaError's."""
    try:
        error = json.loads(body)
    except ValueError:
        return body
    if not isinstance(error, dict) or "__type" not in error:
        return body
    code: Any = headers.get("X-Amzn-ErrorType", error["__type"])
    return error_body(code, error.get("message", ""))


#: What moto reads of this module, as of a service's `urls`. One address is enough: which action a request
#: means is found in the API model anyway.
url_bases = [r"https?://lambda\.(.+)\.amazonaws\.com"]
url_paths = {"{0}/.*$": LambdaApi.dispatch}
