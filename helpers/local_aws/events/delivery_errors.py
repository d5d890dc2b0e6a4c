"""Tell why a target did not take an event, in EventBridge's words, and whether trying again can help.

The codes are those that EventBridge writes on a message in a dead-letter queue:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from typing import Any

import requests

from ..awslambda.lambda_service import InvocationRefused

#: What a service says when what the target names is not there (any more).
_GONE = (
    "ResourceNotFound",
    "NonExistentQueue",
    "QueueDoesNotExist",
    "NotFound",
    "ResourceNotFoundException",
    "AWS.SimpleQueueService.NonExistentQueue",
)
_FORBIDDEN = ("AccessDenied", "AccessDeniedException", "AuthorizationError")
_THROTTLED = (
    "TooManyRequestsException",
    "ThrottlingException",
    "Throttling",
    "RequestThrottled",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
)
_BROKEN = ("ServiceException", "InternalFailure", "InternalError", "ServiceUnavailable")


class DeliveryFailed(Exception):
    """The target did not take the event. `code` is EventBridge's, `message` that of the service that refused."""

    def __init__(self, code: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.retryable = retryable


def not_permitted(who: str, action: str, resource: str, kind: str = "resource-based") -> DeliveryFailed:
    """Return the failure for what no policy lets `who` (a service or a role) do."""
    return DeliveryFailed(
        "NO_PERMISSIONS",
        f"User: {who} is not authorized to perform: {action} on resource: {resource} "
        f"because no {kind} policy allows the {action} action",
    )


def no_resource(message: str) -> DeliveryFailed:
    """Return the failure for a target that names what does not exist."""
    return DeliveryFailed("NO_RESOURCE", message)


def as_failure(error: Exception) -> DeliveryFailed:
    """Return what `error`, raised in an attempt to deliver, means to EventBridge."""
    if isinstance(error, DeliveryFailed):
        return error
    if isinstance(error, requests.Timeout):
        return DeliveryFailed("TIMEOUT", "The target did not answer in time.", retryable=True)
    if isinstance(error, requests.ConnectionError):
        return DeliveryFailed("CONNECTION_FAILURE", "No connection could be made to the target.", retryable=True)
    code, message = _code_of(error), str(getattr(error, "message", None) or error)
    if code in _FORBIDDEN:
        return DeliveryFailed("NO_PERMISSIONS", message)
    if code in _GONE:
        return DeliveryFailed("NO_RESOURCE", message)
    if code in _THROTTLED:
        return DeliveryFailed("THROTTLING", message, retryable=True)
    if code in _BROKEN:
        return DeliveryFailed("ERROR_FROM_TARGET", message, retryable=True)
    if code is not None:
        return DeliveryFailed("INVALID_PARAMETER", message)
    return DeliveryFailed("INTERNAL_ERROR", f"{type(error).__name__}: {message}")


def _code_of(error: Any) -> str | None:
    """AWS's error code, of our Lambda's refusals and of moto's errors (whose `code` is the HTTP status)."""
    if isinstance(error, InvocationRefused):
        return error.code
    for name in ("error_type", "code"):
        value = getattr(error, name, None)
        if isinstance(value, str):
            return value
    return None
