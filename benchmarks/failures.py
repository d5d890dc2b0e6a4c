"""From a failure to the message that waits for somebody to look at it, without AWS's waits (time scale 0)."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.orders import POLL, row, service, until_stored
from tests.support.embedded_aws import LAMBDA_TRUST, Aws

TIMES = 50
#: Raises for every event; small, so that what is measured is not its import.
RAISES = "def handler(event, context):\n    raise ValueError('always')\n"


def main() -> None:
    print(f"{'failures, with LOCAL_AWS_TIME_SCALE=0':58} {'measured':>22}   {'ratio':>10}")
    with without_waiting(), service() as (aws, _):
        undeliverable, failing = Undeliverable(aws), Failing(aws)
        stored, parked, failed = [], [], []
        until_stored(aws, aws.client("events"), aws.client("dynamodb"), "F-warm")
        undeliverable.until_parked(), failing.until_parked()
        for number in range(TIMES):  # in turn, so that all see the same machine
            stored.append(until_stored(aws, aws.client("events"), aws.client("dynamodb"), f"F-{number}") * 1000)
            parked.append(undeliverable.until_parked() * 1000)
            failed.append(failing.until_parked() * 1000)
    floor = statistics.median(stored)
    row("a delivery that works: PutEvents -> order readable", f"{floor:.2f} ms", "1")
    for what, measured in (
        ("no permission: PutEvents -> dead-letter queue", parked),
        ("function raises, three tries -> on-failure queue", failed),
    ):
        median, p95 = statistics.median(measured), statistics.quantiles(measured, n=20)[-1]
        row(f"{what} (median)", f"{median:.2f} ms", f"{median / floor:.2f}")
        row("  (p95)", f"{p95:.2f} ms", f"{p95 / floor:.2f}")


@contextmanager
def without_waiting() -> Iterator[None]:
    """Servers that are started in this context do not wait where AWS waits minutes."""
    before = os.environ.get("LOCAL_AWS_TIME_SCALE")
    os.environ["LOCAL_AWS_TIME_SCALE"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["LOCAL_AWS_TIME_SCALE"]
        else:
            os.environ["LOCAL_AWS_TIME_SCALE"] = before


class Parking:
    """A way of events that ends in a queue; how long one takes to get there."""

    def __init__(self, aws: Aws, name: str) -> None:
        self.name = name
        self.events, self.sqs = aws.client("events"), aws.client("sqs")
        self.url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:{name}"
        self.rule_arn = self.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))["RuleArn"]

    def until_parked(self) -> float:
        """Seconds from the call of PutEvents until the message is received."""
        begin = time.perf_counter()
        self.events.put_events(Entries=[{"Source": self.name, "DetailType": "bad", "Detail": "{}"}])
        while True:
            messages = self.sqs.receive_message(QueueUrl=self.url).get("Messages", [])
            took = time.perf_counter() - begin
            if messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=messages[0]["ReceiptHandle"])
                return took
            if took > 30:
                raise SystemExit(f"nothing came into {self.name} within 30 seconds")
            time.sleep(POLL)


class Undeliverable(Parking):
    """A rule whose target does not let EventBridge invoke it, and has a dead-letter queue."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws, "undeliverable")
        function = aws.client("lambda").get_function_configuration(FunctionName=aws.function(RAISES))
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": json.dumps(self._policy())})
        target = {"Id": "function", "Arn": function["FunctionArn"], "DeadLetterConfig": {"Arn": self.arn}}
        self.events.put_targets(Rule=self.name, Targets=[target])

    def _policy(self) -> dict:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": self.arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": self.rule_arn}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


class Failing(Parking):
    """A rule whose target raises, and has an on-failure destination."""

    def __init__(self, aws: Aws) -> None:
        super().__init__(aws, "failing")
        iam, lambda_ = aws.client("iam"), aws.client("lambda")
        role = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": self.arn}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=self.name, PolicyName="send", PolicyDocument=document)
        function = aws.function(RAISES, Role=role)
        lambda_.add_permission(
            FunctionName=function,
            StatementId="rule",
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=self.rule_arn,
        )
        lambda_.put_function_event_invoke_config(
            FunctionName=function, DestinationConfig={"OnFailure": {"Destination": self.arn}}
        )
        arn = lambda_.get_function_configuration(FunctionName=function)["FunctionArn"]
        self.events.put_targets(Rule=self.name, Targets=[{"Id": "function", "Arn": arn}])
