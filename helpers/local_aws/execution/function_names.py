"""Read names of functions: bare, partial ARNs and ARNs, with and without a qualifier."""

from __future__ import annotations

import re
from dataclasses import replace

from ..account.arn import Arn
from .lambda_errors import LambdaError, constraint_errors, invalid, not_found

NAME_PATTERN = (
    r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"
    r"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"
)
_LOCATOR = re.compile(
    r"(?:arn:aws[a-zA-Z-]*:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)


def locate(name_or_arn: str, qualifier: str | None, account: str, region: str) -> tuple[str, str | None]:
    """Return the bare name and the qualifier of a function.

    name_or_arn: a name, partial ARN or ARN, with or without a qualifier; qualifier: given beside it.
    Raises LambdaError when they are malformed, disagree, or belong elsewhere.
    """
    match = _LOCATOR.fullmatch(name_or_arn)
    if match is None:
        rule = f"Member must satisfy regular expression pattern: {NAME_PATTERN}"
        raise constraint_errors([("functionName", name_or_arn, rule)])
    found = match.groupdict()
    if found["region"] and found["region"] != region:
        raise LambdaError(
            "ResourceNotFoundException",
            f"Functions from '{found['region']}' are not reachable in this region ('{region}')",
        )
    if found["account"] and found["account"] != account:
        raise not_found(name_or_arn)
    if qualifier and found["qualifier"] and qualifier != found["qualifier"]:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return found["name"], qualifier or found["qualifier"]


def name_and_qualifier(arn: Arn) -> tuple[str, str | None]:
    """Read the name and the qualifier, None without one, from a function's whole ARN. Raises LookupError."""
    parts = arn.resource_parts
    return parts[1], parts[2] if len(parts) > 2 else None


def unqualified(function_arn: str) -> str:
    """Drop the version or alias from a function's whole ARN. Raises MalformedArn."""
    arn = Arn.parse(function_arn)
    return str(replace(arn, resource=":".join(arn.resource_parts[:2])))
