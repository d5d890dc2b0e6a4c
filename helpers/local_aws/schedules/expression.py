"""Read `rate(5 minutes)` and `cron(0 10 * * ? *)`, and say when they are due next.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from .cron_days import DaysOfMonth, DaysOfWeek
from .cron_field import Field, InvalidField

_RATE = re.compile(r"rate\(\s*(\d+)\s+(minute|hour|day)(s?)\s*\)", re.ASCII)
_CRON = re.compile(r"cron\(([^()]*)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}

_MINUTES, _HOURS, _YEARS = Field(0, 59), Field(0, 23), Field(1970, 2199)
_MONTHS = Field(1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"))
ANY = "?"


class InvalidExpression(ValueError):
    """The text is no schedule expression that AWS takes."""


class Schedule(Protocol):
    def next_after(self, begun: float, moment: float) -> float | None:
        """Return when the schedule is due next after `moment`, or None if never again.

        begun: when the schedule was made. All are seconds since the epoch.
        """


@dataclass(frozen=True)
class Rate:
    """Due again and again after so many seconds, for the first time so many seconds after it was made."""

    seconds: int

    def next_after(self, begun: float, moment: float) -> float | None:
        done = max(0, (moment - begun) // self.seconds)
        return begun + (done + 1) * self.seconds


@dataclass(frozen=True)
class Cron:
    """Due in some minutes of the calendar, in UTC."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: DaysOfMonth | DaysOfWeek
    months: tuple[int, ...]
    years: tuple[int, ...]

    def next_after(self, begun: float, moment: float) -> float | None:
        after = datetime.fromtimestamp(moment, UTC)
        return next((due.timestamp() for due in self._from(after) if due.timestamp() > moment), None)

    def _from(self, after: datetime) -> Iterator[datetime]:
        """Yield the minutes in which it is due, from the beginning of the day that `after` is in."""
        for year in self.years:
            for month in self.months:
                if (year, month) < (after.year, after.month):
                    continue
                for day in self.days.of(year, month):
                    if (year, month, day) < (after.year, after.month, after.day):
                        continue
                    for hour in self.hours:
                        for minute in self.minutes:
                            yield datetime(year, month, day, hour, minute, tzinfo=UTC)


def parse(text: str) -> Schedule:
    """Return what the expression of a rule means. Raises InvalidExpression."""
    if rate := _RATE.fullmatch(text):
        return _rate(int(rate[1]), rate[2], bool(rate[3]))
    if cron := _CRON.fullmatch(text):
        try:
            return _cron(cron[1].split())
        except InvalidField as error:
            raise InvalidExpression(str(error)) from error
    raise InvalidExpression("neither rate(…) nor cron(…)")


def _rate(value: int, unit: str, plural: bool) -> Rate:
    """AWS wants "1 minute" and "5 minutes", and no other number of either."""
    if not value or plural != (value > 1):
        raise InvalidExpression(f"{value} does not go with {unit}{'s' if plural else ''}")
    return Rate(value * _SECONDS[unit])


def _cron(fields: list[str]) -> Cron:
    if len(fields) != 6:
        raise InvalidExpression(f"{len(fields)} fields, not 6")
    minutes, hours, day, month, weekday, years = fields
    if (day == ANY) == (weekday == ANY):
        raise InvalidExpression("one of the day of the month and the day of the week must be ?")
    return Cron(
        _MINUTES.read(minutes),
        _HOURS.read(hours),
        DaysOfMonth.read(day) if weekday == ANY else DaysOfWeek.read(weekday),
        _MONTHS.read(month),
        _YEARS.read(years),
    )
