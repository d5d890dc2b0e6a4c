"""Read the two fields of a cron expression that say on which days, and find these days in a month."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass

from .cron_field import Field, InvalidField

_DAYS = Field(1, 31)
_WEEKDAYS = Field(1, 7, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), steps=False)
_NEAREST = re.compile(r"(\d+)W", re.IGNORECASE | re.ASCII)
_NTH = re.compile(r"(\w+)#([1-5])")
_LAST = re.compile(r"(\w+)L", re.IGNORECASE)


def length(year: int, month: int) -> int:
    """Return how many days the month has."""
    return calendar.monthrange(year, month)[1]


def weekday(year: int, month: int, day: int) -> int:
    """Return AWS's number of a day's weekday: 1 for Sunday to 7 for Saturday."""
    return (calendar.weekday(year, month, day) + 1) % 7 + 1


@dataclass(frozen=True)
class DaysOfMonth:
    """The field day-of-month: numbers, L for the last day, 15W for the weekday nearest to the 15th."""

    numbers: frozenset[int]
    nearest: frozenset[int]
    last: bool

    @classmethod
    def read(cls, text: str) -> DaysOfMonth:
        """Read the field. Raises InvalidField."""
        numbers: set[int] = set()
        nearest: set[int] = set()
        last = False
        for part in text.split(","):
            if part.upper() == "L":
                last = True
            elif match := _NEAREST.fullmatch(part):
                nearest.add(_DAYS.value(match[1]))
            else:
                numbers.update(_DAYS.read(part))
        return cls(frozenset(numbers), frozenset(nearest), last)

    def of(self, year: int, month: int) -> list[int]:
        """Return the days of a month, in order."""
        end = length(year, month)
        days = {day for day in self.numbers if day <= end}
        days |= {_nearest_weekday(year, month, day) for day in self.nearest if day <= end}
        return sorted(days | {end} if self.last else days)


@dataclass(frozen=True)
class DaysOfWeek:
    """The field day-of-week: numbers, L for Saturday, 6L for the month's last Friday, 3#2 for its second Tuesday."""

    numbers: frozenset[int]
    last: frozenset[int]
    nth: tuple[int, int] | None

    @classmethod
    def read(cls, text: str) -> DaysOfWeek:
        """Read the field. Raises InvalidField."""
        if match := _NTH.fullmatch(text):
            return cls(frozenset(), frozenset(), (_WEEKDAYS.value(match[1]), int(match[2])))
        if "#" in text:  # "3#1,6#3" are two expressions: AWS takes one alone
            raise InvalidField(f"{text!r} cannot be read")
        numbers: set[int] = set()
        last: set[int] = set()
        for part in text.split(","):
            if part.upper() == "L":
                numbers.add(7)
            elif match := _LAST.fullmatch(part):
                last.add(_WEEKDAYS.value(match[1]))
            else:
                numbers.update(_WEEKDAYS.read(part))
        return cls(frozenset(numbers), frozenset(last), None)

    def of(self, year: int, month: int) -> list[int]:
        """Return the days of a month, in order."""
        return [day for day in range(1, length(year, month) + 1) if self._has(year, month, day)]

    def _has(self, year: int, month: int, day: int) -> bool:
        number = weekday(year, month, day)
        if self.nth:
            return self.nth == (number, (day - 1) // 7 + 1)
        return number in self.numbers or number in self.last and day + 7 > length(year, month)


def _nearest_weekday(year: int, month: int, day: int) -> int:
    """Return the day from Monday to Friday that is nearest, in the same month."""
    number, end = weekday(year, month, day), length(year, month)
    if number == 7:
        return day - 1 if day > 1 else day + 2
    if number == 1:
        return day + 1 if day < end else day - 2
    return day
