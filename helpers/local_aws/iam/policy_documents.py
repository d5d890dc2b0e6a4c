"""Refuse as a policy what IAM refuses beyond moto: MalformedPolicyDocument, with AWS's messages.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.models import IAMBackend, Role
from moto.iam.policy_validation import (
    BaseIAMPolicyValidator,
    IAMPolicyDocumentValidator,
    IAMTrustPolicyDocumentValidator,
)


def install() -> None:
    """Make moto's IAM check principals, and a role's trust policy when the role is created."""
    read, check, check_trust = (
        BaseIAMPolicyValidator.__init__,
        IAMPolicyDocumentValidator.validate,
        IAMTrustPolicyDocumentValidator.validate,
    )
    check_action = IAMTrustPolicyDocumentValidator._validate_trust_policy_action  # noqa: SLF001  moto has it there
    create_role = IAMBackend.create_role

    def read_document(self: BaseIAMPolicyValidator, policy_document: str) -> None:
        read(self, _numbers_as_text(policy_document))

    def validate(self: IAMPolicyDocumentValidator) -> None:
        check(self)
        if any("Principal" in statement or "NotPrincipal" in statement for statement in self._statements):
            raise MalformedPolicyDocument("Policy document should not specify a principal.")

    def validate_trust(self: IAMTrustPolicyDocumentValidator) -> None:
        check_trust(self)
        for statement in self._statements:
            principal = statement.get("Principal", statement.get("NotPrincipal"))
            if principal is None:
                raise MalformedPolicyDocument("Missing required field Principal")
            if not principal or (isinstance(principal, dict) and not all(principal.values())):
                raise MalformedPolicyDocument(
                    "Invalid principal in policy: com.amazon.balsa.error.InvalidPolicyException: "
                    "The passed in policy has a statement with no principals!"
                )

    def validate_action(action: str) -> None:
        if not (action.startswith("sts:") and "*" in action):  # moto knows no wildcards here
            check_action(action)

    def create(self: IAMBackend, role_name: str, assume_role_policy_document: str, *rest: Any, **more: Any) -> Role:
        IAMTrustPolicyDocumentValidator(assume_role_policy_document).validate()
        return create_role(self, role_name, assume_role_policy_document, *rest, **more)

    BaseIAMPolicyValidator.__init__ = read_document
    IAMPolicyDocumentValidator.validate = validate
    IAMTrustPolicyDocumentValidator.validate = validate_trust
    IAMTrustPolicyDocumentValidator._validate_trust_policy_action = staticmethod(validate_action)  # noqa: SLF001
    IAMBackend.create_role = create


def _numbers_as_text(document: str) -> str:
    """Return the document with its numbers as text. AWS takes both in a condition, moto's checks only text."""
    try:
        return json.dumps(json.loads(document, parse_int=str, parse_float=str))
    except (ValueError, TypeError):
        return document
