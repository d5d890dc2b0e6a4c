"""Keep the resource policy of a function, a version or an alias: who may invoke it, as AddPermission says."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from ..account.arn import Arn
from ..execution.lambda_errors import LambdaError, constraint_errors, invalid
from ..iam.authorization import AccessRequest, Decision, Policy, decide

#: What the API model says of AddPermission's parameters:
#: https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
_PATTERNS = {
    "StatementId": r"([a-zA-Z0-9-_]+)",
    "Action": r"(lambda:[*]|lambda:[a-zA-Z]+|[*])",
    "Principal": r"[^\s]+",
    "SourceArn": (
        r"arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\-])+:((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1})?:(\d{12})?:(.*)"
    ),
    "SourceAccount": r"\d{12}",
    "EventSourceToken": r"[a-zA-Z0-9._\-]+",
    "PrincipalOrgID": r"o-[a-z0-9]{10,32}",
}
_QUALIFIER_PATTERN = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"
_LENGTHS = {"StatementId": 100, "EventSourceToken": 256}
_MAX_POLICY = 20 * 1024  # bytes; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html

#: Condition operator and key of each parameter that narrows a permission down, in AWS's order.
_CONDITIONS = (
    ("SourceAccount", "StringEquals", "AWS:SourceAccount"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("SourceArn", "ArnLike", "AWS:SourceArn"),
    ("InvokedViaFunctionUrl", "Bool", "lambda:InvokedViaFunctionUrl"),
)


class ResourcePolicy:
    """The permissions on one resource. `arn`: the function's, or that of its version or alias."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.revision_id = str(uuid.uuid4())
        self._statements: dict[str, dict[str, Any]] = {}
        self._policy = Policy({})

    def __bool__(self) -> bool:
        return bool(self._statements)

    @property
    def evaluated(self) -> Policy:
        """The policy as it stands, ready to be asked."""
        return self._policy

    def allows(self, request: AccessRequest) -> bool:
        return decide((self._policy,), request) is Decision.ALLOW

    def add(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Add the permission of an AddPermission request; returns its statement. Raises LambdaError."""
        statement = _statement(request, self.arn)
        if statement["Sid"] in self._statements:
            raise LambdaError(
                "ResourceConflictException",
                f"The statement id ({statement['Sid']}) provided already exists. Please provide a new "
                "statement id, or remove the existing statement.",
            )
        statements = {**self._statements, statement["Sid"]: statement}
        size = len(json.dumps(_document(statements), separators=(",", ":")).encode())
        if size > _MAX_POLICY:
            raise LambdaError(
                "PolicyLengthExceededException",
                f"The final policy size ({size}) is bigger than the limit ({_MAX_POLICY}).",
            )
        self._replace(statements)
        return statement

    def remove(self, statement_id: str) -> None:
        """Remove a permission. Raises LambdaError when there is none of this id."""
        if statement_id not in self._statements:
            raise LambdaError("ResourceNotFoundException", f"Statement {statement_id} is not found in resource policy.")
        self._replace({sid: statement for sid, statement in self._statements.items() if sid != statement_id})

    def document(self) -> dict[str, Any]:
        return _document(self._statements)

    def _replace(self, statements: dict[str, dict[str, Any]]) -> None:
        # Events are being delivered meanwhile: they see the old policy or the new one, never half of each.
        self._statements = statements
        self._policy = Policy(self.document())
        self.revision_id = str(uuid.uuid4())


def check_permission_request(request: Mapping[str, Any], qualifier: str | None) -> None:
    """Refuse the parameters of an AddPermission request that break the API's rules. Raises LambdaError."""
    failures = []
    for name, pattern in (*_PATTERNS.items(), ("Qualifier", _QUALIFIER_PATTERN)):
        value = qualifier if name == "Qualifier" else request.get(name)
        parameter = name[0].lower() + name[1:]
        if value and not re.fullmatch(pattern, value):
            failures.append((parameter, value, f"Member must satisfy regular expression pattern: {pattern}"))
        if value and len(value) > _LENGTHS.get(name, len(value)):
            failures.append((parameter, value, f"Member must have length less than or equal to {_LENGTHS[name]}"))
    if failures:
        raise constraint_errors(failures)


def _document(statements: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "default", "Statement": list(statements.values())}


def _statement(request: Mapping[str, Any], arn: str) -> dict[str, Any]:
    statement = {
        "Sid": request["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(request["Principal"], Arn.parse(arn).partition),
        "Action": request["Action"],
        "Resource": arn,
    }
    condition: dict[str, dict[str, str]] = {}
    for parameter, operator, key in _CONDITIONS:
        value = request.get(parameter)
        if value not in (None, ""):
            text = str(value).lower() if isinstance(value, bool) else value
            condition.setdefault(operator, {})[key] = text
    return {**statement, "Condition": condition} if condition else statement


def _principal(principal: str, partition: str) -> str | dict[str, str]:
    if principal == "*":
        return "*"
    if re.fullmatch(r"[a-z0-9][a-z0-9.-]*\.amazon(aws)?\.com(\.cn)?", principal):
        return {"Service": principal}
    if re.fullmatch(r"\d{12}", principal):
        return {"AWS": f"arn:{partition}:iam::{principal}:root"}
    if re.fullmatch(r"arn:aws[a-z-]*:(iam|sts)::\d{12}:.+", principal):
        return {"AWS": principal}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")
