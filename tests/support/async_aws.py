"""Accounts whose waiting times are short, and what the tests of asynchronous invocations make in them."""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from helpers.local_aws import lifecycle
from tests.support.embedded_aws import Aws, own_home
from tests.support.lambda_requests import lines_of
from tests.support.polling import PATIENCE

#: A function that fails when its event says so, and tells how often it ran.
FRAGILE = """
import os, time
def handler(event, context):
    print("attempt", context.aws_request_id)
    if event.get("exit"):
        os._exit(1)
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("fail"):
        raise ValueError(event["fail"])
    return {"got": event}
"""


@contextlib.contextmanager
def account(home: Path, scale: float | str) -> Iterator[Aws]:
    """An embedded AWS whose waits last `scale` times as long as AWS's."""
    before = os.environ.get("LOCAL_AWS_TIME_SCALE")
    os.environ["LOCAL_AWS_TIME_SCALE"] = str(scale)
    try:
        with own_home(home):
            started = lifecycle.start()
    finally:
        os.environ.pop("LOCAL_AWS_TIME_SCALE")
        if before is not None:
            os.environ["LOCAL_AWS_TIME_SCALE"] = before
    yield Aws(started)
    with own_home(home):
        lifecycle.stop()


class Queue:
    """A queue that a destination or a dead-letter queue may be."""

    def __init__(self, aws: Aws) -> None:
        self.name = f"queue-{uuid.uuid4().hex[:8]}"
        self.arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:{self.name}"
        self._sqs = aws.client("sqs")
        self.url = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]

    def messages(self, count: int = 1, seconds: float = PATIENCE) -> list[dict]:
        """The next `count` messages, fewer when they do not come in time."""
        found: list[dict] = []
        deadline = time.monotonic() + seconds
        while len(found) < count and time.monotonic() < deadline:
            answer = self._sqs.receive_message(
                QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], AttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                found.append(message)
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
            if "Messages" not in answer:
                time.sleep(0.02)
        return found

    def records(self, count: int = 1, seconds: float = PATIENCE) -> list[dict]:
        """`messages`, of each the body, parsed."""
        return [json.loads(message["Body"]) for message in self.messages(count, seconds)]


def role(aws: Aws, *actions: str) -> str:
    """The ARN of a role for functions that may also do these actions, to everything."""
    arn = aws.role()
    if actions:
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        name = arn.rpartition("/")[2]
        aws.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)
    return arn


def send(aws: Aws, name: str, event: object, **settings: object) -> str:
    """Invoke asynchronously; returns the request id."""
    answer = aws.client("lambda").invoke(
        FunctionName=name, InvocationType="Event", Payload=json.dumps(event), **settings
    )
    assert answer["StatusCode"] == 202
    return answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-requestid"]


def attempts(aws: Aws, name: str) -> list[str]:
    """The request ids of a function's attempts, in order, read from its log."""
    return [line.split()[1] for line in lines_of(aws, name) if line.startswith("attempt ")]
