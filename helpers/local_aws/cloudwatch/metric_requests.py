"""Answer CloudWatch's requests about metrics from our store: PutMetricData, GetMetricData and the like.

moto keeps every value in one list, searches it for every period, knows no percentile and no metric math, and no metric
of Lambda or EventBridge. Dashboards stay moto's; alarms too, but for their state (see metric_alarms).
"""

from __future__ import annotations

import uuid
from collections import Counter, OrderedDict
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.exceptions import InvalidParameterCombination, InvalidParameterValue, ValidationError
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from ..engine import clock
from . import metric_alarms, metric_queries, metric_statistics, metrics
from .metric_store import MINUTE, Distribution, MetricKey, MetricStore

MAX_DATAPOINTS = 100_800  # of one GetMetricData answer
MAX_STATISTICS = 1440  # of one GetMetricStatistics answer
LIST_PAGE = 500
ACTIVE_SECONDS = 3 * 3600

#: What further pages will hold, by NextToken. The oldest are forgotten: a client that never asks keeps nothing here.
_pages: OrderedDict[str, list[Any]] = OrderedDict()
MAX_TOKENS = 64


class Response(CloudWatchResponse):
    """moto's CloudWatch, with these requests answered from our store."""

    def describe_alarms(self) -> ActionResult:
        metric_alarms.evaluate(self.cloudwatch_backend)
        return super().describe_alarms()

    def describe_alarms_for_metric(self) -> ActionResult:
        metric_alarms.evaluate(self.cloudwatch_backend)
        return super().describe_alarms_for_metric()

    def put_metric_data(self) -> EmptyResult:
        namespace, data = self._get_param("Namespace"), self._get_param("MetricData", [])
        if namespace.startswith("AWS/"):
            raise InvalidParameterValue("The value AWS/ for parameter Namespace is invalid.")
        for number, datum in enumerate(data, 1):
            self.cloudwatch_backend._validate_parameters_put_metric_data(datum, number)  # noqa: SLF001  moto's own checks
        with metrics.reading() as store:
            for datum in data:
                _put(store, namespace, datum)
        return EmptyResult()

    def get_metric_data(self) -> ActionResult:
        given = self._get_params()
        limit = int(given.get("MaxDatapoints") or MAX_DATAPOINTS)
        if token := given.get("NextToken"):
            return _data_page(_take_page(token), limit)
        start, end = given["StartTime"].timestamp(), given["EndTime"].timestamp()
        if start > end:
            raise ValidationError("The parameter EndTime must be greater than StartTime.")
        if start == end:
            raise ValidationError("The parameter StartTime must not equal parameter EndTime.")
        with metrics.reading() as store:
            results = metric_queries.answer(store, given.get("MetricDataQueries", []), start, end)
        if given.get("ScanBy", "TimestampDescending") != "TimestampAscending":
            for result in results:
                result.points.reverse()
        return _data_page(results, limit)

    def get_metric_statistics(self) -> ActionResult:
        given = self._get_params()
        statistics, extended = given.get("Statistics") or [], given.get("ExtendedStatistics") or []
        start, end, period = given["StartTime"].timestamp(), given["EndTime"].timestamp(), int(given["Period"])
        if bool(statistics) == bool(extended):
            raise InvalidParameterCombination("Must specify either Statistics or ExtendedStatistics")
        if start >= end:
            raise InvalidParameterValue("The parameter StartTime must be less than the parameter EndTime.")
        if not metric_statistics.valid_period(period):
            raise InvalidParameterValue("The parameter Period must be a multiple of 60, or one of 1, 5, 10, 20 and 30.")
        if (end - start) / period > MAX_STATISTICS:
            raise InvalidParameterCombination(
                f"You have requested up to {(end - start) / period:,.0f} datapoints, which exceeds the limit of"
                f" {MAX_STATISTICS:,}. You may reduce the datapoints requested by increasing Period, or decreasing the"
                " time range."
            )
        for statistic in extended:
            if metric_statistics.percent(statistic) is None:
                raise InvalidParameterValue(f"The value {statistic} for parameter ExtendedStatistics is not supported.")
        with metrics.reading() as store:
            series = store.series.get(metric_queries.key_of(given))
            units = (
                [given["Unit"]] if given.get("Unit") else sorted({unit for _, unit in series.buckets} if series else ())
            )
            points = [
                _datapoint(second, unit, distribution, statistics, extended)
                for unit in units
                for second, distribution in metric_statistics.periods(series, start, end, period, unit)
            ]
        return ActionResult({"Label": given["MetricName"], "Datapoints": points})

    def list_metrics(self) -> ActionResult:
        given = self._get_params()
        if token := given.get("NextToken"):
            return _metrics_page(_take_page(token))
        recent = clock.now() - ACTIVE_SECONDS if given.get("RecentlyActive") else 0
        with metrics.reading() as store:
            found = [key for key in store.series if _matches(key, given)]
            active = [key for key in found if max(store.series[key].buckets)[0] >= recent]
        return _metrics_page(sorted(active, key=lambda key: (key.namespace, key.name, key.dimensions)))


def _put(store: MetricStore, namespace: str, datum: dict[str, Any]) -> None:
    at = datum["Timestamp"].timestamp() if "Timestamp" in datum else clock.now()
    step = 1 if datum.get("StorageResolution") == 1 else MINUTE
    key = metric_queries.key_of({**datum, "Namespace": namespace})
    bucket = store.of(key).bucket(int(at // step) * step, datum.get("Unit") or "None")
    if values := datum.get("Values"):
        counts: Counter[float] = Counter()
        for value, count in zip(values, datum.get("Counts") or [1.0] * len(values), strict=True):
            counts[float(value)] += count
        bucket.add(counts)
    elif given := datum.get("StatisticValues"):
        bucket.add_set(*(float(given[name]) for name in ("SampleCount", "Sum", "Minimum", "Maximum")))
    else:
        bucket.add({float(datum.get("Value", 0.0)): 1.0})


def _data_page(results: list[metric_queries.Result], limit: int) -> ActionResult:
    """As many points as fit, one query after the other; what is left comes with the next page."""
    page, rest = [], []
    for result in results:
        shown, left = result.points[:limit], result.points[limit:]
        limit -= len(shown)
        if left:
            rest.append(metric_queries.Result(result.id, result.label, left))
        if shown or not left:
            page.append(
                {
                    "Id": result.id,
                    "Label": result.label,
                    "Timestamps": [_time(second) for second, _ in shown],
                    "Values": [float(value) for _, value in shown],
                    "StatusCode": "PartialData" if left else "Complete",
                }
            )
    return ActionResult({"MetricDataResults": page, "Messages": [], **_next(rest)})


def _datapoint(
    second: int, unit: str, distribution: Distribution, statistics: list[str], extended: list[str]
) -> dict[str, Any]:
    point: dict[str, Any] = {"Timestamp": _time(second), "Unit": unit}
    for statistic in statistics:
        point[statistic] = metric_statistics.value_of(distribution, statistic)
    percentiles = {each: metric_statistics.value_of(distribution, each) for each in extended}
    if extended:
        point["ExtendedStatistics"] = {name: value for name, value in percentiles.items() if value is not None}
    return point


def _matches(key: MetricKey, given: dict[str, Any]) -> bool:
    """Each filter names a dimension that the metric must have, and perhaps its value; it may have others."""
    own = dict(key.dimensions)
    return (
        given.get("Namespace") in (None, key.namespace)
        and given.get("MetricName") in (None, key.name)
        and all(
            each["Name"] in own and each.get("Value") in (None, own[each["Name"]])
            for each in given.get("Dimensions") or ()
        )
    )


def _metrics_page(keys: list[MetricKey]) -> ActionResult:
    page = [
        {
            "Namespace": key.namespace,
            "MetricName": key.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in key.dimensions],
        }
        for key in keys[:LIST_PAGE]
    ]
    return ActionResult({"Metrics": page, **_next(keys[LIST_PAGE:])})


def _next(rest: list[Any]) -> dict[str, str]:
    if not rest:
        return {}
    token = uuid.uuid4().hex
    _pages[token] = rest
    while len(_pages) > MAX_TOKENS:
        _pages.popitem(last=False)
    return {"NextToken": token}


def _take_page(token: str) -> list[Any]:
    found = _pages.get(token)
    if found is None:
        raise InvalidParameterValue("Request parameter NextToken is invalid")
    return found


def _time(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
