"""Control characters, halves of surrogate pairs and the like, in every text of the operations that the lessons use."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError, ParamValidationError
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.campaign import ANY_TEXT, examples
from tests.support.embedded_aws import Aws
from tests.support.lesson_calls import CALLS, ENTRY, ITEM, KEY, MAPS, QUEUE

#: A control character, half a surrogate pair, an end of a line that is none, what no XML holds …
ODD = [
    "\0",
    "\a",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\r",
    "\n",
    "\ud83d",
    "\udca1\ud83d",
    "\u2028",
    "\ufffe",
    "\ufeff",
    "\U0010ffff",
    "\\ud800",
    "%00",
    "",
    "(",
    "]",
    "'",
    "💡",
]


def texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts in parameters; one that ends in None is of a name in a map."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, (*path, number))
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from texts(each, (*path, name))
            if path and path[-1] in MAPS:
                yield (*path, name, None)


PLACES = [(service, operation, given, path) for service, operation, given in CALLS for path in texts(given)]


def changed(parameters: dict[str, Any], path: tuple[Any, ...], change: Callable[[str], str]) -> dict[str, Any]:
    made = copy.deepcopy(parameters)
    place: Any = made
    *steps, last = path[:-1] if path[-1] is None else path
    for step in steps:
        place = place[step]
    if path[-1] is None:
        place[change(last)] = place.pop(last)
    else:
        place[last] = change(place[last])
    return made


class Clients:
    """Clients that send whatever they are given, once."""

    def __init__(self, aws: Aws) -> None:
        self._aws, self._made = aws, {}

    def status(self, service: str, operation: str, parameters: dict[str, Any]) -> int | None:
        """The status of the answer; None when the client has not sent anything."""
        if service not in self._made:
            self._made[service] = self._aws.own_client(service, parameter_validation=False)
        try:
            getattr(self._made[service], operation)(**parameters)
        except ClientError as error:
            assert error.response["Error"]["Message"], "it says why"
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        except (ParamValidationError, UnicodeError, AttributeError, HTTPClientError):
            return None  # what cannot be put into an address or a header, its SDK refuses
        return 200


@pytest.fixture(scope="module")
def clients(aws) -> Clients:
    aws.table("odd-orders")
    aws.client("sqs").create_queue(QueueName="odd")
    aws.client("logs").create_log_group(logGroupName="odd-group")
    aws.client("logs").create_log_stream(logGroupName="odd-group", logStreamName="stream")
    aws.client("s3").create_bucket(Bucket="odd-there")
    return Clients(aws)


@examples(1500)
@given(st.sampled_from(PLACES), st.sampled_from(ODD) | ANY_TEXT, st.booleans())
@example(
    ("sqs", "set_queue_attributes", {"QueueUrl": QUEUE, "Attributes": {"Policy": ""}}, ("Attributes", "Policy")),
    "x",
    False,
)
@example(("events", "list_rules", {"NamePrefix": ""}, ("NamePrefix",)), "[", False)
@example(("dynamodb", "execute_statement", {"Statement": ""}, ("Statement",)), "x", False)
@example(("dynamodb", "put_item", {"TableName": "odd-orders", "Item": ITEM}, ("Item", "Note", None)), "\ud83d", False)
@example(
    (
        "dynamodb",
        "get_item",
        {"TableName": "odd-orders", "Key": KEY, "ProjectionExpression": ""},
        ("ProjectionExpression",),
    ),
    "\n",
    False,
)
@example(("iam", "get_role", {"RoleName": ""}, ("RoleName",)), "\a", False)
@example(("cloudformation", "describe_stacks", {"StackName": ""}, ("StackName",)), "\a", False)
@example(("s3", "list_objects_v2", {"Bucket": "odd-there", "Delimiter": ""}, ("Delimiter",)), "\a", False)
def test_no_text_of_a_lessons_operation_makes_the_account_fail(clients, place, odd, added):
    service, operation, parameters, path = place
    given = changed(parameters, path, lambda text: text + odd if added else odd)
    status = clients.status(service, operation, given)
    assert status is None or status < 500 or status == 501, (service, operation, path, odd)


@pytest.mark.parametrize(("service", "operation", "parameters", "path"), PLACES)
@pytest.mark.deep
def test_no_odd_text_anywhere_does(clients, service, operation, parameters, path):
    for odd in ODD:
        for change in (lambda text: odd, lambda text: text + odd):  # noqa: B023  called at once
            status = clients.status(service, operation, changed(parameters, path, change))
            assert status is None or status < 500 or status == 501, odd


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("dynamodb", "put_item", {"TableName": "odd-orders", "Item": {"OrderId": {"S": "\ud83d"}}}),
        ("dynamodb", "put_item", {"TableName": "odd-orders", "Item": {"OrderId": {"S": "A"}, "\ud83d": {"S": "x"}}}),
        ("sqs", "send_message", {"QueueUrl": QUEUE, "MessageBody": "\ud83d"}),
        ("events", "put_events", {"Entries": [{**ENTRY, "Source": "\ud83d"}]}),
        (
            "logs",
            "put_log_events",
            {
                "logGroupName": "odd-group",
                "logStreamName": "stream",
                "logEvents": [{"timestamp": 1, "message": "\ud83d"}],
            },
        ),
        (
            "lambda",
            "create_function",
            {**next(given for _, name, given in CALLS if name == "create_function"), "Description": "\ud83d"},
        ),
    ],
)
def test_half_a_surrogate_pair_is_no_text(aws, clients, service, operation, parameters):
    with pytest.raises(ClientError, match="half of a surrogate pair") as refused:
        getattr(aws.own_client(service, parameter_validation=False), operation)(**parameters)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Code"] == "SerializationException"


def test_whole_pairs_and_what_only_looks_like_a_half_are_text(aws, clients):
    """JSON writes what is beyond its first plane in two halves; and a backslash may stand before a "u" as any other."""
    for text in ("💡", "\\ud83d", '{"a": "\\ud83d"}', "\0\a\x7f\u2028\ufffe"):
        aws.client("dynamodb").put_item(TableName="odd-orders", Item={"OrderId": {"S": "A"}, "Text": {"S": text}})
        item = aws.client("dynamodb").get_item(TableName="odd-orders", Key={"OrderId": {"S": "A"}})["Item"]
        assert item["Text"]["S"] == text
    entry = {**ENTRY, "Detail": json.dumps({"body": "\ud83d"})}
    assert aws.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0, "its function says what is wrong"


def test_the_prefix_of_a_rules_name_is_no_pattern(aws):
    events = aws.client("events")
    events.put_rule(Name="odd.rule", EventPattern='{"source": ["odd"]}')
    assert [rule["Name"] for rule in events.list_rules(NamePrefix="odd.")["Rules"]] == ["odd.rule"]
    assert events.list_rules(NamePrefix="o.d")["Rules"] == events.list_rules(NamePrefix=".*")["Rules"] == []
