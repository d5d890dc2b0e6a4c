"""Watching an event bus from outside: a queue that gets what one rule matches."""

from __future__ import annotations

import json
import time
import uuid

from tests.support.polling import PATIENCE


def open_to_events(queue_arn: str, *rule_arns: str) -> dict[str, str]:
    """Attributes of a queue whose policy lets EventBridge send to it: for all rules, or for these."""
    statement: dict[str, object] = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
    }
    if rule_arns:
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": list(rule_arns)}}
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}


class Probe:
    """A rule and a queue as its target. Without a pattern the rule matches events of its own `source`."""

    def __init__(self, aws, pattern: dict | None = None, bus: str = "default", **target: object) -> None:
        self.name = f"probe-{uuid.uuid4().hex[:8]}"
        self.source = self.name
        self._sqs = aws.client("sqs")
        self.arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:{self.name}"
        self._url = self._sqs.create_queue(QueueName=self.name, Attributes=open_to_events(self.arn))["QueueUrl"]
        pattern = pattern or {"source": [self.source]}
        events = aws.client("events")
        rule = events.put_rule(Name=self.name, EventPattern=json.dumps(pattern), EventBusName=bus)
        self.rule_arn = rule["RuleArn"]
        events.put_targets(Rule=self.name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": self.arn, **target}])

    def texts(self, count: int = 1, seconds: float = PATIENCE) -> list[str]:
        """The next `count` messages; fewer when they do not come within `seconds`."""
        deadline, found = time.monotonic() + seconds, []
        while len(found) < count and time.monotonic() < deadline:
            answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            for message in answer.get("Messages", []):
                found.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
            if "Messages" not in answer:
                time.sleep(0.02)
        return found

    def only(self, count: int = 1, quiet: float = 0.5) -> list:
        """The next `count` messages, parsed, and those that come within `quiet` seconds more: there should be none."""
        return self.events(count) + self.events(1, quiet)

    def waiting(self) -> int:
        """How many messages are in the queue."""
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def events(self, count: int = 1, seconds: float = PATIENCE) -> list:
        """`texts`, parsed."""
        return [json.loads(text) for text in self.texts(count, seconds)]


def entry(source: str = "orders", **members: object) -> dict:
    """An entry for PutEvents."""
    return {"Source": source, "DetailType": "order", "Detail": "{}", **members}
