"""Compute the functions of metric math, and what operators do to time series.

A value is a number, a time series ({seconds since the epoch: value}) or a list of time series.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import math
from collections.abc import Callable

Times = dict[int, float]
Value = float | Times | list[Times]


class ExpressionError(Exception):
    """The expression cannot be understood, or asks for what is not there."""


def times(value: Value) -> Times:
    if not isinstance(value, dict):
        raise TypeError("a time series is expected")
    return value


def series(values: list[Value]) -> list[Times]:
    """Return the time series of a list in brackets; a number in it counts in every period of the others."""
    moments = {at for value in values if isinstance(value, dict) for at in value}
    found: list[Times] = []
    for value in values:
        if isinstance(value, list):
            found += value
        else:
            found.append(value if isinstance(value, dict) else dict.fromkeys(moments, value))
    return found


def _finite(compute: Callable[..., float], *values: float) -> float | None:
    """Return the result, or None where there is none, as for a division by zero: the period has no data point then."""
    try:
        result = compute(*values)
    except (ZeroDivisionError, ValueError, OverflowError):
        return None
    return result if isinstance(result, (int, float)) and math.isfinite(result) else None


def combine(compute: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Combine two values, period by period. Periods that only one of two time series has are left out.

    Raises ExpressionError where two numbers give none.
    """
    if isinstance(left, list):
        return [times(combine(compute, each, right)) for each in left]
    if isinstance(right, list):
        return [times(combine(compute, left, each)) for each in right]
    if isinstance(left, float) and isinstance(right, float):
        result = _finite(compute, left, right)
        if result is None:
            raise ExpressionError("Error in expression: a number cannot be computed")
        return result
    moments = [side.keys() for side in (left, right) if isinstance(side, dict)]
    both = set.intersection(*map(set, moments))
    found = {moment: _finite(compute, _at(left, moment), _at(right, moment)) for moment in sorted(both)}
    return {moment: value for moment, value in found.items() if value is not None}


def _at(side: Times | float, moment: int) -> float:
    return side[moment] if isinstance(side, dict) else side


def map_(compute: Callable[[float], float], value: Value) -> Value:
    if isinstance(value, list):
        return [times(map_(compute, each)) for each in value]
    if isinstance(value, dict):
        found = {at: _finite(compute, each) for at, each in value.items()}
        return {at: each for at, each in found.items() if each is not None}
    return float(compute(value))


def reduce(compute: Callable[[list[float]], float], value: Value) -> Value:
    """Reduce a list of time series to one, period by period; one time series to a number."""
    if isinstance(value, list):
        moments = sorted({at for series in value for at in series})
        return {at: float(compute([series[at] for series in value if at in series])) for at in moments}
    values = list(times(value).values())
    return float(compute(values)) if values else {}


def if_(condition: Value, then: Value, otherwise: Value | None = None) -> Value:
    """Choose, period by period, the second value where the condition is true, else the third.

    Without a third value, periods in which the condition is false have no data point.
    """
    if isinstance(condition, float):
        return then if condition else ({} if otherwise is None else otherwise)
    result: Times = {}
    for moment, holds in times(condition).items():
        chosen = then if holds else otherwise
        value = chosen.get(moment) if isinstance(chosen, dict) else chosen
        if isinstance(value, (int, float)):
            result[moment] = float(value)
    return result


def _differences(series: Times, per_second: bool = False) -> Times:
    moments = sorted(series)
    return {
        now: (series[now] - series[before]) / (now - before if per_second else 1)
        for before, now in zip(moments, moments[1:], strict=False)
    }


def _running_sum(series: Times) -> Times:
    total, sums = 0.0, {}
    for at in sorted(series):
        total += series[at]
        sums[at] = total
    return sums


def _deviation(values: list[float]) -> float:
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / len(values))


EACH: dict[str, Callable[[float], float]] = {
    "ABS": abs,
    "CEIL": math.ceil,
    "FLOOR": math.floor,
    "LOG": math.log,
    "LOG10": math.log10,
}
WHOLE: dict[str, Callable[[Times], Value]] = {
    "DIFF": _differences,
    "RATE": lambda series: _differences(series, per_second=True),
    "RUNNING_SUM": _running_sum,
}
REDUCE: dict[str, Callable[[list[float]], float]] = {
    "AVG": lambda values: sum(values) / len(values),
    "SUM": sum,
    "MIN": min,
    "MAX": max,
    "STDDEV": _deviation,
    "DATAPOINT_COUNT": len,
}
