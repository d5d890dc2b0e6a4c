"""Read out of a function's log why its environment failed: a start that did not succeed, too little time or memory.

What the function's own code raises for one event is not meant: that is the event's affair.
The lines are those of https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and
https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from helpers.account.answers import Answers

NEWEST = 30  # lines of a log that are looked at
_RUNTIME = re.compile(r"\[ERROR\] (?P<words>Runtime\.\w+: [^\r\n]*)")
_AT_IMPORT = re.compile(r"\[ERROR\] (?P<words>\w[\w.]*(?:: [^\r\n]*)?).*, line (?P<line>\d+), in <module>", re.DOTALL)
_TIMED_OUT = re.compile(r"(?P<words>(?:Task|Init) timed out after [\d.]+ seconds)")
_REPORT = re.compile(r"^(?:INIT_)?REPORT .*?Status: (?:error\s+Error Type: (?P<words>[\w.]+)|(?P<timeout>timeout))")
_TYPES = {
    "Runtime.OutOfMemory": "Runtime.OutOfMemory: it used up its memory",
    "Runtime.ExitError": "Runtime.ExitError: its process ended before it answered",
}


def failure(messages: Iterable[str]) -> str:
    """Return why an invocation failed, by the log lines that belong to it; "" when they tell of no such failure."""
    found = [words for message in messages if (words := failure_in(message))]
    named = [words for words in found if ":" in words or "timed out" in words]  # a report has the bare type
    return next(iter(named or found), "")


def failure_in(message: str) -> str:
    """Return the failure that one log line tells of, such as "Task timed out after 3.00 seconds", or ""."""
    if found := _RUNTIME.match(message) or _TIMED_OUT.search(message):
        return found["words"].strip()
    if found := _AT_IMPORT.match(message):
        return f"{found['words'].strip()} (line {found['line']}, when the module is imported)"
    if found := _REPORT.match(message):
        return "timed out" if found["timeout"] else _TYPES.get(found["words"], found["words"])
    return ""


def was_running(failure: str) -> bool:
    """Return whether a failure (see `failure_in`) came while the function was at work, not when it started."""
    return "timed out" in failure or failure.startswith(("Runtime.OutOfMemory", "Runtime.ExitError"))


def newest_failure(answers: Answers, function: str, since: str = "") -> str:
    """Return why the function's newest invocation failed, or "" when it did not, or none was since then.

    since: a time as Lambda writes it, such as 2026-11-23T09:30:00.000+0000. Two calls; nothing is changed.
    """
    where = {"logGroupName": f"/aws/lambda/{function}"}
    newest = {"orderBy": "LastEventTime", "descending": True, "limit": 1}
    streams = answers.get("logs", "describe_log_streams", **where, **newest).get("logStreams", [])
    if not streams:
        return ""
    stream = {"logStreamName": streams[0]["logStreamName"], "limit": NEWEST, "startFromHead": False}
    events = answers.get("logs", "get_log_events", **where, **stream).get("events", [])
    begin = _milliseconds(since)
    return failure(last_invocation([event["message"] for event in events if event["timestamp"] >= begin]))


def last_invocation(messages: Sequence[str]) -> Sequence[str]:
    """Return the lines of the last invocation that has ended, with the environment's start if that came before it."""
    ends = [number for number, message in enumerate(messages) if message.startswith(("REPORT ", "INIT_REPORT "))]
    last = ends[-1] + 1 if ends else len(messages)
    begin = ends[-2] + 1 if len(ends) > 1 else 0
    return messages[begin:last]


def _milliseconds(moment: str) -> int:
    try:
        return int(datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp() * 1000)
    except ValueError:
        return 0
