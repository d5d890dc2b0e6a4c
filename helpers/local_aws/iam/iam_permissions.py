"""Find what IAM's and STS's operations need.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..account.credentials import ACCOUNT_ID
from ..http.call import Call, Unreadable
from .permissions import NoResource, Permission, pass_role

#: What IAM calls the entity that a parameter names; the first one is what the operation is about ("AddUserToGroup" is
#: about the group). Those it knows it shows as "role NAME".
_ENTITIES = (
    ("GroupName", "group"),
    ("InstanceProfileName", "instance-profile"),
    ("UserName", "user"),
    ("RoleName", "role"),
    ("ServerCertificateName", "server-certificate"),
    ("VirtualMFADeviceName", "mfa"),
    ("PolicyName", "policy"),
)
_ARNS = ("PolicyArn", "SAMLProviderArn", "OpenIDConnectProviderArn", "SerialNumber", "PolicySourceArn", "Arn")
#: Operations on the account, or on all of a kind.
_ANYWHERE = frozenset(
    {
        "CreateAccountAlias", "DeleteAccountAlias", "DeleteAccountPasswordPolicy", "GenerateCredentialReport",
        "GetAccountAuthorizationDetails", "GetAccountPasswordPolicy", "GetAccountSummary", "GetCredentialReport",
        "GetContextKeysForCustomPolicy", "GetServiceLastAccessedDetails", "GetServiceLastAccessedDetailsWithEntities",
        "GetServiceLinkedRoleDeletionStatus", "ListAccountAliases", "ListInstanceProfiles",
        "ListOpenIDConnectProviders", "ListPolicies", "ListSAMLProviders", "ListServerCertificates",
        "ListVirtualMFADevices", "SimulateCustomPolicy", "UpdateAccountPasswordPolicy",
    }
)  # fmt: skip
_LISTS = {"ListRoles": "role", "ListUsers": "user", "ListGroups": "group"}


class _NoUser(Unreadable):
    code = "ValidationError"


def needed(call: Call) -> list[Permission]:
    """Return what an operation of IAM's needs. Raises NoResource, and Unreadable for one that must name a user."""
    action = f"iam:{call.name}"
    for parameter, kind in _ENTITIES:
        for name in call.names(parameter):
            return [_on_entity(call, kind, name), *_passed(call)]
    user = _user_without_name(call)
    if user is not None:
        return [Permission(action, user, _context(call), None, f"user {user.rpartition('/')[2]}")]
    if given := call.names(*_ARNS):
        return [Permission(action, given[0], {}, None, f"policy {given[0]}" if call.names("PolicyArn") else None)]
    if call.name in _LISTS:
        return [Permission(action, _own(f"{_LISTS[call.name]}/"))]
    resource = _made(call)
    if resource is None and call.name not in _ANYWHERE:
        raise NoResource(call.name)
    return [Permission(action, resource or "*")]


def _on_entity(call: Call, kind: str, name: str) -> Permission:
    made = call.name.startswith(("Create", "UploadServer"))
    arn = _own(f"{kind}{call.input.get('Path', '/')}{name}") if made else _arn(kind, name)
    shown = arn if made and kind != "policy" else f"{kind} {name}"
    return Permission(f"iam:{call.name}", arn, _context(call), None, shown)


def _passed(call: Call) -> list[Permission]:
    """Whoever puts a role into an instance profile hands it to EC2."""
    roles = call.names("RoleName") if call.name == "AddRoleToInstanceProfile" else []
    return [pass_role(_arn("role", role), "ec2") for role in roles]


def _own(resource: str) -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:{resource}"


def _arn(kind: str, name: str) -> str:
    """Return the ARN of what exists: requests name it without its path."""
    from moto.iam.models import iam_backends

    iam = iam_backends[ACCOUNT_ID]["aws"]
    known: dict[str, dict[str, Any]] = {
        "role": iam.roles,
        "user": iam.users,
        "group": iam.groups,
        "instance-profile": iam.instance_profiles,
    }
    for each in list(known.get(kind, {}).values()):
        if each.name == name:
            return str(each.arn)
    return _own(f"{kind}/{name}")


def _user_without_name(call: Call) -> str | None:
    """Return the user that an operation is about which may name one, and does not: whose key it names, or the caller.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html
    """
    from moto.iam.models import iam_backends

    shape = call.operation.input_shape if call.operation is not None else None
    keys = call.names("AccessKeyId")
    if call.name != "ChangePassword" and not keys and (shape is None or "UserName" not in shape.members):
        return None
    key = iam_backends[ACCOUNT_ID]["aws"].access_keys.get(keys[0]) if keys else None
    name = key.user_name if key is not None else call.caller.credentials.user_name
    if name is None and not keys:
        raise _NoUser("Must specify userName when calling with non-User credentials")
    return _arn("user", name or "")


def _made(call: Call) -> str | None:
    """Return the ARN of what is made and named by another parameter."""
    if call.name == "CreateSAMLProvider" and call.names("Name"):
        return _own(f"saml-provider/{call.names('Name')[0]}")
    if call.name == "CreateOpenIDConnectProvider" and call.names("Url"):
        return _own(f"oidc-provider/{call.names('Url')[0].partition('://')[2].rstrip('/')}")
    if call.name == "CreateServiceLinkedRole" and call.names("AWSServiceName"):
        return _own(f"role/aws-service-role/{call.names('AWSServiceName')[0]}/*")
    return None


def _context(call: Call) -> dict[str, str]:
    """Return the policy that is attached, and the boundary that a new identity gets."""
    keys = (("iam:policyarn", "PolicyArn"), ("iam:permissionsboundary", "PermissionsBoundary"))
    return {key: call.input[name] for key, name in keys if isinstance(call.input.get(name), str)}


def sts(call: Call) -> list[Permission]:
    """Return what an operation of STS's needs. Raises NoResource."""
    context = assume_role_context(call.input)
    if call.name in ("AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"):
        return [Permission(f"sts:{call.name}", (call.names("RoleArn") or ["*"])[0], context)]
    if call.name == "GetFederationToken" and call.names("Name"):
        return [
            Permission("sts:GetFederationToken", f"arn:aws:sts::{ACCOUNT_ID}:federated-user/{call.names('Name')[0]}")
        ]
    if call.name in ("DecodeAuthorizationMessage", "GetAccessKeyInfo"):
        return [Permission(f"sts:{call.name}", "*")]
    raise NoResource(call.name)


def assume_role_context(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition keys that only a request for a role has."""
    keys = (("sts:externalid", "ExternalId"), ("sts:rolesessionname", "RoleSessionName"))
    return {key: parameters[name] for key, name in keys if isinstance(parameters.get(name), str)}
