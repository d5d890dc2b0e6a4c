"""When the function fails: Lambda's retries, destinations and dead-letter queues, as a caller sees them."""

from __future__ import annotations

import json
import re
import time

import pytest

from helpers.errors import WorkbookError
from tests.support.async_aws import FRAGILE, Queue, account, attempts, role, send
from tests.support.embedded_aws import Aws, zip_of
from tests.support.lambda_requests import UUID, as_here, lines_of, refused
from tests.support.polling import eventually

LAMBDA_DESTINATIONS = "lambda_/test_lambda_destinations.snapshot.json"


@pytest.fixture(scope="module")
def aws(tmp_path_factory):
    """An account in which nothing waits."""
    with account(tmp_path_factory.mktemp("no-waits"), 0) as started:
        yield started


@pytest.fixture(scope="module")
def paced(tmp_path_factory):
    """An account in which one of AWS's minutes lasts 0.6 seconds."""
    with account(tmp_path_factory.mktemp("paced"), 0.01) as started:
        yield started


@pytest.fixture(scope="module")
def patient(tmp_path_factory):
    """An account in which one of AWS's minutes lasts three seconds: long enough for a test to do something before."""
    with account(tmp_path_factory.mktemp("patient"), 0.05) as started:
        yield started


@pytest.fixture(scope="module")
def sender(aws) -> str:
    """A role that may use every kind of destination."""
    return role(aws, "sqs:SendMessage", "sns:Publish", "lambda:InvokeFunction", "events:PutEvents")


def with_destinations(aws: Aws, name: str, **settings: object) -> dict:
    config = {side: {"Destination": settings.pop(side)} for side in ("OnSuccess", "OnFailure") if side in settings}
    return aws.client("lambda").put_function_event_invoke_config(
        FunctionName=name, DestinationConfig=config, **settings
    )


def general(record: dict) -> dict:
    """A record without what differs from event to event."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    assert re.fullmatch(UUID, record["requestContext"]["requestId"])
    context = {**record["requestContext"], "requestId": "id", "functionArn": "arn"}
    kept = {key: value for key, value in record.items() if key not in ("responsePayload", "requestPayload")}
    return {**kept, "timestamp": "time", "requestContext": context}


def recorded(conformance, test: str, name: str) -> dict:
    body = conformance(LAMBDA_DESTINATIONS)[test][name]["Messages"][0]["Body"]
    context = {**body["requestContext"], "requestId": "id", "functionArn": "arn"}
    kept = {key: value for key, value in body.items() if key not in ("responsePayload", "requestPayload")}
    return {**kept, "timestamp": "time", "requestContext": context}


class TestRetries:
    def test_an_event_that_fails_is_tried_three_times_under_one_request_id(self, aws):
        name = aws.function(FRAGILE)
        request_id = send(aws, name, {"fail": "no"})
        eventually(lambda: len(attempts(aws, name)) == 3)
        time.sleep(0.2)
        assert attempts(aws, name) == [request_id] * 3
        starts = [line for line in aws.log(name) if line.startswith("START")]
        assert starts == [f"START RequestId: {request_id} Version: $LATEST\n"] * 3

    def test_an_event_that_succeeds_is_not_tried_again(self, aws):
        name = aws.function(FRAGILE)
        request_id = send(aws, name, {})
        eventually(lambda: attempts(aws, name))
        time.sleep(0.2)
        assert attempts(aws, name) == [request_id]

    def test_a_retry_may_succeed(self, aws, sender):
        source = """
import os
def handler(event, context):
    path = "/tmp/" + context.function_name
    tries = int(open(path).read()) if os.path.exists(path) else 0
    open(path, "w").write(str(tries + 1))
    if tries < 2:
        raise ValueError("not yet")
    os.remove(path)
    return tries
"""
        queue = Queue(aws)
        name = aws.function(source, Role=sender)
        with_destinations(aws, name, OnSuccess=queue.arn, OnFailure=queue.arn)
        send(aws, name, {})
        record = queue.records()[0]
        assert record["requestContext"]["condition"] == "Success"
        assert record["requestContext"]["approximateInvokeCount"] == 3
        assert record["responsePayload"] == 2

    @pytest.mark.parametrize(
        ("event", "timeout", "kind"),
        [({"exit": True}, 60, "Runtime.ExitError"), ({"sleep": 600}, 1, "Timedout")],
        ids=["crash", "timeout"],
    )
    def test_a_crash_or_a_timeout_counts_as_an_error(self, aws, sender, event, timeout, kind):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender, Timeout=timeout)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumRetryAttempts=1)
        request_id = send(aws, name, event)
        record = queue.records()[0]
        assert record["requestContext"]["approximateInvokeCount"] == 2
        assert record["responseContext"]["functionError"] == "Unhandled"
        assert kind in record["responsePayload"]["errorType"]
        assert attempts(aws, name) == [request_id] * 2

    def test_too_much_memory_counts_as_an_error(self, aws, sender):
        queue = Queue(aws)
        source = "def handler(event, context):\n    return len([bytes(10_000_000) * 1 for _ in range(100)])"
        name = aws.function(source.replace("bytes(10_000_000)", "b'x' * 10_000_000"), Role=sender, MemorySize=128)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumRetryAttempts=0)
        send(aws, name, {})
        assert queue.records()[0]["requestContext"]["condition"] == "RetriesExhausted"

    def test_a_function_that_cannot_be_imported_is_tried_again(self, aws, sender):
        queue = Queue(aws)
        name = aws.function("import no_such_module", Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn)
        send(aws, name, {})
        record = queue.records()[0]
        assert record["requestContext"]["approximateInvokeCount"] == 3
        assert record["responsePayload"]["errorType"] == "Runtime.ImportModuleError"

    def test_aws_waits_one_minute_and_then_two(self, paced):
        """Never less; and a busy machine only adds to it, so that the shortest of a few waits is what counts."""
        waits: list[tuple[int, int]] = []
        while len(waits) < 10:
            name = paced.function(FRAGILE)
            paced.invoke(name, {})
            send(paced, name, {"fail": "no"})
            eventually(lambda name=name: len(attempts(paced, name)) == 4)
            events = paced.client("logs").filter_log_events(
                logGroupName=f"/aws/lambda/{name}", filterPattern='"attempt"'
            )["events"]
            first, second, third = sorted(event["timestamp"] for event in events)[1:]
            waits.append((second - first, third - second))
            shortest = [min(each) for each in zip(*waits, strict=True)]
            if shortest[0] < 1100 and shortest[1] < 1700:
                break
        assert 600 <= shortest[0] < 1100
        assert 1200 <= shortest[1] < 1700

    def test_a_retry_runs_the_code_that_the_function_has_then(self, patient):
        queue = Queue(patient)
        name = patient.function(FRAGILE, Role=role(patient, "sqs:SendMessage"))
        with_destinations(patient, name, OnSuccess=queue.arn)
        request_id = send(patient, name, {"fail": "no"})
        eventually(lambda: attempts(patient, name))
        mended = zip_of({"main.py": "def handler(event, context): return 'mended'"})
        patient.client("lambda").update_function_code(FunctionName=name, ZipFile=mended)
        record = queue.records()[0]
        assert record["responsePayload"] == "mended"
        assert record["requestContext"]["requestId"] == request_id
        assert record["requestContext"]["approximateInvokeCount"] == 2

    def test_a_function_that_is_deleted_is_not_tried_again(self, patient):
        queue = Queue(patient)
        name = patient.function(FRAGILE, Role=role(patient, "sqs:SendMessage"))
        with_destinations(patient, name, OnFailure=queue.arn, MaximumRetryAttempts=1)
        send(patient, name, {"fail": "no"})
        eventually(lambda: attempts(patient, name))
        patient.client("lambda").delete_function(FunctionName=name)
        assert queue.records(seconds=4) == []
        assert len(attempts(patient, name)) == 1

    @pytest.mark.parametrize(("age", "count"), [(60, 1), (120, 2), (200, 3)])
    def test_an_event_that_would_become_too_old_is_given_up(self, aws, sender, age, count):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumEventAgeInSeconds=age)
        send(aws, name, {"fail": "no"})
        context = queue.records()[0]["requestContext"]
        condition = "RetriesExhausted" if count == 3 else "EventAgeExceeded"
        assert (context["approximateInvokeCount"], context["condition"]) == (count, condition)

    @pytest.mark.parametrize("retries", [0, 1, 2])
    def test_fewer_retries(self, aws, sender, retries):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumRetryAttempts=retries)
        send(aws, name, {"fail": "no"})
        assert queue.records()[0]["requestContext"]["approximateInvokeCount"] == retries + 1

    def test_many_events_that_fail_are_all_kept(self, aws, sender):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn)
        sent = {send(aws, name, {"fail": "no", "number": number}) for number in range(50)}
        records = queue.records(50, seconds=30)
        assert {record["requestContext"]["requestId"] for record in records} == sent
        assert queue.messages(seconds=0.3) == []


class TestDestinations:
    def test_the_record_of_a_failure(self, aws, sender, conformance):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn)
        request_id = send(aws, name, {"fail": "no", "ö": [1.50]})
        record = queue.records()[0]
        assert general(record) == recorded(
            conformance, "TestLambdaDestinationSqs::test_lambda_destination_default_retries", "receive_message_result"
        )
        assert list(record) == [
            *("version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload")
        ]
        assert record["requestPayload"] == {"fail": "no", "ö": [1.5]}
        assert record["requestContext"]["requestId"] == request_id
        assert record["requestContext"]["functionArn"].endswith(f":function:{name}:$LATEST")
        assert record["responsePayload"]["errorMessage"] == "no"
        assert record["responsePayload"]["errorType"] == "ValueError"
        assert record["responsePayload"]["requestId"] == request_id

    def test_the_record_of_a_success(self, aws, sender, conformance):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnSuccess=queue.arn)
        send(aws, name, {})
        record = queue.records()[0]
        test = "TestLambdaDestinationSqs::test_assess_lambda_destination_invocation[payload0]"
        assert general(record) == recorded(conformance, test, "receive_message_result")
        assert record["responsePayload"] == {"got": {}}

    def test_a_synchronous_invocation_has_no_destination(self, aws, sender):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnSuccess=queue.arn, OnFailure=queue.arn)
        assert aws.invoke(name, {"fail": "no"})["FunctionError"] == "Unhandled"
        aws.invoke(name, {})
        assert queue.messages(seconds=0.5) == []
        assert len(attempts(aws, name)) == 2

    @pytest.mark.parametrize(("event", "result"), [({"mode": "success"}, "Success"), ({"fail": "no"}, "Failure")])
    def test_an_event_bus(self, aws, sender, conformance, event, result):
        bus = f"bus-{result.lower()}"
        events, queue = aws.client("events"), Queue(aws)
        bus_arn = events.create_event_bus(Name=bus)["EventBusArn"]
        rule = events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["lambda"]}))
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "events.amazonaws.com"},
                    "Action": "sqs:SendMessage",
                    "Resource": queue.arn,
                    "Condition": {"ArnEquals": {"aws:SourceArn": rule["RuleArn"]}},
                }
            ],
        }
        aws.client("sqs").set_queue_attributes(QueueUrl=queue.url, Attributes={"Policy": json.dumps(policy)})
        events.put_targets(Rule="all", EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue.arn}])
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnSuccess=bus_arn, OnFailure=bus_arn, MaximumRetryAttempts=0)
        send(aws, name, event)
        found = queue.records()[0]
        expected = as_here(
            conformance(LAMBDA_DESTINATIONS)["TestLambdaDestinationEventbridge::test_invoke_lambda_eventbridge"][
                f"lambda_destination_event_bus_{result.lower()}"
            ],
            event_bus_name=bus,
            input_fn_name=name,
        )
        for varying in ("id", "time", "detail"):
            detail, like = found.pop(varying), expected.pop(varying)
            if varying == "detail":
                assert general(detail) == general({**like, "timestamp": detail["timestamp"]} | _with_id(like))
        assert found == expected

    def test_another_function(self, aws, sender):
        queue = Queue(aws)
        next_one = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, next_one, OnSuccess=queue.arn)
        name = aws.function(FRAGILE, Role=sender)
        arn = f"arn:aws:lambda:us-east-1:123456789012:function:{next_one}"
        with_destinations(aws, name, OnSuccess=arn)
        request_id = send(aws, name, {"a": 1})
        record = queue.records()[0]["requestPayload"]
        assert record["requestContext"]["requestId"] == request_id
        assert record["responsePayload"] == {"got": {"a": 1}}

    def test_a_topic(self, aws, sender):
        sns, queue = aws.client("sns"), Queue(aws)
        topic = sns.create_topic(Name="failures")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.arn, Attributes={"RawMessageDelivery": "true"})
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=topic, MaximumRetryAttempts=0)
        request_id = send(aws, name, {"fail": "no"})
        assert queue.records()[0]["requestContext"]["requestId"] == request_id

    def test_each_version_and_alias_has_its_own(self, aws, sender):
        queue, lambda_ = Queue(aws), aws.client("lambda")
        name = aws.function(FRAGILE, Role=sender)
        version = lambda_.publish_version(FunctionName=name)["Version"]
        lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=version)
        with_destinations(aws, name, Qualifier="live", OnFailure=queue.arn, MaximumRetryAttempts=0)
        send(aws, name, {"fail": "latest"})
        send(aws, name, {"fail": "version"}, Qualifier=version)
        send(aws, name, {"fail": "alias"}, Qualifier="live")
        records = queue.records() + queue.records(1, seconds=2)
        assert [record["requestPayload"] for record in records] == [{"fail": "alias"}]
        assert records[0]["requestContext"]["functionArn"].endswith(f":{name}:live")
        assert records[0]["responseContext"]["executedVersion"] == version

    def test_a_role_that_has_lost_its_permission_loses_the_record(self, aws):
        queue, execution_role = Queue(aws), role(aws, "sqs:SendMessage")
        name = aws.function(FRAGILE, Role=execution_role)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumRetryAttempts=0)
        aws.client("iam").delete_role_policy(RoleName=execution_role.rpartition("/")[2], PolicyName="more")
        send(aws, name, {"fail": "no"})
        assert eventually(lambda: metric(aws, name, "DestinationDeliveryFailures")) == 1
        assert queue.messages(seconds=0.2) == []

    def test_a_destination_that_is_gone_loses_the_record(self, aws, sender):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn, MaximumRetryAttempts=0)
        aws.client("sqs").delete_queue(QueueUrl=queue.url)
        send(aws, name, {"fail": "no"})
        assert eventually(lambda: metric(aws, name, "DestinationDeliveryFailures")) == 1


class TestDeadLetterQueue:
    def test_the_message_is_the_event(self, aws, sender, conformance):
        queue = Queue(aws)
        name = aws.function(FRAGILE, Role=sender, DeadLetterConfig={"TargetArn": queue.arn})
        request_id = send(aws, name, {"raise_error": 1, "fail": "Test exception (this is intentional)"})
        message = queue.messages()[0]
        like = conformance(LAMBDA_DESTINATIONS)["TestLambdaDLQ::test_dead_letter_queue"]["receive_result"]
        expected = like["Messages"][0]["MessageAttributes"]
        expected["RequestID"]["StringValue"] = request_id
        assert message["MessageAttributes"] == expected
        assert json.loads(message["Body"]) == {"raise_error": 1, "fail": "Test exception (this is intentional)"}
        assert attempts(aws, name) == [request_id] * 3

    def test_beside_a_destination_both_get_theirs(self, aws, sender):
        dead, failed = Queue(aws), Queue(aws)
        name = aws.function(FRAGILE, Role=sender, DeadLetterConfig={"TargetArn": dead.arn})
        with_destinations(aws, name, OnFailure=failed.arn, MaximumRetryAttempts=0)
        send(aws, name, {"fail": "no"})
        assert dead.records() == [{"fail": "no"}]
        assert failed.records()[0]["requestPayload"] == {"fail": "no"}

    def test_it_is_described_changed_and_removed(self, aws, sender):
        queue, other, lambda_ = Queue(aws), Queue(aws), aws.client("lambda")
        name = aws.function(FRAGILE, Role=sender, DeadLetterConfig={"TargetArn": queue.arn})
        describe = lambda_.get_function_configuration
        assert describe(FunctionName=name)["DeadLetterConfig"] == {"TargetArn": queue.arn}
        lambda_.update_function_configuration(FunctionName=name, Description="the same")
        assert describe(FunctionName=name)["DeadLetterConfig"] == {"TargetArn": queue.arn}
        lambda_.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": other.arn})
        assert describe(FunctionName=name)["DeadLetterConfig"] == {"TargetArn": other.arn}
        lambda_.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": ""})
        assert "DeadLetterConfig" not in describe(FunctionName=name)

    def test_the_role_must_be_allowed_to_send(self, aws):
        queue, lambda_, plain = Queue(aws), aws.client("lambda"), role(aws)
        refusal = (
            "InvalidParameterValueException",
            "The provided execution role does not have permissions to call SendMessage on SQS",
        )
        code = {"ZipFile": zip_of({"main.py": FRAGILE})}
        request = {"FunctionName": "never", "Runtime": "python3.13", "Handler": "main.handler", "Code": code}
        target = {"TargetArn": queue.arn}
        assert refused(lambda_.create_function, Role=plain, DeadLetterConfig=target, **request) == refusal
        name = aws.function(FRAGILE, Role=plain)
        update = lambda_.update_function_configuration
        assert refused(update, FunctionName=name, DeadLetterConfig=target) == refusal
        code, message = refused(update, FunctionName=name, DeadLetterConfig={"TargetArn": "arn:aws:s3:::bucket"})
        assert code == "InvalidParameterValueException"


class TestLoops:
    SOURCE = """
import json, boto3
client = boto3.client("lambda")
def handler(event, context):
    print("round", event["n"])
    kind = event["kind"]
    answer = client.invoke(FunctionName=context.function_name, InvocationType=kind,
                           Payload=json.dumps({**event, "n": event["n"] + 1}))
    return json.loads(answer["Payload"].read() or "null")
"""

    def rounds(self, aws, name) -> list[int]:
        return [int(line.split()[1]) for line in lines_of(aws, name) if line.startswith("round ")]

    def test_events_that_a_function_sends_itself_are_stopped(self, aws, sender):
        queue = Queue(aws)
        name = aws.function(self.SOURCE, Role=sender)
        with_destinations(aws, name, OnFailure=queue.arn)
        send(aws, name, {"kind": "Event", "n": 1})
        record = queue.records()[0]
        assert record["requestPayload"] == {"kind": "Event", "n": 17}
        assert record["requestContext"]["approximateInvokeCount"] == 0
        assert self.rounds(aws, name) == list(range(1, 17))
        assert eventually(lambda: metric(aws, name, "RecursiveInvocationsDropped")) == 1

    def test_a_caller_hears_of_it(self, aws):
        source = """
import json, boto3
client = boto3.client("lambda")
def handler(event, context):
    return event["header"]
"""
        name = aws.function(source)
        client = aws.own_client("lambda")
        trace = {"value": "Root=1-00000000-000000000000000000000000;Sampled=0;Lineage=1:00000000:15"}
        client.meta.events.register(
            "before-sign.lambda.Invoke",
            lambda request, **_: request.headers.__setitem__("X-Amzn-Trace-Id", trace["value"]),
        )
        assert client.invoke(FunctionName=name, Payload=b'{"header": 1}')["Payload"].read() == b"1"
        trace["value"] = trace["value"].replace(":15", ":16")
        code, message = refused(client.invoke, FunctionName=name, Payload=b'{"header": 1}')
        assert code == "RecursiveInvocationException"
        assert "recursive loop" in message

    def test_a_loop_that_is_meant_is_allowed(self, aws, sender):
        lambda_ = aws.client("lambda")
        source = self.SOURCE.replace(
            '    kind = event["kind"]', '    kind = event["kind"]\n    if event["n"] == 20: return'
        )
        name = aws.function(source, Role=sender)
        assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Terminate"
        lambda_.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
        assert lambda_.get_function_recursion_config(FunctionName=name)["RecursiveLoop"] == "Allow"
        send(aws, name, {"kind": "Event", "n": 1})
        eventually(lambda: 20 in self.rounds(aws, name))
        assert self.rounds(aws, name) == list(range(1, 21))


def test_metrics_count_what_is_received_and_dropped(aws, sender):
    name = aws.function(FRAGILE, Role=sender)
    aws.client("lambda").put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    for event in ({}, {"fail": "no"}, {"fail": "again"}):
        send(aws, name, event)
    assert eventually(lambda: metric(aws, name, "AsyncEventsDropped") == 2)
    assert metric(aws, name, "AsyncEventsReceived") == 3


def test_a_bad_time_scale_is_said_in_one_line(tmp_path):
    with pytest.raises(WorkbookError) as error, account(tmp_path, "fast"):
        pass
    assert str(error.value).startswith("LOCAL_AWS_TIME_SCALE is 'fast'; it must be a number from 0 up")
    assert "\n" not in str(error.value)


def metric(aws: Aws, name: str, metric_name: str) -> float:
    """The sum of a metric of a function."""
    statistics = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName=metric_name,
        Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=time.time() - 3600,
        EndTime=time.time() + 60,
        Period=3600,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in statistics["Datapoints"])


def _with_id(detail: dict) -> dict:
    """Recorded ids are placeholders."""
    context = {**detail["requestContext"], "requestId": "00000000-0000-0000-0000-000000000000"}
    return {"requestContext": context}
