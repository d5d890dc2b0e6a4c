"""When a target does not take an event: what is tried again, what is parked, and what a parked message says."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from helpers.local_aws.engine import clock
from helpers.local_aws.engine.executor import Lanes
from helpers.local_aws.events.delivery_errors import DeliveryFailed
from helpers.local_aws.events.delivery_retry import RetryPolicy, Sender, delay_before
from helpers.local_aws.events.delivery_rows import PendingDelivery
from helpers.local_aws.events.put_events import check_entry, make_event
from tests.support.event_probe import entry, open_to_events
from tests.support.polling import PATIENCE, eventually

ACCOUNT = "123456789012"
ECHO = "def handler(event, context):\n    print('got', event['id'])\n"


def arn(service: str, name: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{name}"


@pytest.fixture(scope="module")
def events(aws):
    return aws.client("events")


def document(statement: dict) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Rule:
    """A rule for events of its own source, with one target and a queue for what the target does not take."""

    def __init__(self, aws, target_arn: str, bus: str = "default", open_queue: bool = True, **target: object) -> None:
        self.name = f"dlq-{uuid.uuid4().hex[:8]}"
        self.bus, self.queue_arn = bus, arn("sqs", self.name)
        self.sqs, self.events = aws.client("sqs"), aws.client("events")
        self.arn = self.events.put_rule(
            Name=self.name, EventBusName=bus, EventPattern=json.dumps({"source": [self.name]})
        )["RuleArn"]
        attributes = open_to_events(self.queue_arn, self.arn) if open_queue else {}
        self.url = self.sqs.create_queue(QueueName=self.name, Attributes=attributes)["QueueUrl"]
        dead_letters = {"DeadLetterConfig": {"Arn": self.queue_arn}}
        self.events.put_targets(
            Rule=self.name, EventBusName=bus, Targets=[{"Id": "t", "Arn": target_arn, **dead_letters, **target}]
        )

    def send(self, **members: object) -> str:
        answer = self.events.put_events(Entries=[entry(self.name, EventBusName=self.bus, **members)])
        return answer["Entries"][0]["EventId"]

    def parked(self, seconds: float = PATIENCE) -> tuple[dict, dict[str, str]] | None:
        """The next parked event and its attributes; None when nothing comes."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            answer = self.sqs.receive_message(QueueUrl=self.url, MessageAttributeNames=["All"])
            for message in answer.get("Messages", []):
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                attributes = message.get("MessageAttributes", {})
                assert {value["DataType"] for value in attributes.values()} == {"String"}
                return json.loads(message["Body"]), {name: v["StringValue"] for name, v in attributes.items()}
            time.sleep(0.02)
        return None


def allow(aws, function: str, rule: Rule) -> None:
    aws.client("lambda").add_permission(
        FunctionName=function,
        StatementId=rule.name,
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=rule.arn,
    )


# What is not tried again


def test_a_function_that_does_not_exist(aws) -> None:
    rule = Rule(aws, arn("lambda", "function:no-such-function"), Input='{"the target": "would have got this"}')
    sent = rule.send(Detail='{"amount": 65.50}')
    event, attributes = rule.parked()
    assert (event["id"], event["detail"]) == (sent, {"amount": 65.5})  # the event, not the target's input
    assert attributes.pop("ERROR_MESSAGE")
    assert attributes == {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": arn("lambda", "function:no-such-function"),
        "ERROR_CODE": "NO_RESOURCE",
    }
    assert rule.parked(0.3) is None


def test_a_function_without_permission_then_with_it(aws) -> None:
    function = aws.function(ECHO)
    rule = Rule(aws, arn("lambda", f"function:{function}"))
    sent = rule.send()
    event, attributes = rule.parked()
    assert event["id"] == sent
    assert attributes["ERROR_CODE"] == "NO_PERMISSIONS"
    assert "is not authorized to perform: lambda:InvokeFunction" in attributes["ERROR_MESSAGE"]
    assert not {"EXHAUSTED_RETRY_CONDITION", "RETRY_ATTEMPTS"} & set(attributes)
    allow(aws, function, rule)
    rule.send()
    assert rule.parked(0.5) is None


def test_a_function_that_raises_was_delivered(aws) -> None:
    function = aws.function("def handler(event, context):\n    raise ValueError\n")
    rule = Rule(aws, arn("lambda", f"function:{function}"))
    allow(aws, function, rule)
    rule.send()
    assert rule.parked(0.5) is None


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (arn("sqs", "no-such-queue"), "NO_RESOURCE"),
        (arn("sns", "no-such-topic"), "NO_RESOURCE"),
        (arn("logs", "log-group:/aws/events/no-such-group"), "NO_RESOURCE"),
        (arn("events", "event-bus/no-such-bus"), "NO_RESOURCE"),
    ],
)
def test_other_targets_that_do_not_exist(aws, target: str, code: str) -> None:
    rule = Rule(aws, target)
    rule.send()
    assert rule.parked()[1]["ERROR_CODE"] == code


def test_a_queue_and_a_log_group_without_a_policy(aws) -> None:
    name = f"closed-{uuid.uuid4().hex[:8]}"
    aws.client("sqs").create_queue(QueueName=name)
    aws.client("logs").create_log_group(logGroupName=f"/aws/events/{name}")
    for target in (arn("sqs", name), arn("logs", f"log-group:/aws/events/{name}")):
        rule = Rule(aws, target)
        rule.send()
        assert rule.parked()[1]["ERROR_CODE"] == "NO_PERMISSIONS"


def test_a_fifo_queue_without_deduplication_refuses(aws) -> None:
    name = f"{uuid.uuid4().hex[:8]}.fifo"
    attributes = {"FifoQueue": "true"} | open_to_events(arn("sqs", name))
    aws.client("sqs").create_queue(QueueName=name, Attributes=attributes)
    rule = Rule(aws, arn("sqs", name), SqsParameters={"MessageGroupId": "orders"})
    rule.send()
    assert rule.parked()[1]["ERROR_CODE"] == "INVALID_PARAMETER"


def test_a_template_that_makes_no_json(aws) -> None:
    function = aws.function(ECHO)
    transformer = {"InputPathsMap": {"x": "$.detail"}, "InputTemplate": '{"a": <x> <x>}'}
    rule = Rule(aws, arn("lambda", f"function:{function}"), InputTransformer=transformer)
    allow(aws, function, rule)
    rule.send()
    assert rule.parked()[1]["ERROR_CODE"] == "INVALID_JSON"


def test_a_dead_letter_queue_needs_its_own_policy(aws) -> None:
    rule = Rule(aws, arn("lambda", "function:no-such-function"), open_queue=False)
    rule.send()
    said = f'"then": "dropped: the policy of the dead-letter queue {rule.queue_arn} does not let'
    assert eventually(lambda: said in aws.server_log())
    assert rule.parked(0.5) is None


def test_a_dead_letter_queue_of_another_rule(aws) -> None:
    rule, other = (Rule(aws, arn("lambda", "function:no-such-function")) for _ in range(2))
    dead_letters = {"DeadLetterConfig": {"Arn": other.queue_arn}}
    rule.events.put_targets(
        Rule=rule.name, Targets=[{"Id": "t", "Arn": arn("lambda", "function:no-such-function"), **dead_letters}]
    )
    rule.send()
    assert other.parked(0.5) is None


def test_without_a_dead_letter_queue_the_log_says_it(aws, events) -> None:
    name = f"lost-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
    events.put_targets(Rule=name, Targets=[{"Id": "t", "Arn": arn("sqs", "no-such-queue")}])
    [sent] = events.put_events(Entries=[entry(name)])["Entries"]
    eventually(lambda: sent["EventId"] in aws.server_log())
    [line] = [line for line in aws.server_log().splitlines() if sent["EventId"] in line]
    record = json.loads(line.split("not delivered: ")[1])
    assert (record["code"], record["then"]) == ("NO_RESOURCE", "dropped: the target has no dead-letter queue")


# What is tried again: an HTTP endpoint that is busy


class Endpoint(BaseHTTPRequestHandler):
    """Answers with the statuses in `answers`, then 200; keeps what it got."""

    answers: list[int] = []
    got: list[tuple[dict, dict]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.got.append((dict(self.headers), body))
        self.send_response(self.answers.pop(0) if self.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    Endpoint.answers, Endpoint.got = [], []
    server = HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/orders/*"
    server.shutdown()
    server.server_close()


@pytest.fixture
def api(aws, events, endpoint) -> dict[str, object]:
    """A target: an API destination at `endpoint`, and a role that may call it."""
    name = f"api-{uuid.uuid4().hex[:8]}"
    key = {"ApiKeyAuthParameters": {"ApiKeyName": "x-key", "ApiKeyValue": "secret"}}
    connection = events.create_connection(Name=name, AuthorizationType="API_KEY", AuthParameters=key)
    destination = events.create_api_destination(
        Name=name, ConnectionArn=connection["ConnectionArn"], InvocationEndpoint=endpoint, HttpMethod="POST"
    )
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]
    allowed = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    iam.put_role_policy(
        RoleName=name, PolicyName="call", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    )
    parameters = {"PathParameterValues": ["new"], "HeaderParameters": {"x-more": "yes"}}
    return {
        "target_arn": destination["ApiDestinationArn"],
        "RoleArn": role["Arn"],
        "HttpParameters": parameters,
    }


def test_a_busy_endpoint_is_tried_until_it_takes_the_event(aws, api) -> None:
    Endpoint.answers += [503, 429, 500]
    rule = Rule(aws, **api)
    sent = rule.send()
    assert eventually(lambda: len(Endpoint.got) == 4)
    assert [body["id"] for _, body in Endpoint.got] == [sent] * 4
    headers = Endpoint.got[-1][0]
    assert (headers["x-key"], headers["x-more"]) == ("secret", "yes")
    assert rule.parked(0.3) is None


def test_retries_end_with_the_attempts_of_the_policy(aws, api) -> None:
    Endpoint.answers += [503] * 10
    rule = Rule(aws, **api, RetryPolicy={"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3600})
    rule.send()
    _, attributes = rule.parked()
    assert len(Endpoint.got) == 3
    assert attributes["ERROR_CODE"] == "SDK_CLIENT_ERROR"
    assert "503" in attributes["ERROR_MESSAGE"]
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert attributes["RETRY_ATTEMPTS"] == "2"


def test_retries_end_with_the_age_of_the_policy(aws, api) -> None:
    Endpoint.answers += [503] * 100
    age = 240
    rule = Rule(aws, **api, RetryPolicy={"MaximumEventAgeInSeconds": age})
    started = time.monotonic()
    rule.send()
    _, attributes = rule.parked()
    assert time.monotonic() - started >= 0.9 * age * clock.read_scale(), "not before its time"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumEventAgeInSeconds"
    assert int(attributes["RETRY_ATTEMPTS"]) == len(Endpoint.got) - 1 >= 4


def test_no_retries_and_no_answer(aws, api) -> None:
    Endpoint.answers += [503]
    rule = Rule(aws, **api, RetryPolicy={"MaximumRetryAttempts": 0})
    rule.send()
    assert rule.parked()[1]["RETRY_ATTEMPTS"] == "0"
    Endpoint.answers += [404]  # the endpoint's last word
    rule.send()
    assert "EXHAUSTED_RETRY_CONDITION" not in rule.parked()[1]


def test_an_api_destination_needs_https_and_a_role(aws, events, api) -> None:
    with pytest.raises(ClientError, match="HTTPS"):
        events.update_api_destination(
            Name=api["target_arn"].split("/")[1], InvocationEndpoint="http://orders.example.com/"
        )
    with pytest.raises(ClientError, match="RoleArn is required for target"):
        Rule(aws, api["target_arn"])


def test_metrics_count_what_was_parked(aws, api) -> None:
    Endpoint.answers += [503, 503]
    rule = Rule(aws, **api, RetryPolicy={"MaximumRetryAttempts": 1})
    rule.send()
    assert rule.parked()
    rule.send()
    assert eventually(lambda: len(Endpoint.got) == 3)
    wanted = {
        "MatchedEvents": 2,
        "TriggeredRules": 2,
        "Invocations": 2,
        "FailedInvocations": 1,
        "InvocationAttempts": 3,
        "RetryInvocationAttempts": 1,
        "InvocationsSentToDlq": 1,
    }
    assert eventually(lambda: {name: metric(aws, name, rule.name) for name in wanted} == wanted)


def metric(aws, name: str, rule: str) -> float:
    now = time.time()
    answer = aws.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Events",
        MetricName=name,
        Dimensions=[{"Name": "RuleName", "Value": rule}],
        StartTime=now - 600,
        EndTime=now + 60,
        Period=60,
        Statistics=["Sum"],
    )
    return sum(point["Sum"] for point in answer["Datapoints"])


# PutTargets


BAD = {
    "too many attempts": (
        {"RetryPolicy": {"MaximumRetryAttempts": 186}},
        "1 validation error detected: Value '186' at 'targets.1.member.retryPolicy.maximumRetryAttempts' failed to "
        "satisfy constraint: Member must have value less than or equal to 185",
    ),
    "too old": (
        {"RetryPolicy": {"MaximumEventAgeInSeconds": 86401}},
        "1 validation error detected: Value '86401' at 'targets.1.member.retryPolicy.maximumEventAgeInSeconds' failed "
        "to satisfy constraint: Member must have value less than or equal to 86400",
    ),
    "too young": ({"RetryPolicy": {"MaximumEventAgeInSeconds": 59}}, "have value greater than or equal to 60"),
    "FIFO queue": ({"DeadLetterConfig": {"Arn": arn("sqs", "q.fifo")}}, "must be a standard SQS queue"),
    "no queue": ({"DeadLetterConfig": {"Arn": arn("sns", "topic")}}, "must be a standard SQS queue"),
    "far queue": ({"DeadLetterConfig": {"Arn": arn("sqs", "q").replace("east", "west")}}, "in the Region of the rule"),
    "no ARN": ({"DeadLetterConfig": {"Arn": "queue"}}, "Provided Arn is not in correct format"),
    "unsupported": (
        {"Arn": arn("states", "stateMachine:s"), "RoleArn": arn("iam", "role/r")},
        "The embedded AWS delivers events to Lambda functions, SQS queues, ",
    ),
    "FIFO target": ({"Arn": arn("sqs", "q.fifo")}, "Parameter(s) SqsParameters must be specified for target: t."),
}


@pytest.mark.parametrize("what", BAD)
def test_refuses_bad_targets(aws, what: str) -> None:
    changes, message = BAD[what]
    rule = Rule(aws, arn("lambda", "function:f"))
    client = aws.session.client(
        "events",
        endpoint_url=aws.account.endpoint_url,
        config=Config(parameter_validation=False),
    )
    with pytest.raises(ClientError) as caught:
        client.put_targets(Rule=rule.name, Targets=[{"Id": "t", "Arn": arn("lambda", "function:f"), **changes}])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]


def test_shows_the_settings_of_a_target(aws, events) -> None:
    rule = Rule(
        aws,
        arn("lambda", "function:f"),
        RetryPolicy={"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60},
    )
    [target] = events.list_targets_by_rule(Rule=rule.name)["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 60}
    assert target["DeadLetterConfig"] == {"Arn": rule.queue_arn}


# The machinery, without a server


def test_delays_grow_and_fill_a_day() -> None:
    longest = [delay_before(retry, lambda: 0) for retry in range(1, 186)]
    shortest = [delay_before(retry, lambda: 1) for retry in range(1, 186)]
    assert longest[:5] == [1, 2, 4, 8, 16]
    assert shortest[:5] == [0.5, 1, 2, 4, 8]
    assert longest[-1] == 600
    assert sum(shortest) < 86_400 < sum(longest)


def test_the_default_policy_is_awss() -> None:
    assert RetryPolicy.of({"Arn": "x"}) == RetryPolicy(185, None)
    policy = RetryPolicy.of({"Arn": "x", "RetryPolicy": {"MaximumRetryAttempts": 0}})
    assert policy.exhausted(tried(0, 0)) == "MaximumRetryAttempts"
    assert RetryPolicy(5, 60).exhausted(tried(4, 59)) is None
    assert RetryPolicy(5, 60).exhausted(tried(4, 60)) == "MaximumEventAgeInSeconds"


def tried(retries: int, waited_s: float) -> PendingDelivery:
    sent = entry()
    event = make_event(sent, check_entry(sent), "default", ACCOUNT, "us-east-1", 0)
    return PendingDelivery(_Rule, {"Arn": "x"}, event, retries=retries, waited_s=waited_s)


class _Rule:
    arn = arn("events", "rule/r")
    metric_dimensions = {"RuleName": "r"}


def test_a_throttled_target_gets_the_event_in_the_end_and_holds_up_no_other(monkeypatch) -> None:
    monkeypatch.setattr(clock, "_scale", 0.0)
    lanes, tries, taken = Lanes("test"), [], []

    def throttled(target, event, rule_arn) -> None:
        tries.append(event.id)
        if len(tries) < 185:
            raise DeliveryFailed("THROTTLING", "Rate exceeded", retryable=True)
        taken.append(event.id)

    sent = entry()
    event = make_event(sent, check_entry(sent), "default", ACCOUNT, "us-east-1", 0)
    target = {"Id": "1", "Arn": arn("lambda", "function:f")}
    Sender(lanes).deliver(throttled, PendingDelivery(_Rule, target, event))
    lanes.send("another", lambda: taken.append("another"))
    assert lanes.drain(PATIENCE)
    assert taken[0] == "another" and taken[-1] == event.id
    assert len(tries) == 185
    lanes.close()
