"""Carry over managed policies, roles, groups and users with their policies."""

from __future__ import annotations

import json
from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tag_list, tags

#: Who may have policies: the word in IAM's operations, and the list.
_KINDS = {"Role": "Roles", "Group": "Groups", "User": "Users"}


def take(account: Account, file: Writer) -> None:
    found: dict[str, list[Any]] = {"Policies": [_policy(account, each) for each in _own_policies(account)]}
    for kind, many in _KINDS.items():
        entries = account.pages("iam", f"list_{many.lower()}", many)
        found[many] = [
            _holder(account, kind, each[f"{kind}Name"]) for each in entries if not _is_others(account, kind, each)
        ]
        found[many].sort(key=lambda each: str(each[f"{kind}Name"]))
        account.count(f"IAM {many.lower()}", len(found[many]))
    account.count("managed policies", len(found["Policies"]))
    for user in found["Users"]:
        if account("iam").list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]:
            account.left(f"the access keys of the user {user['UserName']}, whose secrets nobody is told twice")
    file.put("iam.json", found)


def _is_others(account: Account, kind: str, entry: dict[str, Any]) -> bool:
    own = entry["Path"].startswith("/aws-service-role/")
    return own or account.in_stack(f"AWS::IAM::{kind}", entry[f"{kind}Name"])


def _own_policies(account: Account) -> list[dict[str, Any]]:
    own = account.pages("iam", "list_policies", "Policies", Scope="Local")
    kept = [each for each in own if not account.in_stack("AWS::IAM::ManagedPolicy", each["Arn"])]
    return sorted(kept, key=lambda each: str(each["Arn"]))


def _policy(account: Account, entry: dict[str, Any]) -> dict[str, Any]:
    iam, arn = account("iam"), entry["Arn"]
    described = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=described["DefaultVersionId"])["PolicyVersion"]
    return {
        **chosen(described, "PolicyName", "Path", "Description"),
        "PolicyDocument": version["Document"],
        "Tags": tags(described.get("Tags")),
    }


def _holder(account: Account, kind: str, name: str) -> dict[str, Any]:
    iam, named, word = account("iam"), {f"{kind}Name": name}, kind.lower()
    entry = getattr(iam, f"get_{word}")(**named)[kind]
    found = chosen(entry, f"{kind}Name", "Path", "Description", "MaxSessionDuration", "AssumeRolePolicyDocument")
    found["Tags"] = tags(entry.get("Tags"))
    found["PermissionsBoundary"] = (entry.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", "")
    attached = account.pages("iam", f"list_attached_{word}_policies", "AttachedPolicies", **named)
    found["Attached"] = sorted(each["PolicyArn"] for each in attached)
    inline = account.pages("iam", f"list_{word}_policies", "PolicyNames", **named)
    get = getattr(iam, f"get_{word}_policy")
    found["Inline"] = {each: get(PolicyName=each, **named)["PolicyDocument"] for each in sorted(inline)}
    if kind == "User":
        found["Groups"] = sorted(each["GroupName"] for each in iam.list_groups_for_user(**named)["Groups"])
    return found


def bring(account: Account, file: Reader) -> None:
    found = file.get("iam.json", {})
    for policy in found.get("Policies", []):
        _bring_policy(account, policy)
    for kind, many in _KINDS.items():
        for holder in found.get(many, []):
            what = f"the {kind.lower()} {holder[f'{kind}Name']}"
            if _is_there(account, kind, holder[f"{kind}Name"]):
                account.found(what)
            elif account.attempt(what, _bring_holder, account, kind, holder):
                account.count(f"IAM {many.lower()}")


def _is_there(account: Account, kind: str, name: str) -> bool:
    get = getattr(account("iam"), f"get_{kind.lower()}")
    return account.there(get, **{f"{kind}Name": name}) is not None


def _bring_policy(account: Account, policy: dict[str, Any]) -> None:
    iam, what = account("iam"), f"the policy {policy['PolicyName']}"
    arn = f"arn:aws:iam::{account.access.account_id}:policy{policy.get('Path', '/')}{policy['PolicyName']}"
    if account.there(iam.get_policy, PolicyArn=arn) is not None:
        account.found(what)
        return
    settings = chosen(policy, "PolicyName", "Path", "Description")
    document, own = json.dumps(policy["PolicyDocument"]), tag_list(policy["Tags"])
    if account.attempt(what, iam.create_policy, PolicyDocument=document, Tags=own, **settings):
        account.count("managed policies")


def _bring_holder(account: Account, kind: str, holder: dict[str, Any]) -> None:
    iam, word, named = account("iam"), kind.lower(), {f"{kind}Name": holder[f"{kind}Name"]}
    settings = chosen(holder, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary")
    if kind == "Role":
        settings["AssumeRolePolicyDocument"] = json.dumps(holder["AssumeRolePolicyDocument"])
    if kind != "Group":
        settings["Tags"] = tag_list(holder["Tags"])
    getattr(iam, f"create_{word}")(**named, **settings)
    for arn in holder["Attached"]:
        attach = getattr(iam, f"attach_{word}_policy")
        account.attempt(f"{arn}, attached to {holder[f'{kind}Name']}", attach, PolicyArn=arn, **named)
    for name, document in holder["Inline"].items():
        getattr(iam, f"put_{word}_policy")(PolicyName=name, PolicyDocument=json.dumps(document), **named)
    for group in holder.get("Groups", []):
        iam.add_user_to_group(GroupName=group, **named)
