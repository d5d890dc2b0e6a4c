"""What learners get wrong in lesson 9."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import boto3

from helpers.exercises.tools import found
from helpers.waiting import wait_until
from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 09-1 ---

secrets("09-1", "2", "0", "zero", "none of them")


def predicted(events: str = "RSU", orders: int = 2, added: int = 0, mailed: int = 0) -> tuple[dict]:
    numbers = {"orders in the table": orders, "added to the archive": added, "matched by the mail rule": mailed}
    return ({"events": list(events)} | numbers,)


@wrong_answer("09-1", "where was the archive when it was sent")
def an_archive_knows_what_came_before_it():
    return predicted("PRSU", 3)


@wrong_answer("09-1", "Does the span?")
def all_that_the_archive_has():
    return predicted("QRSUV", 4)


@wrong_answer("09-1", "compare its detail type")
def all_events_of_the_sender():
    return predicted("RSTU")


@wrong_answer("09-1", "whose entry names none")
def a_span_of_the_replay():
    return predicted("RSUV", 3)


@wrong_answer("09-1", "that this order was there before")
def the_archive_drops_duplicates():
    return predicted("RU")


@wrong_answer("09-1", "which of its two times")
def the_time_of_sending_counts():
    return predicted("RS", 1)


@wrong_answer("09-1", "one for each event?")
def an_item_for_each_event():
    return predicted(orders=3)


@wrong_answer("09-1", "all five would be back")
def everything_is_back():
    return predicted(orders=5)


@wrong_answer("09-1", "Which line of its pattern")
def archived_once_more():
    return predicted(added=3)


@wrong_answer("09-1", "The mail rule")
def mails_are_sent_again():
    return predicted(mailed=3)


# --- 09-2 ---

secrets("09-2", "min", "max", "earliest", "latest")
MARGIN = timedelta(minutes=5)


def missing(placed: dict, present: set) -> list:
    return [at for name, at in placed.items() if name not in present]


@wrong_answer("09-2", "wants a replay even where")
def no_thought_of_nothing():
    def span(placed, present):
        times = missing(placed, present) or [*placed.values()]
        return min(times) - MARGIN, max(times) + MARGIN

    return (span,)


@wrong_answer("09-2", "on the edge of the span")
def no_margin():
    def span(placed, present):
        times = missing(placed, present)
        return (min(times), max(times)) if times else None

    return (span,)


@wrong_answer("09-2", "ends before it begins")
def ids_are_taken_for_times():
    def span(placed, present):
        times = missing(placed, present)
        return (times[0] - MARGIN, times[-1] + MARGIN) if times else None

    return (span,)


@wrong_answer("09-2", "wider than it need be")
def the_whole_day():
    def span(placed, present):
        if not missing(placed, present):
            return None
        return min(placed.values()) - MARGIN, max(placed.values()) + MARGIN

    return (span,)


@wrong_answer("09-2", "lies outside the span")
def the_first_gap_alone():
    def span(placed, present):
        times = missing(placed, present)
        return (min(times) - MARGIN, min(times) + MARGIN) if times else None

    return (span,)


@wrong_answer("09-2", "as datetimes")
def texts():
    return (lambda placed, present: ("09:55", "10:45"),)


# --- 09-3 ---

secrets("09-3", "FilterArns", "create_archive", "night_shop", "02:00")
ARCHIVE, RULE, QUEUE = "exercise-archive", "exercise-night-rule", "exercise-night"
NIGHT = {"source": ["night_shop"]}
TWO = (datetime.now(UTC) - timedelta(days=1)).replace(hour=2, minute=0, second=0, microsecond=0)


def archive(pattern: dict | None = NIGHT) -> None:
    events = boto3.client("events")
    bus = events.describe_event_bus()["Arn"]
    wanted = {"EventPattern": json.dumps(pattern)} if pattern else {}
    events.create_archive(ArchiveName=ARCHIVE, EventSourceArn=bus, **wanted)


def publish(*numbers: int, count: int = 0) -> None:
    """Send the night's orders, and wait until the archive has so many events."""
    events = boto3.client("events")
    for number in numbers:
        detail = json.dumps({"body": {"OrderId": f"NIGHT-{number}"}})
        entry = {"Source": "night_shop", "DetailType": "OrderPlaced", "Detail": detail}
        events.put_events(Entries=[entry | {"Time": TWO + timedelta(hours=number - 2)}])
    if count:
        describe = events.describe_archive
        wait_until(lambda: describe(ArchiveName=ARCHIVE)["EventCount"] >= count, waiting_for="the archive")


def listen(pattern: dict = NIGHT) -> None:
    events, sqs = boto3.client("events"), boto3.client("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name=RULE, EventPattern=json.dumps(pattern))
    service = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [service | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    events.put_targets(Rule=RULE, Targets=[{"Id": "queue", "Arn": arn}])


def replay(hours: float = 0.5, messages: int = 1, **more) -> None:
    """Replay so many hours on both sides of two o'clock, and wait until the queue has so many messages."""
    events = boto3.client("events")
    name, about = f"exercise-{time.time_ns()}", events.describe_archive(ArchiveName=ARCHIVE)
    events.start_replay(
        ReplayName=name,
        EventSourceArn=about["ArchiveArn"],
        EventStartTime=TWO - timedelta(hours=hours),
        EventEndTime=TWO + timedelta(hours=hours),
        Destination={"Arn": about["EventSourceArn"], **more},
    )
    wait_until(lambda: waiting() >= messages, waiting_for="the queue")


def waiting() -> int:
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    names = ["ApproximateNumberOfMessages"]
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]])


@undo("09-3")
def no_night():
    events, sqs = boto3.client("events"), boto3.client("sqs")
    if found(events, "list_targets_by_rule", Rule=RULE):
        events.remove_targets(Rule=RULE, Ids=["queue"])
    found(events, "delete_rule", Name=RULE)
    found(events, "delete_archive", ArchiveName=ARCHIVE)
    if queue := found(sqs, "get_queue_url", QueueName=QUEUE):
        sqs.delete_queue(QueueUrl=queue["QueueUrl"])


@wrong_answer("09-3", "Nobody keeps")
def only_a_listener():
    no_night()
    listen()
    return ()


@wrong_answer("09-3", "The archive takes the events of others")
def an_archive_of_everything():
    no_night()
    archive(None)
    return ()


@wrong_answer("09-3", "The archive does not want all orders")
def an_archive_of_the_wrong_type():
    no_night()
    archive(NIGHT | {"detail-type": ["order_placed"]})
    return ()


@wrong_answer("09-3", "fewer than three events")
def published_before_the_archive():
    no_night()
    publish(1, 2, 3)
    archive()
    return ()


@wrong_answer("09-3", "nobody listens yet")
def no_listener():
    no_night()
    archive()
    publish(1, 2, 3, count=3)
    return ()


@wrong_answer("09-3", "The rule takes the events of others")
def a_rule_for_every_order():
    no_listener()
    listen({"detail-type": ["OrderPlaced"]})
    return ()


@wrong_answer("09-3", "Nothing of the night shop is in the queue")
def no_replay():
    no_listener()
    listen()
    return ()


@wrong_answer("09-3", "straight from the shop")
def sent_again_instead_of_replayed():
    no_listener()
    listen()
    publish(2, count=4)
    wait_until(lambda: waiting() >= 1, waiting_for="the queue")
    return ()


@wrong_answer("09-3", "More of the night")
def the_whole_night():
    no_listener()
    listen()
    rule = boto3.client("events").describe_rule(Name=RULE)["Arn"]
    replay(hours=2, messages=3, FilterArns=[rule])
    return ()


@wrong_answer("09-3", "Every rule of the bus")
def to_the_whole_bus():
    no_listener()
    listen()
    replay()
    return ()
