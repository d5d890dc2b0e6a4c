"""Decide whether policies allow a request: AWS's rules for statements, wildcards, principals and conditions.

A policy is read once, by `Policy(document)`, into statements whose wildcards are compiled; a decision then
costs microseconds. An explicit Deny wins over every Allow, and what no statement allows is denied:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..account.arn import Arn
from .policy_conditions import Condition
from .policy_text import ActionNames, Context, Resources


class Decision(Enum):
    """ALLOW, or why not: a statement denies it (EXPLICIT_DENY), or none allows it (IMPLICIT_DENY)."""

    ALLOW = "allow"
    EXPLICIT_DENY = "explicit deny"
    IMPLICIT_DENY = "implicit deny"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Who wants to do what to which resource.

    principal: ("Service", "events.amazonaws.com") or ("AWS", an ARN); resource: None where a policy has no
    Resource element (a role's trust policy); context: condition keys in lower case, such as "aws:sourcearn",
    and their values; by_name: an Allow counts only when it names the principal itself, not its whole account.
    """

    action: str
    resource: str | None
    principal: tuple[str, str] | None = None
    context: Context = field(default_factory=dict)
    by_name: bool = False


def decide(policies: Iterable[Policy], request: AccessRequest) -> Decision:
    """Evaluate `request` against all `policies` together."""
    statements = (s for policy in policies for s in policy.statements if s.speaks_of(request.action))
    return _decide(statements, request)


class PolicySet:
    """Several policies as one, such as all those of a role. Asked often, it looks up what speaks of an action."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._statements = [statement for policy in policies for statement in policy.statements]
        self._by_action: dict[str, tuple[Statement, ...]] = {}

    def decide(self, request: AccessRequest) -> Decision:
        statements = self._by_action.get(request.action)
        if statements is None:
            statements = tuple(s for s in self._statements if s.speaks_of(request.action))
            if len(self._by_action) < 1000:
                self._by_action[request.action] = statements
        return _decide(statements, request)


def _decide(statements: Iterable[Statement], request: AccessRequest) -> Decision:
    """Return what statements that all speak of the request's action say."""
    allowed = False
    for statement in statements:
        if (statement.denies or not allowed) and statement.covers(request):
            if statement.denies:
                return Decision.EXPLICIT_DENY
            allowed = True
    return Decision.ALLOW if allowed else Decision.IMPLICIT_DENY


def role_trusts_service(
    trust_policy: Mapping[str, Any], service: str, context: Mapping[str, str] | None = None
) -> bool:
    """Return whether a role's trust policy lets the AWS service (its principal's name) assume the role."""
    request = AccessRequest("sts:AssumeRole", None, ("Service", service), context or {})
    return decide([Policy(trust_policy)], request) is Decision.ALLOW


class Policy:
    """A policy document, ready to be evaluated. Only those of version 2012-10-17 have variables."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        variables = document.get("Version") == "2012-10-17"
        self.statements = [
            Statement(statement, variables)
            for statement in _listed(document.get("Statement"))
            if statement.get("Effect") in ("Allow", "Deny")
        ]


class Statement:
    """One statement of a policy."""

    __slots__ = ("denies", "_actions", "_resources", "_principals", "_conditions")

    def __init__(self, statement: Mapping[str, Any], variables: bool) -> None:
        self.denies = statement["Effect"] == "Deny"
        actions, negated = _either(statement, "Action")
        self._actions = ActionNames(actions, negated) if actions is not None else None
        resources, negated = _either(statement, "Resource")
        self._resources = Resources(resources, variables, negated) if resources is not None else None
        self._principals = _Principals.of(statement)
        self._conditions = [
            Condition(operator, key, _listed(values), variables)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        ]

    def speaks_of(self, action: str) -> bool:
        return self._actions is not None and self._actions.match(action)

    def covers(self, request: AccessRequest) -> bool:
        """Return whether the statement applies to a request for an action that it speaks of."""
        resource, context = request.resource, request.context
        return (
            (self._resources is None or resource is None or self._resources.match(resource, context))
            and (
                self._principals is None
                or self._principals.match(request.principal, by_account=self.denies or not request.by_name)
            )
            # A condition that is not understood must not let anybody in, nor let anybody past a Deny.
            and all(c.is_met(context) if c.understood else self.denies for c in self._conditions)
        )


class _Principals:
    """The values of Principal or NotPrincipal. "*" stands for everybody, services included."""

    def __init__(self, element: Any, negated: bool) -> None:
        pairs = [("*", "*")] if element == "*" else [(kind, v) for kind in element for v in _listed(element[kind])]
        self._everybody = any(value == "*" and kind in ("*", "AWS") for kind, value in pairs)
        self._pairs = {(kind, value) for kind, value in pairs}
        self._negated = negated

    @classmethod
    def of(cls, statement: Mapping[str, Any]) -> _Principals | None:
        for key, negated in (("Principal", False), ("NotPrincipal", True)):
            if key in statement:
                return cls(statement[key], negated)
        return None

    def match(self, principal: tuple[str, str] | None, by_account: bool = True) -> bool:
        return self._includes(principal, by_account) is not self._negated

    def _includes(self, principal: tuple[str, str] | None, by_account: bool) -> bool:
        if self._everybody or principal in self._pairs:
            return True
        if principal is None or principal[0] != "AWS":
            return principal is not None and (principal[0], "*") in self._pairs
        # An account, as its number or its root's ARN, stands for everybody in it.
        arn = Arn.find(principal[1])
        account = principal[1] if arn is None else arn.account
        return by_account and any(
            kind == "AWS" and (value == account or (value.endswith(":root") and f"::{account}:" in value))
            for kind, value in self._pairs
        )


def _either(statement: Mapping[str, Any], name: str) -> tuple[list[str] | None, bool]:
    """Return the values of an element or of its opposite ("Action", "NotAction"), and whether it is the opposite."""
    for key, negated in ((name, False), (f"Not{name}", True)):
        if key in statement:
            return _listed(statement[key]), negated
    return None, False


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
