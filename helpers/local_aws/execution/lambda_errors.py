"""Make Lambda's errors in the form in which AWS sends them: the code in a header, the text in a JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence

from moto.core.exceptions import JsonRESTError

#: HTTP status of each code; every other one is a 400. From the errors of
#: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html and API_AddPermission.html.
_STATUS = {
    "AccessDeniedException": 403,
    "ResourceNotFoundException": 404,
    "UnknownOperationException": 404,
    "ResourceConflictException": 409,
    "PreconditionFailedException": 412,
    "RequestEntityTooLargeException": 413,
    "TooManyRequestsException": 429,
}


class LambdaError(JsonRESTError):
    """An error that Lambda answers a request with. `details` are further members of its JSON object."""

    def __init__(self, code: str, message: str, **details: str) -> None:
        super().__init__(code, message)
        self.code = _STATUS.get(code, 400)
        self.description = error_body(code, message, **details)


def error_body(code: str, message: str, **details: str) -> str:
    """Return the JSON object of an error. Lambda's own have a Type; those of the layer before it have none."""
    if code in ("ValidationException", "AccessDeniedException"):
        return json.dumps({"message": message})
    # The API model gives this one error a capital letter that the others do not have.
    name = "Message" if code == "ResourceNotFoundException" else "message"
    return json.dumps({**details, "Type": "User", name: message})


def not_found(arn: str) -> LambdaError:
    """Return the error for a function, or a version or alias of it, that does not exist."""
    return LambdaError("ResourceNotFoundException", f"Function not found: {arn}")


def invalid(message: str) -> LambdaError:
    """Return the error for a parameter that Lambda's own rules refuse."""
    return LambdaError("InvalidParameterValueException", message)


def constraint_errors(failures: Sequence[tuple[str, object, str]]) -> LambdaError:
    """Return one error for parameters that break the API's own rules. `failures`: (name, value, constraint)."""
    count = f"{len(failures)} validation error{'s' if len(failures) > 1 else ''} detected: "
    texts = [f"Value '{value}' at '{name}' failed to satisfy constraint: {rule}" for name, value, rule in failures]
    return LambdaError("ValidationException", count + "; ".join(texts))
