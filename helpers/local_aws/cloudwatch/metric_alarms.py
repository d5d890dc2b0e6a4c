"""Find the state of alarms whenever somebody reads it: moto's alarms are always OK.

An alarm compares the latest data points of its metric with a threshold. AWS does so once a minute and then runs the
alarm's actions; here nobody is woken, and whoever asks gets the state of this moment.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.cloudwatch.models import Alarm, CloudWatchBackend

from ..engine import clock
from . import metric_queries, metrics
from .metric_store import MetricStore

#: Seconds that a state set by SetAlarmState stays before the alarm is evaluated again.
SET_STATE_STAYS = 10

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
_WORDS = {"gt": "greater than", "ge": "greater than or equal to", "lt": "less than", "le": "less than or equal to"}


class Backend(CloudWatchBackend):
    """moto's CloudWatch of one account and region, whose alarms keep their state when they are put again."""

    @property
    def _url_module(self) -> Any:  # moto looks for the addresses beside the class
        import moto.cloudwatch.urls

        return moto.cloudwatch.urls

    def put_metric_alarm(self, name: str, *args: Any, **settings: Any) -> Alarm:
        """Refuse what could not be evaluated later, when somebody reads the alarm. Raises ValidationError."""
        if watched := settings.get("metric_data_queries"):
            metric_queries.answer(MetricStore(), [_query(each) for each in watched], 0, 60)
        before = self.alarms.get(name)
        alarm = super().put_metric_alarm(name, *args, **settings)
        if before is None:
            alarm.state_value = "INSUFFICIENT_DATA"
        else:
            alarm.state_value, alarm.history = before.state_value, before.history
        return alarm

    def set_alarm_state(self, alarm_name: str, *args: Any) -> None:
        super().set_alarm_state(alarm_name, *args)
        self.alarms[alarm_name].stays_until = clock.uptime() + SET_STATE_STAYS  # type: ignore[attr-defined]  # our own attribute


def evaluate(backend: CloudWatchBackend) -> None:
    """Give each alarm the state that its metric asks for at this moment."""
    now = clock.now()
    for alarm in backend.alarms.values():
        ours = alarm.rule is None and alarm.comparison_operator in _COMPARISONS
        if ours and not 0 < getattr(alarm, "stays_until", 0) - clock.uptime() <= SET_STATE_STAYS:
            _evaluate(alarm, now)


def _evaluate(alarm: Alarm, now: float) -> None:
    queries, period = _queries(alarm)
    count = int(alarm.evaluation_periods)
    end = math.ceil(now / 60) * 60
    start = end - count * period
    with metrics.reading() as store:
        lines = metric_queries.answer(store, queries, start, end)
    found = dict(lines[0].points) if lines else {}
    points = [found.get(start + step * period) for step in range(count)]
    state, reason = _judge(alarm, points)
    if state != alarm.state_value:
        data = {
            "version": "1.0",
            "queryDate": datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds"),
            "period": period,
            "recentDatapoints": [point for point in points if point is not None],
            "threshold": alarm.threshold,
        }
        alarm.update_state(reason, json.dumps(data), state)


def _queries(alarm: Alarm) -> tuple[list[dict[str, Any]], int]:
    """Return what the alarm watches, as queries of GetMetricData of which one returns data, and their period (s)."""
    if alarm.metric_data_queries:
        queries = [_query(each) for each in alarm.metric_data_queries]
        periods = [int(each["MetricStat"]["Period"]) for each in queries if "MetricStat" in each]
        return queries, max(periods, default=60)
    metric = {
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric_name,
        "Dimensions": [{"Name": each.name, "Value": each.value} for each in alarm.dimensions],
    }
    stat = {"Metric": metric, "Period": alarm.period, "Stat": alarm.statistic or alarm.extended_statistic}
    return [{"Id": "watched", "MetricStat": {**stat, "Unit": alarm.unit}}], int(alarm.period)


def _query(given: Any) -> dict[str, Any]:
    query: dict[str, Any] = {"Id": given.id, "ReturnData": given.return_data is not False}
    if given.expression:
        return {**query, "Expression": given.expression, "Period": given.period}
    watched = given.metric_stat
    metric = {
        "Namespace": watched.metric.namespace,
        "MetricName": watched.metric.metric_name,
        "Dimensions": [{"Name": each.name, "Value": each.value} for each in watched.metric.dimensions],
    }
    return {**query, "MetricStat": {"Metric": metric, "Period": watched.period, "Stat": watched.stat}}


def _judge(alarm: Alarm, points: list[float | None]) -> tuple[str, str]:
    """Return the state that these data points (None: missing) ask for, and why."""
    compare = _COMPARISONS[alarm.comparison_operator]
    present = [point for point in points if point is not None]
    missing = len(points) - len(present)
    breaching = sum(compare(point, alarm.threshold) for point in present)
    needed = int(alarm.datapoints_to_alarm or alarm.evaluation_periods)
    treat = alarm.treat_missing_data or "missing"
    if treat == "ignore" and missing and breaching < needed:
        return alarm.state_value, alarm.state_reason
    if treat == "breaching":
        breaching += missing
    elif treat == "missing" and not present:
        return "INSUFFICIENT_DATA", f"Insufficient Data: {missing} datapoints were unknown."
    elif treat == "missing" and breaching == len(present):
        needed = min(needed, breaching)  # all that is known is over the threshold
    shown = ", ".join(f"{point:g}" for point in present) or "no datapoint"
    words = _WORDS[compare.__name__]
    if breaching >= needed:
        return "ALARM", f"Threshold Crossed: [{shown}] {words} the threshold ({alarm.threshold:g})."
    return "OK", f"Threshold Crossed: [{shown}] not {words} the threshold ({alarm.threshold:g}) often enough."
