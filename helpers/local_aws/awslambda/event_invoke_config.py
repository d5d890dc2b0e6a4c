"""Configure a function's asynchronous events: retries, age, destinations, by version or alias.

Requests are refused with AWS's codes and messages.
https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..account.arn import Arn
from ..engine import clock
from ..execution.function_names import unqualified
from ..execution.lambda_errors import LambdaError, constraint_errors, invalid

#: What holds without a configuration: retries after the first attempt, seconds in the queue.
MAX_RETRIES, MAX_EVENT_AGE = 2, 21_600
_MIN_EVENT_AGE = 60
_DESTINATION = (
    r"$|kafka://([^.]([a-zA-Z0-9\-_.]{0,248}))|"
    r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
)
#: What a destination may be, and what the execution role must be allowed to do to it.
ACTIONS = {
    "sqs": "sqs:SendMessage",
    "sns": "sns:Publish",
    "lambda": "lambda:InvokeFunction",
    "events": "events:PutEvents",
}

Request = Mapping[str, Any]
#: Tells whether a destination exists and whether the role may use it; raises LambdaError otherwise.
CheckDestination = Callable[[str], None]


@dataclass(frozen=True)
class EventInvokeConfig:
    """One configuration. None: the default holds. A destination of "" is none."""

    function_arn: str  # with its qualifier
    retries: int | None
    max_age: int | None
    on_success: str
    on_failure: str
    last_modified: float

    def described(self) -> dict[str, Any]:
        """Return the configuration as the API does."""
        described: dict[str, Any] = {"LastModified": self.last_modified, "FunctionArn": self.function_arn}
        if self.retries is not None:
            described["MaximumRetryAttempts"] = self.retries
        if self.max_age is not None:
            described["MaximumEventAgeInSeconds"] = self.max_age
        described["DestinationConfig"] = {
            "OnSuccess": {"Destination": self.on_success} if self.on_success else {},
            "OnFailure": {"Destination": self.on_failure} if self.on_failure else {},
        }
        return described


def check_constraints(request: Request) -> None:
    """Check what the API model states for single parameters. Raises LambdaError."""
    failures = list(_constraint_failures(request))
    if failures:
        raise constraint_errors(failures)


def make_config(
    function_arn: str, request: Request, check_destination: CheckDestination, former: EventInvokeConfig | None = None
) -> EventInvokeConfig:
    """Return the configuration that a request wants; what it leaves out stays as in `former`. Raises LambdaError."""
    wanted = request.get("DestinationConfig")
    settings = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
    if all(request.get(name) is None for name in settings):
        raise invalid("You must specify at least one of error handling or destination setting.")
    destinations = {side: _destination(wanted, side) for side in ("OnSuccess", "OnFailure")}
    for arn in filter(None, destinations.values()):
        if _service(arn) not in ACTIONS:
            raise invalid(f"The provided destination config {_as_java_prints(destinations)} is invalid.")
        if arn in (function_arn, unqualified(function_arn)):
            raise invalid("You can't specify the function as a destination for itself.")
        check_destination(arn)

    def chosen(value: Any, before: str) -> Any:
        return getattr(former, before) if value is None and former else value

    return EventInvokeConfig(
        function_arn,
        chosen(request.get("MaximumRetryAttempts"), "retries"),
        chosen(request.get("MaximumEventAgeInSeconds"), "max_age"),
        chosen(destinations["OnSuccess"], "on_success") or "",
        chosen(destinations["OnFailure"], "on_failure") or "",
        clock.now(),
    )


def no_config(function_arn: str) -> LambdaError:
    """Return the error for a `function_arn` with its qualifier that has no configuration, or does not exist."""
    return LambdaError("ResourceNotFoundException", f"The function {function_arn} doesn't have an EventInvokeConfig")


def _constraint_failures(request: Request) -> Iterator[tuple[str, object, str]]:
    limits = {"MaximumRetryAttempts": (0, MAX_RETRIES), "MaximumEventAgeInSeconds": (_MIN_EVENT_AGE, MAX_EVENT_AGE)}
    for name, (least, most) in limits.items():
        value = request.get(name)
        if value is not None and not least <= value <= most:
            rule = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
            yield name[0].lower() + name[1:], value, f"Member must have value {rule}"
    for side in ("OnSuccess", "OnFailure"):
        value = _destination(request.get("DestinationConfig"), side)
        if value and not re.fullmatch(_DESTINATION, value):
            name = f"destinationConfig.{side[0].lower()}{side[1:]}.destination"
            yield name, value, f"Member must satisfy regular expression pattern: {_DESTINATION}"


def _destination(wanted: Any, side: str) -> str | None:
    """Return the ARN for one side; "" when it should have none; None when the request does not speak of it."""
    return ((wanted or {}).get(side) or {}).get("Destination")


def _service(arn: str) -> str:
    found = Arn.find(arn)
    return found.service if found and found.scheme == "arn" else ""


def _as_java_prints(destinations: Mapping[str, str | None]) -> str:
    """AWS's message shows the object as its service prints it."""
    parts = [
        f"{side[0].lower()}{side[1:]}={f'{side}(destination={arn})' if arn else 'null'}"
        for side, arn in destinations.items()
    ]
    return f"DestinationConfig({', '.join(parts)})"
