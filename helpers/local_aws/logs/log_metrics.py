"""Make metrics of log events: by metric filters, and from lines in CloudWatch's embedded metric format.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
What no page says is decided here: an event that lacks what a dimension names makes no value.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ..cloudwatch import metrics
from ..cloudwatch.metric_store import MINUTE, MetricKey, dimensions_of
from ..log_patterns.pattern import FilterPattern, compiled

#: What is in every line of the embedded metric format, and hardly in any other.
_EMBEDDED = '"CloudWatchMetrics"'
_NO_UNIT = "None"
#: "in the range of -2^360 to 2^360", and neither NaN nor infinite; other values of a log event are none (decided).
#: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
_LARGEST = 2.0**360


class Value(NamedTuple):
    """One value of a metric; `at` in milliseconds since the epoch."""

    at: int
    key: MetricKey
    unit: str
    value: float


def measure(filters: Iterable[Mapping[str, Any]], events: list[tuple[int, str]]) -> None:
    """Put into CloudWatch what a batch of events says. events: pairs of milliseconds since the epoch and a message.

    filters: the log group's metric filters, as DescribeMetricFilters shows them.
    """
    values = [value for each in filters for value in _filtered(each, events)]
    for at, message in events:
        if _EMBEDDED in message:
            values += _embedded(at, message)
    if not values:
        return
    with metrics.reading() as store:
        for at, key, unit, value in values:
            store.of(key).bucket(at // 1000 // MINUTE * MINUTE, unit).add({value: 1})


def _filtered(each: Mapping[str, Any], events: list[tuple[int, str]]) -> Iterator[Value]:
    pattern = compiled(each.get("filterPattern") or "")
    found = [(at, message) for at, message in events if pattern.matches(message)]
    for transformation in each["metricTransformations"]:
        for at, message in found:
            value = _number(pattern, message, transformation["metricValue"])
            dimensions = _dimensions(pattern, message, transformation.get("dimensions") or {})
            if value is not None and dimensions is not None:
                yield _value(transformation, at, value, dimensions)
        if transformation.get("defaultValue") is not None:
            minutes = {at // 60_000 for at, _ in events} - {at // 60_000 for at, _ in found}
            for minute in minutes:
                yield _value(transformation, minute * 60_000, float(transformation["defaultValue"]), {})


def _value(transformation: Mapping[str, Any], at: int, value: float, dimensions: Mapping[str, str]) -> Value:
    namespace, name = transformation["metricNamespace"], transformation["metricName"]
    unit = transformation.get("unit") or _NO_UNIT
    return Value(at, MetricKey(namespace, name, dimensions_of(dimensions)), unit, value)


def _number(pattern: FilterPattern, message: str, text: str) -> float | None:
    """Return the value of a metric: a number, or what `$.latency` or `$latency` names in the event."""
    found = pattern.value(message, text) if text.startswith("$") else text
    return None if isinstance(found, bool) or found is None else _in_range(found)


def _in_range(value: str | float) -> float | None:
    try:
        number = float(value)
    except (ValueError, OverflowError):  # JSON has whole numbers of any size
        return None
    return number if abs(number) <= _LARGEST else None  # NaN is not, either


def _dimensions(pattern: FilterPattern, message: str, wanted: Mapping[str, str]) -> dict[str, str] | None:
    found = {name: pattern.value(message, selector) for name, selector in wanted.items()}
    return None if None in found.values() else {name: str(value) for name, value in found.items()}


def _embedded(at: int, message: str) -> list[Value]:
    """Return the values of a line; of one that is not as the specification says, none."""
    try:
        line = json.loads(message)
        at = int(line["_aws"].get("Timestamp", at))
        return [value for directive in line["_aws"]["CloudWatchMetrics"] for value in _directed(directive, line, at)]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return []


def _directed(directive: dict[str, Any], line: dict[str, Any], at: int) -> Iterator[Value]:
    for names in directive.get("Dimensions") or [[]]:
        dimensions = dimensions_of({name: str(line[name]) for name in names})
        for metric in directive["Metrics"]:
            key = MetricKey(str(directive["Namespace"]), str(metric["Name"]), dimensions)
            for value in _numbers(line.get(metric["Name"])):
                yield Value(at, key, metric.get("Unit") or _NO_UNIT, value)


def _numbers(value: Any) -> list[float]:
    values = value if isinstance(value, list) else [value]
    numbers = (_in_range(each) for each in values if isinstance(each, (int, float)) and not isinstance(each, bool))
    return [each for each in numbers if each is not None]
