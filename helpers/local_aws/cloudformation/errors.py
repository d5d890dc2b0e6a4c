"""Word CloudFormation's refusals: of a request, and while it works on a resource."""

from __future__ import annotations

import uuid

from botocore.exceptions import ClientError


class Refused(Exception):
    """The request is refused with an error code of CloudFormation's and a message."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


class ResourceFailure(Exception):
    """A resource could not be created, changed or deleted; the message is the reason in the stack's events.

    unclear: nobody has refused it, so it may have been done all the same.
    """

    def __init__(self, message: str, unclear: bool = False) -> None:
        super().__init__(message)
        self.unclear = unclear


def invalid_template(message: str) -> Refused:
    """Return the error for a template that cannot be read, as AWS words it."""
    return Refused(f"Template format error: {message}")


def from_service(error: ClientError, service: str) -> ResourceFailure:
    """Return a service's refusal, in the form in which CloudFormation's resource handlers pass it on."""
    answer = error.response
    code, status = answer["Error"].get("Code", ""), answer["ResponseMetadata"]["HTTPStatusCode"]
    request_id = answer["ResponseMetadata"].get("RequestId") or uuid.uuid4()
    message = f"{answer['Error'].get('Message', code)} (Service: {service}, Status Code: {status}, "
    failure = handler_failure(f"{message}Request ID: {request_id})", _handler_code(code))
    failure.unclear = status >= 500
    return failure


def already_exists(type_name: str, identifier: str) -> ResourceFailure:
    """Return the failure of a resource whose name somebody else has taken."""
    message = f"Resource of type '{type_name}' with identifier '{identifier}' already exists."
    return handler_failure(message, "AlreadyExists")


def handler_failure(message: str, code: str) -> ResourceFailure:
    """Return a failure with a message and a handler error code, such as InvalidRequest.

    https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-test-contract-errors.html
    """
    return ResourceFailure(
        f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})'
    )


def _handler_code(code: str) -> str:
    if "AlreadyExists" in code or code in ("ResourceInUseException", "ResourceConflictException"):
        return "AlreadyExists"
    if is_missing(code):
        return "NotFound"
    if "AccessDenied" in code:
        return "AccessDenied"
    if "Throttl" in code or "TooManyRequests" in code:
        return "Throttling"
    if "LimitExceeded" in code:
        return "ServiceLimitExceeded"
    return "GeneralServiceException" if "Internal" in code else "InvalidRequest"


def is_missing(code: str) -> bool:
    """Return whether this error code of a service says that the resource is not there."""
    return (
        code in ("ResourceNotFoundException", "NoSuchEntity")
        or "NonExistentQueue" in code
        or "QueueDoesNotExist" in code
    )
