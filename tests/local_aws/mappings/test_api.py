"""Event source mappings from outside: what the API answers and refuses, and functions that are fed."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.embedded_aws import Aws, Gate
from tests.support.polling import eventually

STREAM = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
QUIET = "def handler(event, context):\n    pass\n"
COPYING = """
import boto3, os
table = boto3.client("dynamodb")
def handler(event, context):
    for record in event["Records"]:
        name = record.get("body") or record["dynamodb"]["Keys"]["OrderId"]["S"]
        table.put_item(TableName=os.environ["TABLE"], Item={"OrderId": {"S": name}})
"""


@pytest.fixture(scope="module")
def lambda_(aws: Aws) -> Any:
    return aws.client("lambda", parameter_validation=False)  # botocore refuses some numbers itself


@pytest.fixture(scope="module")
def reader(aws: Aws) -> str:
    """The ARN of a role that may read queues and streams."""
    return reading_role(aws, "*")


@pytest.fixture(scope="module")
def function(aws: Aws, reader: str) -> str:
    return aws.function(QUIET, Role=reader, Timeout=5)


@pytest.fixture
def queue(aws: Aws) -> str:
    return make_queue(aws)


@pytest.fixture(scope="module")
def stream(aws: Aws) -> str:
    """The ARN of a table's stream."""
    return stream_of(aws, aws.table(StreamSpecification=STREAM))


def reading_role(aws: Aws, queue: str, *actions: str) -> str:
    arn = aws.role()
    allowed = [f"sqs:{each}" for each in actions or ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")]
    statement = {"Effect": "Allow", "Action": allowed, "Resource": queue}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=arn.split("/")[-1], PolicyName="queues", PolicyDocument=document)
    return arn


def make_queue(aws: Aws, ending: str = "", **attributes: str) -> str:
    """Make a queue and return its ARN."""
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}{ending}", Attributes=attributes)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def url_of(aws: Aws, queue: str) -> str:
    return aws.client("sqs").get_queue_url(QueueName=queue.split(":")[-1])["QueueUrl"]


def stream_of(aws: Aws, table: str) -> str:
    return aws.client("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]


def refused(call: Any, **settings: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**settings)
    answer = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def settled(lambda_: Any, mapping: dict, state: str = "Enabled") -> dict:
    found: list[dict] = []

    def there() -> bool:
        found[:] = [lambda_.get_event_source_mapping(UUID=mapping["UUID"])]
        return found[0]["State"] == state

    eventually(there, f"the state {state}")
    return found[0]


def without_metadata(answer: dict) -> dict:
    return {name: value for name, value in answer.items() if name not in ("ResponseMetadata", "LastModified")}


# What it answers


def test_the_life_of_a_queues_mapping(aws, lambda_, function, queue):
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=function, Tags={"a": "b"})
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 202
    arn = f"arn:aws:lambda:us-east-1:123456789012:event-source-mapping:{made['UUID']}"
    assert without_metadata(made) == {
        "UUID": made["UUID"], "BatchSize": 10, "MaximumBatchingWindowInSeconds": 0, "EventSourceArn": queue,
        "FunctionArn": f"arn:aws:lambda:us-east-1:123456789012:function:{function}", "EventSourceMappingArn": arn,
        "FunctionResponseTypes": [], "State": "Creating", "StateTransitionReason": "USER_INITIATED",
    }  # fmt: skip
    settled(lambda_, made)
    assert lambda_.list_tags(Resource=arn)["Tags"] == {"a": "b"}
    changed = lambda_.update_event_source_mapping(UUID=made["UUID"], BatchSize=3, Enabled=False)
    assert (changed["State"], changed["BatchSize"]) == ("Disabling", 3)
    settled(lambda_, made, "Disabled")
    assert lambda_.update_event_source_mapping(UUID=made["UUID"], Enabled=True)["State"] == "Enabling"
    settled(lambda_, made)
    assert lambda_.update_event_source_mapping(UUID=made["UUID"], BatchSize=4)["State"] == "Updating"
    assert settled(lambda_, made)["BatchSize"] == 4
    assert lambda_.delete_event_source_mapping(UUID=made["UUID"])["State"] == "Deleting"

    def gone() -> bool:
        try:
            lambda_.get_event_source_mapping(UUID=made["UUID"])
        except lambda_.exceptions.ResourceNotFoundException:
            return True
        return False

    eventually(gone, "the end of the mapping")
    assert refused(lambda_.get_event_source_mapping, UUID=made["UUID"]) == (
        404, "ResourceNotFoundException", "The resource you requested does not exist.",
    )  # fmt: skip


def test_what_a_streams_mapping_is_without_settings(lambda_, function, stream):
    made = lambda_.create_event_source_mapping(
        EventSourceArn=stream, FunctionName=function, StartingPosition="LATEST", Enabled=False
    )
    shown = {name: value for name, value in without_metadata(made).items() if "Arn" not in name and name != "UUID"}
    assert shown == {
        "BatchSize": 100, "MaximumBatchingWindowInSeconds": 0, "FunctionResponseTypes": [], "State": "Creating",
        "StateTransitionReason": "User action", "LastProcessingResult": "No records processed",
        "StartingPosition": "LATEST", "ParallelizationFactor": 1, "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1, "MaximumRecordAgeInSeconds": -1, "TumblingWindowInSeconds": 0,
        "DestinationConfig": {"OnFailure": {}},
    }  # fmt: skip
    settled(lambda_, made, "Disabled")


def test_mappings_are_listed_by_source_function_and_page(aws, lambda_, reader):
    name, queues = aws.function(QUIET, Role=reader, Timeout=5), [make_queue(aws) for _ in range(3)]
    made = [lambda_.create_event_source_mapping(EventSourceArn=each, FunctionName=name)["UUID"] for each in queues]
    first = lambda_.list_event_source_mappings(FunctionName=name, MaxItems=2)
    assert [each["UUID"] for each in first["EventSourceMappings"]] == made[:2]
    rest = lambda_.list_event_source_mappings(FunctionName=name, MaxItems=2, Marker=first["NextMarker"])
    assert [each["UUID"] for each in rest["EventSourceMappings"]] == made[2:] and "NextMarker" not in rest
    found = lambda_.list_event_source_mappings(EventSourceArn=queues[1], FunctionName=name)["EventSourceMappings"]
    assert [each["UUID"] for each in found] == [made[1]]
    pages = lambda_.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
    assert len([each for page in pages for each in page["EventSourceMappings"]]) == 3


# What it refuses


INVALID = "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"BatchSize": 11}, INVALID,
         "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"),
        ({"BatchSize": 0}, "ValidationException", "greater than or equal to 1"),
        ({"BatchSize": 10_001}, "ValidationException", "less than or equal to 10000"),
        ({"MaximumBatchingWindowInSeconds": 301}, "ValidationException", "less than or equal to 300"),
        ({"ScalingConfig": {"MaximumConcurrency": 1}}, "ValidationException", "greater than or equal to 2"),
        ({"FunctionName": "nobody"}, INVALID, "Function does not exist"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "{"}]}}, INVALID, "Invalid filter pattern definition."),
        ({"FilterCriteria": {"Filters": [{"Pattern": '{"a": 1}'}]}}, INVALID, "Invalid filter pattern definition."),
        ({"StartingPosition": "LATEST"}, INVALID, "StartingPosition is not valid for SQS event sources."),
        ({"BisectBatchOnFunctionError": True}, INVALID,
         "Unsupported BisectBatchOnFunctionError parameter for given event source mapping type."),
        ({"FunctionResponseTypes": ["ReportAll"]}, "ValidationException", "enum value set: [ReportBatchItemFailures]"),
        ({"EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:nothing"}, INVALID,
         "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue."),
        ({"EventSourceArn": "arn:aws:s3:::bucket"}, INVALID, "Unrecognized event source."),
        ({"ProvisionedPollerConfig": {"MinimumPollers": 2}}, "NotImplemented", "with ProvisionedPollerConfig"),
        ({"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"}, "NotImplemented", "with KMSKeyArn"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s", "StartingPosition": "LATEST"},
         "NotImplemented", "Kinesis streams; it reads SQS queues and DynamoDB streams"),
        ({"EventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/c/u"}, "NotImplemented", "Amazon MSK"),
    ],
)  # fmt: skip
def test_what_is_refused_of_a_queues_mapping(lambda_, function, queue, settings, code, message):
    given = {"EventSourceArn": queue, "FunctionName": function, **settings}
    status, found, text = refused(lambda_.create_event_source_mapping, **given)
    assert found == code and message in text
    assert status == (501 if code == "NotImplemented" else 400)


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({}, INVALID, "Value null at 'startingPosition' failed to satisfy constraint: Member must not be null."),
        ({"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1}, INVALID,
         "Unsupported starting position for arn type: arn:aws:dynamodb"),
        ({"StartingPosition": "SOMEWHERE"}, "ValidationException", "enum value set: [LATEST, AT_TIMESTAMP, TRIM_HOR"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, INVALID, "Unsupported ScalingConfig parameter"),
        ({"MaximumRecordAgeInSeconds": 30}, INVALID, "MaximumRecordAgeInSeconds must be -1 or between 60 and 604800."),
        ({"TumblingWindowInSeconds": 30}, "NotImplemented", "with TumblingWindowInSeconds"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:none"}}}, INVALID,
         "The destination ARN arn:aws:sqs:us-east-1:123456789012:none is invalid."),
        ({"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::bucket"}}}, "NotImplemented", "in s3"),
        ({"EventSourceArn": "arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x"}, INVALID, "Stream not found: "),
    ],
)  # fmt: skip
def test_what_is_refused_of_a_streams_mapping(lambda_, function, stream, settings, code, message):
    position = {} if not settings else {"StartingPosition": "LATEST"}
    given = {"EventSourceArn": stream, "FunctionName": function, **position, **settings}
    _, found, text = refused(lambda_.create_event_source_mapping, **given)
    assert found == code and message in text


def test_a_pair_can_be_mapped_once(lambda_, function, queue):
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=function)
    assert refused(lambda_.create_event_source_mapping, EventSourceArn=queue, FunctionName=function) == (
        409,
        "ResourceConflictException",
        f'An event source mapping with SQS arn (" {queue} ") and function (" {function} ") already exists. '
        f"Please update or delete the existing mapping with UUID {made['UUID']}",
    )


def test_a_fifo_queue_has_small_batches_and_no_window(aws, lambda_, function):
    fifo = make_queue(aws, ".fifo", FifoQueue="true")
    for settings in ({"BatchSize": 11, "MaximumBatchingWindowInSeconds": 1}, {"MaximumBatchingWindowInSeconds": 1}):
        given = {"EventSourceArn": fifo, "FunctionName": function, **settings}
        assert "FIFO queues" in refused(lambda_.create_event_source_mapping, **given)[2]


def test_messages_must_stay_hidden_for_as_long_as_the_function_may_take(aws, lambda_, reader, queue):
    slow = aws.function(QUIET, Role=reader, Timeout=31)
    sentence = "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds"
    _, code, text = refused(lambda_.create_event_source_mapping, EventSourceArn=queue, FunctionName=slow)
    assert (code, text) == (INVALID, sentence)
    lambda_.update_function_configuration(FunctionName=slow, Timeout=30)
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=slow)
    assert refused(lambda_.update_function_configuration, FunctionName=slow, Timeout=31)[2] == sentence


@pytest.mark.parametrize(
    ("actions", "missing"),
    [
        (("DeleteMessage", "GetQueueAttributes"), "ReceiveMessage"),
        (("ReceiveMessage", "GetQueueAttributes"), "DeleteMessage"),
        (("ReceiveMessage", "DeleteMessage"), "GetQueueAttributes"),
    ],
)
def test_the_functions_role_must_be_allowed_to_read_the_queue(aws, lambda_, queue, actions, missing):
    name = aws.function(QUIET, Role=reading_role(aws, queue, *actions), Timeout=5)
    _, code, text = refused(lambda_.create_event_source_mapping, EventSourceArn=queue, FunctionName=name)
    assert (code, text) == (INVALID, f"The provided execution role does not have permissions to call {missing} on SQS")


def test_the_queues_own_policy_may_allow_it_too(aws, lambda_, queue):
    role = aws.role()
    name = aws.function(QUIET, Role=role, Timeout=5)
    statement = {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "sqs:*", "Resource": queue}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("sqs").set_queue_attributes(QueueUrl=url_of(aws, queue), Attributes={"Policy": policy})
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)


def test_the_functions_role_must_be_allowed_to_read_the_stream(aws, lambda_, stream):
    iam, role = aws.client("iam"), aws.role()
    policy = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
    iam.detach_role_policy(RoleName=role.split("/")[-1], PolicyArn=policy)
    name = aws.function(QUIET, Role=role)
    given = {"EventSourceArn": stream, "FunctionName": name, "StartingPosition": "LATEST"}
    assert refused(lambda_.create_event_source_mapping, **given)[2].startswith(f"Cannot access stream {stream}. Please")
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"
    iam.attach_role_policy(RoleName=role.split("/")[-1], PolicyArn=policy)
    lambda_.create_event_source_mapping(**given)


# What it does


def test_a_backlog_and_what_comes_later_reach_the_function_and_nobody_waits_for_it(aws, lambda_, reader, tmp_path):
    gate, target = Gate(tmp_path / "gate"), aws.table()
    source = f"{Gate.SOURCE}{COPYING.replace('    for', f'    pass_gate({gate.folder!r})' + chr(10) + '    for')}"
    name = aws.function(source, Role=reader, Environment={"Variables": {"TABLE": target}})
    queue = make_queue(aws, VisibilityTimeout="600")
    sqs, url = aws.client("sqs"), url_of(aws, queue)
    sqs.send_message(QueueUrl=url, MessageBody="before")
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    gate.wait_for()
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": each, "MessageBody": each} for each in "abcde"])
    assert aws.client("dynamodb").scan(TableName=target)["Items"] == [], "it was answered before the function returned"
    gate.open()

    def copied() -> set[str]:
        return {item["OrderId"]["S"] for item in aws.client("dynamodb").scan(TableName=target)["Items"]}

    eventually(lambda: copied() == {"before", *"abcde"}, "all messages")

    def empty() -> bool:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return set(counts.values()) == {"0"}

    eventually(empty, "deleted messages")


def test_a_slow_function_gets_more_environments(aws, lambda_, reader, tmp_path):
    """What waits does not hold up the others, as far as the mapping allows."""
    gate = Gate(tmp_path / "gate")
    name = aws.function(
        f"{Gate.SOURCE}def handler(event, context):\n    pass_gate({gate.folder!r})\n", Role=reader, Timeout=600
    )
    queue = make_queue(aws, VisibilityTimeout="600")
    settings = {"BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 3}}
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name, **settings)
    for number in range(5):
        aws.client("sqs").send_message(QueueUrl=url_of(aws, queue), MessageBody=str(number))
    gate.wait_for(3)
    assert gate.count() == 3
    gate.open()
    gate.wait_for(5)


def test_a_function_whose_concurrency_is_one_is_fed_too(aws, lambda_, reader):
    """The batch that its first environment is started for has the only place already."""
    name, queue = aws.function(QUIET, Role=reader, Timeout=5), make_queue(aws)
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    aws.client("sqs").send_message(QueueUrl=url_of(aws, queue), MessageBody="x")
    eventually(lambda: settled(lambda_, made).get("LastProcessingResult") == "OK", "the invocation")


def test_a_function_that_feeds_its_own_queue_is_stopped(aws, lambda_):
    """After 16 rounds. No message comes back during the test, however slow the machine is."""
    queue = make_queue(aws, VisibilityTimeout="3600")
    source = "import boto3\nsqs = boto3.client('sqs')\ndef handler(event, context):\n    print('round')\n"
    source += f"    sqs.send_message(QueueUrl={url_of(aws, queue)!r}, MessageBody='again')\n"
    name = aws.function(source, Role=reading_role(aws, queue, "*"), Timeout=5)
    lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=name)
    aws.client("sqs").send_message(QueueUrl=url_of(aws, queue), MessageBody="first")

    def dropped() -> float:
        found = aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda", MetricName="RecursiveInvocationsDropped", Period=3600, Statistics=["Sum"],
            Dimensions=[{"Name": "FunctionName", "Value": name}], StartTime=time.time() - 600,
            EndTime=time.time() + 600,
        )  # fmt: skip
        return sum(point["Sum"] for point in found["Datapoints"])

    eventually(lambda: dropped() >= 1, "the end of the loop")
    assert [line.strip() for line in aws.log(name)].count("round") == 16


def test_discarded_records_are_told_to_a_queue(aws, lambda_):
    role = aws.role()
    dead = make_queue(aws)
    failing = aws.function("def handler(event, context):\n    raise ValueError('as asked')\n", Role=role)
    table = aws.table(StreamSpecification=STREAM)
    settings = {
        "EventSourceArn": stream_of(aws, table), "FunctionName": failing, "StartingPosition": "TRIM_HORIZON",
        "MaximumRetryAttempts": 1, "DestinationConfig": {"OnFailure": {"Destination": dead}},
    }  # fmt: skip
    lacking = "The provided execution role does not have permissions to call SendMessage on SQS"
    assert refused(lambda_.create_event_source_mapping, **settings)[2] == lacking
    statement = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": dead}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=role.split("/")[-1], PolicyName="dead", PolicyDocument=document)
    made = lambda_.create_event_source_mapping(**settings)
    aws.client("dynamodb").put_item(TableName=table, Item={"OrderId": {"S": "a"}, "B": {"B": b"1"}})
    found: list[dict] = []

    def told() -> bool:
        found.extend(aws.client("sqs").receive_message(QueueUrl=url_of(aws, dead)).get("Messages", []))
        return bool(found)

    eventually(told, "the record")
    record = json.loads(found[0]["Body"])
    assert record["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    result = lambda_.get_event_source_mapping(UUID=made["UUID"])["LastProcessingResult"]
    assert result == "PROBLEM: Function call failed"


def test_a_version_is_what_is_invoked(aws, lambda_, reader):
    name = aws.function("def handler(event, context):\n    print('one')\n", Role=reader, Timeout=5)
    version = lambda_.publish_version(FunctionName=name)["Version"]
    queue = make_queue(aws)
    made = lambda_.create_event_source_mapping(EventSourceArn=queue, FunctionName=f"{name}:{version}")
    assert made["FunctionArn"].endswith(f":{name}:{version}")
    aws.client("sqs").send_message(QueueUrl=url_of(aws, queue), MessageBody="x")
    eventually(lambda: settled(lambda_, made).get("LastProcessingResult") == "OK", "the invocation")
