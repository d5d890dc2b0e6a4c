"""Judge whether a role's policies allow an action, from the policies themselves.

It is a part of what IAM does (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html):
enough to name a policy of the lessons that does not do what it should. Conditions are taken to be met by what is
allowed, and not to be met by what is denied: what is not certain is no finding.
"""

import re
from collections.abc import Iterator
from typing import Any

from helpers.account.answers import Answers
from helpers.account.state import EXTRA_POLICIES

#: Managed by AWS, and known to allow all that a lesson's function asks of their service.
_KNOWN = {
    "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess": "dynamodb:*",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": "logs:*",
}
Statement = dict[str, Any]


def verdict(answers: Answers, role: str, action: str, resource: str) -> str | None:
    """Return "" when the role's policies allow the action on the resource, the name of the policy that denies it, or
    None when no policy allows it.
    """
    allowed = False
    for name, statement in _statements(answers, role):
        if _applies(statement, action, resource):
            if statement.get("Effect") == "Deny" and not statement.get("Condition"):
                return name
            allowed = allowed or statement.get("Effect") == "Allow"
    return "" if allowed else None


def _statements(answers: Answers, role: str) -> Iterator[tuple[str, Statement]]:
    """Yield every statement of the role's policies, with its policy's name."""
    for policy in answers.get("iam", "list_attached_role_policies", RoleName=role).get("AttachedPolicies", []):
        arn, name = policy["PolicyArn"], policy["PolicyName"]
        if arn in _KNOWN:
            yield name, {"Effect": "Allow", "Action": _KNOWN[arn], "Resource": "*"}
            continue
        version = answers.get("iam", "get_policy", PolicyArn=arn).get("Policy", {}).get("DefaultVersionId")
        document = answers.get("iam", "get_policy_version", PolicyArn=arn, VersionId=version) if version else {}
        yield from _of(name, document.get("PolicyVersion", {}).get("Document"))
    for name in answers.get("iam", "list_role_policies", RoleName=role).get("PolicyNames", []):
        if name in EXTRA_POLICIES:
            continue  # of lessons 8 and 10: about queues and events
        answer = answers.get("iam", "get_role_policy", RoleName=role, PolicyName=name)
        yield from _of(name, answer.get("PolicyDocument"))


def _of(name: str, document: Any) -> Iterator[tuple[str, Statement]]:
    """Yield the statements of a document; of one that could not be read, one that allows all: it may."""
    if not isinstance(document, dict):
        yield name, {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return
    yield from ((name, statement) for statement in listed(document.get("Statement", [])))


def _applies(statement: Statement, action: str, resource: str) -> bool:
    return _covers(statement, "Action", action, ignore_case=True) and _covers(statement, "Resource", resource)


def _covers(statement: Statement, element: str, value: str, ignore_case: bool = False) -> bool:
    if element in statement:
        return any(_like(pattern, value, ignore_case) for pattern in listed(statement[element]))
    excluded = listed(statement.get(f"Not{element}", []))
    return bool(excluded) and not any(_like(pattern, value, ignore_case) for pattern in excluded)


def _like(pattern: str, value: str, ignore_case: bool) -> bool:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return bool(re.fullmatch(expression, value, re.IGNORECASE if ignore_case else 0))


def listed(value: Any) -> list[Any]:
    """Return what a policy writes as one thing or as a list of them as a list."""
    return value if isinstance(value, list) else [value]
