"""Decides whether policies allow a request: AWS's rules for statements, wildcards, principals and conditions.

A policy is read once, by `Policy(document)`, into statements whose wildcards are compiled; a decision then
costs microseconds. An explicit Deny wins over every Allow, and what no statement allows is denied:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any


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
    and their values.
    """

    action: str
    resource: str | None
    principal: tuple[str, str] | None = None
    context: Mapping[str, str] = field(default_factory=dict)


def decide(policies: Iterable[Policy], request: AccessRequest) -> Decision:
    """Evaluate `request` against all `policies` together."""
    return _decide((statement for policy in policies for statement in policy.statements), request)


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
    allowed = False
    for statement in statements:
        if (statement.denies or not allowed) and statement.applies_to(request):
            if statement.denies:
                return Decision.EXPLICIT_DENY
            allowed = True
    return Decision.ALLOW if allowed else Decision.IMPLICIT_DENY


def role_trusts_service(
    trust_policy: Mapping[str, Any], service: str, context: Mapping[str, str] | None = None
) -> bool:
    """Whether a role's trust policy lets the AWS service (its principal's name) assume the role."""
    request = AccessRequest("sts:AssumeRole", None, ("Service", service), context or {})
    return decide([Policy(trust_policy)], request) is Decision.ALLOW


class Policy:
    """A policy document, ready to be evaluated."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.statements = [
            Statement(statement)
            for statement in _listed(document.get("Statement"))
            if statement.get("Effect") in ("Allow", "Deny")
        ]


class Statement:
    """One statement of a policy."""

    __slots__ = ("denies", "_actions", "_resources", "_principals", "_conditions")

    def __init__(self, statement: Mapping[str, Any]) -> None:
        self.denies = statement["Effect"] == "Deny"
        self._actions = _Patterns.of(statement, "Action", case_sensitive=False)
        self._resources = _Patterns.of(statement, "Resource")
        self._principals = _Principals.of(statement)
        self._conditions = [
            _Condition(operator, key, _listed(values))
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        ]

    def speaks_of(self, action: str) -> bool:
        return self._actions is not None and self._actions.match(action)

    def applies_to(self, request: AccessRequest) -> bool:
        return (
            self.speaks_of(request.action)
            and (self._resources is None or request.resource is None or self._resources.match(request.resource))
            and (self._principals is None or self._principals.match(request.principal))
            # A condition that is not understood must not let anybody in, nor let anybody past a Deny.
            and all(c.is_met(request.context) if c.understood else self.denies for c in self._conditions)
        )


class _Patterns:
    """The values of Action or Resource, or of their opposites NotAction and NotResource."""

    def __init__(self, values: Iterable[str], negated: bool, case_sensitive: bool) -> None:
        self._matchers = [_matcher(value, case_sensitive) for value in values]
        self._negated = negated

    @classmethod
    def of(cls, statement: Mapping[str, Any], name: str, case_sensitive: bool = True) -> _Patterns | None:
        for key, negated in ((name, False), (f"Not{name}", True)):
            if key in statement:
                return cls(_listed(statement[key]), negated, case_sensitive)
        return None

    def match(self, value: str) -> bool:
        return any(matches(value) for matches in self._matchers) is not self._negated


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

    def match(self, principal: tuple[str, str] | None) -> bool:
        return self._includes(principal) is not self._negated

    def _includes(self, principal: tuple[str, str] | None) -> bool:
        if self._everybody or principal in self._pairs:
            return True
        if principal is None or principal[0] != "AWS":
            return principal is not None and (principal[0], "*") in self._pairs
        # An account, as its number or its root's ARN, stands for everybody in it.
        account = principal[1].split(":")[4] if principal[1].count(":") > 4 else principal[1]
        return any(
            kind == "AWS" and (value == account or (value.endswith(":root") and f"::{account}:" in value))
            for kind, value in self._pairs
        )


class _Condition:
    """One condition key, its operator and its values: any is enough; a negated operator excludes them all."""

    __slots__ = ("understood", "_key", "_tests", "_negated", "_if_exists", "_null")

    def __init__(self, operator: str, key: str, values: list[Any]) -> None:
        name, _, suffix = operator.partition("IfExists")
        self._key = key.lower()
        self._if_exists = operator.endswith("IfExists") and not suffix
        self._null = name == "Null"
        self._negated = "Not" in name
        make_test = _OPERATORS.get(name.replace("Not", ""))
        self.understood = self._null or (make_test is not None and not suffix)
        texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in values]
        if self._null:
            self._tests: list[Callable[[str], bool]] = [lambda _, text=text: text == "false" for text in texts]
        else:
            self._tests = [make_test(text) for text in texts] if make_test else []

    def is_met(self, context: Mapping[str, str]) -> bool:
        value = context.get(self._key)
        if self._null:  # "true" asks that the key is absent
            return any(test("") is (value is not None) for test in self._tests)
        if value is None:  # a negated operator holds for an absent key, any other one does not
            return self._if_exists or self._negated
        return any(test(value) for test in self._tests) is not self._negated


def _string_equals(expected: str) -> Callable[[str], bool]:
    return expected.__eq__


def _string_equals_ignore_case(expected: str) -> Callable[[str], bool]:
    folded = expected.casefold()
    return lambda value: value.casefold() == folded


def _string_like(pattern: str) -> Callable[[str], bool]:
    return _matcher(pattern, True)


def _arn_like(pattern: str) -> Callable[[str], bool]:
    """Each of an ARN's six parts is matched on its own: no wildcard reaches over a colon between them."""
    parts = pattern.split(":", 5)
    if len(parts) < 6:
        return _matcher(pattern, True) if pattern == "*" else lambda value: False
    tests = [_matcher(part, True) for part in parts]

    def matches(value: str) -> bool:
        found = value.split(":", 5)
        return len(found) == 6 and all(test(part) for test, part in zip(tests, found, strict=True))

    return matches


def _number(compare: Callable[[float, float], bool]) -> Callable[[str], Callable[[str], bool]]:
    def make_test(expected: str) -> Callable[[str], bool]:
        def test(value: str) -> bool:
            try:
                return compare(float(value), float(expected))
            except ValueError:
                return False

        return test

    return make_test


#: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
#: The negated ones are these with Not in their names. ArnEquals and ArnLike behave the same.
_OPERATORS: dict[str, Callable[[str], Callable[[str], bool]]] = {
    "StringEquals": _string_equals,
    "StringEqualsIgnoreCase": _string_equals_ignore_case,
    "StringLike": _string_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": _string_equals_ignore_case,
    "NumericEquals": _number(lambda value, expected: value == expected),
    "NumericLessThan": _number(lambda value, expected: value < expected),
    "NumericLessThanEquals": _number(lambda value, expected: value <= expected),
    "NumericGreaterThan": _number(lambda value, expected: value > expected),
    "NumericGreaterThanEquals": _number(lambda value, expected: value >= expected),
}


@lru_cache(maxsize=4096)
def _matcher(pattern: str, case_sensitive: bool) -> Callable[[str], bool]:
    """A test for a value with AWS's wildcards: * for any text, ? for one character."""
    if not case_sensitive:
        regex = re.compile(_regex(pattern), re.DOTALL | re.IGNORECASE)
    elif "*" in pattern or "?" in pattern:
        regex = re.compile(_regex(pattern), re.DOTALL)
    else:
        return pattern.__eq__
    return lambda value: regex.fullmatch(value) is not None


def _regex(pattern: str) -> str:
    # Runs of stars mean one star; as a regular expression they would take exponential time.
    pattern = re.sub(r"\*+", "*", pattern)
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
