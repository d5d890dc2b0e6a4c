"""What learners get wrong in lesson 3."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import boto3

from tests.lessons.wrong_answers import secrets, undo, wrong_answer

# --- 03-1 ---

secrets("03-1", "1, 2, 3", "1, 2", "1, 3", "3, 1", "3", "three")


def predicted(row=(1, 2, 3), updated=(1, 2), together=(3, 1), starts=3) -> tuple[dict]:
    return (
        {
            "in a row": list(row),
            "after the update": list(updated),
            "at the same moment": list(together),
            "cold starts": starts,
        },
    )


@wrong_answer("03-1", "runs for every event")
def the_module_runs_each_time():
    return predicted(row=(1, 1, 1))


@wrong_answer("03-1", "before the event, or after")
def the_count_before():
    return predicted(row=(0, 1, 2))


@wrong_answer("03-1", "line by line")
def doubled():
    return predicted(row=(1, 2, 4))


@wrong_answer("03-1", "as if the function kept it")
def the_function_remembers():
    return predicted(updated=(4, 5), together=(6, 7), starts=1)


@wrong_answer("03-1", "every invocation cold")
def cold_for_ever():
    return predicted(updated=(1, 1), together=(1, 1), starts=5)


@wrong_answer("03-1", "has imported the file")
def from_nothing():
    return predicted(updated=(0, 1))


@wrong_answer("03-1", "one environment taking both")
def one_after_the_other():
    return predicted(together=(3, 4), starts=2)


@wrong_answer("03-1", "two new environments")
def both_are_new():
    return predicted(together=(1, 1), starts=4)


@wrong_answer("03-1", "handled events before")
def both_are_warm():
    return predicted(together=(3, 3), starts=2)


@wrong_answer("03-1", "share nothing")
def a_new_one_for_both():
    return predicted(together=(1, 2))


@wrong_answer("03-1", "what has each of them seen")
def something_else():
    return predicted(together=(2, 3))


@wrong_answer("03-1", "is missing")
def the_two_at_once_are_warm():
    return predicted(starts=2)


@wrong_answer("03-1", "every event of yours is cold")
def all_cold():
    return predicted(starts=7)


@wrong_answer("03-1", "too many")
def a_cold_start_more():
    return predicted(starts=4)


@wrong_answer("03-1", "whole numbers")
def a_word():
    return predicted(starts="one each")


@wrong_answer("03-1", "as many numbers")
def a_number_for_all():
    return predicted(row=(6,))


@wrong_answer("03-1", "Keep the four names")
def a_name_is_gone():
    return ({"in a row": [1, 2, 3]},)


# --- 03-2 ---

secrets("03-2", "errorType", "202")


def reads(answer) -> dict:
    return json.load(answer["Payload"])


@wrong_answer("03-2", "does not mean that it has stored")
def the_status_code():
    return (lambda answer: "stored" if answer["StatusCode"] == 200 else "accepted",)


@wrong_answer("03-2", "an order that has text for its Amount: Your function raises KeyError")
def every_answer_has_a_status():
    return (lambda answer: reads(answer)["status"],)


@wrong_answer("03-2", "raises KeyError: 'FunctionError'")
def every_answer_has_an_error():
    return (lambda answer: "failed" if answer["FunctionError"] else reads(answer)["status"],)


@wrong_answer("03-2", "Would that help")
def every_error_is_a_failure():
    return (lambda answer: "failed" if "FunctionError" in answer else reads(answer)["status"],)


@wrong_answer("03-2", "Lambda has an answer")
def whatever_is_not_ignored_is_stored():
    return (lambda answer: "ignored" if reads(answer).get("status") == "ignored" else "stored",)


@wrong_answer("03-2", "Somebody should hear")
def whatever_is_not_stored_is_ignored():
    return (lambda answer: "stored" if reads(answer).get("status") == "stored" else "ignored",)


@wrong_answer("03-2", "You blame the order")
def every_error_is_the_order_s():
    return (lambda answer: "invalid" if "FunctionError" in answer else reads(answer)["status"],)


def judged(answer) -> str:
    """As it should be, for an answer with a payload."""
    payload = reads(answer)
    if "FunctionError" in answer:
        return "invalid" if payload["errorType"] == "InvalidOrder" else "failed"
    return payload["status"]


@wrong_answer("03-2", "an invocation that does not wait: Your function raises JSONDecodeError")
def there_is_always_a_payload():
    return (judged,)


@wrong_answer("03-2", "even started")
def accepted_is_stored():
    return (lambda answer: judged(answer) if answer["StatusCode"] == 200 else "stored",)


@wrong_answer("03-2", "not a bad answer")
def only_200_is_good():
    return (lambda answer: judged(answer) if answer["StatusCode"] == 200 else "failed",)


@wrong_answer("03-2", "no opinion")
def nothing_said_nothing_done():
    return (lambda answer: judged(answer) if answer["StatusCode"] == 200 else "ignored",)


@wrong_answer("03-2", "search the payload for a word")
def the_word_error():
    def searches(answer):
        text = answer["Payload"].read().decode()
        return "failed" if "error" in text else json.loads(text)["status"]

    return (searches,)


@wrong_answer("03-2", "an order that is in the table: Your function raises JSONDecodeError")
def the_payload_is_read_twice():
    def twice(answer):
        if "status" not in reads(answer):
            return "failed"
        return reads(answer)["status"]

    return (lambda answer: twice(answer),)


@wrong_answer("03-2", "Begin with what the function itself says")
def all_failed():
    return (lambda answer: "failed",)


@wrong_answer("03-2", "returns nothing")
def printed():
    return (lambda answer: print(end="") or None,)


@wrong_answer("03-2", "one of the five words")
def the_whole_payload():
    return (reads,)


# --- 03-3 ---

secrets("03-3", "global", "flag", "True")
SEEN = """
first = True
def lambda_handler(event, context):
    global first
    start, first = ("cold" if first else "warm"), False
    return {"start": start}
"""


def deploy(code: str, handler: str = "handler.lambda_handler") -> tuple:
    forget()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", code)
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="exercise-thermometer",
        Runtime="python3.13",
        Role=boto3.client("iam").get_role(RoleName="microservice-role")["Role"]["Arn"],
        Handler=handler,
        Code={"ZipFile": buffer.getvalue()},
    )
    return ()


@undo("03-3")
def forget():
    client = boto3.client("lambda")
    with contextlib.suppress(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName="exercise-thermometer")


@wrong_answer("03-3", "cold to every event")
def known_in_the_handler():
    code = 'def lambda_handler(event, context):\n    first = True\n    return {"start": "cold" if first else "warm"}'
    return deploy(code)


@wrong_answer("03-3", "UnboundLocalError")
def a_name_of_its_own():
    return deploy(SEEN.replace("    global first\n", ""))


@wrong_answer("03-3", "said warm")
def set_too_early():
    return deploy(SEEN.replace("first = True", "first = False", 1))


@wrong_answer("03-3", "wrong way round")
def turned_round():
    return deploy(SEEN.replace('"cold" if first else "warm"', '"warm" if first else "cold"'))


@wrong_answer("03-3", "more than once")
def counted_wrongly():
    count = "count = 0\ndef lambda_handler(event, context):\n    global count\n    count += 1\n"
    return deploy(count + '    return {"start": "cold" if count <= 2 else "warm"}')


@wrong_answer("03-3", "something other than")
def a_word_alone():
    return deploy(SEEN.replace('{"start": start}', "start"))


@wrong_answer("03-3", "Is it in your package")
def a_handler_in_another_file():
    return deploy(SEEN, handler="thermometer.lambda_handler")


@wrong_answer("03-3", "that the setting Handler names")
def a_handler_of_another_name():
    return deploy(SEEN, handler="handler.handler")


@wrong_answer("03-3", "Runtime.UserCodeSyntaxError")
def a_colon_is_missing():
    return deploy(SEEN.replace("context):", "context)"))


@wrong_answer("03-3", "With which two arguments")
def without_context():
    return deploy(SEEN.replace("event, context", "event"))


@wrong_answer("03-3", "Runtime.MarshalError")
def a_gap_in_the_code():
    return deploy(SEEN.replace("start}", "...}"))


@wrong_answer("03-3", "fails with NameError")
def a_name_that_is_not_there():
    return deploy(SEEN.replace("first = True", "", 1))
