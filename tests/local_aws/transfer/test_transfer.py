"""The account in a file: written, made again in an empty account, and never more than the file says."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from helpers.errors import WorkbookError
from helpers.local_aws import __main__ as commands
from helpers.local_aws import lifecycle
from helpers.local_aws.account.account_owner import STORE, made_by
from helpers.local_aws.storage import writers
from helpers.local_aws.transfer import buses, functions, parties
from helpers.local_aws.transfer.container import Reader, Writer
from helpers.paths import PROJECT
from tests.local_aws.recovery.test_survival import Account, _build_the_rest, account  # noqa: F401  a fixture
from tests.support.cut_stacks import inventory

ITEMS = [
    {"OrderId": {"S": "numbers"}, "N": {"N": "1.2345678901234567890123456789012345678E-127"}, "S": {"NS": ["2", "10"]}},
    {"OrderId": {"S": "bytes"}, "B": {"B": bytes(range(256))}, "S": {"BS": [b"\xff", b"\x00"]}},
    {"OrderId": {"S": "nested"}, "M": {"M": {"L": {"L": [{"B": b"\x00"}, {"NULL": True}, {"BOOL": False}]}}}},
    {"OrderId": {"S": 'text\n\u2028"é'}, "Empty": {"S": ""}, "Set": {"SS": ["b", "a"]}},
]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says."""
    capsys.readouterr()
    code = commands.main(list(arguments))
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in sorted(archive.namelist())}


def begin_anew(account: Account) -> None:  # noqa: F811
    lifecycle.stop(forget=True)
    account.start()


def there_and_back(account: Account, folder: Path, capsys) -> tuple[str, str]:  # noqa: F811
    """Export, import into an empty account, and export again; returns what the first two say."""
    first, second = folder / "first.zip", folder / "second.zip"
    exported = run(capsys, "export", str(first))
    begin_anew(account)
    imported = run(capsys, "import", str(first))
    run(capsys, "export", str(second))
    before, after = content(first), content(second)
    assert list(before) == list(after)
    for name, part in before.items():
        assert after[name] == part, name
    return exported, imported


def build_the_rest(account: Account) -> None:  # noqa: F811
    _build_the_rest(account)
    dynamodb, sqs, lambda_ = (account.client(each) for each in ("dynamodb", "sqs", "lambda"))
    for item in ITEMS:
        dynamodb.put_item(TableName="orders", Item=item)
    dynamodb.create_table(
        TableName="all-of-it",
        BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 3, "WriteCapacityUnits": 4},
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("Id", "Day")],
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-day",
                "KeySchema": [{"AttributeName": "Day", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 2},
            }
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        Tags=[{"Key": "course", "Value": "serverless"}],
    )
    dynamodb.get_waiter("table_exists").wait(TableName="all-of-it", WaiterConfig={"Delay": 1})
    dynamodb.update_time_to_live(
        TableName="all-of-it", TimeToLiveSpecification={"AttributeName": "Until", "Enabled": True}
    )
    stream = dynamodb.describe_table(TableName="all-of-it")["Table"]["LatestStreamArn"]
    name = lambda_.list_functions()["Functions"][0]["FunctionName"]
    lambda_.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=name, StartingPosition="LATEST", BatchSize=7
    )
    dead = account.queue("dead")
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    account.queue("alive", RedrivePolicy=json.dumps(redrive))
    sqs.send_message(QueueUrl=dead, MessageBody="it waits")
    [stacks_table] = [each for each in dynamodb.list_tables()["TableNames"] if each.startswith("stack-")]
    dynamodb.put_item(TableName=stacks_table, Item={"OrderId": {"S": "of the stack"}})
    account.client("iam").create_access_key(UserName="learner")


def test_all_that_can_be_carried_over_comes_back(account: Account, tmp_path: Path, capsys):  # noqa: F811
    build_the_rest(account)
    before = inventory(account)
    exported, imported = there_and_back(account, tmp_path, capsys)
    assert "Not carried over" not in imported
    assert inventory(account) == before
    dynamodb = account.client("dynamodb")
    found = {item["OrderId"]["S"]: item for item in dynamodb.scan(TableName="orders")["Items"]}
    for item in ITEMS:
        assert {**item, **{k: v for k, v in found[item["OrderId"]["S"]].items() if k not in ("S", "Set")}} == {
            **found[item["OrderId"]["S"]], **{k: item[k] for k in ("S", "Set") if k in item}
        }  # fmt: skip
    [stacks_table] = [each for each in dynamodb.list_tables()["TableNames"] if each.startswith("stack-")]
    assert dynamodb.scan(TableName=stacks_table)["Items"] == [{"OrderId": {"S": "of the stack"}}]
    for line in (
        "Not carried over: 1 message in the queue dead.",
        "Not carried over: the Connection key, whose secrets nobody is told.",
        "Not carried over: the bucket bucket and its 1 objects.",
        "Not carried over: the access keys of the user learner, whose secrets nobody is told twice.",
    ):
        assert line in exported.splitlines()
    assert os.name != "posix" or (tmp_path / "first.zip").stat().st_mode & 0o077 == 0


@pytest.mark.deep
def test_nothing_that_is_there_is_changed(account: Account, tmp_path: Path, capsys):  # noqa: F811
    build_the_rest(account)
    path = tmp_path / "account.zip"
    run(capsys, "export", str(path))
    account.client("dynamodb").put_item(TableName="orders", Item={"OrderId": {"S": "new"}})
    before = inventory(account)
    said = run(capsys, "import", str(path))
    assert "Skipped, since the account has one of this name: the table orders, and its items." in said
    assert said.splitlines()[-1] == "Imported: nothing."
    assert inventory(account) == before
    assert account.client("dynamodb").get_item(TableName="orders", Key={"OrderId": {"S": "new"}}).get("Item")


@pytest.mark.deep
def test_all_lessons_are_built_after_an_import(account: Account, tmp_path: Path, capsys):  # noqa: F811
    build = "from pathlib import Path; from helpers.lessons.catch_up import catch_up; catch_up('99', Path('.'), print)"

    def catch_up() -> str:
        environment = {**os.environ, **account.aws.account.environment(), "PYTHONPATH": str(PROJECT)}
        done = subprocess.run(
            [sys.executable, "-c", build], cwd=PROJECT / "notebooks", env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert catch_up()
    nothing_more = catch_up()
    _, imported = there_and_back(account, tmp_path, capsys)
    assert "Not carried over" not in imported
    account.start()
    assert catch_up() == nothing_more


@pytest.mark.deep
def test_an_account_of_another_moto_is_exported_from_a_copy(account: Account, tmp_path: Path, capsys):  # noqa: F811
    account.make_table()
    lifecycle.stop()
    path, before = account.home / STORE, made_by()
    _written_by(path, f"moto 1.0, format {writers.FORMAT}")
    untouched = path.read_bytes()
    with pytest.raises(WorkbookError, match="export FILE.*import FILE"):
        lifecycle.start()
    assert ": tables 1. " in run(capsys, "export", str(tmp_path / "account.zip"))
    assert path.read_bytes() == untouched
    _written_by(path, f"{before}, format 0")
    assert commands.main(["export", str(tmp_path / "other.zip")]) == 2
    assert "written by" in (said := capsys.readouterr().err) and "Go back to the version that wrote it" in said
    assert not (tmp_path / "other.zip").exists()


def _written_by(path: Path, who: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("update rows set value = ? where kind = 'made by'", (who.encode(),))
    connection.commit()
    connection.close()


class Recorder:
    """An account that notes what it is asked for, and what it says."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict]] = []
        self.said: list[str] = []
        self.say = self.said.append

    def __call__(self, service: str) -> Recorder:
        return self

    def __getattr__(self, operation: str):
        def call(**given: object) -> dict:
            self.asked.append((operation, given))
            return {"FailedEntries": []}

        return call


def test_nothing_that_is_imported_begins_by_itself():
    """Somebody else's file may have a schedule for somebody else's function."""
    recorder = Recorder()
    rule = {"Name": "tick", "ScheduleExpression": "rate(1 minute)", "State": "ENABLED", "Tags": {}, "Targets": []}
    buses._bring_rule(recorder, "default", rule)
    [(operation, given)] = recorder.asked
    assert (operation, given["State"]) == ("put_rule", "DISABLED")
    assert recorder.said == ["Disabled, since it would begin by itself: the rule tick. EnableRule turns it on."]


def test_a_stacks_event_source_is_brought_by_the_stack():
    kept = parties.Account(SimpleNamespace(access_key_id="x", secret_access_key="x", region="us-east-1"), print)
    kept.pages = lambda *what, **given: iter([{"UUID": "of-the-stack"}, {"UUID": "own"}])
    kept.of_stacks["AWS::Lambda::EventSourceMapping", "of-the-stack"] = ("stack", "Mapping")
    assert functions._own_mappings(kept, "name") == [{"UUID": "own"}]


# The file


def test_a_file_is_there_as_a_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "account.zip"
    with pytest.raises(ZeroDivisionError), Writer(path) as file:
        file.put("manifest.json", {"format": 1})
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with Writer(path) as file:
        file.put("manifest.json", {"format": 1})
    assert list(tmp_path.iterdir()) == [path]


def test_items_pass_by_one_at_a_time(tmp_path: Path):
    """Nobody has all of them in memory: each is asked for when the one before has been written, or read."""
    path, alive = tmp_path / "account.zip", set()

    class Item(dict):
        def __init__(self, number: int) -> None:
            super().__init__({"Id": {"N": str(number)}})
            alive.add(number)

        def __del__(self) -> None:
            alive.discard(int(self["Id"]["N"]))

    def items():
        for number in range(10_000):
            yield Item(number)
            assert len(alive) <= 2

    with Writer(path) as file:
        file.put("manifest.json", {"format": 1})
        assert file.put_items("items/t.jsonl", items()) == 10_000
    read = Reader(path).items("items/t.jsonl")
    assert next(read) == {"Id": {"N": "0"}}
    assert sum(1 for _ in read) == 9_999


@pytest.mark.parametrize("manifest", ['{"format": 99}', "[]", "no json", None])
def test_what_is_no_such_file_is_refused(tmp_path: Path, manifest: str | None):
    path = tmp_path / "account.zip"
    with zipfile.ZipFile(path, "w") as archive:
        if manifest is not None:
            archive.writestr("manifest.json", manifest)
    with pytest.raises(WorkbookError, match="no file of an account"):
        Reader(path)


@pytest.mark.parametrize("line", ["no json", "[]", '{"Id": 1}', '{"Id": {"B": "a"}}', '{"Id": {}}', "[" * 100_000])
def test_a_line_that_is_no_item_is_refused(tmp_path: Path, line: str):
    path = tmp_path / "account.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", '{"format": 1}')
        archive.writestr("items/t.jsonl", line)
    with pytest.raises(WorkbookError, match="a line that is no item"):
        list(Reader(path).items("items/t.jsonl"))


def test_what_is_no_zip_file_is_refused(tmp_path: Path):
    path = tmp_path / "account.zip"
    with pytest.raises(WorkbookError, match="cannot be read"):
        Reader(path)
    path.write_bytes(b"\x80\x05}\x94.")  # a pickle
    with pytest.raises(WorkbookError, match="no ZIP file"):
        Reader(path)
