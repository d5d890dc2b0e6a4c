"""Decide whether an SQS queue's own policy lets an AWS service send to it.

EventBridge acts in the name of a service, not of a user: what counts is the queue's resource-based policy, which
a learner sets as the queue's attribute `Policy`.
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html#eb-sqs-permissions
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from moto.sqs import sqs_backends

from ..account.arn import Arn
from ..iam.authorization import AccessRequest, Decision, Policy, decide

_compiled = lru_cache(maxsize=256)(lambda text: Policy(json.loads(text)))


def queue_allows(queue_arn: str, service_principal: str, source_arn: str, source_account: str) -> bool:
    """Return whether the service ("events.amazonaws.com"), acting for `source_arn` (a rule), may send to the queue.

    A queue that does not exist allows nothing.
    """
    queue = find_queue(queue_arn)
    if queue is None:
        return False
    return policy_allows(queue.policy, "sqs:SendMessage", queue_arn, service_principal, source_arn, source_account)


def find_queue(queue_arn: str) -> Any:
    """Return moto's queue, None when there is none with this ARN."""
    arn = Arn.parse(queue_arn)
    return sqs_backends[arn.account][arn.region].queues.get(arn.resource_id)


def policy_allows(
    policy: str | None, action: str, resource: str, service: str, source_arn: str, source_account: str
) -> bool:
    """Return whether a resource's policy (JSON text) allows the action to a service that acts for `source_arn`."""
    return policies_allow([policy] if policy else [], action, resource, service, source_arn, source_account)


def policies_allow(
    policies: Iterable[str], action: str, resource: str, service: str, source_arn: str, source_account: str
) -> bool:
    """Return the same for several policies together: a Deny in one of them wins over what the others allow."""
    context = {
        "aws:sourcearn": source_arn,
        "aws:sourceaccount": source_account,
        "aws:principalservicename": service,
        "aws:principalisawsservice": "true",
    }
    request = AccessRequest(action, resource, ("Service", service), context)
    return decide([_compiled(policy) for policy in policies], request) is Decision.ALLOW
