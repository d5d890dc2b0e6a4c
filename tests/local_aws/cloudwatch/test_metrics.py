"""CloudWatch's metrics, read with boto3: what the services record about themselves, and what users put."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta

import pandas
import pytest
from botocore.exceptions import ClientError

from tests.support.embedded_aws import Aws, Gate
from tests.support.polling import eventually

MINUTE = timedelta(minutes=1)
SOURCE = """
import time

def handler(event, context):
    time.sleep((event or {}).get("seconds", 0))
    if (event or {}).get("fail"):
        raise ValueError("asked to fail")
"""


@pytest.fixture(scope="module")
def cloudwatch(aws: Aws):
    return aws.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Test/{uuid.uuid4().hex[:8]}"


def this_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


def query(id_: str, namespace: str, name: str, stat: str, period: int = 60, **dimensions: str) -> dict:
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": as_list(dimensions)}
    return {"Id": id_, "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def as_list(dimensions: dict[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]


def read(cloudwatch, *queries: dict, start: datetime | None = None, end: datetime | None = None, **settings) -> dict:
    """Values by query id, oldest first."""
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries),
        StartTime=start or datetime.now(UTC) - timedelta(minutes=10),
        EndTime=end or datetime.now(UTC) + MINUTE,
        **{"ScanBy": "TimestampAscending", **settings},
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def total(cloudwatch, namespace: str, name: str, **dimensions: str) -> float:
    """The sum of a metric over the last ten minutes."""
    return sum(read(cloudwatch, query("total", namespace, name, "Sum", **dimensions))["total"])


def put(cloudwatch, namespace: str, *values: float, at: datetime | None = None, name: str = "Weight", **more) -> None:
    at = at or this_minute() - MINUTE
    data = [{"MetricName": name, "Value": value, "Timestamp": at, **more} for value in values]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)


def refusal(call, **arguments) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


# What Lambda records


def test_a_functions_invocations_are_counted_at_once(aws: Aws, cloudwatch) -> None:
    name = aws.function(SOURCE)
    for payload in ({}, {}, {"fail": True}):
        aws.invoke(name, payload)
    assert total(cloudwatch, "AWS/Lambda", "Invocations", FunctionName=name) == 3
    assert total(cloudwatch, "AWS/Lambda", "Errors", FunctionName=name) == 1
    assert total(cloudwatch, "AWS/Lambda", "Invocations", FunctionName=name, Resource=name) == 3


def test_all_functions_together_are_a_metric_of_their_own(aws: Aws, cloudwatch) -> None:
    before = total(cloudwatch, "AWS/Lambda", "Invocations")
    for name in (aws.function(SOURCE), aws.function(SOURCE)):
        aws.invoke(name, {})
    assert total(cloudwatch, "AWS/Lambda", "Invocations") >= before + 2


def test_the_duration_is_the_one_of_the_report_line(aws: Aws, cloudwatch) -> None:
    name = aws.function(SOURCE)
    for seconds in (0.0, 0.05, 0.1):
        aws.invoke(name, {"seconds": seconds})
    reported = [float(line.split("Duration: ")[1].split()[0]) for line in aws.log(name) if line.startswith("REPORT")]
    statistics = ("Minimum", "Maximum", "Average", "Sum", "SampleCount", "p50")
    queries = [query(s.lower(), "AWS/Lambda", "Duration", s, 3600, FunctionName=name) for s in statistics]
    found = read(cloudwatch, *queries, start=this_minute() - 5 * MINUTE)
    expected = [min(reported), max(reported), sum(reported) / 3, sum(reported), 3, sorted(reported)[1]]
    assert [found[each.lower()] for each in statistics] == [[pytest.approx(value)] for value in expected]


def test_concurrent_executions_show_how_many_ran_at_once(aws: Aws, cloudwatch, tmp_path) -> None:
    gate = Gate(tmp_path / "gate")
    name = aws.function(Gate.SOURCE + "def handler(event, context):\n    pass_gate(event)")
    for _ in range(3):
        aws.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(gate.folder))
    gate.wait_for(3)
    gate.open()
    most = query("most", "AWS/Lambda", "ConcurrentExecutions", "Maximum", 3600, FunctionName=name)
    eventually(lambda: read(cloudwatch, most, start=this_minute() - 5 * MINUTE)["most"] == [3.0])


def test_what_fails_before_the_handler_runs_is_an_error_too(aws: Aws, cloudwatch) -> None:
    name = aws.function("raise RuntimeError('not importable')")
    aws.invoke(name, {})
    assert total(cloudwatch, "AWS/Lambda", "Invocations", FunctionName=name) == 1
    assert total(cloudwatch, "AWS/Lambda", "Errors", FunctionName=name) == 1


# What EventBridge records


def test_events_rules_and_targets_are_counted(aws: Aws, cloudwatch) -> None:
    events, name = aws.client("events"), aws.function(SOURCE)
    rule, source = f"rule-{uuid.uuid4().hex[:8]}", f"source-{uuid.uuid4().hex[:8]}"
    arn = events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))["RuleArn"]
    function_arn = aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": function_arn}])
    aws.client("lambda").add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=arn,
    )
    for kind in (source, source, "someone.else"):
        events.put_events(Entries=[{"Source": kind, "DetailType": "t", "Detail": "{}"}])
    eventually(lambda: total(cloudwatch, "AWS/Lambda", "Invocations", FunctionName=name) == 2)
    for metric in ("MatchedEvents", "TriggeredRules", "Invocations"):
        assert total(cloudwatch, "AWS/Events", metric, RuleName=rule) == 2
    assert total(cloudwatch, "AWS/Events", "FailedInvocations", RuleName=rule) == 0
    events.remove_targets(Rule=rule, Ids=["function"])
    events.delete_rule(Name=rule)


def test_a_target_without_permission_is_a_failed_invocation(aws: Aws, cloudwatch) -> None:
    events, name = aws.client("events"), aws.function(SOURCE)
    rule, source = f"rule-{uuid.uuid4().hex[:8]}", f"source-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=rule, EventPattern=json.dumps({"source": [source]}))
    function_arn = aws.client("lambda").get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": function_arn}])
    events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": "{}"}])
    eventually(lambda: total(cloudwatch, "AWS/Events", "FailedInvocations", RuleName=rule) == 1)
    events.remove_targets(Rule=rule, Ids=["function"])
    events.delete_rule(Name=rule)


# Statistics of what users put


def test_each_statistic(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, 1, 2, 6)
    statistics = ("Sum", "Average", "Minimum", "Maximum", "SampleCount")
    found = read(cloudwatch, *[query(s.lower(), namespace, "Weight", s) for s in statistics])
    assert [found[s.lower()] for s in statistics] == [[9.0], [3.0], [1.0], [6.0], [3.0]]


@pytest.mark.parametrize("percentile", ["p0", "p50", "p90", "p99", "p99.9", "p100"])
def test_percentiles_are_those_of_the_single_values(cloudwatch, namespace: str, percentile: str) -> None:
    values = [float((number * 37) % 100) for number in range(100)] + [7.0] * 25 + [1000.0]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Weight", "Values": values}])
    found = read(cloudwatch, query("p", namespace, "Weight", percentile), end=datetime.now(UTC) + 2 * MINUTE)["p"]
    assert found == [pytest.approx(pandas.Series(values).quantile(float(percentile[1:]) / 100))]


def test_many_different_values_are_kept_to_three_digits(cloudwatch, namespace: str) -> None:
    values = [1000 + number / 7 for number in range(9000)]
    at = this_minute() - MINUTE
    for first in range(0, len(values), 150):
        datum = {"MetricName": "Weight", "Values": values[first : first + 150], "Timestamp": at}
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[datum])
    queries = [query(s.lower(), namespace, "Weight", s) for s in ("SampleCount", "Maximum", "p50", "p99")]
    found = {name: values[0] for name, values in read(cloudwatch, *queries).items()}
    assert (found["samplecount"], found["maximum"]) == (9000, pytest.approx(max(values)))
    assert found["p50"] == pytest.approx(pandas.Series(values).quantile(0.5), rel=0.005)
    assert found["p99"] == pytest.approx(pandas.Series(values).quantile(0.99), rel=0.005)


def test_counts_and_statistic_sets(cloudwatch, namespace: str) -> None:
    at = this_minute() - MINUTE
    sets = {"SampleCount": 2, "Sum": 30, "Minimum": 10, "Maximum": 20}
    data = [
        {"MetricName": "Weight", "Values": [1.0, 2.0], "Counts": [3.0, 4.0], "Timestamp": at},
        {"MetricName": "Weight", "StatisticValues": sets, "Timestamp": at},
    ]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    queries = [query(s.lower(), namespace, "Weight", s) for s in ("Sum", "SampleCount", "Minimum", "Maximum", "p50")]
    found = read(cloudwatch, *queries)
    assert found == {"sum": [41.0], "samplecount": [9.0], "minimum": [1.0], "maximum": [20.0], "p50": []}


def test_a_metric_with_negative_values_has_no_percentiles(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, -1, 2)
    assert read(cloudwatch, query("p", namespace, "Weight", "p50"))["p"] == []


# Periods


def test_periods_begin_with_the_start_rounded_down_to_the_minute(cloudwatch, namespace: str) -> None:
    start = this_minute() - 10 * MINUTE
    for minute in range(4):
        put(cloudwatch, namespace, 10.0**minute, at=start + minute * MINUTE + timedelta(seconds=31))
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query("a", namespace, "Weight", "Sum", 120)],
        StartTime=start + timedelta(seconds=59),
        EndTime=start + 4 * MINUTE,
        ScanBy="TimestampAscending",
    )["MetricDataResults"][0]
    assert answer["Timestamps"] == [start, start + 2 * MINUTE]
    assert answer["Values"] == [11.0, 1100.0]
    assert answer["StatusCode"] == "Complete"


def test_the_newest_period_comes_first_unless_asked_otherwise(cloudwatch, namespace: str) -> None:
    start = this_minute() - 5 * MINUTE
    for minute in range(3):
        put(cloudwatch, namespace, minute, at=start + minute * MINUTE)
    newest = {"ScanBy": "TimestampDescending"}
    assert read(cloudwatch, query("a", namespace, "Weight", "Sum"))["a"] == [0.0, 1.0, 2.0]
    assert read(cloudwatch, query("a", namespace, "Weight", "Sum"), **newest)["a"] == [2.0, 1.0, 0.0]


def test_the_end_is_exclusive(cloudwatch, namespace: str) -> None:
    at = this_minute() - MINUTE
    put(cloudwatch, namespace, 1, at=at)
    assert read(cloudwatch, query("a", namespace, "Weight", "Sum"), end=at)["a"] == []


def test_high_resolution_metrics_keep_their_seconds(cloudwatch, namespace: str) -> None:
    start = this_minute() - MINUTE
    for second in (3, 4, 12):
        put(cloudwatch, namespace, 1, at=start + timedelta(seconds=second), StorageResolution=1)
    sums = read(cloudwatch, query("a", namespace, "Weight", "Sum", 10), start=start, end=start + MINUTE)["a"]
    assert sums == [2.0, 1.0]


def test_dimensions_name_another_metric(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, 1)
    put(cloudwatch, namespace, 2, Dimensions=as_list({"A": "1", "B": "2"}))
    assert total(cloudwatch, namespace, "Weight") == 1
    assert total(cloudwatch, namespace, "Weight", B="2", A="1") == 2
    assert total(cloudwatch, namespace, "Weight", A="1") == 0


def test_units_are_kept_apart(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, 1, Unit="Seconds")
    put(cloudwatch, namespace, 5, Unit="Bytes")
    of_bytes = query("a", namespace, "Weight", "Sum")
    of_bytes["MetricStat"]["Unit"] = "Bytes"
    assert read(cloudwatch, of_bytes)["a"] == [5.0]


# Pages


def test_data_points_come_in_pages(cloudwatch, namespace: str) -> None:
    start = this_minute() - 10 * MINUTE
    for minute in range(5):
        put(cloudwatch, namespace, minute, at=start + minute * MINUTE)
    pages = list(
        cloudwatch.get_paginator("get_metric_data").paginate(
            MetricDataQueries=[query("a", namespace, "Weight", "Sum"), query("b", namespace, "Weight", "SampleCount")],
            StartTime=start,
            EndTime=start + 5 * MINUTE,
            ScanBy="TimestampAscending",
            MaxDatapoints=3,
        )
    )
    points: dict[str, list[float]] = {"a": [], "b": []}
    for page in pages:
        for result in page["MetricDataResults"]:
            points[result["Id"]] += result["Values"]
    assert len(pages) == 4
    assert points == {"a": [0.0, 1.0, 2.0, 3.0, 4.0], "b": [1.0] * 5}
    assert pages[0]["MetricDataResults"][0]["StatusCode"] == "PartialData"
    assert pages[-1]["MetricDataResults"][-1]["StatusCode"] == "Complete"


def test_a_next_token_of_nobody_is_refused(cloudwatch) -> None:
    code, message = refusal(cloudwatch.list_metrics, NextToken="unknown")
    assert (code, message) == ("InvalidParameterValue", "Request parameter NextToken is invalid")


# Expressions


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 / m2", [2.0, 3.0]),
        ("100 * m2 / (m1 + m2)", [100 / 3, 25.0]),
        ("-m1 * -2", [20.0, 18.0]),
        ("(m1 - 1.5e1) / .5", [-10.0, -12.0]),
        ("m1 - m2 - 1", [4.0, 5.0]),
        ("m1 / (m2 - 3)", [5.0]),
    ],
)
def test_metric_math(cloudwatch, namespace: str, expression: str, expected: list[float]) -> None:
    start = this_minute() - 5 * MINUTE
    for minute, (first, second) in enumerate([(10, 5), (9, 3)]):
        put(cloudwatch, namespace, first, at=start + minute * MINUTE, name="First")
        put(cloudwatch, namespace, second, at=start + minute * MINUTE, name="Second")
    queries = [
        {"Id": "e1", "Expression": expression},
        {**query("m1", namespace, "First", "Sum"), "ReturnData": False},
        {**query("m2", namespace, "Second", "Sum"), "ReturnData": False},
    ]
    found = read(cloudwatch, *queries, start=start, end=start + 3 * MINUTE)
    assert found == {"e1": pytest.approx(expected)}


def test_an_expression_may_use_another_whatever_their_order(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, 3)
    queries = [
        {"Id": "last", "Expression": "middle * 2"},
        {"Id": "middle", "Expression": "m + 1", "ReturnData": False},
        query("m", namespace, "Weight", "Sum"),
    ]
    assert read(cloudwatch, *queries) == {"last": [8.0], "m": [3.0]}


@pytest.mark.parametrize(
    "expression", ["m +", "unknown * 2", "m m", "1 / 0", "2", "m $ 2", "again", "(" * 1500, "(m", "m)"]
)
def test_a_bad_expression_is_refused(cloudwatch, namespace: str, expression: str) -> None:
    put(cloudwatch, namespace, 3)
    queries = [{"Id": "again", "Expression": expression}, query("m", namespace, "Weight", "Sum")]
    times = {"StartTime": this_minute() - MINUTE, "EndTime": this_minute()}
    code, _ = refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **times)
    assert code == "ValidationError"


@pytest.mark.parametrize(("expression", "unexpected"), [
    ("SUM(METRICS())", "SUM"), ("MAX([m, 1])", "MAX"), ("m ^ 2", "^"), ("[m, m]", "["), ("m > 2", ">"),
    ("SEARCH('{AWS/Lambda} Errors', 'Sum', 60)", "SEARCH"), ("SELECT AVG(Duration) FROM Lambda", "SELECT"),
])  # fmt: skip
def test_what_is_left_out_of_metric_math_is_said(cloudwatch, namespace: str, expression: str, unexpected: str) -> None:
    queries = [{"Id": "e", "Expression": expression}, query("m", namespace, "Weight", "Sum")]
    times = {"StartTime": this_minute() - MINUTE, "EndTime": this_minute()}
    code, message = refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **times)
    assert code == "ValidationError"
    assert message == (
        f"Error in expression: unexpected '{unexpected}'; the embedded AWS computes with Ids of queries, numbers,"
        " + - * / and parentheses (MetricDataQueries.member.1.Expression)"
    )


@pytest.mark.parametrize("change", [{"Id": "Big"}, {"Id": "b"}, {"Stat": "Median"}, {"Stat": "p101"}, {"Period": 61}])
def test_a_bad_query_is_refused(cloudwatch, namespace: str, change: dict) -> None:
    second = query(change.get("Id", "a"), namespace, "Weight", change.get("Stat", "Sum"), change.get("Period", 60))
    times = {"StartTime": this_minute() - MINUTE, "EndTime": this_minute()}
    queries = [query("b", namespace, "Weight", "Sum"), second]
    code, _ = refusal(cloudwatch.get_metric_data, MetricDataQueries=queries, **times)
    assert code == "ValidationError"


# GetMetricStatistics and ListMetrics


def test_metric_statistics(cloudwatch, namespace: str) -> None:
    at = this_minute() - 2 * MINUTE
    put(cloudwatch, namespace, 1, 2, 3, at=at, Unit="Seconds")
    wanted = {"Namespace": namespace, "MetricName": "Weight", "StartTime": at, "EndTime": at + MINUTE, "Period": 60}
    answer = cloudwatch.get_metric_statistics(Statistics=["Sum", "Average"], **wanted)
    assert answer["Label"] == "Weight"
    assert answer["Datapoints"] == [{"Timestamp": at, "Sum": 6.0, "Average": 2.0, "Unit": "Seconds"}]
    answer = cloudwatch.get_metric_statistics(ExtendedStatistics=["p50", "p99.9"], **wanted)
    assert answer["Datapoints"][0]["ExtendedStatistics"] == {"p50": 2.0, "p99.9": pytest.approx(2.998)}


def test_too_many_datapoints_are_refused(cloudwatch, namespace: str) -> None:
    now = this_minute()
    wanted = {"Namespace": namespace, "MetricName": "Weight", "StartTime": now - timedelta(days=2), "EndTime": now}
    code, message = refusal(cloudwatch.get_metric_statistics, Period=60, Statistics=["Sum"], **wanted)
    assert code == "InvalidParameterCombination"
    assert message.startswith("You have requested up to 2,880 datapoints, which exceeds the limit of 1,440.")


def test_list_metrics_filters(cloudwatch, namespace: str) -> None:
    put(cloudwatch, namespace, 1, name="One", Dimensions=as_list({"A": "1", "B": "2"}))
    put(cloudwatch, namespace, 1, name="Two", Dimensions=as_list({"A": "3"}))

    def names(**filters: object) -> list[str]:
        return [metric["MetricName"] for metric in cloudwatch.list_metrics(Namespace=namespace, **filters)["Metrics"]]

    assert names() == ["One", "Two"]
    assert names(MetricName="Two") == ["Two"]
    assert names(Dimensions=[{"Name": "A"}]) == ["One", "Two"]
    assert names(Dimensions=[{"Name": "A", "Value": "1"}], RecentlyActive="PT3H") == ["One"]
    assert names(Dimensions=[{"Name": "C"}]) == []


def test_list_metrics_comes_in_pages(cloudwatch, namespace: str) -> None:
    data = [{"MetricName": f"M{number:03}", "Value": 1.0} for number in range(700)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 200]


def test_users_cannot_put_into_the_services_namespaces(cloudwatch) -> None:
    arguments = {"Namespace": "AWS/Lambda", "MetricData": [{"MetricName": "Invocations", "Value": 1.0}]}
    code, message = refusal(cloudwatch.put_metric_data, **arguments)
    assert (code, message) == ("InvalidParameterValue", "The value AWS/ for parameter Namespace is invalid.")


# Alarms


def alarm_state(cloudwatch, name: str) -> str:
    return cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]


def make_alarm(cloudwatch, namespace: str, **settings: object) -> str:
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    watched = {"Namespace": namespace, "MetricName": "Weight", "Period": 60, "Statistic": "Sum"}
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        **{
            "ComparisonOperator": "GreaterThanThreshold",
            "EvaluationPeriods": 3,
            "Threshold": 5.0,
            **watched,
            **settings,
        },
    )
    return name


def test_an_alarm_follows_its_metric(cloudwatch, namespace: str) -> None:
    name = make_alarm(cloudwatch, namespace, DatapointsToAlarm=1)
    assert alarm_state(cloudwatch, name) == "INSUFFICIENT_DATA"
    put(cloudwatch, namespace, 1)
    assert alarm_state(cloudwatch, name) == "OK"
    put(cloudwatch, namespace, 9)
    alarm = cloudwatch.describe_alarms(AlarmNames=[name], StateValue="ALARM")["MetricAlarms"][0]
    assert alarm["StateReason"] == "Threshold Crossed: [10] greater than the threshold (5)."


@pytest.mark.parametrize(
    ("treat", "state"),
    [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_missing_data_counts_as_the_alarm_says(cloudwatch, namespace: str, treat: str, state: str) -> None:
    assert alarm_state(cloudwatch, make_alarm(cloudwatch, namespace, TreatMissingData=treat)) == state


def test_an_alarm_on_an_expression(cloudwatch, namespace: str) -> None:
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=3,
        DatapointsToAlarm=1,
        Threshold=10.0,
        Metrics=[
            {"Id": "rate", "Expression": "100 * bad / all", "ReturnData": True},
            {**query("bad", namespace, "Bad", "Sum"), "ReturnData": False},
            {**query("all", namespace, "All", "Sum"), "ReturnData": False},
        ],
    )
    put(cloudwatch, namespace, 1, name="Bad")
    put(cloudwatch, namespace, 100, name="All")
    assert alarm_state(cloudwatch, name) == "OK"
    put(cloudwatch, namespace, 30, name="Bad")
    assert alarm_state(cloudwatch, name) == "ALARM"


def test_an_alarm_that_could_not_be_evaluated_is_refused(cloudwatch, namespace: str) -> None:
    name = f"alarm-{uuid.uuid4().hex[:8]}"
    metrics = [
        {"Id": "most", "Expression": "MAX([one, 5])", "ReturnData": True},
        {**query("one", namespace, "One", "Sum"), "ReturnData": False},
    ]
    settings = {"ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1.0}
    code, message = refusal(cloudwatch.put_metric_alarm, AlarmName=name, Metrics=metrics, **settings)
    assert code == "ValidationError"
    assert message.startswith("Error in expression: unexpected 'MAX'; the embedded AWS computes with")
    assert cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
