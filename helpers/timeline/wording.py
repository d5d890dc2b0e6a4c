"""Word what is said of an event: what it is about, how often it failed, and why."""

import unicodedata
from dataclasses import fields, is_dataclass, replace
from typing import Any

from helpers.timeline.evidence import Invocation

CAUSES = {  # of EventBridge and of Lambda, in words
    "NO_PERMISSIONS": "EventBridge may not invoke the function: NO_PERMISSIONS.",
    "ZeroReservedConcurrency": "The function may not run at all: ZeroReservedConcurrency.",
    "RetriesExhausted": "Lambda has used up its retries: RetriesExhausted.",
}


def subject(order: str, first: bool = True) -> str:
    """Return what a sentence is about; `first`: at its beginning."""
    words = f"order {order}" if order else "the event"
    return words[0].upper() + words[1:] if first else words


#: Control characters, halves of surrogate pairs, ends of lines and paragraphs, what no font has.
_UNSEEN = {"Cc", "Cs", "Zl", "Zp", "Cn"}
#: What turns the direction of all that follows: a name could pass for another.
_TURNING = {*"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"}


def printable(thing: Any) -> Any:
    """Return a part of a trace, or a text, with an escape such as \\x07 for each character that cannot be shown.

    An order's id may have any: unescaped, it would break a line, steer a terminal, or keep a picture from being shown.
    """
    if isinstance(thing, str):
        return "".join(map(_escaped, thing))
    if isinstance(thing, tuple):
        return tuple(map(printable, thing))
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    values = {each.name: getattr(thing, each.name) for each in fields(thing)}
    if "cause" in values:  # an error's text may have several lines
        values["cause"] = " ".join(values["cause"].split())
    return replace(thing, **{name: printable(value) for name, value in values.items()})


def _escaped(letter: str) -> str:
    if unicodedata.category(letter) in _UNSEEN or letter in _TURNING:
        return letter.encode("unicode_escape").decode("ascii")
    return letter


def said(run: Invocation) -> str:
    """Return the last that the function has said of it: an attempt that is cut off says nothing."""
    return next((each.reason for each in reversed(run.attempts) if each.reason and not each.cut_off), "")


def reason(run: Invocation) -> str:
    """Return what the function has said of it, or else why its environment has ended the last attempt."""
    return said(run) or next((each.reason for each in reversed(run.attempts) if each.reason), "")


def failed_times(times: int) -> str:
    """Return how often something failed, as the end of a sentence."""
    return {0: "was not tried", 1: "failed once", 2: "failed twice"}.get(times, f"failed {times} times")
