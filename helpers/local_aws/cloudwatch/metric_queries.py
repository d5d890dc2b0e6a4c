"""Answer GetMetricData from the store: queries of metrics and expressions over them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from moto.cloudwatch.exceptions import ValidationError

from . import metric_math, metric_statistics
from .metric_math import ExpressionError, Times, Value
from .metric_store import MetricKey, MetricStore, dimensions_of

MAX_QUERIES = 500
_ID = re.compile(r"[a-z]\w*")


@dataclass
class Result:
    """One line of the answer: its points are seconds since the epoch with values, oldest first."""

    id: str
    label: str
    points: list[tuple[int, float]]


def answer(store: MetricStore, queries: list[dict[str, Any]], start: float, end: float) -> list[Result]:
    """Return the results of all queries that want theirs returned, in the order of the queries."""
    _validate(queries)
    by_id = {query["Id"]: query for query in queries}
    results: dict[str, Value] = {}
    for query in queries:
        if "MetricStat" in query:
            results[query["Id"]] = _metric(store, query["MetricStat"], start, end)
    for query in _in_order(by_id, set(results)):
        try:
            results[query["Id"]] = metric_math.evaluate(query["Expression"], results)
        except ExpressionError as error:
            raise ValidationError(f"{error} ({_where(queries, query)}.Expression)") from None
    return [_line(query, results[query["Id"]]) for query in queries if query.get("ReturnData", True)]


def _validate(queries: list[dict[str, Any]]) -> None:
    if len(queries) > MAX_QUERIES:
        raise ValidationError(f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}.")
    seen: set[str] = set()
    for number, query in enumerate(queries, 1):
        where = f"MetricDataQueries.member.{number}"
        name = query.get("Id", "")
        if not _ID.fullmatch(name):
            raise ValidationError(f"The value {name} for parameter {where}.Id is not matching the expected pattern.")
        if name in seen:
            raise ValidationError(f"The values for parameter id in {where} are not unique")
        seen.add(name)
        if "MetricStat" in query and "Expression" in query:
            raise ValidationError(
                f"The parameters {where}.Expression and {where}.MetricStat are mutually exclusive and you have"
                " specified both."
            )
        if "MetricStat" not in query and "Expression" not in query:
            raise ValidationError(f"The parameter {where}.MetricStat is required.\n")
        if "MetricStat" in query:
            _validate_metric(query["MetricStat"], f"{where}.MetricStat")


def _validate_metric(wanted: dict[str, Any], where: str) -> None:
    if not metric_statistics.known(wanted["Stat"]):
        raise ValidationError(f"The value {wanted['Stat']} for parameter {where}.Stat is not supported.")
    if not metric_statistics.valid_period(int(wanted["Period"])):
        raise ValidationError(
            f"The parameter {where}.Period must be a multiple of 60, or one of 1, 5, 10, 20 and 30 for a"
            " high-resolution metric."
        )


def key_of(metric: dict[str, Any]) -> MetricKey:
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions") or ()}
    return MetricKey(metric.get("Namespace", ""), metric.get("MetricName", ""), dimensions_of(dimensions))


def _metric(store: MetricStore, wanted: dict[str, Any], start: float, end: float) -> Times:
    series = store.series.get(key_of(wanted["Metric"]))
    found: Times = {}
    for second, distribution in metric_statistics.periods(
        series, start, end, int(wanted["Period"]), wanted.get("Unit") or None
    ):
        value = metric_statistics.value_of(distribution, wanted["Stat"])
        if value is not None:
            found[second] = value
    return found


def _in_order(by_id: dict[str, dict[str, Any]], done: set[str]) -> list[dict[str, Any]]:
    """Return the expressions, each after those that it names; `done` are ids whose results are known."""
    waiting = {name: query for name, query in by_id.items() if "Expression" in query}
    ordered: list[dict[str, Any]] = []
    while waiting:
        ready = [
            name
            for name, query in waiting.items()
            if not (metric_math.names_in(query["Expression"]) & set(by_id)) - done
        ]
        if not ready:
            raise ValidationError(f"Error in expression: {', '.join(sorted(waiting))} name each other in a circle")
        ordered += [waiting.pop(name) for name in ready]
        done |= set(ready)
    return ordered


def _line(query: dict[str, Any], value: Value) -> Result:
    if isinstance(value, float):
        raise ValidationError(
            f"The expression of query '{query['Id']}' gives a single number; GetMetricData returns time series."
        )
    return Result(query["Id"], query.get("Label") or _label(query), sorted(value.items()))


def _label(query: dict[str, Any]) -> str:
    return query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]


def _where(queries: list[dict[str, Any]], query: dict[str, Any]) -> str:
    return f"MetricDataQueries.member.{queries.index(query) + 1}"
