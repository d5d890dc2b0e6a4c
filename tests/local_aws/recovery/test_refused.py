"""A change that was refused because the disk takes no more is nowhere: not at once, not later, not after a restart."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support.embedded_aws import LAMBDA_TRUST, zip_of

TEXT = "x" * 3000


class Clients:
    """Clients as a learner has them: they try again when a server is not there for a moment."""

    def __init__(self, account: Account) -> None:  # noqa: F811
        self._account = account

    def __call__(self, service: str) -> Any:
        access = self._account.aws.account
        again = Config(retries={"mode": "standard", "total_max_attempts": 8})
        return self._account.aws.session.client(service, endpoint_url=access.endpoint_url, config=again)


class Service:
    """How to change something of a service, and to see all of it: names of what was made.

    count: how many they are, where seeing them changes something, and so is refused too.
    """

    def __init__(
        self,
        name: str,
        make: Callable[[Any, str], object],
        seen: Callable[[Any], set[str]],
        count: Callable[[Any], int] | None = None,
    ) -> None:
        self.name, self.make, self.seen = name, make, seen
        self.count = count or (lambda client: len(seen(client)))


def items(client: Any) -> set[str]:
    pages = client.get_paginator("scan").paginate(TableName="orders")
    return {item["OrderId"]["S"] for page in pages for item in page["Items"]}


def put_twice(client: Any, name: str) -> None:
    puts = [{"OrderId": {"S": f"{name}{letter}"}, "Text": {"S": TEXT}} for letter in "ab"]
    client.transact_write_items(TransactItems=[{"Put": {"TableName": "orders", "Item": item}} for item in puts])


def pairs(client: Any) -> set[str]:
    found = items(client)
    assert {name[:-1] + letter for name in found for letter in "ab"} == found
    return {name[:-1] for name in found}


def queue_url(client: Any) -> str:
    return client.get_queue_url(QueueName="queue")["QueueUrl"]


def messages(client: Any) -> set[str]:
    url, found = queue_url(client), set()
    while got := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        new = {message["Body"].strip("x") for message in got}
        if new <= found:
            return found
        found |= new
    return found


def message_count(client: Any) -> int:
    name = "ApproximateNumberOfMessages"
    return int(client.get_queue_attributes(QueueUrl=queue_url(client), AttributeNames=[name])["Attributes"][name])


def lines(client: Any) -> set[str]:
    pages = client.get_paginator("filter_log_events").paginate(logGroupName="group")
    return {event["message"].strip("x") for page in pages for event in page["events"]}


SERVICES = [
    Service("dynamodb", lambda client, name: client.put_item(
        TableName="orders", Item={"OrderId": {"S": name}, "Text": {"S": TEXT}}), items),
    Service("dynamodb", put_twice, pairs),
    Service("dynamodb", lambda client, name: client.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], Tags=[{"Key": "a", "Value": "x" * 200}]),
        lambda client: set(client.list_tables()["TableNames"]) - {"orders"}),
    Service("sqs", lambda client, name: client.send_message(QueueUrl=queue_url(client), MessageBody=name + TEXT),
            messages, message_count),
    Service("s3", lambda client, name: client.put_object(Bucket="bucket", Key=name, Body=TEXT),
            lambda client: {each["Key"] for each in client.list_objects_v2(Bucket="bucket").get("Contents", [])}),
    Service("logs", lambda client, name: client.put_log_events(
        logGroupName="group", logStreamName="stream",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": name + TEXT}]), lines),
    Service("iam", lambda client, name: client.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST), Description="x" * 1000),
        lambda client: {role["RoleName"] for role in client.list_roles()["Roles"]} - {"role"}),
    Service("events", lambda client, name: client.put_rule(
        Name=name, EventPattern=json.dumps({"source": ["x" * 1000]})),
        lambda client: {rule["Name"] for rule in client.list_rules()["Rules"]}),
    Service("sns", lambda client, name: client.create_topic(Name=name, Attributes={"DisplayName": "x" * 90}),
            lambda client: {topic["TopicArn"].rpartition(":")[2] for topic in client.list_topics()["Topics"]}),
    Service("lambda", lambda client, name: client.create_function(
        FunctionName=name, Runtime="python3.13", Role="arn:aws:iam::123456789012:role/role", Handler="main.handler",
        Description="x" * 200, Code={"ZipFile": zip_of({"main.py": f"def handler(event, context): return {name!r}"})}),
        lambda client: {each["FunctionName"] for each in client.list_functions()["Functions"]}),
]  # fmt: skip


def prepare(clients: Clients) -> None:
    """Make what the changes need."""
    clients("sqs").create_queue(QueueName="queue")
    clients("s3").create_bucket(Bucket="bucket")
    clients("iam").create_role(RoleName="role", AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
    clients("logs").create_log_group(logGroupName="group")
    clients("logs").create_log_stream(logGroupName="group", logStreamName="stream")


@contextlib.contextmanager
def full_disk(account: Account, room: int = 60_000) -> Iterator[None]:  # noqa: F811
    """Let the server's files grow by so many bytes, and no more."""
    server = psutil.Process(account.aws.account.pid)
    before = server.rlimit(psutil.RLIMIT_FSIZE)
    largest = max(path.stat().st_size for path in account.home.glob("account.sqlite*"))
    server.rlimit(psutil.RLIMIT_FSIZE, (largest + room, before[1]))
    try:
        yield
    finally:
        server.rlimit(psutil.RLIMIT_FSIZE, before)


def fill(client: Any, service: Service) -> tuple[set[str], str]:
    """Make one after the other until one is refused: what was made, and the one that was not."""
    made: set[str] = set()
    for number in range(2000):
        name = f"n{number}"
        try:
            service.make(client, name)
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 507, error
            assert "cannot write to" in error.response["Error"]["Message"]
            return made, name
        made.add(name)
    raise AssertionError("the disk took all")


@pytest.mark.deep
@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="Linux can limit a running process's files")
@pytest.mark.parametrize("service", SERVICES, ids=lambda each: each.name)
def test_what_was_refused_is_not_there(account, service):  # noqa: F811
    account.make_table()
    clients = Clients(account)
    prepare(clients)
    client = clients(service.name)
    with full_disk(account):
        made, refused = fill(client, service)
        assert service.count(client) == len(made), "at once"
        for attempt in ("again", "and again"):  # refused before anything is done: nobody begins anew for that
            with pytest.raises(ClientError, match="cannot write to"):
                service.make(client, attempt)
        assert service.count(client) == len(made), "while the disk is full"
    service.make(client, "later")
    assert service.seen(client) == made | {"later"}, "with room again"
    service.make(client, refused)
    account.restart()
    client = clients(service.name)
    assert service.seen(client) == made | {"later", refused}, "after a restart"


@pytest.mark.deep
@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="Linux can limit a running process's files")
def test_the_server_is_the_same_to_whoever_asks_for_it(account):  # noqa: F811
    """Process, address, keys and secret: a kernel that was there before goes on, and nobody starts a second server."""
    account.make_table()
    before = json.loads((account.home / "account.json").read_text(encoding="utf-8"))
    client = Clients(account)("dynamodb")
    with full_disk(account):
        made, _ = fill(client, SERVICES[0])
        account.start()
        assert not account.aws.account.started
        assert SERVICES[0].seen(client) == made
    assert json.loads((account.home / "account.json").read_text(encoding="utf-8")) == before
    assert account.aws.server_log().count("begins anew") == 1
    with socket.create_connection(("127.0.0.1", int(before["endpoint_url"].rpartition(":")[2]))):
        pass
