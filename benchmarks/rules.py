"""Events per second against 1, 10, 300 (a bus's quota) and 1,000 rules: through the matcher, and through the bus."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.orders import BATCH, entry, row
from helpers.local_aws import lifecycle
from helpers.local_aws.event_patterns.event_pattern import EventView, compile_pattern
from tests.support.embedded_aws import Aws, own_home

RULES = (1, 10, 300, 1000)
EVENTS = 2000
MATCHING = {"source": ["microservice_x"], "detail": {"body": {"OrderId": [{"exists": True}]}}}
Pattern = dict[str, object]


def somebody_elses(number: int) -> Pattern:
    """A rule for events of another service."""
    return {"source": [f"microservice_{number}"], "detail-type": ["OrderPlaced"]}


def about_orders(number: int) -> Pattern:
    """A rule that must look into every order, and wants none of these."""
    return {
        "source": ["microservice_x"],
        "detail": {"body": {"Amount": [{"numeric": [">", 1000 + number]}], "OrderId": [{"prefix": f"Z-{number}"}]}},
    }


KINDS: dict[str, Callable[[int], Pattern]] = {
    "the others for other sources": somebody_elses,
    "all about these orders": about_orders,
}


def main() -> None:
    print(f"{'events against many rules, one of which matches':58} {'measured':>22}   {'ratio':>10}")
    for name, make in KINDS.items():
        rates = {count: matched(patterns(count, make)) for count in RULES}
        for count, rate in rates.items():
            row(f"matcher alone, {count} rules, {name}", f"{rate:,.0f} events/s", f"{rate / rates[1]:.3f}")
    for name, make in KINDS.items():
        rates = {count: delivered(patterns(count, make)) for count in RULES}
        for count, rate in rates.items():
            row(f"PutEvents to queue, {count} rules, {name}", f"{rate:,.0f} events/s", f"{rate / rates[1]:.2f}")


def patterns(count: int, make: Callable[[int], Pattern]) -> list[str]:
    """The patterns of so many rules; the last one matches the orders."""
    return [*(json.dumps(make(number)) for number in range(1, count)), json.dumps(MATCHING)]


def matched(texts: list[str]) -> float:
    """Events per second that are compared with every one of the patterns."""
    compiled = [compile_pattern(text) for text in texts]
    sent = entry("R-0001")
    event = {
        "id": "1",
        "source": sent["Source"],
        "detail-type": sent["DetailType"],
        "detail": json.loads(sent["Detail"]),
    }
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < 0.5:
        view = EventView(event)
        if sum(pattern.matches_view(view) for pattern in compiled) != 1:
            raise SystemExit("the matcher is wrong, so its speed says nothing")
        count += 1
    return count / (time.perf_counter() - begin)


def delivered(texts: list[str]) -> float:
    """Events per second from PutEvents into the queue that is the matching rule's target."""
    with account() as aws:
        events, sqs = aws.client("events"), aws.client("sqs")
        url = sqs.create_queue(QueueName="orders")["QueueUrl"]
        arn = f"arn:aws:sqs:{aws.account.region}:{aws.account.account_id}:orders"
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": arn,
                }
            ],
        }
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        for number, text in enumerate(texts):
            events.put_rule(Name=f"rule-{number}", EventPattern=text)
        events.put_targets(Rule=f"rule-{len(texts) - 1}", Targets=[{"Id": "queue", "Arn": arn}])
        begin = time.perf_counter()
        for start in range(0, EVENTS, BATCH):
            events.put_events(Entries=[entry(f"R-{number:04}") for number in range(start, start + BATCH)])
        while waiting(sqs, url) < EVENTS:
            if time.perf_counter() - begin > 120:
                raise SystemExit(f"only {waiting(sqs, url)} of {EVENTS} events came into the queue")
            time.sleep(0.01)
        return EVENTS / (time.perf_counter() - begin)


def waiting(sqs, url: str) -> int:
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


@contextmanager
def account() -> Iterator[Aws]:
    """A fresh account with nothing in it."""
    with tempfile.TemporaryDirectory() as folder, own_home(Path(folder)):
        try:
            yield Aws(lifecycle.start())
        finally:
            lifecycle.stop()
