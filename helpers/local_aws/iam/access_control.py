"""Decide for IAM whether a caller may do what a request asks for.

Whoever signs with a role's or a user's credentials may do what their policies allow, as on AWS: an explicit
deny wins; else an identity-based policy must allow it (and a permissions boundary or session policy too, where
there is one), or the resource's own policy must allow it to this very caller. The account's administrator may
do everything. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..account.credentials import Credentials
from ..http.call import Call
from ..http.dispatch import Answer
from . import identity_policies, resource_policies, service_permissions
from .access_denied import refusal, without_resource
from .authorization import AccessRequest, Decision, PolicySet
from .caller_context import CallerContext
from .identity_policies import IdentityPolicies
from .permissions import NoResource, Permission

#: The kinds of policies, as AWS's errors name them: after "with an explicit deny in", and after "because no".
_IDENTITY = ("an identity-based policy", "identity-based policy")
_BOUNDARY = ("a permissions boundary", "permissions boundary")
_SESSION = ("a session policy", "session policy")


def role_may(role_arn: str, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
    """Return whether a role's policies let it do `action` ("sqs:SendMessage") to the resource.

    context: condition keys in lower case, such as "aws:sourcearn", and their values.
    """
    policies = identity_policies.of_role(role_arn)
    request = AccessRequest(action, resource_arn, None, context or {})
    return all(part.decide(request) is Decision.ALLOW for _, part in _parts(policies, None))


def role_reaches(role_arn: str, action: str, resource_arn: str) -> bool:
    """Return whether a role may do `action` to the resource, by its own policies or by the resource's."""
    request = AccessRequest(action, resource_arn)
    decisions = [part.decide(request) for _, part in _parts(identity_policies.of_role(role_arn), None)]
    of_resource = resource_policies.decide(Permission(action, resource_arn), (role_arn,), {})
    if Decision.EXPLICIT_DENY in (*decisions, of_resource):
        return False
    return of_resource is Decision.ALLOW or all(decision is Decision.ALLOW for decision in decisions)


def refuse(call: Call) -> Answer | None:
    """Return the service's refusal of a call for which the caller lacks permission; None when it may go on.

    Raises Unreadable.
    """
    credentials = call.caller.credentials
    if credentials.is_administrator:
        return None
    try:
        needed = service_permissions.needed(call)
    except NoResource:
        return without_resource(call)
    policies = _policies(credentials)
    for permission in needed:
        context = CallerContext(credentials, call.request, call.region, permission.context)
        reason = _why_not(credentials, policies, permission, context)
        if reason is not None:
            return refusal(call, permission, reason)
    return None


def _policies(credentials: Credentials) -> IdentityPolicies:
    if credentials.role_arn is not None:
        return identity_policies.of_role(credentials.role_arn)
    return identity_policies.of_user(credentials.user_name) if credentials.user_name else identity_policies.NOTHING


def _parts(policies: IdentityPolicies, session_policy: str | None) -> Iterator[tuple[tuple[str, str], PolicySet]]:
    """Yield the policies that must all allow a request, with their names."""
    yield _IDENTITY, policies.allowed
    if policies.boundary is not None:
        yield _BOUNDARY, policies.boundary
    if session_policy:
        yield _SESSION, PolicySet([identity_policies.parsed(session_policy)])


def _why_not(
    credentials: Credentials, policies: IdentityPolicies, permission: Permission, context: CallerContext
) -> str | None:
    """Return the end of AWS's sentence about what is missing; None when nothing is."""
    asked = AccessRequest(permission.action, permission.resource, None, context)
    decisions = [(kind, part.decide(asked)) for kind, part in _parts(policies, credentials.session_policy)]
    of_resource = resource_policies.decide(permission, _principals(credentials), context)
    denied = next((kind for kind, decision in decisions if decision is Decision.EXPLICIT_DENY), None)
    if denied is not None:
        return f"with an explicit deny in {denied[0]}"
    if of_resource is Decision.EXPLICIT_DENY:
        return "with an explicit deny in a resource-based policy"
    missing = next((kind for kind, decision in decisions if decision is not Decision.ALLOW), None)
    if missing is None or of_resource is Decision.ALLOW:
        return None
    return f"because no {missing[1]} allows the {{action}} action"


def _principals(credentials: Credentials) -> tuple[str, ...]:
    """How a resource's policy may name the caller: a role's session by the session or by the role."""
    return tuple(arn for arn in (credentials.principal_arn, credentials.role_arn) if arn)
