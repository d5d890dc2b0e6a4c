"""Writers that change an account while its server is killed again and again, and that know what must be there then.

A further kind of writer is a subclass of Writer, and a row in `writers`.
"""

from __future__ import annotations

import json
import random
import threading
import uuid
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tests.support.embedded_aws import Aws
from tests.support.polling import PATIENCE, eventually
from tests.support.stacks import QUEUE, table

#: Seconds that a message is hidden, and that a function may take: a killed one's messages come again after these.
VISIBILITY_S = 5
STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}


class Writer:
    """One thread's work: `write` changes something, over and over; `check` finds what was promised, after a kill.

    number: which of the writers of its kind it is.
    """

    def __init__(self, number: int, seed: int) -> None:
        self.number = number
        self.chance = random.Random(f"{type(self).__name__} {number} {seed}")

    def prepare(self, aws: Aws) -> None:
        """Make what the writer needs, once, before the first kill."""

    def write(self, aws: Aws) -> None:
        """Change something; when this returns, it was answered. Raises botocore's errors when the server dies."""
        raise NotImplementedError

    def check(self, aws: Aws) -> None:
        """Fail unless everything that was answered is there, and of what was not, all or nothing."""
        raise NotImplementedError


def items(aws: Aws, table: str) -> dict[str, dict[str, Any]]:
    """All items of a table by their key."""
    pages = aws.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    return {item["OrderId"]["S"]: item for page in pages for item in page["Items"]}


class Puts(Writer):
    """Puts items, one after the other."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.answered: list[str] = []
        self.asked: set[str] = set()

    def prepare(self, aws: Aws) -> None:
        aws.table(f"puts-{self.number}")

    def write(self, aws: Aws) -> None:
        name = f"{len(self.asked)}"
        self.asked.add(name)
        text = "x" * self.chance.randrange(3000)
        aws.client("dynamodb").put_item(
            TableName=f"puts-{self.number}", Item={"OrderId": {"S": name}, "Text": {"S": text}}
        )
        self.answered.append(name)

    def check(self, aws: Aws) -> None:
        assert set(self.answered) <= items(aws, f"puts-{self.number}").keys() <= self.asked


class Transactions(Writer):
    """Puts many items and counts in one transaction; the one whose answer was lost is sent again with its token."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.table = f"transactions-{number}"
        self.done: dict[str, int] = {}  # by token: of how many items
        self.lost: tuple[str, int] | None = None

    def prepare(self, aws: Aws) -> None:
        aws.table(self.table, StreamSpecification=STREAM)

    def write(self, aws: Aws) -> None:
        self.lost = self.lost or (uuid.uuid4().hex, self.chance.choice([1, 5, 40, 99]))
        token, count = self.lost
        self._send(aws, token, count)
        self.done[token], self.lost = count, None

    def _send(self, aws: Aws, token: str, count: int) -> None:
        puts = [{"OrderId": {"S": f"{token}-{each}"}, "Text": {"S": "x" * 300}} for each in range(count)]
        adding = {
            "TableName": self.table, "Key": {"OrderId": {"S": "count"}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }  # fmt: skip
        writes = [{"Put": {"TableName": self.table, "Item": item}} for item in puts]
        aws.client("dynamodb").transact_write_items(
            TransactItems=[*writes, {"Update": adding}], ClientRequestToken=token
        )

    def check(self, aws: Aws) -> None:
        self._compare(aws, self.done if self.lost is None else None)
        if self.lost is not None:
            self.write(aws)
        self._compare(aws, self.done)

    def _compare(self, aws: Aws, expected: dict[str, int] | None) -> None:
        found = items(aws, self.table)
        count = int(found.pop("count", {"n": {"N": "0"}})["n"]["N"])
        there: dict[str, int] = {}
        for name in found:
            token = name.partition("-")[0]
            there[token] = there.get(token, 0) + 1
        may = self.done if self.lost is None else {**self.done, self.lost[0]: self.lost[1]}
        assert there in ([expected] if expected is not None else [self.done, may]), "a part of a transaction"
        assert count == len(there), "a transaction ran twice, or not at all"


class Cancelled(Writer):
    """Sends transactions that are cancelled at their end."""

    def prepare(self, aws: Aws) -> None:
        aws.table(f"cancelled-{self.number}", StreamSpecification=STREAM)

    def write(self, aws: Aws) -> None:
        table = f"cancelled-{self.number}"
        puts = [{"Put": {"TableName": table, "Item": {"OrderId": {"S": f"{each}"}}}} for each in range(49)]
        absent = {"Key": {"OrderId": {"S": "absent"}}, "ConditionExpression": "attribute_exists(OrderId)"}
        client = aws.client("dynamodb")
        try:
            client.transact_write_items(TransactItems=[*puts, {"ConditionCheck": {"TableName": table, **absent}}])
        except client.exceptions.TransactionCanceledException:
            return
        raise AssertionError("the transaction was not cancelled")

    def check(self, aws: Aws) -> None:
        assert items(aws, f"cancelled-{self.number}") == {}


class Streams(Writer):
    """Puts, changes and deletes in a table with a stream, which must tell how the table has come to be."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.table = f"streams-{number}"

    def prepare(self, aws: Aws) -> None:
        aws.table(self.table, StreamSpecification=STREAM)

    def write(self, aws: Aws) -> None:
        client, key = aws.client("dynamodb"), {"OrderId": {"S": str(self.chance.randrange(20))}}
        match self.chance.randrange(4):
            case 0:
                client.delete_item(TableName=self.table, Key=key)
            case 1:
                client.update_item(
                    TableName=self.table, Key=key, UpdateExpression="ADD n :one",
                    ExpressionAttributeValues={":one": {"N": "1"}},
                )  # fmt: skip
            case 2:
                names = self.chance.sample(range(20), 5)
                puts = [{"PutRequest": {"Item": {"OrderId": {"S": str(name)}}}} for name in names]
                client.batch_write_item(RequestItems={self.table: puts})
            case _:
                text = {"S": str(self.chance.random())}
                client.put_item(TableName=self.table, Item={**key, "Text": text})

    def check(self, aws: Aws) -> None:
        told: dict[str, dict[str, Any]] = {}
        records = self._records(aws)
        for each in records:
            change, name = each["dynamodb"], each["dynamodb"]["Keys"]["OrderId"]["S"]
            assert change.get("OldImage") == told.get(name), "a record is missing, or too many"
            if "NewImage" in change:
                told[name] = change["NewImage"]
            else:
                told.pop(name)
        assert told == items(aws, self.table)
        numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in records]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True

    def _records(self, aws: Aws) -> list[dict[str, Any]]:
        arn = aws.client("dynamodb").describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        streams, found = aws.client("dynamodbstreams"), []
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = streams.get_shard_iterator(**place)["ShardIterator"]
        while (got := streams.get_records(ShardIterator=iterator))["Records"]:
            found += got["Records"]
            iterator = got["NextShardIterator"]
        return found


class Messages(Writer):
    """Sends messages."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.answered: set[str] = set()

    def prepare(self, aws: Aws) -> None:
        self.url = aws.client("sqs").create_queue(QueueName=f"messages-{self.number}")["QueueUrl"]

    def write(self, aws: Aws) -> None:
        self.answered.add(aws.client("sqs").send_message(QueueUrl=self.url, MessageBody="x" * 500)["MessageId"])

    def check(self, aws: Aws) -> None:
        """Take out what is there, until all that was promised has been."""
        client = aws.client("sqs")
        while got := client.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in got:
                self.answered.discard(message["MessageId"])
                client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        assert not self.answered, "a message was lost"


class Objects(Writer):
    """Puts an object in the place of another, over and over."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.bucket, self.answered, self.asked = f"objects-{number}", 0, 0

    def prepare(self, aws: Aws) -> None:
        aws.client("s3").create_bucket(Bucket=self.bucket)
        self.write(aws)

    def write(self, aws: Aws) -> None:
        self.asked += 1
        aws.client("s3").put_object(Bucket=self.bucket, Key="one", Body=f"{self.asked}-".ljust(5000, "x"))
        self.answered = self.asked

    def check(self, aws: Aws) -> None:
        body = aws.client("s3").get_object(Bucket=self.bucket, Key="one")["Body"].read()
        assert len(body) == 5000 and self.answered <= int(body.partition(b"-")[0]) <= self.asked


class Tables(Writer):
    """Makes a table, fills it and deletes it: it is there with its items, or not at all."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.table, self.next = f"tables-{number}", "make"

    def write(self, aws: Aws) -> None:
        client = aws.client("dynamodb")
        if self.next == "make":
            self.next = "making"
            aws.table(self.table)
            self.next = "fill"
        elif self.next == "fill":
            puts = [{"PutRequest": {"Item": {"OrderId": {"S": str(each)}}}} for each in range(25)]
            client.batch_write_item(RequestItems={self.table: puts})
            self.next = "delete"
        else:
            self.next = "deleting"
            client.delete_table(TableName=self.table)
            self.next = "make"

    def check(self, aws: Aws) -> None:
        names = aws.client("dynamodb").list_tables()["TableNames"]
        found = len(items(aws, self.table)) if self.table in names else None
        may = {
            "make": [None], "making": [None, 0], "fill": [0, 25], "delete": [25], "deleting": [None, 25],
        }  # fmt: skip
        assert found in may[self.next], f"{self.next}: {found}"
        self.next = "make" if found is None else "delete" if found else "fill"


class Stacks(Writer):
    """Makes a stack of a queue and a table, and deletes it: both are there with the stack, and gone with it."""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.name, self.next = f"stacks-{number}", "create"

    def write(self, aws: Aws) -> None:
        client = aws.client("cloudformation")
        if self.next == "create":
            self.next = "creating"
            queue = {**QUEUE, "Properties": {"QueueName": self.name}}
            resources = {"Queue": queue, "Table": table(TableName=self.name)}
            client.create_stack(StackName=self.name, TemplateBody=json.dumps({"Resources": resources}))
            assert self._settled(aws) == "CREATE_COMPLETE"
            self.next = "delete"
        else:
            self.next = "deleting"
            client.delete_stack(StackName=self.name)
            assert self._settled(aws) is None
            self.next = "create"

    def check(self, aws: Aws) -> None:
        """Wait for what was begun, which goes on by itself."""
        status = self._settled(aws)
        may: dict[str, list[str | None]] = {
            "create": [None], "creating": [None, "CREATE_COMPLETE"], "delete": ["CREATE_COMPLETE"],
            "deleting": [None, "CREATE_COMPLETE"],
        }  # fmt: skip
        assert status in may[self.next], f"{self.next}: {status}"
        there = self.name in aws.client("dynamodb").list_tables()["TableNames"]
        queues = aws.client("sqs").list_queues(QueueNamePrefix=self.name).get("QueueUrls", [])
        assert (there, len(queues)) == ((False, 0) if status is None else (True, 1)), (
            "something is orphaned, or missing"
        )
        self.next = "create" if status is None else "delete"

    def _settled(self, aws: Aws) -> str | None:
        """The stack's status when nothing is done to it any more; None when there is no such stack."""
        found: list[str | None] = []

        def look() -> bool:
            stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
            found.append(next((each["StackStatus"] for each in stacks if each["StackName"] == self.name), None))
            return not (found[-1] or "").endswith("_IN_PROGRESS")

        assert eventually(look, "the stack"), found[-1]
        return found[-1]


class Mapped(Writer):
    """Sends messages and changes items; event source mappings hand both to a function, which stores their names."""

    SOURCE = """
import boto3
table = boto3.resource("dynamodb").Table("{table}-arrived")
def handler(event, context):
    for each in event["Records"]:
        table.put_item(Item={{"OrderId": each["body"] if "body" in each else each["dynamodb"]["Keys"]["OrderId"]["S"]}})
"""

    def __init__(self, number: int, seed: int) -> None:
        super().__init__(number, seed)
        self.table, self.answered, self.asked = f"mapped-{number}", set[str](), 0

    def prepare(self, aws: Aws) -> None:
        aws.table(f"{self.table}-arrived")
        aws.table(self.table, StreamSpecification=STREAM)
        role = aws.role()
        policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaSQSQueueExecutionRole"
        aws.client("iam").attach_role_policy(RoleName=role.split("/")[-1], PolicyArn=policy)
        function = aws.function(self.SOURCE.format(table=self.table), Role=role, Timeout=VISIBILITY_S)
        sqs, lambda_ = aws.client("sqs"), aws.client("lambda")
        timeout = {"VisibilityTimeout": str(VISIBILITY_S)}
        self.url = sqs.create_queue(QueueName=self.table, Attributes=timeout)["QueueUrl"]
        queue = sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        stream = aws.client("dynamodb").describe_table(TableName=self.table)["Table"]["LatestStreamArn"]
        lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=function)
        lambda_.create_event_source_mapping(
            EventSourceArn=stream, FunctionName=function, StartingPosition="TRIM_HORIZON"
        )

    def write(self, aws: Aws) -> None:
        self.asked += 1
        name = f"{self.asked}"
        if self.asked % 2:
            aws.client("sqs").send_message(QueueUrl=self.url, MessageBody=name)
        else:
            aws.client("dynamodb").put_item(TableName=self.table, Item={"OrderId": {"S": name}})
        self.answered.add(name)

    def check(self, aws: Aws) -> None:
        """Wait until all that was promised has arrived, at least once."""
        arrived = f"{self.table}-arrived"
        assert eventually(lambda: self.answered <= items(aws, arrived).keys(), "messages and changes"), "lost"


def writers(seed: int) -> list[Writer]:
    """Twelve of them."""
    kinds: list[tuple[type[Writer], int]] = [
        (Puts, 1), (Transactions, 3), (Cancelled, 1), (Streams, 2), (Messages, 1), (Objects, 1), (Tables, 1),
        (Stacks, 1), (Mapped, 1),
    ]  # fmt: skip
    return [kind(number, seed) for kind, count in kinds for number in range(count)]


class Round:
    """All writers at work on one server, until it is killed."""

    def __init__(self, aws: Aws, at_work: list[Writer]) -> None:
        self._aws = aws
        self._answered = 0
        self._lock = threading.Lock()
        self._wrong: list[BaseException] = []
        self._threads = [threading.Thread(target=self._work, args=(each,)) for each in at_work]
        for thread in self._threads:
            thread.start()

    def wait_for(self, answered: int) -> None:
        """Wait until so many changes were answered, of all writers together."""
        eventually(lambda: self._answered >= answered or self._wrong, "the writers")

    def end(self) -> None:
        """Wait for the writers, whose server is dead. Raises what went wrong before."""
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()
        if self._wrong:
            raise self._wrong[0]

    def _work(self, writer: Writer) -> None:
        own = Aws(self._aws.account)  # connections of its own
        try:
            while True:
                writer.write(own)
                with self._lock:
                    self._answered += 1
        except ClientError as error:
            self._wrong.append(error)
        except BotoCoreError:
            return  # the server is dead
        except BaseException as error:
            self._wrong.append(error)
