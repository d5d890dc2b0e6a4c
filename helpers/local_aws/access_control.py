"""IAM decides: may this caller do what the request asks for?

Whoever signs with a role's or a user's credentials may do what their policies allow, as on AWS. The account's
administrator may do everything.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import identity_policies
from .authorization import AccessRequest, Decision


def role_may(role_arn: str, action: str, resource_arn: str, context: Mapping[str, str] | None = None) -> bool:
    """Whether a role's policies let it do `action` ("sqs:SendMessage") to the resource.

    context: condition keys in lower case, such as "aws:sourcearn", and their values.
    """
    policies = identity_policies.of_role(role_arn)
    request = AccessRequest(action, resource_arn, None, context or {})
    if policies.allowed.decide(request) is not Decision.ALLOW:
        return False
    return policies.boundary is None or policies.boundary.decide(request) is Decision.ALLOW
