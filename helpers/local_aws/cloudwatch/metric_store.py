"""Store metrics as CloudWatch does: for each metric and period one distribution of values, not every value.

A metric is a namespace, a name and a set of dimensions; the same name with other dimensions is another metric.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Distinct values that a distribution keeps exactly; with more it keeps three significant digits of each.
EXACT_VALUES = 5000
#: Buckets that a metric keeps; the oldest go first. A day of minutes.
BUCKETS = 1440
#: Seconds of a bucket. High-resolution metrics (PutMetricData with StorageResolution 1) have buckets of a second.
MINUTE = 60

Dimensions = tuple[tuple[str, str], ...]  # sorted by name


@dataclass(frozen=True)
class MetricKey:
    """What names one metric."""

    namespace: str
    name: str
    dimensions: Dimensions = ()


def dimensions_of(given: Mapping[str, str]) -> Dimensions:
    return tuple(sorted(given.items()))


@dataclass
class Distribution:
    """How often each value occurred: enough for every statistic, percentiles included."""

    counts: dict[float, float] = field(default_factory=dict)
    samples: float = 0.0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = -math.inf
    summarised: bool = False  # holds statistic sets, which do not say what the single values were
    _digits: bool = False  # whether the values are rounded

    def add(self, counts: Mapping[float, float]) -> None:
        """Add values with the number of their occurrences."""
        own = self.counts
        for value, count in counts.items():
            self.samples += count
            self.total += value * count
            self.minimum = min(self.minimum, value)
            self.maximum = max(self.maximum, value)
            kept = float(f"{value:.3g}") if self._digits else value
            own[kept] = own.get(kept, 0.0) + count
        if not self._digits and len(own) > EXACT_VALUES:
            self._round()

    def add_set(self, samples: float, total: float, minimum: float, maximum: float) -> None:
        """Add a statistic set. Its percentiles are known only if all its values are the same."""
        if minimum == maximum and samples > 0:
            self.counts[minimum] = self.counts.get(minimum, 0.0) + samples
        else:
            self.summarised = True
        self.samples += samples
        self.total += total
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)

    def merge(self, other: Distribution) -> None:
        for value, count in other.counts.items():
            self.counts[value] = self.counts.get(value, 0.0) + count
        self.samples += other.samples
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.summarised |= other.summarised

    def _round(self) -> None:
        self._digits = True
        exact, self.counts = self.counts, {}
        for value, count in exact.items():
            kept = float(f"{value:.3g}")
            self.counts[kept] = self.counts.get(kept, 0.0) + count


class Series:
    """One metric: its unit, and a distribution for each bucket, by the second since the epoch when it begins."""

    def __init__(self) -> None:
        self.buckets: dict[tuple[int, str], Distribution] = {}

    def bucket(self, second: int, unit: str) -> Distribution:
        found = self.buckets.get((second, unit))
        if found is None:
            if len(self.buckets) >= BUCKETS:
                del self.buckets[min(self.buckets)]
            found = self.buckets[second, unit] = Distribution()
        return found

    def between(self, start: float, end: float, unit: str | None) -> Iterable[tuple[int, str, Distribution]]:
        """Yield the buckets that begin in [start, end), oldest first: (second, unit, distribution)."""
        for second, of_unit in sorted(self.buckets):
            if start <= second < end and unit in (None, of_unit):
                yield second, of_unit, self.buckets[second, of_unit]


class MetricStore:
    """All metrics of the account. Not thread safe: whoever uses it holds the lock of `metrics`."""

    def __init__(self) -> None:
        self.series: dict[MetricKey, Series] = {}

    def of(self, key: MetricKey) -> Series:
        found = self.series.get(key)
        if found is None:
            found = self.series[key] = Series()
        return found
