"""Extend AWS STS as the account needs it: who is calling, and who may assume a role.

moto lets everybody assume every role, existing or not. AWS asks the role's trust policy, whoever calls. (That the
caller's own policies allow it too, where the trust policy names only the account, is asked in access_control.)
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import Role, iam_backends
from moto.sts.models import AssumedRole, STSBackend
from moto.sts.responses import TokenResponse
from werkzeug.exceptions import BadRequest, Forbidden

from ..account.credentials import ACCOUNT_ID
from ..http.dispatch import error_answer
from .authorization import AccessRequest, Decision, Policy, decide
from .iam_permissions import assume_role_context

#: moto's name for whoever calls with other credentials than it has issued: the account's administrator.
_UNKNOWN_USER = "arn:aws:sts::{account}:user/moto"
ADMINISTRATOR = "arn:aws:iam::{account}:user/administrator"


class Backend(STSBackend):
    """moto's STS, which names the administrator as AWS would, and knows to which very role a session belongs."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.sts.urls

        return moto.sts.urls

    def assume_role(self, *args: Any, **settings: Any) -> AssumedRole:
        """Begin a session that belongs to this very role: one that has its name later is another."""
        session = super().assume_role(*args, **settings)
        role = _role(session.role_arn)
        session.role_id = role.id if role is not None else ""  # type: ignore[attr-defined]  # our own attribute
        return session

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        user_id, arn, account = super().get_caller_identity(access_key_id, region)
        if arn == _UNKNOWN_USER.format(account=account):
            arn = ADMINISTRATOR.format(account=account)
        return user_id, arn, account


class Response(TokenResponse):
    """moto's answers, after asking whom the role trusts."""

    def assume_role(self) -> ActionResult:
        _refuse_untrusted(self)
        return super().assume_role()

    def assume_role_with_web_identity(self) -> ActionResult:
        """AWS gives a role to whoever has a token of an identity provider that the account knows. moto believes any
        token, and this account has no provider: so nobody.
        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
        """
        message = "No identity provider of this account has issued the token."
        raise BadRequest(error_answer("sts", 400, "InvalidIdentityToken", message)[2].decode())

    def assume_role_with_saml(self) -> ActionResult:
        return self.assume_role_with_web_identity()


def _role(role_arn: str) -> Role | None:
    """Return the role of this account that has the ARN now."""
    return next((role for role in iam_backends[ACCOUNT_ID]["aws"].get_roles() if role.arn == role_arn), None)


def _refuse_untrusted(call: TokenResponse) -> None:
    role_arn = call._get_param("RoleArn")
    caller = call.backend.get_caller_identity(call.get_access_key(), call.region)[1]
    role = _role(role_arn)
    trust = role.assume_role_policy_document if role is not None else None
    session = call.backend.get_assumed_role_from_access_key(call.get_access_key())
    callers = [caller] if session is None else [caller, session.role_arn]  # a policy may name either
    policies = [Policy(json.loads(trust))] if trust is not None else []
    given = {name: call._get_param(name) for name in ("ExternalId", "RoleSessionName")}
    context = assume_role_context(given)
    decisions = {decide(policies, AccessRequest("sts:AssumeRole", None, ("AWS", name), context)) for name in callers}
    if Decision.EXPLICIT_DENY in decisions or Decision.ALLOW not in decisions:
        message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
        # Not as one of moto's own errors of STS: they have the status 400, AWS answers 403.
        raise Forbidden(error_answer("sts", 403, "AccessDenied", message)[2].decode())
