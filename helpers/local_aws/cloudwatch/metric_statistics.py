"""Compute a metric's statistics over periods: Sum, Average, Minimum, Maximum, SampleCount and percentiles.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from .metric_store import Distribution, Series

#: Sum, and the others that need no single values.
SIMPLE = {
    "SampleCount": lambda of: of.samples,
    "Sum": lambda of: of.total,
    "Average": lambda of: of.total / of.samples,
    "Minimum": lambda of: of.minimum,
    "Maximum": lambda of: of.maximum,
}
_PERCENTILE = re.compile(r"p(\d{1,3}(?:\.\d{0,10})?)")
#: Seconds of a period shorter than a minute.
_SHORT = (1, 5, 10, 20, 30)


def known(statistic: str) -> bool:
    return statistic in SIMPLE or percent(statistic) is not None


def percent(statistic: str) -> float | None:
    """Return 99.9 for "p99.9"; None if it is no percentile."""
    match = _PERCENTILE.fullmatch(statistic)
    return float(match[1]) if match and float(match[1]) <= 100 else None


def valid_period(seconds: int) -> bool:
    return seconds in _SHORT or (seconds >= 60 and seconds % 60 == 0)


def first_period(start: float, period: int) -> int:
    """Return when the first period begins: `start`, rounded down to the minute (or a short period's own raster).

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html (StartTime)
    """
    raster = min(period, 60)
    return int(start // raster) * raster


def periods(
    series: Series | None, start: float, end: float, period: int, unit: str | None = None
) -> Iterable[tuple[int, Distribution]]:
    """Yield (when it begins, what it holds) of each period that has values, oldest first. `end` is exclusive."""
    first = first_period(start, period)
    buckets = series.between(first, end, unit) if series else ()

    def begin(bucket: tuple[int, str, Distribution]) -> int:
        return first + (bucket[0] - first) // period * period

    for second, group in itertools.groupby(buckets, key=begin):
        yield second, merged([distribution for _, _, distribution in group])


def merged(distributions: list[Distribution]) -> Distribution:
    if len(distributions) == 1:
        return distributions[0]
    whole = Distribution()
    for each in distributions:
        whole.merge(each)
    return whole


def value_of(distribution: Distribution, statistic: str) -> float | None:
    """Return a statistic, or None where the values do not tell it."""
    if statistic in SIMPLE:
        return SIMPLE[statistic](distribution) if distribution.samples else None
    wanted = percent(statistic)
    # Percentiles exist only where the single values are known and none is negative.
    if wanted is None or distribution.summarised or distribution.minimum < 0 or not distribution.samples:
        return None
    # Values may have been rounded, the extremes have not.
    return min(max(_percentile(distribution, wanted), distribution.minimum), distribution.maximum)


def _percentile(distribution: Distribution, wanted: float) -> float:
    """Between the two nearest of the sorted values, in proportion. (AWS does not say how it interpolates.)"""
    position = (distribution.samples - 1) * wanted / 100
    passed, below = 0.0, distribution.minimum
    for value, count in sorted(distribution.counts.items()):
        if position < passed:  # between the last of `below` and the first of `value`
            return below + (value - below) * (position - passed + 1)
        passed += count
        below = value
        if position <= passed - 1:
            return value
    return below
