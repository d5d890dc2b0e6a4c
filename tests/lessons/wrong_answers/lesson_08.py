"""What learners get wrong in lesson 8."""

from __future__ import annotations

import json

import boto3

from helpers.exercises.tools import found
from helpers.waiting import wait_until
from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 08-1 ---

secrets("08-1", "3", "three", "180", "none", "zero")


def predicted(**changed: tuple[str, int]) -> tuple[dict]:
    right = {
        "A": ("failures", 3),
        "B": ("dlq", 0),
        "C": ("stored", 3),
        "D": ("failures", 0),
        "E": ("stored", 1),
        "F": ("nowhere", 0),
    }
    return (right | changed,)


@wrong_answer("08-1", "A: who has the order when it fails")
def all_failures_end_in_the_dead_letter_queue():
    return predicted(A=("dlq", 3))


@wrong_answer("08-1", "How often does it try in all")
def the_185_tries_of_EventBridge():
    return predicted(A=("failures", 185))


@wrong_answer("08-1", "B: who fails here")
def EventBridge_tries_for_a_day():
    return predicted(B=("stored", 1))


@wrong_answer("08-1", "an event that it never gets")
def refused_runs_are_runs():
    return predicted(B=("dlq", 1))


@wrong_answer("08-1", "C: at which seconds are the tries")
def a_fault_is_a_fault():
    return predicted(C=("failures", 3))


@wrong_answer("08-1", "beside the 90 of the fault")
def only_the_successful_run():
    return predicted(C=("stored", 1))


@wrong_answer("08-1", "without trouble")
def throttled_is_refused():
    return predicted(D=("dlq", 0))


@wrong_answer("08-1", "that may run. How many")
def tried_in_spite_of_the_brake():
    return predicted(D=("failures", 3))


@wrong_answer("08-1", "has not failed")
def busy_is_a_failure():
    return predicted(E=("failures", 0))


@wrong_answer("08-1", "a run that failed")
def waiting_is_trying():
    return predicted(E=("stored", 3))


@wrong_answer("08-1", "Ask the rule's pattern")
def the_net_catches_everything():
    return predicted(F=("dlq", 0))


# --- 08-2 ---

secrets("08-2", "requestContext", "condition", "StringValue", "MessageAttributes")


def reason(message: dict, body: dict) -> str:
    if "requestPayload" in body:
        return body["requestContext"]["condition"]
    return message["MessageAttributes"]["ERROR_CODE"]["StringValue"]


def unpacking(event_of, reason_of=reason) -> tuple:
    """A function that unpacks by these two; both get the message and its parsed body."""

    def unpack(message):
        body = json.loads(message["Body"])
        return event_of(message, body), reason_of(message, body)

    return (unpack,)


def inside(message: dict, body: dict) -> dict:
    return body.get("requestPayload", body)


@wrong_answer("08-2", "an envelope in an envelope")
def the_record_is_the_event():
    return unpacking(lambda message, body: body)


@wrong_answer("08-2", "as a text")
def not_parsed():
    return unpacking(lambda message, body: json.dumps(inside(message, body)))


@wrong_answer("08-2", "only a part of the event")
def the_order_alone():
    return unpacking(lambda message, body: inside(message, body)["detail"]["body"])


@wrong_answer("08-2", "the reason is something else")
def the_error_for_the_reason():
    def error(message, body):
        return body["responsePayload"]["errorType"] if "responsePayload" in body else reason(message, body)

    return unpacking(inside, error)


@wrong_answer("08-2", "The reason is not a text")
def the_whole_attribute():
    def attribute(message, body):
        return reason(message, body) if "requestPayload" in body else message["MessageAttributes"]["ERROR_CODE"]

    return unpacking(inside, attribute)


@wrong_answer("08-2", "raises KeyError")
def one_queue_alone():
    return unpacking(lambda message, body: body["requestPayload"], lambda message, body: "RetriesExhausted")


@wrong_answer("08-2", "must return two things")
def the_event_alone():
    return (lambda message: json.loads(message["Body"]),)


# --- 08-3 ---

secrets("08-3", "send_message", "events.amazonaws.com", "aws:SourceArn", "All")
RULE, DESK, NET = "exercise-desk-rule", "exercise-desk", "exercise-desk-dlq"


def clients():
    return boto3.client("events"), boto3.client("sqs")


def queue(name: str, *statements: dict) -> tuple[str, str]:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Version": "2012-10-17", "Statement": [each | {"Resource": arn} for each in statements]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy) if statements else ""})
    return url, arn


def allow(source: str = RULE) -> dict:
    statement = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    arn = f"arn:aws:events:us-east-1:123456789012:rule/{source}"
    return statement | ({"Condition": {"ArnEquals": {"aws:SourceArn": arn}}} if source else {})


def send() -> None:
    detail = json.dumps({"body": {"OrderId": "VIP-1", "Item": "mug"}})
    boto3.client("events").put_events(Entries=[{"Source": "vip_desk", "DetailType": "OrderPlaced", "Detail": detail}])


def lost(net: bool = True, **asked) -> dict:
    """Make everything without the desk's policy, send the order, and return the message that is parked."""
    nothing_of_the_desk()
    events, sqs = clients()
    _, desk = queue(DESK)
    url, arn = queue(NET, allow())
    events.put_rule(Name=RULE, EventPattern=json.dumps({"source": ["vip_desk"]}))
    config = {"DeadLetterConfig": {"Arn": arn}} if net else {}
    events.put_targets(Rule=RULE, Targets=[{"Id": "desk", "Arn": desk, **config}])
    if not net:
        return {"Body": "{}"}
    send()
    asked = {"MessageAttributeNames": ["All"], "WaitTimeSeconds": 1} | asked
    receive = lambda: sqs.receive_message(QueueUrl=url, **asked).get("Messages")  # noqa: E731
    return wait_until(receive, waiting_for="the dead-letter queue")[0]


def delete(message: dict) -> None:
    sqs = boto3.client("sqs")
    sqs.delete_message(QueueUrl=queue(NET, allow())[0], ReceiptHandle=message["ReceiptHandle"])


def redrive(message: dict) -> None:
    boto3.client("sqs").send_message(QueueUrl=queue(DESK, allow())[0], MessageBody=message["Body"])


@undo("08-3")
def nothing_of_the_desk():
    events, sqs = clients()
    if found(events, "list_targets_by_rule", Rule=RULE):
        events.remove_targets(Rule=RULE, Ids=["desk"])
    found(events, "delete_rule", Name=RULE)
    for name in (DESK, NET):
        if answer := found(sqs, "get_queue_url", QueueName=name):
            sqs.delete_queue(QueueUrl=answer["QueueUrl"])


@wrong_answer("08-3", "There is no rule")
def queues_alone():
    nothing_of_the_desk()
    queue(DESK)
    queue(NET)
    return ({"Body": "{}"},)


@wrong_answer("08-3", "The target has no net")
def no_dead_letter_queue():
    return (lost(net=False),)


@wrong_answer("08-3", "The cause is still there")
def brought_back_and_not_mended():
    message = lost()
    redrive(message)
    delete(message)
    queue(DESK)
    return (message,)


@wrong_answer("08-3", "lets in more than this rule")
def everybody_may_send():
    message = lost()
    queue(DESK, allow(""))
    return (message,)


@wrong_answer("08-3", "The event is still parked")
def mended_and_left_there():
    message = lost()
    queue(DESK, allow())
    return (message,)


@wrong_answer("08-3", "in neither queue")
def taken_out_and_forgotten():
    message = lost()
    queue(DESK, allow())
    delete(message)
    return (message,)


@wrong_answer("08-3", "another event than the one that was parked")
def sent_once_more_by_the_shop():
    message = lost()
    url, _ = queue(DESK, allow())
    delete(message)
    send()
    sqs = boto3.client("sqs")
    asked = {"QueueUrl": url, "VisibilityTimeout": 0, "WaitTimeSeconds": 1}
    wait_until(lambda: sqs.receive_message(**asked).get("Messages"), waiting_for="the desk's queue")
    return (message,)


@wrong_answer("08-3", "it is parked as well")
def not_taken_out():
    message = lost()
    redrive(message)
    return (message,)


@wrong_answer("08-3", "does not say why it was parked")
def received_without_attributes():
    message = lost()
    redrive(message)
    delete(message)
    return ({name: value for name, value in message.items() if name != "MessageAttributes"},)


@wrong_answer("08-3", "not the message as receive_message returned it")
def the_event_for_the_message():
    message = lost()
    redrive(message)
    delete(message)
    return (json.loads(message["Body"]),)
