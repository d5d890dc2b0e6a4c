"""Which AWS the lessons speak to: what is refused, what is said, and what is sent where."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import boto3
import pytest

from helpers import workbook
from helpers.account import ownership
from helpers.authoring.isolation import isolated
from helpers.errors import WorkbookError
from helpers.lessons import announcement
from helpers.target import connection
from tests.support.embedded_aws import Aws, table_request

VARIABLES = ("WORKBOOK_TARGET", "WORKBOOK_ACCOUNT", "WORKBOOK_PREFIX")


@pytest.fixture(autouse=True)
def kernel(monkeypatch):
    """This process as a kernel that has just started, without any variable of the user's."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_") or name in VARIABLES]:
        del os.environ[name]
    monkeypatch.setattr(connection, "_connected", None)
    folder = Path.cwd()
    yield
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(before)
    boto3.DEFAULT_SESSION = None


@pytest.fixture
def profile(aws: Aws, tmp_path):
    """A profile as a learner has one, which leads to the tests' account; its file names the address."""
    account, file = aws.account, tmp_path / "config"
    file.write_text(
        f"[profile sandbox]\nregion = us-east-1\nendpoint_url = {account.endpoint_url}\n"
        f"aws_access_key_id = {account.access_key_id}\naws_secret_access_key = {account.secret_access_key}\n"
    )
    os.environ |= {"AWS_CONFIG_FILE": str(file), "AWS_PROFILE": "sandbox", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return file


def client(aws: Aws, service: str):
    """Somebody else's client of the account: no prefix, no tag. (The session of `aws` may know another profile.)"""
    return Aws(aws.account).client(service)


def choose(**variables: str) -> None:
    os.environ |= {f"WORKBOOK_{name.upper()}": value for name, value in variables.items()}


def refusal() -> str:
    with pytest.raises(WorkbookError) as caught:
        connection.connect()
    line = str(caught.value)
    assert "\n" not in line and line.endswith("#on-another-aws")
    return line


# --- what is refused ---


@pytest.mark.parametrize(
    "variables, said",
    [
        ({"target": "amazon"}, "may be local, aws, endpoint"),
        ({"target": "aws"}, "needs WORKBOOK_ACCOUNT"),
        ({"target": "aws", "account": "12345"}, "twelve digits"),
        ({"prefix": "Team 1"}, "must begin with a small letter"),
        ({"prefix": "team1"}, "end with a hyphen"),
        ({"prefix": "a-team-of-twelve-"}, "at most eleven"),
        ({"target": "endpoint"}, "needs AWS_ENDPOINT_URL"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_refused_with_what_it_may_be(variables, said):
    choose(**variables)
    assert said in refusal()


def test_aws_is_refused_where_an_endpoint_leads_elsewhere():
    choose(target="aws", account="123456789012")
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = "http://127.0.0.1:1"
    assert "AWS_ENDPOINT_URL_DYNAMODB points elsewhere" in refusal()


def test_an_endpoint_that_is_aws_itself_is_refused():
    choose(target="endpoint")
    os.environ["AWS_ENDPOINT_URL"] = "https://dynamodb.us-east-1.amazonaws.com"
    assert "choose WORKBOOK_TARGET=aws" in refusal()


@pytest.mark.parametrize("url", ["http://[", "http://127.0.0.1:99999", "ftp://127.0.0.1", "127.0.0.1:4566"])
def test_an_endpoint_that_is_no_web_address_is_refused(url):
    choose(target="endpoint")
    os.environ["AWS_ENDPOINT_URL"] = url
    assert "needs AWS_ENDPOINT_URL, such as" in refusal()


def test_another_account_than_the_expected_one_is_refused_and_both_are_named(profile, aws):
    choose(target="aws", account="444455556666")
    assert re.search(rf"account {aws.account.account_id}, and WORKBOOK_ACCOUNT expects 444455556666", refusal())


def test_the_target_of_a_kernel_cannot_change(profile, aws):
    choose(target="aws", account=aws.account.account_id)
    connection.connect()
    choose(target="local")
    assert "Restart Kernel" in refusal()


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda file: os.environ.update(AWS_PROFILE="nobody"), "names a profile that your AWS configuration"),
        (lambda file: file.write_text("[profile sandbox]\nregion = us-east-1\n"), "No credentials"),
        (lambda file: file.write_text(re.sub("region = .*", "", file.read_text())), "No region is chosen"),
        (lambda file: file.write_text(re.sub(r"(access_key_id = )\w+", r"\1AKIANOBODY", file.read_text())), "not know"),
        (lambda file: file.write_text(re.sub(r":\d+", ":9", file.read_text())), "cannot be reached"),
    ],
    ids=["unknown profile", "no credentials", "no region", "unknown credentials", "no network"],
)
def test_foreseeable_trouble_with_the_account_is_one_line(profile, change, said, monkeypatch):
    monkeypatch.setitem(connection.RETRIES, "AWS_MAX_ATTEMPTS", "1")
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    choose(target="aws", account="123456789012")
    change(profile)
    assert said in refusal()


# --- where requests go ---


def test_the_account_of_a_profile_is_reached(profile, aws):
    choose(target="aws", account=aws.account.account_id, prefix="team1-")
    target = connection.connect()
    assert str(target).startswith(f"AWS account {aws.account.account_id}, region us-east-1, as user/administrator.")
    assert str(target).endswith("All names begin with team1-")
    assert boto3.client("sts").get_caller_identity()["Account"] == aws.account.account_id


def test_local_never_sees_the_learners_credentials(profile, tmp_path):
    os.environ |= {"AWS_ACCESS_KEY_ID": "AKIALEARNER", "AWS_SESSION_TOKEN": "mine"}
    profile.write_text("this is no configuration, and nobody should notice")
    with isolated(tmp_path):
        try:
            target = connection.connect()
            credentials = boto3.DEFAULT_SESSION.get_credentials()
            assert credentials.access_key != "AKIALEARNER" and credentials.token is None
            assert "AWS_PROFILE" not in os.environ
            assert boto3.client("sts").meta.endpoint_url == target.endpoint_url
        finally:
            connection.lifecycle.stop()


def test_an_endpoint_gets_the_credentials_of_the_environment_and_nothing_of_a_profile(profile, aws):
    os.environ |= aws.account.environment() | {"AWS_CONFIG_FILE": str(profile), "AWS_PROFILE": "sandbox"}
    choose(target="endpoint")
    assert str(connection.connect()).startswith(f"AWS at {aws.account.endpoint_url}, account ")
    assert "AWS_PROFILE" not in os.environ and os.environ["AWS_CONFIG_FILE"] == os.devnull
    assert boto3.client("dynamodb").meta.endpoint_url == aws.account.endpoint_url


# --- what is said before anything is made ---

LESSONS = sorted(workbook.lesson_files(workbook.NOTEBOOKS))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_lesson_says_what_it_makes_and_what_that_costs(path):
    target = connection.Target("aws", "123456789012", "us-east-1")
    said = announcement.of(path.stem, target, path.parent)
    assert re.search(r"^This lesson makes: .+\.$", said, re.MULTILINE)
    cost = r"^Cost: (nothing|roles and policies are free|far below one cent|below one cent|about |a handful|some )"
    assert re.search(cost, said, re.MULTILINE)
    source = "\n".join(
        "".join(cell["source"])
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        if cell["cell_type"] == "code" and not cell["id"].startswith("exercise-")
    )
    # Names that stand in the calls themselves. never-made is refused, and so never made.
    call = r'\.(?:create_|put_rule|put_metric_alarm)\w*\(\s*(?:Name|\w+Name)="([\w-]+)"'
    for name in set(re.findall(call, source)) - {"never-made"}:
        assert name in said, f"{path.stem} makes {name} and does not say so"


def test_begin_says_all_that_before_it_makes_anything(profile, aws, capsys, monkeypatch):
    choose(target="aws", account=aws.account.account_id, prefix="say-")
    told = []
    monkeypatch.setattr(workbook, "build_what_is_missing", lambda *_, **__: told.append(capsys.readouterr().out))
    workbook.begin("02_create_the_table")
    lines = told[0].splitlines()
    assert lines[0].startswith("AWS account ") and lines[0].endswith("All names begin with say-")
    assert lines[1] == "This lesson makes: table sample-table."
    assert lines[2] == "Missing parts of earlier lessons are made first: role microservice-role, its policies."
    assert lines[3].startswith("Cost: far below one cent (us-east-1")


def test_catching_up_elsewhere_shows_what_it_does_and_waits_for(profile, aws, capsys):
    choose(target="aws", account=aws.account.account_id, prefix="show-")
    workbook.begin("04_create_the_rule")
    shown = capsys.readouterr().out
    assert "Catching up: 03_create_the_function …\n" in shown
    assert "Waiting for Lambda to accept the function: done.\n" in shown
    assert "In the account: role microservice-role" in shown


def test_another_region_than_that_of_the_examples(aws):
    os.environ |= aws.account.environment() | {"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1"}
    choose(target="endpoint", prefix="eu-")
    assert "region eu-central-1" in str(connection.connect())
    s3 = boto3.client("s3")
    for _ in range(2):  # as when a cell is run again
        s3.create_bucket(Bucket="sample-stack-code-123456789012")
    where = s3.get_bucket_location(Bucket="sample-stack-code-123456789012")["LocationConstraint"]
    assert where == "eu-central-1"
    workbook.begin("05_send_events")
    arn = boto3.client("events").describe_rule(Name="sample-rule")["Arn"]
    assert arn.startswith("arn:aws:events:eu-central-1:")


# --- what belongs to somebody else ---


def test_begin_keeps_its_hands_off_a_table_that_is_not_the_workbooks(profile, aws):
    dynamodb = client(aws, "dynamodb")
    dynamodb.create_table(**table_request("theirs-sample-table"))
    dynamodb.put_item(TableName="theirs-sample-table", Item={"OrderId": {"S": "precious"}})
    choose(target="aws", account=aws.account.account_id, prefix="theirs-")
    with pytest.raises(WorkbookError, match="has table sample-table already, and this workbook did not make it"):
        workbook.begin("05_send_events")
    assert dynamodb.scan(TableName="theirs-sample-table")["Count"] == 1
    assert not [role for role in client(aws, "iam").list_roles()["Roles"] if role["RoleName"].startswith("theirs-")]
    dynamodb.delete_table(TableName="theirs-sample-table")


def test_the_same_name_with_another_prefix_or_none_is_no_hindrance(profile, aws):
    choose(target="aws", account=aws.account.account_id, prefix="mine-")
    client(aws, "dynamodb").create_table(**table_request("sample-table"))
    target = connection.connect()
    assert ownership.foreign_resources() == []
    ownership.refuse_foreign_resources(target)
    pages = boto3.client("dynamodb").get_paginator("list_tables").paginate()  # other tests have made hundreds
    names = [name for page in pages for name in page["TableNames"]]
    assert "not-mine-sample-table" in names and "sample-table" not in names
    client(aws, "dynamodb").delete_table(TableName="sample-table")
