"""Refuse as a policy what IAM refuses beyond moto: MalformedPolicyDocument, with AWS's messages.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Callable

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator


class PolicyValidator(IAMPolicyDocumentValidator):
    """moto's checks of an identity's policy, and that it names no principal."""

    def __init__(self, policy_document: str) -> None:
        super().__init__(_numbers_as_text(policy_document))

    def validate(self) -> None:
        super().validate()
        if any("Principal" in statement or "NotPrincipal" in statement for statement in self._statements):
            raise MalformedPolicyDocument("Policy document should not specify a principal.")


class TrustPolicyValidator(IAMTrustPolicyDocumentValidator):
    """moto's checks of a role's trust policy, and that each statement has a principal."""

    def __init__(self, policy_document: str) -> None:
        super().__init__(_numbers_as_text(policy_document))

    def validate(self) -> None:
        super().validate()
        for statement in self._statements:
            principal = statement.get("Principal", statement.get("NotPrincipal"))
            if principal is None:
                raise MalformedPolicyDocument("Missing required field Principal")
            if not principal or (isinstance(principal, dict) and not all(principal.values())):
                raise MalformedPolicyDocument(
                    "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: "
                    "The passed in policy has a statement with no principals!"
                )


def with_wildcards(check_action: Callable[[str], None]) -> staticmethod[[str], None]:
    """Return moto's check of a trust policy's action, for which wildcards are none."""

    def check(action: str) -> None:
        if not (action.startswith("sts:") and "*" in action):
            check_action(action)

    return staticmethod(check)


def _numbers_as_text(document: str) -> str:
    """Return the document with its numbers as text. AWS takes both in a condition, moto's checks only text."""
    try:
        return json.dumps(json.loads(document, parse_int=str, parse_float=str))
    except (ValueError, TypeError):
        return document
