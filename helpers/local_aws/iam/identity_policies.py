"""Compile the policies of a role or a user once, to be asked afterwards in microseconds.

IAM's objects can change in many ways (attach, detach, a new policy version, a stack that is updated …), so
nobody has to announce a change: whoever asks compares, with a few pointers, what was compiled with what IAM
has now. A change is therefore in force with the next request. On AWS it takes some seconds:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from moto.iam.models import ManagedPolicy, Role, User, iam_backends

from ..account.credentials import ACCOUNT_ID
from .authorization import Policy, PolicySet
from .backend import Backend


@dataclass(frozen=True, slots=True)
class IdentityPolicies:
    """What an identity's policies allow; `boundary` narrows it down where the identity has one."""

    allowed: PolicySet
    boundary: PolicySet | None = None


NOTHING = IdentityPolicies(PolicySet([]))

#: What was compiled for an identity, and the state of IAM that it was made of.
_compiled: dict[str, tuple[Role | User, tuple[Any, ...], IdentityPolicies]] = {}


def of_role(role_arn: str) -> IdentityPolicies:
    """Return the policies of a role; none when it does not exist (any more)."""
    known = _compiled.get(role_arn)
    roles = _iam().roles
    if known is not None and roles.get(known[0].id) is known[0]:
        return _current(role_arn, *known)
    role = next((role for role in list(roles.values()) if role.arn == role_arn), None)
    return _compile(role_arn, role) if role is not None else NOTHING


def of_user(user_name: str) -> IdentityPolicies:
    """Return the policies of a user and of the groups that the user is in."""
    user = _iam().users.get(user_name)
    if user is None:
        return NOTHING
    known = _compiled.get(user.arn)
    return _current(user.arn, *known) if known is not None and known[0] is user else _compile(user.arn, user)


@lru_cache(maxsize=1024)
def parsed(document: str) -> Policy:
    """Return a policy from its JSON text."""
    return Policy(json.loads(document))


def _current(arn: str, entity: Role | User, state: tuple[Any, ...], policies: IdentityPolicies) -> IdentityPolicies:
    return policies if state == _state(entity) else _compile(arn, entity)


def _compile(arn: str, entity: Role | User) -> IdentityPolicies:
    state = _state(entity)
    documents, boundary = state
    policies = IdentityPolicies(
        PolicySet([parsed(document) for document in documents]),
        PolicySet([parsed(document) for document in boundary]) if boundary is not None else None,
    )
    _compiled[arn] = (entity, state, policies)
    return policies


def _state(entity: Role | User) -> tuple[tuple[str, ...], tuple[str, ...] | None]:
    """Return the documents in force: of the identity itself, and of its permissions boundary."""
    documents = _documents(entity)
    if isinstance(entity, User):
        for group in list(_iam().groups.values()):
            if entity in group.users:
                documents += _documents(group)
    boundary_arn = getattr(entity, "permissions_boundary_arn", None)
    if not boundary_arn:
        return documents, None
    boundary = _iam().managed_policies.get(boundary_arn)
    return documents, (_text(boundary),) if boundary is not None else ()


def _documents(entity: Any) -> tuple[str, ...]:
    inline = tuple(_as_text(document) for document in tuple(entity.policies.values()))
    return inline + tuple(_text(policy) for policy in tuple(entity.managed_policies.values()))


def _text(policy: ManagedPolicy) -> str:
    """Return the document of a managed policy's default version."""
    for version in policy.versions:
        if version.version_id == policy.default_version_id:
            return _as_text(version.document)
    return "{}"


def _as_text(document: str | Mapping[str, Any] | None) -> str:
    return document if isinstance(document, str) else json.dumps(document or {})


def _iam() -> Backend:
    return cast(Backend, iam_backends[ACCOUNT_ID]["aws"])
