"""What learners get wrong in lesson 10."""

from __future__ import annotations

import json
from contextlib import suppress

import boto3

from helpers.waiting import wait_until
from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 10-1 ---

secrets("10-1", "1", "2", "4", "twice", "four times")


def predicted(deployed: int = 0, loop: str = "census", **counts: int) -> tuple[dict]:
    right = {"store": 1, "labels": 1, "points": 1, "mail": 2, "census": 4}
    return (right | counts | {"deployed for census": deployed, "a loop": loop},)


@wrong_answer("10-1", "names no source")
def two_announcements_are_one_mail():
    return predicted(mail=1)


@wrong_answer("10-1", "ask who has sent an event")
def only_microservice_x_sends_orders():
    return predicted(census=1)


@wrong_answer("10-1", "A service that is silent adds none")
def an_event_for_each_service():
    return predicted(census=5)


@wrong_answer("10-1", "points: there is an event")
def a_pattern_must_name_the_detail_type():
    return predicted(points=0)


@wrong_answer("10-1", "store: how many events")
def the_store_hears_itself():
    return predicted(store=2)


@wrong_answer("10-1", "Which of the four knows")
def the_senders_must_know_it():
    return predicted(deployed=3)


@wrong_answer("10-1", "mail would announce")
def whoever_is_behind_others():
    return predicted(loop="mail")


@wrong_answer("10-1", "points would announce")
def who_has_a_pattern_of_one_line():
    return predicted(loop="points")


@wrong_answer("10-1", "name of one of the five")
def none_of_them():
    return predicted(loop="none")


@wrong_answer("10-1", "Keep the seven names")
def another_dict():
    return ({"store": 1},)


# --- 10-2 ---

secrets("10-2", "$.detail.order.price", "<price>", "$.detail.order.item")
PATHS = {
    name: f"$.detail.order.{field}"
    for name, field in {"id": "id", "item": "item", "price": "price", "ship": "shipping"}.items()
}
BODY = '"OrderId": <id>, "Item": <item>, "Amount": <price>, "ShippingMethod": <ship>'


def shaped(template: str = f'{{"detail": {{"body": {{{BODY}}}}}}}', **paths: str) -> tuple[dict]:
    return ({"InputPathsMap": PATHS | paths, "InputTemplate": template},)


@wrong_answer("10-2", "gets a text")
def every_name_in_quotes():
    return shaped(shaped()[0]["InputTemplate"].replace("<price>", '"<price>"'))


@wrong_answer("10-2", "where the old event had")
def paths_of_the_old_event():
    return shaped(id="$.detail.body.OrderId")


@wrong_answer("10-2", "KeyError: 'detail'")
def the_order_alone():
    return shaped(f"{{{BODY}}}")


@wrong_answer("10-2", "KeyError: 'ShippingMethod'")
def a_field_is_forgotten():
    return shaped(shaped()[0]["InputTemplate"].replace(', "ShippingMethod": <ship>', ""))


@wrong_answer("10-2", "KeyError: 'OrderId'")
def names_of_the_new_event():
    return shaped('{"detail": {"body": {"id": <id>, "item": <item>, "Amount": <price>, "shipping": <ship>}}}')


@wrong_answer("10-2", "no JSON. Print")
def single_quotes():
    return shaped("{'detail': {'body': {'OrderId': <id>}}}")


@wrong_answer("10-2", "does not know")
def a_name_without_a_path():
    return shaped(shaped()[0]["InputTemplate"].replace("<ship>", "<shipping>"))


@wrong_answer("10-2", "with which sign")
def a_path_without_its_root():
    return shaped(id="detail.order.id")


@wrong_answer("10-2", "the same text for every order")
def one_order_by_heart():
    return shaped('{"detail": {"body": {"OrderId": "Y-0001"}}}')


@wrong_answer("10-2", "gone astray")
def the_wrong_path():
    return shaped(item="$.detail.order.shipping")


@wrong_answer("10-2", "InputTemplate is a text")
def a_dict_for_a_template():
    return ({"InputPathsMap": PATHS, "InputTemplate": {"detail": {"body": {"OrderId": "<id>"}}}},)


# --- 10-3 ---

secrets("10-3", "events.amazonaws.com", "ShippingMethod", "ArnEquals", "aws:SourceArn", "sqs:SendMessage")
QUEUE, RULE = "exercise-courier", "exercise-courier-rule"
PATTERN = {
    "source": ["order_store"],
    "detail-type": ["OrderStored"],
    "detail": {"body": {"ShippingMethod": ["Express"]}},
}
ARN = "arn:aws:{}:us-east-1:123456789012:{}"
RULE_ARN, QUEUE_ARN = ARN.format("events", f"rule/{RULE}"), ARN.format("sqs", QUEUE)
SERVICE = {"Service": "events.amazonaws.com"}


def put_queue(*statements: dict) -> str:
    sqs = boto3.client("sqs")
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements}) if statements else ""
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return url


def put_rule(pattern: dict = PATTERN, *targets: str, **more) -> None:
    events = boto3.client("events")
    events.put_rule(Name=RULE, EventPattern=json.dumps(pattern), **more)
    for target in targets:
        events.put_targets(Rule=RULE, Targets=[{"Id": target.rpartition(":")[2], "Arn": target}])


def allow(principal: dict | str = SERVICE, action: str = "sqs:SendMessage", source: str = RULE_ARN) -> dict:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": QUEUE_ARN}
    return statement | ({"Condition": {"ArnEquals": {"aws:SourceArn": source}}} if source else {})


def connected(*statements: dict, pattern: dict = PATTERN, **more) -> tuple[()]:
    put_queue(*statements)
    put_rule(pattern, QUEUE_ARN, **more)
    return ()


@undo("10-3")
def no_courier():
    events, sqs = boto3.client("events"), boto3.client("sqs")
    with suppress(events.exceptions.ResourceNotFoundException):
        for target in events.list_targets_by_rule(Rule=RULE)["Targets"]:
            events.remove_targets(Rule=RULE, Ids=[target["Id"]])
        events.delete_rule(Name=RULE)
    with suppress(sqs.exceptions.QueueDoesNotExist):
        sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"])


@wrong_answer("10-3", "There is no rule")
def a_queue_alone():
    put_queue(allow())
    return ()


@wrong_answer("10-3", "There is no queue")
def a_rule_alone():
    put_rule()
    return ()


@wrong_answer("10-3", "does not match your rule")
def the_order_without_its_body():
    return connected(allow(), pattern=PATTERN | {"detail": {"ShippingMethod": ["Express"]}})


@wrong_answer("10-3", "also hears Microservice X")
def any_source():
    return connected(allow(), pattern={"detail": PATTERN["detail"]})


@wrong_answer("10-3", "do not ship by Express")
def every_stored_order():
    return connected(allow(), pattern={"source": ["order_store"], "detail-type": ["OrderStored"]})


@wrong_answer("10-3", "something else to say")
def any_detail_type():
    return connected(allow(), pattern={"source": ["order_store"], "detail": PATTERN["detail"]})


@wrong_answer("10-3", "is disabled")
def a_rule_that_sleeps():
    return connected(allow(), State="DISABLED")


@wrong_answer("10-3", "hands the event to nobody")
def no_target():
    put_queue(allow())
    put_rule()
    return ()


@wrong_answer("10-3", "one target should be")
def the_function_for_a_target():
    put_queue(allow())
    put_rule(PATTERN, ARN.format("lambda", "function:sample-function"))
    return ()


@wrong_answer("10-3", "has no policy")
def the_target_is_enough():
    return connected()


@wrong_answer("10-3", "lets people send")
def everybody_may_send():
    return connected(allow("*", source=""))


@wrong_answer("10-3", "Other rules may send")
def the_whole_service():
    return connected(allow(source=""))


@wrong_answer("10-3", "letter by letter")
def the_arn_of_another_rule():
    return connected(allow(source=ARN.format("events", "rule/order-stored-rule")))


@wrong_answer("10-3", "more with the queue")
def every_action():
    return connected(allow(action="sqs:*"))


@wrong_answer("10-3", "Which action")
def may_only_read():
    return connected(allow(action="sqs:ReceiveMessage", source=""))


@wrong_answer("10-3", "lets Lambda in")
def the_service_of_functions():
    return connected(allow({"Service": "lambda.amazonaws.com"}))


@wrong_answer("10-3", "the queue is empty")
def nothing_sent():
    return connected(allow())


@wrong_answer("10-3", "but no announcement")
def sent_to_the_queue_by_hand():
    connected(allow())
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"OrderId": "COURIER-1"}))
    asked = {"QueueUrl": url, "VisibilityTimeout": 0}
    wait_until(lambda: sqs.receive_message(**asked).get("Messages"), waiting_for="the message")
    return ()
