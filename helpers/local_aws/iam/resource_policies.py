"""Decide what a resource's own policy says about a caller: functions, queues, buckets, and roles by whom they trust."""

from __future__ import annotations

from typing import Any

from moto.awslambda.models import lambda_backends
from moto.iam.models import iam_backends
from moto.sqs.models import sqs_backends

from ..account.arn import Arn
from ..account.credentials import ACCOUNT_ID
from ..execution.function_names import name_and_qualifier
from .authorization import AccessRequest, Decision
from .authorization import decide as decide_policies
from .identity_policies import parsed
from .permissions import Permission
from .policy_text import Context


def decide(permission: Permission, principals: tuple[str, ...], context: Context) -> Decision:
    """Return the decision for a caller who may be named in any of these ways (ARNs).

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
    arn = Arn.find(resource_arn)
    if arn is None:
        return None
    if arn.service == "sqs":
        queue = sqs_backends[ACCOUNT_ID][arn.region].queues.get(arn.resource_parts[0])
        return parsed(queue.policy) if queue is not None and queue.policy else None
    if arn.service == "s3":
        from moto.s3.models import s3_backends  # few have a bucket

        bucket = s3_backends[ACCOUNT_ID]["aws"].buckets.get(arn.resource.partition("/")[0])
        text = bucket.policy if bucket is not None else None
        return parsed(text.decode() if isinstance(text, bytes) else text) if text else None
    if arn.service == "lambda" and arn.resource.startswith("function:"):
        functions: Any = lambda_backends[ACCOUNT_ID][arn.region]  # awslambda's LambdaService
        return functions.evaluated_policy(*name_and_qualifier(arn))
    if arn.service == "iam" and arn.resource.startswith("role/"):
        roles = list(iam_backends[ACCOUNT_ID]["aws"].roles.values())
        return next((parsed(role.assume_role_policy_document) for role in roles if role.arn == resource_arn), None)
    return None
