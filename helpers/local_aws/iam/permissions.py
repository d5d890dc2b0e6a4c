"""Describe what an identity must be allowed to do before a service does what a request asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


class NoResource(Exception):
    """One cannot say which resource a call is about: nobody but the account's own credentials may make it."""


#: A condition key's value, or a function that finds it out when a policy asks for it.
Value = str | tuple[str, ...] | Callable[[], "str | tuple[str, ...] | None"]


@dataclass(frozen=True, slots=True)
class Permission:
    """An action on a resource.

    context: the service's own condition keys, in lower case. shown_action and shown_resource: how the service
    writes them in an error, where that differs.
    """

    action: str
    resource: str
    context: Mapping[str, Value] = field(default_factory=dict)
    shown_action: str | None = None
    shown_resource: str | None = None


def pass_role(role_arn: str, service: str) -> Permission:
    """Return the permission that whoever hands a role to a service needs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    """
    return Permission("iam:PassRole", role_arn, {"iam:passedtoservice": f"{service}.amazonaws.com"})
