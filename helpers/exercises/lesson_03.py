"""Check lesson 3: what an environment keeps, what an answer of invoke means, and a function of one's own."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.response import StreamingBody

from helpers.exercises.tools import call, found
from helpers.exercises.verdicts import NOT_YET, EarlyVerdict, Verdict, correct, exercise, not_attempted, wrong

# --- 03-1: a counter at module level ---

IN_A_ROW, UPDATED, TOGETHER, STARTS = NAMES = ["in a row", "after the update", "at the same moment", "cold starts"]
LENGTHS = {IN_A_ROW: 3, UPDATED: 2, TOGETHER: 2}
WARM_COUNT = 3  # what the environment that has handled two events since the update says next
COUNTS = {IN_A_ROW: [1, 2, 3], UPDATED: [1, 2], TOGETHER: sorted([WARM_COUNT, 1])}
ENVIRONMENTS = sum(COUNTS[name].count(1) for name in COUNTS)  # each one's first event finds the counter at 0


@exercise("03-1", takes=dict)
def counter(prediction: dict[str, Any]) -> Verdict:
    if set(prediction) != set(NAMES):
        return wrong("Keep the four names in the dict, and put your numbers behind them.")
    counts = {name: prediction[name] for name in LENGTHS}
    if not all(isinstance(each, (list, tuple)) and len(each) == LENGTHS[name] for name, each in counts.items()):
        return wrong("Each invocation returns one number: keep the lists, with as many numbers as there are events.")
    if any(type(number) is not int for number in [prediction[STARTS], *sum(map(list, counts.values()), [])]):
        return wrong("All predictions are whole numbers.")
    if list(counts[IN_A_ROW]) != COUNTS[IN_A_ROW]:
        return _about_a_row(list(counts[IN_A_ROW]))
    if list(counts[UPDATED]) != COUNTS[UPDATED]:
        return _about_the_update(list(counts[UPDATED]))
    if sorted(counts[TOGETHER]) != COUNTS[TOGETHER]:
        return _about_two_at_once(sorted(counts[TOGETHER]))
    if prediction[STARTS] != ENVIRONMENTS:
        return wrong(_about_cold_starts(prediction[STARTS]), see="cold-start")
    return correct("A counter in a variable counts the events of one environment, and nobody knows which one it meets.")


def _about_a_row(counts: list[int]) -> Verdict:
    if len(set(counts)) == 1:
        return wrong(
            "In a row: the same number each time would mean that the module level runs for every event. Does it?",
            see="execution-environment",
        )
    if counts[0] == 0:
        return wrong("In a row: is the number returned as it was before the event, or after?")
    return wrong("In a row: go through the code line by line. Which lines run for each event?", see="handler")


def _about_the_update(counts: list[int]) -> Verdict:
    if counts[0] == len(COUNTS[IN_A_ROW]) + 1:
        return wrong(
            "After the update: your count goes on, as if the function kept it. "
            "Where does the variable live, and what has become of that place?",
            see="execution-environment",
        )
    if len(set(counts)) == 1:
        return wrong("After the update: is every invocation cold now, or only the first one to come?", see="cold-start")
    return wrong("After the update: what is in the variable when the new environment has imported the file?")


def _about_two_at_once(counts: list[int]) -> Verdict:
    if counts == [WARM_COUNT, WARM_COUNT + 1]:
        return wrong(
            "At the same moment: that is one environment taking both. How many events does one handle at a time?",
            see="execution-environment",
        )
    if counts == [1, 1]:
        return wrong("At the same moment: two new environments? Look what is free when the events come.")
    if counts == [WARM_COUNT, WARM_COUNT]:
        return wrong("At the same moment: two environments, yes. But can both have handled events before?")
    if counts == [1, 2]:
        return wrong(
            "At the same moment: one counter from the start for both? Two environments share nothing, "
            "and one of them may have worked before."
        )
    return wrong("At the same moment: which environments handle the two, and what has each of them seen before?")


def _about_cold_starts(number: int) -> str:
    if number == sum(LENGTHS.values()):
        return "Cold starts: every event of yours is cold. Which of them find an environment that is free?"
    if number < ENVIRONMENTS:
        return "Cold starts: at least one is missing. Which of your counts begin anew?"
    return "Cold starts: there are too many. Which of your counts begin anew?"


# --- 03-2: what an answer of invoke means ---

STORED, IGNORED, ACCEPTED, INVALID, FAILED = WORDS = "stored", "ignored", "accepted", "invalid", "failed"


@dataclass(frozen=True)
class Case:
    """An answer of invoke: what happened, what it means, and what is in it."""

    name: str
    means: str
    payload: dict[str, Any] | None
    failed: bool = False

    def answer(self) -> dict[str, Any]:
        raw = b"" if self.payload is None else json.dumps(self.payload).encode()
        answer = {"StatusCode": 202 if self.payload is None else 200, "ExecutedVersion": "$LATEST"}
        answer |= {"FunctionError": "Unhandled"} if self.failed else {}
        return answer | {"Payload": StreamingBody(io.BytesIO(raw), len(raw))}


def _error(kind: str, message: str) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": []}


CASES = [
    Case("an order that is in the table", STORED, {"status": STORED, "orderId": "F-1"}),
    Case("an order called error-7 that is in the table", STORED, {"status": STORED, "orderId": "error-7"}),
    Case("an event without a body", IGNORED, {"status": IGNORED}),
    Case(
        "an order that has text for its Amount",
        INVALID,
        _error("InvalidOrder", "Amount must be a number of at most 38 digits, not '65,50'"),
        failed=True,
    ),
    Case(
        "a handler that is not in the package",
        FAILED,
        _error("Runtime.HandlerNotFound", "Handler 'lambda_handle' missing on module 'handler'"),
        failed=True,
    ),
    Case(
        "a table that is not there",
        FAILED,
        _error(
            "ResourceNotFoundException",
            "An error occurred (ResourceNotFoundException) when calling the PutItem operation: "
            "Requested resource not found",
        ),
        failed=True,
    ),
    Case("an invocation that does not wait", ACCEPTED, None),
]
CONFUSED = {  # (what it means, what the function says)
    (IGNORED, STORED): "That the function has run does not mean that it has stored anything. Who says what it did?",
    (INVALID, STORED): "An order was refused, and you call it stored: status 200 says only that Lambda has an answer.",
    (INVALID, FAILED): "A malformed order counts as a failure, and somebody will try it again. Would that help?",
    (INVALID, IGNORED): "An order that was refused is not one that was ignored. Somebody should hear of it.",
    (FAILED, STORED): "A function that broke before it stored anything counts as a success.",
    (FAILED, IGNORED): "A function that broke has not ignored the event: it has said nothing about it.",
    (FAILED, INVALID): "You blame the order, but something else failed. Which part of the answer tells what did?",
    (ACCEPTED, STORED): "Lambda has put the event into its queue. Has your function even started?",
    (ACCEPTED, IGNORED): "Without waiting, nobody has answered yet: an empty payload is no opinion about the event.",
    (ACCEPTED, FAILED): "No answer yet is not a bad answer. What did Lambda promise for this invocation?",
}
SEE = {ACCEPTED: "asynchronous", INVALID: "invocation", FAILED: "invocation"}


@exercise("03-2", takes=Callable)
def outcome(function: Callable[..., Any]) -> Verdict:
    for case in CASES:
        answer = _answer_for(function, case)
        if answer != case.means:
            return _mistaken(answer, case)
    return correct("No broken answer passes for a success any more, and no good order for a broken one.")


def _answer_for(function: Callable[..., Any], case: Case) -> object:
    """Return what the learner's function says of a case. Raises EarlyVerdict, naming the case, for what it raises."""
    try:
        return call(function, case.answer())
    except EarlyVerdict as early:
        if early.verdict.outcome != NOT_YET:
            raise
        raise EarlyVerdict(wrong(f"For {case.name}: {early.verdict.message}")) from early


def _mistaken(answer: object, case: Case) -> Verdict:
    if answer is None:
        return wrong(f"For {case.name}, your function returns nothing.")
    if answer not in WORDS:
        return wrong("Your function returns something other than one of the five words of the task.")
    if case.means == STORED:
        if case is CASES[0]:
            return wrong(f'For {case.name}, your function says "{answer}". Begin with what the function itself says.')
        return wrong("An order is judged by its name. Do you search the payload for a word, instead of reading it?")
    message = CONFUSED.get((case.means, answer), f'For {case.name}, your function says "{answer}". Which row is that?')
    return wrong(message, see=SEE.get(case.means, ""))


# --- 03-3: a function that tells whether its environment is new ---

THERMOMETER = "exercise-thermometer"
COLD, WARM = "cold", "warm"
EVENTS = 3  # for each new environment
FAILURES = {
    "Runtime.ImportModuleError": "The setting Handler says which file to import. Is it in your package, by that name?",
    "Runtime.HandlerNotFound": "The file is there; does it have the function that the setting Handler names?",
    "Runtime.UserCodeSyntaxError": "Run the code here, in a cell of its own, before you pack it.",
    "Runtime.MarshalError": "What a function returns travels as JSON. Does yours fit?",
    "UnboundLocalError": "A name that a function assigns to is its own. How does it say that it means the module's?",
    "TypeError": "With which two arguments does Lambda call it?",
}


@exercise("03-3")
def thermometer() -> Verdict:
    client = boto3.client("lambda")
    settings = found(client, "get_function_configuration", FunctionName=THERMOMETER)
    if settings is None:
        return not_attempted(f"There is no function {THERMOMETER} yet.")
    client.get_waiter("function_active_v2").wait(FunctionName=THERMOMETER)
    client.get_waiter("function_updated_v2").wait(FunctionName=THERMOMETER)
    before = settings["MemorySize"]
    try:
        readings = _readings(client, before - 1 if before > 128 else before + 1)
    finally:
        _new_environments(client, before)
    return _about_readings([*readings, *_read(client)])


def _readings(client: Any, memory: int) -> list[Any]:
    _new_environments(client, memory)
    return _read(client)


def _new_environments(client: Any, memory: int) -> None:
    """From now on the function runs in environments that have seen no event: those with this memory, in MB."""
    client.update_function_configuration(FunctionName=THERMOMETER, MemorySize=memory)
    client.get_waiter("function_updated_v2").wait(FunctionName=THERMOMETER)


def _read(client: Any) -> list[Any]:
    return [_reading(client) for _ in range(EVENTS)]


def _reading(client: Any) -> object:
    """Return what the function says under "start". Raises EarlyVerdict for a failure or an answer without it."""
    answer = client.invoke(FunctionName=THERMOMETER, Payload="{}")
    payload = json.load(answer["Payload"])
    if "FunctionError" in answer:
        kind = payload.get("errorType", "an error")
        more = FAILURES.get(kind, "Invoke it yourself; the errorMessage in the payload says more.")
        raise EarlyVerdict(wrong(f"Your function fails with {kind}. {more}"))
    if not isinstance(payload, dict) or payload.get("start") not in (COLD, WARM):
        raise EarlyVerdict(wrong('Your function returns something other than {"start": "cold"} or {"start": "warm"}.'))
    return payload["start"]


def _about_readings(readings: list[Any]) -> Verdict:
    """Judge what the function says of two new environments, one after the other."""
    first, later = readings[::EVENTS], [each for number, each in enumerate(readings) if number % EVENTS]
    if COLD in later and WARM in first:
        return wrong("Your thermometer is the wrong way round: new environments read warm.", see="cold-start")
    if WARM in first:
        return wrong(
            "An environment was new, and your function said warm. What does module level say before any event?",
            see="cold-start",
        )
    if WARM not in later:
        return wrong(
            "Your function says cold to every event. What in it is still there when the next event comes?",
            see="execution-environment",
        )
    if COLD in later:
        return wrong("Your function says cold more than once in an environment.", see="cold-start")
    return correct("Your function knows what only its REPORT has told you so far, and it needed no library for it.")
