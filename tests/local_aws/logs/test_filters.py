"""CloudWatch Logs as its users see it: filter patterns where they are asked, subscribed, and made into metrics."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from helpers.local_aws import lifecycle
from tests.local_aws.cloudwatch.test_metrics import query, read
from tests.support.embedded_aws import Aws, own_home
from tests.support.polling import eventually

LINES = [
    json.dumps({"outcome": "stored", "ms": 12, "kind": "new"}),
    json.dumps({"outcome": "invalid", "ms": 3, "kind": "new"}),
    json.dumps({"outcome": "invalid", "kind": "old"}),
    "START RequestId: 1",
]
KEEPING = """
import base64, gzip, json, boto3
def handler(event, context):
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    for each in data["logEvents"]:
        print("SEEN", each["message"])
"""


class Group:
    """A log group of its own, with one stream."""

    def __init__(self, aws: Aws) -> None:
        self.logs, self.name = aws.client("logs"), f"group-{uuid.uuid4().hex[:8]}"
        self.logs.create_log_group(logGroupName=self.name)
        self.logs.create_log_stream(logGroupName=self.name, logStreamName="s")

    def put(self, *messages: str) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": message} for message in messages]
        self.logs.put_log_events(logGroupName=self.name, logStreamName="s", logEvents=events)

    def found(self, pattern: str) -> list[int]:
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=self.name, filterPattern=pattern)
        return [LINES.index(event["message"]) for page in pages for event in page["events"]]


@pytest.fixture
def group(aws) -> Group:
    return Group(aws)


def test_filter_log_events_finds_what_the_pattern_means(group):
    group.put(*LINES)
    assert group.found('{ $.outcome = "invalid" && $.ms < 10 }') == [1]
    assert group.found("?stored ?START") == [0, 3]
    assert group.found("-kind") == [3]
    assert group.found("[first = START, ...]") == [3]
    assert group.found("%inv.*old%") == [2]
    assert group.found(r'"\"outcome\": \"invalid\""') == [1, 2]
    assert group.found("") == [0, 1, 2, 3]


def test_what_is_no_pattern_is_refused_wherever_it_is_given(aws, group):
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    arn = aws.client("lambda").get_function(FunctionName=aws.function("def handler(event, context): pass"))
    for call, settings in (
        (group.logs.filter_log_events, {}),
        (group.logs.put_metric_filter, {"filterName": "f", "metricTransformations": [metric]}),
        (
            group.logs.put_subscription_filter,
            {"filterName": "f", "destinationArn": arn["Configuration"]["FunctionArn"]},
        ),
    ):
        with pytest.raises(ClientError, match="it must end with") as refused:
            call(logGroupName=group.name, filterPattern="{ $.a = 1", **settings)
        assert refused.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_subscription_gets_what_its_pattern_means(aws, group):
    name = aws.function(KEEPING)
    function = aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    group.logs.put_subscription_filter(
        logGroupName=group.name,
        filterName="invalid",
        filterPattern='{ $.outcome = "invalid" }',
        destinationArn=function,
    )
    group.put(*LINES)
    group.put("START RequestId: 2")  # for which the function is not called at all
    assert eventually(lambda: len([line for line in aws.log(name) if "SEEN" in line]) >= 2)
    assert [line.strip() for line in aws.log(name) if "SEEN" in line] == [f"SEEN {LINES[1]}", f"SEEN {LINES[2]}"]
    assert len([line for line in aws.log(name) if line.startswith("START")]) == 1


def by_filter(group: Group, namespace: str, **transformation: object) -> None:
    metric = {"metricNamespace": namespace, "metricName": "found", "metricValue": "1"} | transformation
    group.logs.put_metric_filter(
        logGroupName=group.name,
        filterName=str(metric["metricName"]),
        filterPattern='{ $.outcome = "invalid" }',
        metricTransformations=[metric],
    )


def test_metric_filters_count_and_measure(aws, group):
    cloudwatch, namespace = aws.client("cloudwatch"), f"Test/{uuid.uuid4().hex[:8]}"
    by_filter(group, namespace)
    by_filter(group, namespace, metricName="ms", metricValue="$.ms", unit="Milliseconds")
    by_filter(group, namespace, metricName="kinds", dimensions={"Kind": "$.kind"})
    by_filter(group, namespace, metricName="default", defaultValue=0)
    group.put(*LINES)
    found = read(
        cloudwatch,
        query("found", namespace, "found", "Sum"),
        query("ms", namespace, "ms", "Average"),
        query("old", namespace, "kinds", "Sum", Kind="old"),
        query("none", namespace, "kinds", "Sum"),
        query("default", namespace, "default", "SampleCount"),
    )
    assert {name: sum(values) for name, values in found.items()} == {
        "found": 2, "ms": 3, "old": 1, "none": 0, "default": 2,
    }  # fmt: skip
    [metric] = cloudwatch.list_metrics(Namespace=namespace, MetricName="ms")["Metrics"]
    assert metric["Dimensions"] == []


def test_a_default_is_counted_where_nothing_matches(aws, group):
    namespace = f"Test/{uuid.uuid4().hex[:8]}"
    by_filter(group, namespace, defaultValue=0)
    group.put(LINES[0])
    assert read(aws.client("cloudwatch"), query("found", namespace, "found", "SampleCount"))["found"] == [1]


def test_a_filter_that_is_put_again_is_changed(group):
    by_filter(group, "Test/one")
    by_filter(group, "Test/two")
    filters = group.logs.describe_metric_filters(logGroupName=group.name)["metricFilters"]
    assert [each["metricTransformations"][0]["metricNamespace"] for each in filters] == ["Test/two"]


def test_a_metric_filter_outlives_its_server(tmp_path):
    with own_home(tmp_path / "home"):
        aws = Aws(lifecycle.start(), tmp_path / "home")
        by_filter(group := Group(aws), "Test/kept")
        lifecycle.stop()
        aws = Aws(lifecycle.start(), tmp_path / "home")
        group.logs = aws.client("logs")
        group.put(LINES[1])
        assert read(aws.client("cloudwatch"), query("found", "Test/kept", "found", "Sum"))["found"] == [1]
        lifecycle.stop()


def test_lines_of_the_embedded_metric_format_are_metrics(aws, group):
    namespace, now = f"Test/{uuid.uuid4().hex[:8]}", int(datetime.now(UTC).timestamp() * 1000)
    directive = {
        "Namespace": namespace,
        "Dimensions": [["Shop"], ["Shop", "Kind"]],
        "Metrics": [{"Name": "Amount", "Unit": "None"}, {"Name": "Absent"}],
    }
    line = {
        "_aws": {"Timestamp": now, "CloudWatchMetrics": [directive]},
        "Shop": "X",
        "Kind": "new",
        "Amount": [20, 30],
    }
    broken = {"_aws": {"CloudWatchMetrics": [directive, {"Metrics": 3}]}, "Shop": "X", "Kind": "new", "Amount": 1}
    group.put(json.dumps(line), json.dumps(broken), '"CloudWatchMetrics"', '{"_aws": 3, "CloudWatchMetrics": []}')
    found = read(
        aws.client("cloudwatch"),
        query("by_shop", namespace, "Amount", "Sum", Shop="X"),
        query("by_both", namespace, "Amount", "Maximum", Shop="X", Kind="new"),
        query("absent", namespace, "Absent", "Sum", Shop="X"),
    )
    assert found == {"by_shop": [50], "by_both": [30], "absent": []}


@pytest.mark.parametrize("number", ["1" + 400 * "0", "-1" + 400 * "0", "1e400", "NaN", "Infinity", "1e200"])
def test_a_number_that_no_metric_has_is_an_event_like_any_other(aws, group, number):
    """JSON has numbers of any size, and Python's json some that are none; CloudWatch's are within 2^360."""
    namespace, now = f"Test/{uuid.uuid4().hex[:8]}", int(datetime.now(UTC).timestamp() * 1000)
    by_filter(group, namespace, metricValue="$.Amount")
    directive = {"Namespace": namespace, "Metrics": [{"Name": "Embedded"}]}
    for timestamp in (str(now), number):
        about = json.dumps({"Timestamp": 0, "CloudWatchMetrics": [directive]}).replace("0", timestamp, 1)
        group.put(f'{{"outcome": "invalid", "_aws": {about}, "Amount": {number}, "Embedded": [{number}]}}')
    for pattern in ("", "{ $.Amount < 5 || $.Amount >= 5 || $.Amount != 5 }"):
        found = group.logs.filter_log_events(logGroupName=group.name, filterPattern=pattern)
        assert len(found["events"]) == 2
    assert aws.client("cloudwatch").list_metrics(Namespace=namespace)["Metrics"] == []
