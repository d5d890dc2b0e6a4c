"""Check lesson 9: what a replay brings, which span it needs, and one order brought back out of three."""

import json
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from helpers.exercises.tools import call, event, found, matches
from helpers.exercises.verdicts import Verdict, correct, exercise, not_attempted, wrong

# --- 09-1: an hour, replayed ---

EVENTS, ORDERS, ADDED, MAILED = "events", "orders in the table", "added to the archive", "matched by the mail rule"
REPLAYED = {"R": "X-3", "S": "X-3", "U": "X-4"}  # event: its order
NOT_REPLAYED = {  # event: the question when it is in the list
    "P": "P lies in the span by its own time. But where was the archive when it was sent?",
    "Q": "Q: the archive has it. Does the span?",
    "T": "T: compare its detail type with the archive's pattern.",
    "V": "V: which time does an event have whose entry names none?",
}
FORGOTTEN = {
    "R": "R is missing. Look at its three columns once more: archive, pattern, span.",
    "S": "S is missing. Who would notice, on the bus or in the archive, that this order was there before?",
    "U": "U is missing. With which of its two times is a span compared?",
}


@exercise("09-1", takes=dict)
def replayed_hour(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != {EVENTS, ORDERS, ADDED, MAILED}:
        return wrong("Keep the four names in the dict, and give each a value.")
    answer = prediction[EVENTS]
    if not isinstance(answer, (list, tuple, set)) or not all(isinstance(each, str) for each in answer):
        return wrong("The events are a list of letters of the table, each a text of its own.")
    for letter, question in (NOT_REPLAYED | FORGOTTEN).items():
        if (letter in answer) != (letter in REPLAYED):
            return wrong(question, see="archive" if letter == "P" else "replay")
    if set(answer) != set(REPLAYED):
        return wrong("The list has something in it that is no event of the table.")
    if any(type(prediction[each]) is not int for each in (ORDERS, ADDED, MAILED)):
        return wrong("The other three predictions are whole numbers.")
    return _about_numbers(prediction) or correct(
        "The archive's beginning, its pattern and the events' own times decide what comes back; the key, what stays."
    )


def _about_numbers(prediction: dict[str, Any]) -> Verdict | None:
    match prediction[ORDERS]:
        case 2:
            pass
        case 3:
            return wrong("Orders: one for each event? What does put do with a key that is there?", see="idempotent")
        case 5:
            return wrong("Orders: all five would be back. Which of them does the span leave out?", see="replay")
        case _:
            return wrong("Orders: count the different keys among the events that come back.", see="partition-key")
    if prediction[ADDED]:
        return wrong(
            "Added: replayed events cross the bus again, and the archive's rule sees them. Which line of its pattern "
            "do they meet?",
            see="archive",
        )
    if prediction[MAILED]:
        return wrong("The mail rule: what has every replayed event, and what does exists: false ask?", see="replay")
    return None


# --- 09-2: the span of a replay ---

DAY = datetime(2026, 11, 23, tzinfo=UTC)
MARGIN = timedelta(minutes=10)


def _day(*clock: str) -> dict[str, datetime]:
    """{order id: time} of orders that were placed at these times, in the order of the ids."""
    times = (time.split(":") for time in clock)
    return {f"X-{n:04}": DAY.replace(hour=int(h), minute=int(m)) for n, (h, m) in enumerate(times, start=1)}


CASES = [  # (when the orders were placed, which are missing)
    (_day("09:00", "10:00", "10:20", "10:40", "12:00"), {"X-0002", "X-0003", "X-0004"}),
    (_day("09:00", "10:00", "11:00"), {"X-0002"}),
    (_day("09:00", "10:00", "11:00"), set()),
    (_day("14:00", "09:30", "11:00", "13:00", "08:00"), {"X-0001", "X-0003", "X-0004"}),
    (_day("09:00", "09:30", "18:00", "23:58"), {"X-0001", "X-0004"}),
]


@exercise("09-2", takes=Callable)
def replay_span(function: Callable[..., Any]) -> Verdict:
    for placed, missing in CASES:
        answer = call(function, dict(placed), set(placed) - missing)
        if problem := _about_span(answer, {name: placed[name] for name in missing}):
            return wrong(problem, see="replay")
    return correct("All that is missing lies inside, hardly anything else, and storing twice does no harm.")


def _about_span(answer: object, missing: dict[str, datetime]) -> str:
    """Say what is wrong with a span, as the idea it comes from; empty if nothing is."""
    if not missing:
        return "" if answer is None else "Your function wants a replay even where nothing is missing."
    if answer is None:
        return "Orders are missing, and your function returns None."
    if (
        not isinstance(answer, (tuple, list))
        or len(answer) != 2
        or not all(isinstance(each, datetime) for each in answer)
    ):
        return "Your function must return two times, start and end, as datetimes."
    start, end = answer
    if start.tzinfo is None or end.tzinfo is None:
        return "Your times have lost their time zone. Which clock would AWS take them for?"
    first, last = min(missing.values()), max(missing.values())
    if start >= end:
        return "The span ends before it begins. Are the ids in the order of the times?"
    if start > first or end < last:
        return "A missing order lies outside the span. Which times are the outermost: by what do you find them?"
    if start == first or end == last:
        return "The outermost order lies on the edge of the span. Is it inside, according to AWS?"
    if start < first - MARGIN or end > last + MARGIN:
        return "The span is wider than it need be. Which orders' times count?"
    return ""


# --- 09-3: one order out of three ---

ARCHIVE, RULE, QUEUE, SOURCE = "exercise-archive", "exercise-night-rule", "exercise-night", "night_shop"
WANTED, NOT_WANTED = "NIGHT-2", {"NIGHT-1", "NIGHT-3"}


@exercise("09-3")
def order_of_two_o_clock() -> Verdict:
    events, sqs = boto3.client("events"), boto3.client("sqs")
    archive = found(events, "describe_archive", ArchiveName=ARCHIVE)
    rule = found(events, "describe_rule", Name=RULE)
    queue = found(sqs, "get_queue_url", QueueName=QUEUE)
    if not archive and not rule and not queue:
        return not_attempted(f"There is no archive {ARCHIVE} yet.")
    if not archive:
        return wrong("Nobody keeps what the night shop publishes. Where would a replay take it from?", see="archive")
    if problem := _about_pattern(archive.get("EventPattern"), "The archive"):
        return wrong(problem, see="event-pattern")
    # On AWS the count may lag by up to a day; what a replay has brought says more.
    if archive["EventCount"] < 3 and not (rule and queue and _messages(sqs, queue["QueueUrl"])):
        return wrong(
            "The archive has fewer than three events. Was it there before they were sent, and have you waited for it?",
            see="archive",
        )
    if not rule or not queue:
        return wrong(f"The archive has them, and nobody listens yet: no {'queue' if rule else 'rule'}.", see="rule")
    if problem := _about_pattern(rule.get("EventPattern"), "The rule"):
        return wrong(problem, see="event-pattern")
    return _about_messages(_messages(sqs, queue["QueueUrl"]), rule["Arn"])


def _about_pattern(pattern: str | None, what: str) -> str:
    """Say what is wrong with what an archive keeps or a rule matches; empty if nothing is."""
    orders = [event({"body": {"OrderId": each}}, SOURCE, "OrderPlaced") for each in sorted({WANTED, *NOT_WANTED})]
    if pattern and not all(matches(pattern, each) for each in orders):
        return f"{what} does not want all orders of the night shop. Compare its pattern with an event, field by field."
    if not pattern or matches(pattern, event({"body": {"OrderId": "X-1"}}, "microservice_x", "OrderPlaced")):
        return f"{what} takes the events of others as well. Whose does the task want?"
    return ""


def _messages(sqs: Any, url: str) -> list[dict[str, Any]]:
    """Return the events in the queue, up to ten of them; each stays visible."""
    answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0, WaitTimeSeconds=1)
    bodies = [json.loads(message["Body"]) for message in answer.get("Messages", [])]
    return [body for body in bodies if isinstance(body, dict) and body.get("source") == SOURCE]


def _about_messages(messages: Collection[dict[str, Any]], rule_arn: str) -> Verdict:
    if not messages:
        return wrong(
            "Nothing of the night shop is in the queue. Is the rule connected, may it send, and has a replay ended "
            "whose span holds an order?",
            see="replay",
        )
    if not all("replay-name" in each for each in messages):
        return wrong(
            "An order has come straight from the shop. In which order were rule and orders made, "
            "and has somebody sent one again?",
            see="replay",
        )
    ids = {each.get("detail", {}).get("body", {}).get("OrderId") for each in messages}
    if ids & NOT_WANTED:
        return wrong("More of the night has come back than was asked for. How wide is the span?", see="replay")
    if ids != {WANTED}:
        return wrong("What came back is not the order of two o'clock, as the task names it.", see="replay")
    events = boto3.client("events")
    for name in {each["replay-name"] for each in messages}:
        if events.describe_replay(ReplayName=name)["Destination"].get("FilterArns") != [rule_arn]:
            return wrong("Every rule of the bus has heard this replay. Who was it for?", see="replay")
    return correct("One order of three is back, for one listener, and nobody had to send it again.")
