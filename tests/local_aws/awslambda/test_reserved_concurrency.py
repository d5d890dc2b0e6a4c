"""Reserved concurrency: what runs at once is limited; events wait for it, callers do not."""

from __future__ import annotations

import json
import threading
import time

import pytest

from tests.support.async_aws import FRAGILE, Queue, account, attempts, role, send
from tests.support.embedded_aws import Gate
from tests.support.lambda_requests import ECHO, lines_of, refusal, refused
from tests.support.polling import eventually

LAMBDA = "lambda_/test_lambda.snapshot.json"
#: Notes in its log when it begins and ends, unless it was only to be seen whether it may run; between them it waits at
#: the gate that its event names.
SLOW = (
    Gate.SOURCE
    + """
import time
def handler(event, context):
    if event.get("probe"):
        return
    print("begin", time.time())
    if event.get("gate"):
        pass_gate(event["gate"])
    print("end", time.time())
    if event.get("fail"):
        raise ValueError("no")
"""
)


@pytest.fixture(scope="module")
def paced(tmp_path_factory):
    """An account in which one of AWS's minutes lasts 0.6 seconds."""
    with account(tmp_path_factory.mktemp("paced"), 0.01) as started:
        yield started


@pytest.fixture
def gate(tmp_path) -> Gate:
    return Gate(tmp_path / "gate")


def reserve(aws, name: str, count: int) -> None:
    aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)


def spans(aws, name: str) -> list[tuple[float, float]]:
    """Begin and end of each invocation, in seconds, from the function's log."""
    marks = [line.split() for line in aws.log(name) if line.startswith(("begin", "end"))]
    begins = sorted(float(at) for kind, at in marks if kind == "begin")
    ends = sorted(float(at) for kind, at in marks if kind == "end")
    return list(zip(begins, ends, strict=True))


def most_at_once(aws, name: str) -> int:
    changes = sorted([(begin, 1) for begin, _ in spans(aws, name)] + [(end, -1) for _, end in spans(aws, name)])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most


def endings(aws, name: str) -> int:
    return sum(line.startswith("end ") for line in lines_of(aws, name))


def finished(aws, name: str, count: int) -> bool:
    return endings(aws, name) == count


class TestEvents:
    @pytest.mark.parametrize("limit", [pytest.param(1, marks=pytest.mark.deep), 2])
    def test_all_of_them_run_but_no_more_at_once_than_reserved(self, aws, gate, limit):
        name = aws.function(SLOW)
        reserve(aws, name, limit)
        for _ in range(12):
            send(aws, name, {"gate": gate.folder})
        gate.wait_for(limit)
        time.sleep(0.3)  # for those that must not come
        assert gate.count() == limit
        gate.open()
        assert eventually(lambda: finished(aws, name, 12))
        assert most_at_once(aws, name) == limit

    def test_they_wait_for_a_caller_to_be_through(self, aws, gate):
        name = aws.function(SLOW)
        reserve(aws, name, 1)
        caller = threading.Thread(target=aws.invoke, args=(name, {"gate": gate.folder}))
        caller.start()
        gate.wait_for(1)
        send(aws, name, {})
        time.sleep(0.3)  # in which it must not run
        gate.open()
        caller.join()
        assert eventually(lambda: finished(aws, name, 2))
        assert most_at_once(aws, name) == 1

    def test_a_raised_limit_lets_the_waiting_ones_go(self, aws, gate):
        name = aws.function(SLOW)
        reserve(aws, name, 1)
        for _ in range(3):
            send(aws, name, {"gate": gate.folder})
        gate.wait_for(1)
        assert refused_now(aws, name)
        aws.client("lambda").delete_function_concurrency(FunctionName=name)
        gate.wait_for(3)
        gate.open()
        assert eventually(lambda: finished(aws, name, 3))
        assert most_at_once(aws, name) > 1

    def test_versions_share_the_limit(self, aws):
        name = aws.function(SLOW)
        version = aws.client("lambda").publish_version(FunctionName=name)["Version"]
        reserve(aws, name, 1)
        for _ in range(3):
            send(aws, name, {})
            send(aws, name, {}, Qualifier=version)
        assert eventually(lambda: finished(aws, name, 6))
        assert most_at_once(aws, name) == 1

    def test_a_crash_leaves_the_others_their_turn(self, aws):
        name = aws.function(FRAGILE)
        reserve(aws, name, 1)
        aws.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
        ids = {send(aws, name, event) for event in ({"exit": True}, {}, {"exit": True}, {})}
        assert eventually(lambda: set(attempts(aws, name)) == ids)

    def test_one_that_has_waited_too_long_is_given_up(self, paced, gate):
        queue = Queue(paced)
        name = paced.function(SLOW, Role=role(paced, "sqs:SendMessage"), Timeout=120)
        reserve(paced, name, 1)
        paced.client("lambda").put_function_event_invoke_config(
            FunctionName=name,
            MaximumEventAgeInSeconds=100,  # one second here
            DestinationConfig={"OnFailure": {"Destination": queue.arn}},
        )
        send(paced, name, {"gate": gate.folder})
        gate.wait_for(1)
        ended = endings(paced, name)
        asked = time.monotonic()
        second = send(paced, name, {"second": True})
        record = queue.records()[0]
        assert time.monotonic() - asked >= 0.9
        assert endings(paced, name) == ended, "it was given up before it could have had its turn"
        gate.open()
        assert record["requestContext"]["requestId"] == second
        assert record["requestContext"]["condition"] == "EventAgeExceeded"
        assert record["requestContext"]["approximateInvokeCount"] == 0
        assert record["requestPayload"] == {"second": True}
        assert "responseContext" not in record


class TestZero:
    def test_an_event_goes_to_the_destination_at_once(self, aws, conformance):
        queue = Queue(aws)
        name = aws.function(ECHO, Role=role(aws, "sqs:SendMessage"))
        reserve(aws, name, 0)
        config = {"OnFailure": {"Destination": queue.arn}}
        aws.client("lambda").put_function_event_invoke_config(FunctionName=name, DestinationConfig=config)
        request_id = send(aws, name, {})
        record = queue.records()[0]
        like = conformance(LAMBDA)["TestLambdaConcurrency::test_reserved_concurrency"]["msg"]["Body"]
        like["timestamp"] = record["timestamp"]
        like["requestContext"]["requestId"] = request_id
        like["requestContext"]["functionArn"] = f"arn:aws:lambda:us-east-1:123456789012:function:{name}:$LATEST"
        assert record == like

    def test_one_that_waits_goes_there_too(self, aws, gate):
        queue = Queue(aws)
        name = aws.function(SLOW, Role=role(aws, "sqs:SendMessage"))
        reserve(aws, name, 1)
        config = {"OnFailure": {"Destination": queue.arn}}
        aws.client("lambda").put_function_event_invoke_config(FunctionName=name, DestinationConfig=config)
        send(aws, name, {"gate": gate.folder})
        gate.wait_for(1)
        waiting = send(aws, name, {})
        reserve(aws, name, 0)
        record = queue.records()[0]
        gate.open()
        assert record["requestContext"]["requestId"] == waiting
        assert record["requestContext"]["condition"] == "ZeroReservedConcurrency"
        assert eventually(lambda: finished(aws, name, 1))  # the one that ran was let finish

    def test_a_caller_is_refused(self, aws, conformance):
        name = aws.function(ECHO)
        reserve(aws, name, 0)
        recorded = conformance(LAMBDA)["TestLambdaConcurrency::test_reserved_concurrency"]
        assert without_headers(refusal(aws.invoke, name=name)) == recorded["exc_no_cap_requestresponse"]


class TestCallers:
    def test_one_over_the_limit_is_refused(self, aws, gate, conformance):
        name = aws.function(SLOW)
        reserve(aws, name, 1)
        send(aws, name, {"gate": gate.folder})
        gate.wait_for(1)
        answer = refused_now(aws, name)
        gate.open()
        recorded = conformance(LAMBDA)["TestLambdaConcurrency::test_reserved_concurrency_async_queue"]
        assert without_headers(answer) == recorded["too_many_requests_exc"]

    def test_one_after_the_other_is_within_the_limit(self, aws):
        name = aws.function(ECHO)
        reserve(aws, name, 1)
        for number in range(20):
            assert aws.invoke(name, {"number": number})["Json"] == {"number": number}

    def test_as_many_as_reserved_run_at_once(self, aws, gate):
        name = aws.function(SLOW)
        reserve(aws, name, 2)
        outcomes: list[str] = []

        def call() -> None:
            try:
                aws.invoke(name, {"gate": gate.folder})
                outcomes.append("ran")
            except aws.client("lambda").exceptions.TooManyRequestsException:
                outcomes.append("refused")

        callers = [threading.Thread(target=call) for _ in range(4)]
        for caller in callers:
            caller.start()
        eventually(lambda: outcomes.count("refused") == 2)
        gate.wait_for(2)
        gate.open()
        for caller in callers:
            caller.join()
        assert sorted(outcomes) == ["ran", "ran", "refused", "refused"]


class TestSettings:
    def test_put_get_delete(self, aws):
        lambda_, name = aws.client("lambda"), aws.function(ECHO)
        assert "ReservedConcurrentExecutions" not in lambda_.get_function_concurrency(FunctionName=name)
        for count in (5, 0):
            put = lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)
            assert put["ReservedConcurrentExecutions"] == count
            assert lambda_.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == count
            shown = lambda_.get_function(FunctionName=name)["Concurrency"]
            assert shown == {"ReservedConcurrentExecutions": count}
        lambda_.delete_function_concurrency(FunctionName=name)
        assert "Concurrency" not in lambda_.get_function(FunctionName=name)

    def test_the_account_keeps_some_unreserved(self, aws):
        lambda_, name = aws.client("lambda"), aws.function(ECHO)
        limits = lambda_.get_account_settings()["AccountLimit"]
        assert limits["ConcurrentExecutions"] == 1000
        free = limits["UnreservedConcurrentExecutions"]
        reserve(aws, name, free - 100)
        after = lambda_.get_account_settings()
        assert after["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
        assert after["AccountUsage"]["FunctionCount"] >= 1
        call = lambda_.put_function_concurrency
        assert refused(call, FunctionName=name, ReservedConcurrentExecutions=free - 99) == (
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            "below its minimum value of [100].",
        )
        lambda_.delete_function_concurrency(FunctionName=name)

    def test_what_is_refused(self, aws):
        lambda_, name = aws.client("lambda", parameter_validation=False), aws.function(ECHO)
        call = lambda_.put_function_concurrency
        code, _ = refused(call, FunctionName="absent", ReservedConcurrentExecutions=1)
        assert code == "ResourceNotFoundException"
        for parameters in ({}, {"ReservedConcurrentExecutions": -1}):
            assert refused(call, FunctionName=name, **parameters)[0] == "ValidationException"
        code, message = refused(call, FunctionName=f"{name}:1", ReservedConcurrentExecutions=1)
        assert code == "InvalidParameterValueException"
        assert "unqualified" in message


def refused_now(aws, name: str) -> dict | None:
    """What a caller is refused with at this moment; None when the call went through."""
    try:
        aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"probe": True}))
    except aws.client("lambda").exceptions.TooManyRequestsException as error:
        return error.response
    return None


def without_headers(response: dict) -> dict:
    metadata = {"HTTPHeaders": {}, "HTTPStatusCode": response["ResponseMetadata"]["HTTPStatusCode"]}
    return {**response, "ResponseMetadata": metadata}
