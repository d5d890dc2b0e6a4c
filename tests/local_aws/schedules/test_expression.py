"""Schedule expressions: what AWS takes, and when each is due next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from helpers.local_aws.schedules.expression import InvalidExpression, parse

#: 2026-11-30 is a Monday.
NOW = "2026-11-30 20:30"


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def due(expression: str, count: int, after: str = NOW) -> list[str]:
    """The next times at which it is due, as "11-30 20:30", with the year where it is another."""
    schedule, moment, times = parse(expression), at(after), []
    for _ in range(count):
        following = schedule.next_after(at(after), moment)
        if following is None:
            break
        moment = following
        times.append(datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M").removeprefix("2026-"))
    return times


@pytest.mark.parametrize(("expression", "times"), [
    ("rate(1 minute)", ["11-30 20:31", "11-30 20:32"]),
    ("rate(5 minutes)", ["11-30 20:35", "11-30 20:40"]),
    ("rate(1 hour)", ["11-30 21:30", "11-30 22:30"]),
    ("rate(7 days)", ["12-07 20:30", "12-14 20:30"]),
    ("cron(0 10 * * ? *)", ["12-01 10:00", "12-02 10:00"]),
    ("cron(15 12 * * ? *)", ["12-01 12:15"]),
    ("cron(0 18 ? * MON-FRI *)", ["12-01 18:00", "12-02 18:00", "12-03 18:00", "12-04 18:00", "12-07 18:00"]),
    ("cron(0 8 1 * ? *)", ["12-01 08:00", "2027-01-01 08:00"]),
    ("cron(0/15 * * * ? *)", ["11-30 20:45", "11-30 21:00"]),
    ("cron(*/20 * * * ? *)", ["11-30 20:40", "11-30 21:00"]),
    ("cron(1/10 20 30 11 ? *)", ["11-30 20:31", "11-30 20:41", "11-30 20:51", "2027-11-30 20:01"]),
    ("cron(30 20 * * ? *)", ["12-01 20:30"]),  # what is due now has been
    ("cron(0 9 ? * 2#1 *)", ["12-07 09:00", "2027-01-04 09:00"]),  # the first Monday
    ("cron(0 9 ? * TUE#5 *)", ["12-29 09:00", "2027-03-30 09:00"]),  # only some months have five
    ("cron(0 10 ? * 6L *)", ["12-25 10:00", "2027-01-29 10:00"]),  # the last Friday
    ("cron(0 10 ? * L *)", ["12-05 10:00", "12-12 10:00"]),  # the end of the week: Saturday
    ("cron(0 0 L * ? *)", ["12-31 00:00", "2027-01-31 00:00", "2027-02-28 00:00"]),
    ("cron(0 0 L 2 ? 2027-2028)", ["2027-02-28 00:00", "2028-02-29 00:00"]),
    ("cron(0 0 3W * ? *)", ["12-03 00:00", "2027-01-04 00:00"]),  # the 3rd is a Sunday in January
    ("cron(0 0 1W 5 ? *)", ["2027-05-03 00:00"]),  # a Saturday, and April is another month
    ("cron(0 0 31W * ? 2027)", ["2027-01-29 00:00", "2027-03-31 00:00"]),  # February has none
    ("cron(0 0 ? JAN,jul sun 2027)", [f"2027-01-{day:02} 00:00" for day in (3, 10, 17, 24, 31)] + ["2027-07-04 00:00"]),
    ("cron(0 12 ? * mon-sun *)", ["12-01 12:00", "12-02 12:00"]),  # over the end of the week
    ("cron(0 22-1/3 * * ? *)", ["11-30 22:00", "12-01 01:00"]),
    ("cron(0 0 30 2 ? *)", []),
    ("cron(0 0 1 1 ? 1970-2025)", []),
    ("cron(59  23 31  12 ? 2199)", ["2199-12-31 23:59"]),
])  # fmt: skip
def test_when_it_is_due(expression, times):
    assert due(expression, len(times) or 1) == times


@pytest.mark.parametrize("expression", [
    "rate(1 minutes)", "rate(٣ minutes)", "cron(0/٣ * * * ? *)", "cron(0 0 ٣W * ? *)", "cron(0/3 * ٣ * ? *)",
    "rate(5 minute)", "rate(0 minutes)", "rate(0 minute)", "rate(1 hours)", "rate(10 hour)",
    "rate(1 days)", "rate(10 day)", "rate(-1 minutes)", "rate(1.5 minutes)", "rate(5 seconds)", "rate(5)", "rate()",
    "rate(5 Minutes)", "Rate(5 minutes)", "rate(5 minutes) ", "", "5 minutes",
    "cron(INVALID)", "cron()", "cron(0 10 * * ?)", "cron(*/5 * * * *)", "cron(0 10 * * ? * *)",
    "cron(0 1 * * * *)", "cron(0 1 ? * ? *)", "cron(0 1 1 * 1 *)", "cron(71 8 1 * ? *)", "cron(0 25 * * ? *)",
    "cron(0 0 32 * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 * 13 ? *)", "cron(0 0 ? * 8 *)", "cron(0 0 ? * 0 *)",
    "cron(0 0 * * ? 1969)", "cron(0 0 * * ? 2200)", "cron(0 dummy ? * MON-FRI *)", "cron(7 20 * * NOT *)",
    "cron(? 0 * * ? *)", "cron(0 0 ? * 3#1,6#3 *)", "cron(0 0 ? * 3#6 *)", "cron(0 0 ? * 3#0 *)", "cron(0 0 W * ? *)",
    "cron(0 0 32W * ? *)", "cron(0 0 ? * 8L *)", "cron(L 0 * * ? *)", "cron(0/0 0 * * ? *)", "cron(0/60 0 * * ? *)",
    "cron(0, 0 * * ? *)", "cron(,0 0 * * ? *)", "cron(1--2 0 * * ? *)", "cron(*-5 0 * * ? *)", "cron(٣ 0 * * ? *)",
    "cron(0 0 * * ? *", "cron 0 0 * * ? *", "at(2027-01-01T00:00:00)",
])  # fmt: skip
def test_what_aws_does_not_take(expression):
    with pytest.raises(InvalidExpression):
        parse(expression)


def test_a_rate_keeps_its_rhythm_whenever_it_is_asked():
    schedule, begun = parse("rate(10 minutes)"), at(NOW)
    for late in (0, 1, 599):
        assert schedule.next_after(begun, begun + 1200 + late) == begun + 1800
    assert schedule.next_after(begun, begun - 5) == begun + 600, "a clock that was put back"
