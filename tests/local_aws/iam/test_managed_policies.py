"""AWS's own managed policies: all there, the same as moto's, and made only when somebody asks for one."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.exceptions import NotFoundException
from moto.iam.models import AWSManagedPolicy, IAMBackend

from helpers.local_aws import lifecycle
from helpers.local_aws.iam.backend import Backend
from helpers.local_aws.iam.managed_policies import ManagedPolicies
from helpers.local_aws.recovery import snapshots
from tests.support.embedded_aws import LAMBDA_TRUST, Aws, own_home

ACCOUNT = "123456789012"
BASIC = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@pytest.fixture
def iam() -> Backend:
    backend = Backend("aws", ACCOUNT)
    backend.create_role("role", json.dumps(LAMBDA_TRUST), "/", None, "", [], "3600")
    return backend


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The names of AWS's policies that have been made, in order."""
    names: list[str] = []
    make = ManagedPolicies._make
    monkeypatch.setattr(ManagedPolicies, "_make", lambda self, arn: names.append(arn) or make(self, arn))
    return names


def own(backend: Backend, name: str = "own") -> str:
    return backend.create_policy("", "/", json.dumps(DOCUMENT), name, []).arn


def page(backend: IAMBackend, scope: str = "All", count: int = 10_000, **settings) -> list:
    given = {"marker": None, "only_attached": False, "path_prefix": "/", **settings}
    return list(backend.list_policies(max_items=count, scope=scope, **given)[0])


def told(policy: AWSManagedPolicy) -> dict:
    [version] = policy.versions
    own = {name: value for name, value in vars(policy).items() if name not in ("id", "versions")}
    return own | {"arn": policy.arn, "version": vars(version)}


def test_all_are_as_moto_makes_them(monkeypatch):
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    theirs, ours = IAMBackend("aws", ACCOUNT), Backend("aws", ACCOUNT)
    assert len(theirs.managed_policies) == len(json.loads(aws_managed_policies_data)) > 1500
    assert list(ours.managed_policies) == list(theirs.managed_policies)
    assert [told(each) for each in ours.managed_policies.values()] == [
        told(each) for each in theirs.aws_managed_policies
    ]
    for scope in ("AWS", "Local", "All"):
        assert [each.arn for each in page(ours, scope)] == [each.arn for each in page(theirs, scope)]


def test_ids_come_from_arns():
    first, second = (Backend("aws", ACCOUNT).get_policy(BASIC).id for _ in range(2))
    assert first == second == "AGPCWREX4W5KP5EWTQX4V"


def test_attaching_makes_the_one_that_is_attached(iam, made):
    iam.attach_role_policy(BASIC, "role")
    iam.attach_role_policy(BASIC, "role")  # AWS: no error, and no second time
    assert made == [BASIC]
    assert [each.arn for each in page(iam, only_attached=True)] == [BASIC]
    assert iam.get_policy(BASIC).attachment_count == 1
    iam.detach_role_policy(BASIC, "role")
    assert iam.get_policy(BASIC).attachment_count == 0
    assert page(iam, only_attached=True) == []
    assert made == [BASIC]


def test_a_page_of_a_list_makes_what_is_on_it(iam, made):
    arn = own(iam)
    assert len(page(iam, "AWS", count=3)) == len(made) == 3
    assert [each.arn for each in page(iam, "Local")] == [arn]
    assert len(made) == 3


def test_what_nobody_has_got_is_not_kept(iam, made):
    once, again = (list(iam.managed_policies.values()) for _ in range(2))
    assert len(made) == 2 * len(once)
    assert not {id(each) for each in once} & {id(each) for each in again}
    kept = iam.get_policy(BASIC)
    assert any(each is kept for each in iam.managed_policies.values())


@pytest.mark.parametrize("attach", ["attach", "detach"])
@pytest.mark.parametrize("kind", ["role", "group", "user"])
def test_what_is_not_there_cannot_be_attached_or_detached(iam, attach, kind):
    iam.create_group("group")
    iam.create_user("us-east-1", "user")
    policy = BASIC if attach == "detach" else f"{BASIC}s"
    with pytest.raises(NotFoundException, match=policy):
        getattr(iam, f"{attach}_{kind}_policy")(policy, kind)


@pytest.mark.parametrize(("chosen", "aws", "local"), [
    ([], True, True), (["AWSManagedPolicy"], True, False), (["LocalManagedPolicy"], False, True),
    (["AWSManagedPolicy", "LocalManagedPolicy"], True, True), (["Role"], False, False),
])  # fmt: skip
def test_the_authorization_details_have_the_policies_that_are_asked_for(iam, chosen, aws, local):
    arn = own(iam)
    details = iam.get_account_authorization_details(chosen)
    arns = {each.arn for each in details["managed_policies"]}
    assert (BASIC in arns, arn in arns) == (aws, local)
    assert bool(list(details["roles"])) is (not chosen or "Role" in chosen)


def test_a_snapshot_has_the_accounts_own_policies_and_what_is_attached(iam, monkeypatch):
    own(iam)
    iam.attach_role_policy(BASIC, "role")
    monkeypatch.setattr(snapshots, "existing", lambda: iter([(("iam", "aws"), iam)]))
    snapshot = snapshots.take(iam)
    assert len(snapshot) < 10_000
    later = Backend("aws", ACCOUNT)
    monkeypatch.setattr(snapshots.backends, "get_backend", lambda name: {ACCOUNT: {"aws": later}})
    snapshots.restore(later, snapshot)
    assert list(later.managed_policies.own()) == list(iam.managed_policies.own())
    assert later.get_role("role").managed_policies == {BASIC: later.get_policy(BASIC)}
    assert later.get_policy(BASIC).attachment_count == 1
    assert READ_ONLY in later.managed_policies


def test_a_server_lists_them_and_keeps_what_is_attached(tmp_path):
    with own_home(tmp_path / "home"):
        iam = Aws(lifecycle.start()).client("iam")
        iam.create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
        iam.attach_role_policy(RoleName="role", PolicyArn=READ_ONLY)
        before = answers(iam)
        lifecycle.stop()
        after = answers(Aws(lifecycle.start()).client("iam"))
        lifecycle.stop()
    assert before == after
    assert len(before["ids"]) > 1500
    assert before["attached"] == [("role", READ_ONLY, 1)]


def answers(iam: boto3.client) -> dict:
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    return {
        "ids": {each["Arn"]: each["PolicyId"] for page in pages for each in page["Policies"]},
        "attached": [
            ("role", each["PolicyArn"], iam.get_policy(PolicyArn=each["PolicyArn"])["Policy"]["AttachmentCount"])
            for each in iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]
        ],
        "document": iam.get_policy_version(PolicyArn=READ_ONLY, VersionId=default_version(iam))["PolicyVersion"],
    }


def default_version(iam: boto3.client) -> str:
    return iam.get_policy(PolicyArn=READ_ONLY)["Policy"]["DefaultVersionId"]


@pytest.mark.parametrize(
    ("operation", "more"),
    [
        ("delete_policy", {}),
        ("create_policy_version", {"PolicyDocument": json.dumps(DOCUMENT), "SetAsDefault": True}),
        ("delete_policy_version", {"VersionId": "v1"}),
        ("set_default_policy_version", {"VersionId": "v1"}),
        ("tag_policy", {"Tags": [{"Key": "mine", "Value": "now"}]}),
        ("untag_policy", {"TagKeys": ["mine"]}),
    ],
)
def test_nobody_changes_aws_own(aws, operation, more):
    iam = aws.client("iam")
    before = iam.get_policy(PolicyArn=READ_ONLY)["Policy"]
    with pytest.raises(ClientError, match="outside your own account") as refusal:
        getattr(iam, operation)(PolicyArn=READ_ONLY, **more)
    answer = refusal.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == ("AccessDenied", 403)
    assert iam.get_policy(PolicyArn=READ_ONLY)["Policy"] == before
