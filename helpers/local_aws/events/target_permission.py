"""Decide whether EventBridge may use a target: by the target's RoleArn where it has one, else the resource's policy.

"For Lambda, Amazon SNS, and Amazon SQS targets, you can use either an IAM execution role or a resource-based policy":
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from ..account.arn import Arn
from ..iam.access_control import role_may
from ..iam.authorization import role_trusts_service
from ..sqs.queue_policy import policy_allows
from .delivery_errors import DeliveryFailed, not_permitted

PRINCIPAL = "events.amazonaws.com"


def check_role(role_arn: str, action: str, resource: str, rule_arn: str) -> None:
    """Raise DeliveryFailed unless EventBridge may assume the role, and the role may do it."""
    account = Arn.parse(rule_arn).account
    role = next((role for role in list(iam_backends[account]["aws"].roles.values()) if role.arn == role_arn), None)
    context = {"aws:sourcearn": rule_arn, "aws:sourceaccount": account}
    trust: dict[str, Any] = json.loads(role.assume_role_policy_document) if role is not None else {}
    if not role_trusts_service(trust, PRINCIPAL, context):
        raise DeliveryFailed("FAILED_TO_ASSUME_ROLE", f"{PRINCIPAL} cannot assume the role {role_arn}")
    if not role_may(role_arn, action, resource):
        raise not_permitted(role_arn, action, resource, "identity-based")


def check(target: dict[str, Any], action: str, resource: str, rule_arn: str, policy: str | None) -> None:
    """Raise DeliveryFailed unless the target's role, or without one the resource's policy (JSON), allows it."""
    if target.get("RoleArn"):
        check_role(target["RoleArn"], action, resource, rule_arn)
    elif not policy_allows(policy, action, resource, PRINCIPAL, rule_arn, Arn.parse(rule_arn).account):
        raise not_permitted(PRINCIPAL, action, resource)
