"""Extend moto's IAM: trust policies are checked when a role is created, and AWS's policies made when asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.iam.exceptions import NotFoundException
from moto.iam.models import Group, IAMBackend, ManagedPolicy, PolicyVersion, Role, User
from werkzeug.exceptions import Forbidden

from ..http.dispatch import error_answer
from .managed_policies import ManagedPolicies
from .policy_documents import TrustPolicyValidator


class Backend(IAMBackend):
    """moto's IAM of one account and partition."""

    managed_policies: ManagedPolicies  # type: ignore[assignment]  # moto's is a dictionary

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.iam.urls

        return moto.iam.urls

    def _init_aws_policies(self) -> list[ManagedPolicy]:
        return []

    def _init_managed_policies(self) -> Any:
        return ManagedPolicies(self.account_id, self.region_name)

    def create_role(self, role_name: str, assume_role_policy_document: str, *rest: Any, **more: Any) -> Role:
        TrustPolicyValidator(assume_role_policy_document).validate()
        return super().create_role(role_name, assume_role_policy_document, *rest, **more)

    def get_roles(self) -> list[Role]:
        """Look through a copy: at each request of a function moto looks for its role, outside IAM's lock, and roles may
        come and go meanwhile."""
        return list(self.roles.values())

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        self._attach(policy_arn, self.get_role(role_name))

    def attach_group_policy(self, policy_arn: str, group_name: str) -> None:
        self._attach(policy_arn, self.get_group(group_name))

    def attach_user_policy(self, policy_arn: str, user_name: str) -> None:
        self._attach(policy_arn, self.get_user(user_name))

    def detach_role_policy(self, policy_arn: str, role_name: str) -> None:
        _detach(policy_arn, self.get_role(role_name))

    def detach_group_policy(self, policy_arn: str, group_name: str) -> None:
        _detach(policy_arn, self.get_group(group_name))

    def detach_user_policy(self, policy_arn: str, user_name: str) -> None:
        _detach(policy_arn, self.get_user(user_name))

    def delete_policy(self, policy_arn: str) -> None:
        self._refuse_aws(policy_arn)
        super().delete_policy(policy_arn)

    def create_policy_version(self, policy_arn: str, *args: Any, **settings: Any) -> PolicyVersion:
        self._refuse_aws(policy_arn)
        return super().create_policy_version(policy_arn, *args, **settings)

    def delete_policy_version(self, policy_arn: str, version_id: str) -> None:
        self._refuse_aws(policy_arn)
        super().delete_policy_version(policy_arn, version_id)

    def set_default_policy_version(self, policy_arn: str, version_id: str) -> bool:
        self._refuse_aws(policy_arn)
        return super().set_default_policy_version(policy_arn, version_id)

    def tag_policy(self, policy_arn: str, tags: list[dict[str, str]]) -> None:
        self._refuse_aws(policy_arn)
        super().tag_policy(policy_arn, tags)

    def untag_policy(self, policy_arn: str, tag_keys: list[str]) -> None:
        self._refuse_aws(policy_arn)
        super().untag_policy(policy_arn, tag_keys)

    def _refuse_aws(self, policy_arn: str) -> None:
        """AWS's own policies are nobody's to change, the account's administrator's neither.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html#aws-managed-policies
        says so; the code is decided.
        """
        if self.managed_policies.is_of_aws(policy_arn):
            message = "Policy is outside your own account."
            # Not as one of moto's own errors of IAM: they have the status 400.
            raise Forbidden(error_answer("iam", 403, "AccessDenied", message)[2].decode())

    def _attach(self, policy_arn: str, entity: Role | Group | User) -> None:
        policy = self.managed_policies.get(policy_arn)
        if policy is None:
            raise NotFoundException(f"Policy {policy_arn} does not exist or is not attachable.")
        if policy_arn not in entity.managed_policies:  # once more changes nothing, its count neither
            policy.attach_to(entity)

    def list_policies(
        self, marker: str | None, max_items: int, only_attached: bool, path_prefix: str, scope: str
    ) -> tuple[Iterable[ManagedPolicy], str | None]:
        """Return a page of policies, and the marker of the next. No more policies are made than there are on it."""
        found = self.managed_policies.listed(scope)
        if only_attached:
            found = [each for each in found if each.attachment_count]
        page, marker = self._filter_attached_policies(found, marker, max_items, path_prefix)
        return [self.managed_policies.look(each.arn) for each in page], marker

    def get_account_authorization_details(self, policy_filter: list[str]) -> dict[str, Any]:
        details = super().get_account_authorization_details(policy_filter)
        scopes = {"AWSManagedPolicy": "AWS", "LocalManagedPolicy": "Local"}
        chosen = [scopes[each] for each in policy_filter if each in scopes] if policy_filter else scopes.values()
        listed = [each for scope in chosen for each in self.managed_policies.listed(scope)]
        return {**details, "managed_policies": [self.managed_policies.look(each.arn) for each in listed]}


def _detach(policy_arn: str, entity: Role | Group | User) -> None:
    policy = entity.managed_policies.get(policy_arn)
    if policy is None:
        raise NotFoundException(f"Policy {policy_arn} was not found.")
    policy.detach_from(entity)
