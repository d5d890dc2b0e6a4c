"""A server that is killed again and again, at moments that nobody has chosen: what was acknowledged arrives.

Writers send events through a rule, messages through a mapped queue and changes through a mapped stream; at the end of
each way a function puts what it gets into a table.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from itertools import count

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tests.local_aws.recovery.test_survival import Account, account  # noqa: F401  a fixture
from tests.support.polling import PATIENCE, eventually

#: Writers of each kind, kills, and at most how many acknowledgements there are between two of them.
WRITERS, KILLS, MOST = 4, 3, 120

COPYING = """
import boto3, json, os
table = boto3.client("dynamodb")
def names(event):
    if "detail" in event:
        return [event["detail"]["OrderId"]]
    return [r["body"] if "body" in r else r["dynamodb"]["Keys"]["OrderId"]["S"] for r in event["Records"]]
def handler(event, context):
    for name in names(event):
        table.put_item(TableName=os.environ["TABLE"], Item={"OrderId": {"S": name}})
"""
VISIBILITY_S = 5


class Ways:
    """The three ways to the table, and what was acknowledged on each."""

    def __init__(self, served: Account) -> None:
        self.account = served
        self.acknowledged: dict[str, list[str]] = {"event": [], "message": [], "change": []}
        self._send: dict[str, Callable[[str], object]] = {
            "event": lambda name: served.put_orders([name]), "message": self._message, "change": self._change,
        }  # fmt: skip
        self._changed = threading.Condition()
        self.function = served.make_service(COPYING, Timeout=VISIBILITY_S)
        policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
        role = served.client("lambda").get_function(FunctionName=self.function)["Configuration"]["Role"]
        served.client("iam").attach_role_policy(RoleName=role.split("/")[-1], PolicyArn=policy)
        self.url = served.queue("queue", VisibilityTimeout=str(VISIBILITY_S))
        served.aws.table("things", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
        stream = served.client("dynamodb").describe_table(TableName="things")["Table"]["LatestStreamArn"]
        lambda_ = served.client("lambda")
        queue = "arn:aws:sqs:us-east-1:123456789012:queue"
        lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=self.function)
        lambda_.create_event_source_mapping(
            EventSourceArn=stream, FunctionName=self.function, StartingPosition="TRIM_HORIZON", BatchSize=10
        )

    def _message(self, name: str) -> None:
        self.account.client("sqs").send_message(QueueUrl=self.url, MessageBody=name)

    def _change(self, name: str) -> None:
        self.account.client("dynamodb").put_item(TableName="things", Item={"OrderId": {"S": name}})

    def write(self, kind: str, writer: str) -> None:
        """Write until the server is dead."""
        for number in count():
            name = f"{kind}-{writer}-{number}"
            try:
                self._send[kind](name)
            except (BotoCoreError, ClientError):
                return
            with self._changed:
                self.acknowledged[kind].append(name)
                self._changed.notify_all()

    def wait_for(self, more: int) -> None:
        """Wait until so many more are acknowledged on each way."""
        with self._changed:
            wanted = {kind: len(names) + more for kind, names in self.acknowledged.items()}
            arrived = self._changed.wait_for(
                lambda: all(len(self.acknowledged[kind]) >= least for kind, least in wanted.items()), PATIENCE
            )
        assert arrived, "the writers are stuck"

    def missing(self) -> set[str]:
        return {name for names in self.acknowledged.values() for name in names} - self.account.stored()


def kill_while_writing(ways: Ways, round_number: int, acknowledgements: int, writers: int) -> None:
    served = ways.account
    for service in ("events", "sqs", "dynamodb"):
        served.client(service)  # made once: several threads would each make one
    threads = [
        threading.Thread(target=ways.write, args=(kind, f"{round_number}-{number}"))
        for kind in ways.acknowledged
        for number in range(writers)
    ]
    for thread in threads:
        thread.start()
    ways.wait_for(acknowledgements)
    served.kill()
    for thread in threads:
        thread.join(PATIENCE)
    served.start()


def test_acknowledged_messages_and_changes_arrive_although_the_server_dies(account):  # noqa: F811  the fixture
    ways = Ways(account)
    kill_while_writing(ways, 0, 5, writers=1)
    eventually(lambda: not ways.missing(), "what was acknowledged")


@pytest.mark.deep
def test_a_campaign_of_kills(account):  # noqa: F811  the fixture
    ways, chance = Ways(account), random.Random(11)
    for number in range(KILLS):
        kill_while_writing(ways, number, chance.randrange(1, MOST), WRITERS)
    eventually(lambda: not ways.missing(), "what was acknowledged")
    found = account.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert {each["State"] for each in found} == {"Enabled"}
