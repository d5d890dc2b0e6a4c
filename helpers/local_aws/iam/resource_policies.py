"""What a resource's own policy says about a caller: those of functions and queues, and roles' trust policies."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends

from ..account.credentials import ACCOUNT_ID
from .authorization import AccessRequest, Decision
from .authorization import decide as decide_policies
from .identity_policies import parsed
from .permissions import Permission
from .policy_text import Context


def decide(permission: Permission, principals: tuple[str, ...], context: Context) -> Decision:
    """The decision for a caller who may be named in any of these ways (ARNs).

    Within one account the resource's policy is enough, if it names the caller and not the account as a whole.
    """
    policy = _policy(permission.resource)
    if policy is None:
        return Decision.IMPLICIT_DENY
    decisions = {
        decide_policies(
            [policy], AccessRequest(permission.action, permission.resource, ("AWS", arn), context, by_name=True)
        )
        for arn in principals
    }
    for decision in (Decision.EXPLICIT_DENY, Decision.ALLOW):
        if decision in decisions:
            return decision
    return Decision.IMPLICIT_DENY


def _policy(resource_arn: str) -> Any:
    parts = resource_arn.split(":")
    if len(parts) > 5 and parts[2] == "sqs":
        queue = sqs_backends[ACCOUNT_ID][parts[3]].queues.get(parts[5])
        return parsed(queue.policy) if queue is not None and queue.policy else None
    if len(parts) > 6 and parts[2] == "lambda" and parts[5] == "function":
        group = lambda_backends[ACCOUNT_ID][parts[3]]._lambdas._functions.get(parts[6])
        qualifier = parts[7] if len(parts) > 7 and parts[7] != "$LATEST" else ""
        policy = group["latest"].policies.get(qualifier) if group else None
        return policy.evaluated if policy else None
    if len(parts) > 5 and parts[2] == "iam" and parts[5].startswith("role/"):
        roles = list(iam_backends[ACCOUNT_ID]["aws"].roles.values())
        return next((parsed(role.assume_role_policy_document) for role in roles if role.arn == resource_arn), None)
    return None
