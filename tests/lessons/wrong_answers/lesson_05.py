"""What learners get wrong in lesson 5."""

from __future__ import annotations

import json
from uuid import NAMESPACE_URL, uuid5

import boto3

from helpers.waiting import wait_until
from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 05-1 ---

secrets("05-1", "2", "5", "8", "eight")


def predicted(failed: int = 2, invocations: int = 8, orders: int = 5) -> tuple[dict]:
    return ({"FailedEntryCount": failed, "invocations": invocations, "orders": orders},)


@wrong_answer("05-1", "Status 200 speaks of the request")
def status_200_means_that_all_is_well():
    return predicted(failed=0, invocations=10)


@wrong_answer("05-1", "not a sign that something")
def the_count_is_a_flag():
    return predicted(failed=1)


@wrong_answer("05-1", "does not fail as a whole")
def all_or_nothing():
    return predicted(failed=5, invocations=5)


@wrong_answer("05-1", "how many of the details")
def the_other_way_round():
    return predicted(failed=3)


@wrong_answer("05-1", "not invoked once for a request")
def one_invocation_for_each_batch():
    return predicted(invocations=2)


@wrong_answer("05-1", "the first request's")
def the_bus_recognises_duplicates():
    return predicted(invocations=3)


@wrong_answer("05-1", "one for each order")
def only_the_mended_ones_are_delivered_again():
    return predicted(invocations=5)


@wrong_answer("05-1", "never becomes an event")
def refused_entries_are_delivered_too():
    return predicted(invocations=10)


@wrong_answer("05-1", "count, request by request")
def miscounted_invocations():
    return predicted(invocations=7)


@wrong_answer("05-1", "Those are the deliveries")
def an_item_for_each_delivery():
    return predicted(orders=8)


@wrong_answer("05-1", "after the first request")
def the_mended_ones_are_forgotten():
    return predicted(orders=3)


@wrong_answer("05-1", "how many different keys")
def duplicates_are_counted_as_items():
    return predicted(orders=10)


@wrong_answer("05-1", "is a whole number")
def numbers_as_text():
    return ({"FailedEntryCount": "2", "invocations": "8", "orders": "5"},)


@wrong_answer("05-1", "Keep the three names")
def another_dict():
    return ({"failed": 2},)


# --- 05-2 ---

secrets("05-2", "InternalFailure", "ThrottlingException", "MalformedDetail", "zip", "position")
PASSING = {"ThrottlingException", "InternalFailure"}


def step(result: dict, passing: set[str] = PASSING) -> str:
    code = result.get("ErrorCode")
    return "nothing" if code is None else "send again" if code in passing else "mend"


def for_each(decide, pair=zip):
    """A function like the one that the exercise wants, with a way to decide and to bring together of its own."""
    return (lambda batch, answer: {order["OrderId"]: decide(each) for order, each in pair(batch, answer["Entries"])},)


@wrong_answer("05-2", "You repeat an order")
def the_whole_request_again():
    def again(batch, answer):
        return {order["OrderId"]: "send again" if answer["FailedEntryCount"] else "nothing" for order in batch}

    return (again,)


@wrong_answer("05-2", "fail every time")
def every_failure_passes():
    return for_each(lambda result: "send again" if "ErrorCode" in result else "nothing")


@wrong_answer("05-2", "right as it is")
def one_passing_code_is_forgotten():
    return for_each(lambda result: step(result, {"ThrottlingException"}))


@wrong_answer("05-2", "is dropped without a word")
def what_cannot_be_accepted_is_given_up():
    return for_each(lambda result: "send again" if result.get("ErrorCode") in PASSING else "nothing")


@wrong_answer("05-2", "is forgotten")
def only_malformed_ones_are_looked_at():
    return for_each(lambda result: "nothing" if step(result) == "send again" else step(result))


@wrong_answer("05-2", "nothing to mend")
def whatever_need_not_be_sent_again_is_mended():
    return for_each(lambda result: "send again" if result.get("ErrorCode") in PASSING else "mend")


@wrong_answer("05-2", "with the wrong orders")
def failed_ones_first():
    def sorted_out(batch, results):
        return zip(batch, sorted(results, key=lambda result: "ErrorCode" not in result), strict=True)

    return for_each(step, sorted_out)


@wrong_answer("05-2", "missing from the dict")
def only_the_failed_ones():
    return (
        lambda batch, answer: {
            order["OrderId"]: step(result)
            for order, result in zip(batch, answer["Entries"], strict=True)
            if "ErrorCode" in result
        },
    )


@wrong_answer("05-2", "not OrderIds of the batch")
def event_ids_for_keys():
    return (lambda batch, answer: {result.get("EventId"): step(result) for result in answer["Entries"]},)


@wrong_answer("05-2", "must return a dict")
def a_list():
    return (lambda batch, answer: [step(result) for result in answer["Entries"]],)


@wrong_answer("05-2", "other words for the steps")
def words_of_my_own():
    return for_each(lambda result: result.get("ErrorCode", "ok"))


@wrong_answer("05-2", "raises KeyError")
def every_result_has_an_error_code():
    return for_each(lambda result: step({"ErrorCode": result["ErrorCode"]}))


# --- 05-3 ---

secrets("05-3", "put_targets", "two log lines", "exercise-again", "E-0001")
ORDER = {"OrderId": "E-0001", "Item": "mug", "Amount": 12.9, "IsMember": False, "ShippingMethod": "Pickup"}


def log_lines(event_id: str) -> list[dict]:
    found = boto3.client("logs").filter_log_events(
        logGroupName="/aws/lambda/sample-function", filterPattern=f'"{event_id}"'
    )
    return [json.loads(each["message"]) for each in found["events"]]


def send(times: int = 1, deliveries: int = 1, **changes) -> list[dict]:
    """Send the order so many times in one request; the log lines, when each event has so many."""
    detail = json.dumps({"body": ORDER | changes})
    entry = {"Source": "microservice_x", "DetailType": "OrderPlaced", "Detail": detail}
    answer = boto3.client("events").put_events(Entries=[entry] * times)
    ids = [result["EventId"] for result in answer["Entries"]]
    wait_until(lambda: all(len(log_lines(each)) >= deliveries for each in ids), waiting_for="the log")
    return [line for each in ids for line in log_lines(each)]


def add_target(target_id: str = "exercise-again") -> None:
    boto3.client("events").put_targets(Rule="sample-rule", Targets=[{"Id": target_id, "Arn": function_arn()}])


def remove_target(target_id: str = "exercise-again") -> None:
    boto3.client("events").remove_targets(Rule="sample-rule", Ids=[target_id])


def function_arn() -> str:
    return boto3.client("lambda").get_function_configuration(FunctionName="sample-function")["FunctionArn"]


def delete_order(order_id: str = "E-0001") -> None:
    boto3.client("dynamodb").delete_item(TableName="sample-table", Key={"OrderId": {"S": order_id}})


def delivered_twice(**changes) -> list[dict]:
    """The evidence, as it should be; the second target and the order stay."""
    add_target("sample-function")
    add_target()
    return send(deliveries=2, **changes)


@undo("05-3")
def as_lesson_4_left_it():
    add_target("sample-function")
    remove_target()
    delete_order()
    delete_order("E-0002")


@wrong_answer("05-3", "A count of items")
def the_items_are_counted():
    return (1,)


@wrong_answer("05-3", "its lines of JSON")
def the_item_itself():
    return ([{"OrderId": {"S": "E-0001"}}, {"OrderId": {"S": "E-0001"}}],)


@wrong_answer("05-3", "One line is one delivery")
def delivered_once():
    return (send(),)


@wrong_answer("05-3", "an event id of its own")
def sent_twice_instead_of_delivered_twice():
    return (send(times=2),)


@wrong_answer("05-3", "the same request id")
def the_same_line_twice():
    return (send() * 2,)


@wrong_answer("05-3", "no such lines")
def made_up():
    ids = [str(uuid5(NAMESPACE_URL, name)) for name in ("event", "one", "two")]
    lines = [{"eventId": ids[0], "requestId": each, "orderId": "E-0001", "outcome": "stored"} for each in ids[1:]]
    return (lines,)


@wrong_answer("05-3", "still arrives twice")
def the_second_target_stays():
    return (delivered_twice(),)


@wrong_answer("05-3", "kept the other")
def the_wrong_target_is_removed():
    evidence = delivered_twice()
    remove_target("sample-function")
    return (evidence,)


@wrong_answer("05-3", "no order will arrive")
def both_targets_are_removed():
    evidence = delivered_twice()
    remove_target()
    remove_target("sample-function")
    return (evidence,)


@wrong_answer("05-3", "still in the table")
def the_order_stays():
    evidence = delivered_twice()
    remove_target()
    return (evidence,)


@wrong_answer("05-3", "is not the task's")
def another_order():
    evidence = delivered_twice(OrderId="E-0002")
    remove_target()
    return (evidence,)
