"""Define the types AWS::IAM::Role, ManagedPolicy, Policy and RolePolicy."""

from __future__ import annotations

from typing import Any

from .resource_type import Properties, ResourceType, Work, allowed, changed, json_text, pick


def _inline(properties: Properties) -> dict[str, Any]:
    return {policy.get("PolicyName", ""): policy.get("PolicyDocument") for policy in properties.get("Policies", [])}


class Role(ResourceType):
    name = "AWS::IAM::Role"
    properties = allowed(
        ["AssumeRolePolicyDocument"],
        ["Description", "ManagedPolicyArns", "MaxSessionDuration", "Path", "PermissionsBoundary", "Policies",
         "RoleName", "Tags"],
    )  # fmt: skip
    create_only = frozenset({"RoleName", "Path"})
    named_by = "RoleName"
    attributes = frozenset({"Arn", "RoleId"})
    takes_tags = True

    def make(self, work: Work, name: str, properties: Properties) -> str:
        work.call(
            "iam",
            "CreateRole",
            RoleName=name,
            AssumeRolePolicyDocument=json_text(properties["AssumeRolePolicyDocument"]),
            Tags=work.tag_list(properties),
            **pick(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary"),
        )
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        found = work.call_if_there("iam", "GetRole", RoleName=name)
        return name if found and work.owns(found["Role"].get("Tags")) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._permit(work, physical_id, {}, properties)
        return self._attributes(work, physical_id)

    def _attributes(self, work: Work, name: str) -> dict[str, str]:
        role = work.call("iam", "GetRole", RoleName=name)["Role"]
        return {"Arn": role["Arn"], "RoleId": role["RoleId"]}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, "AssumeRolePolicyDocument"):
            document = json_text(new["AssumeRolePolicyDocument"])
            work.call("iam", "UpdateAssumeRolePolicy", RoleName=physical_id, PolicyDocument=document)
        if changed(old, new, "Description", "MaxSessionDuration"):
            settings = {
                "Description": new.get("Description", ""),
                "MaxSessionDuration": new.get("MaxSessionDuration", 3600),
            }
            work.call("iam", "UpdateRole", RoleName=physical_id, **settings)
        if changed(old, new, "PermissionsBoundary"):
            boundary = new.get("PermissionsBoundary")
            operation = "PutRolePermissionsBoundary" if boundary else "DeleteRolePermissionsBoundary"
            work.call("iam", operation, RoleName=physical_id, PermissionsBoundary=boundary)
        self._permit(work, physical_id, old, new)
        gone = work.tags_gone(old, new)
        if gone:
            work.call("iam", "UntagRole", RoleName=physical_id, TagKeys=gone)
        work.call("iam", "TagRole", RoleName=physical_id, Tags=work.tag_list(new))
        return self._attributes(work, physical_id)

    def _permit(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        """Bring attached and inline policies from the old state to the new one."""
        before, after = old.get("ManagedPolicyArns", []), new.get("ManagedPolicyArns", [])
        for arn in [arn for arn in after if arn not in before]:
            work.call("iam", "AttachRolePolicy", RoleName=name, PolicyArn=arn)
        for arn in [arn for arn in before if arn not in after]:
            work.call_if_there("iam", "DetachRolePolicy", RoleName=name, PolicyArn=arn)
        inline = _inline(new)
        for policy, document in inline.items():
            if document != _inline(old).get(policy):
                document = json_text(document)
                work.call("iam", "PutRolePolicy", RoleName=name, PolicyName=policy, PolicyDocument=document)
        for policy in [policy for policy in _inline(old) if policy not in inline]:
            work.call_if_there("iam", "DeleteRolePolicy", RoleName=name, PolicyName=policy)

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        # What somebody else has attached stays, and then the role cannot be deleted: as on AWS.
        self._permit(work, physical_id, properties, {})
        work.call_if_there("iam", "DeleteRole", RoleName=physical_id)


class ManagedPolicy(ResourceType):
    name = "AWS::IAM::ManagedPolicy"
    properties = allowed(["PolicyDocument"], ["Description", "Groups", "ManagedPolicyName", "Path", "Roles", "Users"])
    create_only = frozenset({"Description", "ManagedPolicyName", "Path"})
    named_by = "ManagedPolicyName"
    unmarked = True
    attributes = frozenset({"PolicyArn"})
    longest_name = 128

    def make(self, work: Work, name: str, properties: Properties) -> str:
        answer = work.call(
            "iam",
            "CreatePolicy",
            PolicyName=name,
            PolicyDocument=json_text(properties["PolicyDocument"]),
            **pick(properties, "Path", "Description"),
        )
        return str(answer["Policy"]["Arn"])

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        arn = f"arn:aws:iam::{work.account_id}:policy{properties.get('Path', '/')}{name}"
        return arn if work.call_if_there("iam", "GetPolicy", PolicyArn=arn) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._attach(work, physical_id, {}, properties)
        return {"PolicyArn": physical_id}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, "PolicyDocument"):
            document = json_text(new["PolicyDocument"])
            work.call("iam", "CreatePolicyVersion", PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True)
            self._drop_versions(work, physical_id)
        self._attach(work, physical_id, old, new)
        return {"PolicyArn": physical_id}

    def _drop_versions(self, work: Work, arn: str) -> None:
        versions = work.call_if_there("iam", "ListPolicyVersions", PolicyArn=arn) or {"Versions": []}
        for version in versions["Versions"]:
            if not version["IsDefaultVersion"]:
                work.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=version["VersionId"])

    def _attach(self, work: Work, arn: str, old: Properties, new: Properties) -> None:
        for kind in ("Role", "User", "Group"):
            before, after = old.get(f"{kind}s", []), new.get(f"{kind}s", [])
            for each in [each for each in after if each not in before]:
                work.call("iam", f"Attach{kind}Policy", PolicyArn=arn, **{f"{kind}Name": each})
            for each in [each for each in before if each not in after]:
                work.call_if_there("iam", f"Detach{kind}Policy", PolicyArn=arn, **{f"{kind}Name": each})

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        self._attach(work, physical_id, properties, {})
        self._drop_versions(work, physical_id)
        work.call_if_there("iam", "DeletePolicy", PolicyArn=physical_id)


class Policy(ResourceType):
    """An inline policy, written into roles, users and groups."""

    name = "AWS::IAM::Policy"
    properties = allowed(["PolicyDocument", "PolicyName"], ["Groups", "Roles", "Users"])

    def make(self, work: Work, name: str, properties: Properties) -> str:
        return name  # it is nothing of its own

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        return name

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._write(work, {}, properties)
        return {}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        self._write(work, old, new)
        return {}

    def _write(self, work: Work, old: Properties, new: Properties) -> None:
        for kind in ("Role", "User", "Group"):
            for each in new.get(f"{kind}s", []):
                document = json_text(new["PolicyDocument"])
                target = {f"{kind}Name": each, "PolicyName": new["PolicyName"]}
                work.call("iam", f"Put{kind}Policy", PolicyDocument=document, **target)
            for each in old.get(f"{kind}s", []):
                if each not in new.get(f"{kind}s", []) or changed(old, new, "PolicyName"):
                    target = {f"{kind}Name": each, "PolicyName": old["PolicyName"]}
                    work.call_if_there("iam", f"Delete{kind}Policy", **target)

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        self._write(work, properties, {})


class RolePolicy(ResourceType):
    """An inline policy of one role."""

    name = "AWS::IAM::RolePolicy"
    properties = allowed(["PolicyName", "RoleName"], ["PolicyDocument"])
    create_only = frozenset({"PolicyName", "RoleName"})

    unmarked = True

    def planned_name(self, work: Work, properties: Properties) -> str:
        return f"{properties['PolicyName']}|{properties['RoleName']}"

    def make(self, work: Work, name: str, properties: Properties) -> str:
        self.update(work, name, {}, properties)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        return (
            name if work.call_if_there("iam", "GetRolePolicy", **pick(properties, "RoleName", "PolicyName")) else None
        )

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return {}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        document = json_text(new.get("PolicyDocument"))
        work.call("iam", "PutRolePolicy", PolicyDocument=document, **pick(new, "RoleName", "PolicyName"))
        return {}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("iam", "DeleteRolePolicy", **pick(properties, "RoleName", "PolicyName"))
