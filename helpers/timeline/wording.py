"""Word what is said of an event: what it is about, how often it failed, and why."""

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


def said(run: Invocation) -> str:
    """Return the last that the function has said of it: an attempt that is cut off says nothing."""
    return next((each.reason for each in reversed(run.attempts) if each.reason and not each.cut_off), "")


def reason(run: Invocation) -> str:
    """Return what the function has said of it, or else why its environment has ended the last attempt."""
    return said(run) or next((each.reason for each in reversed(run.attempts) if each.reason), "")


def failed_times(times: int) -> str:
    """Return how often something failed, as the end of a sentence."""
    return {0: "was not tried", 1: "failed once", 2: "failed twice"}.get(times, f"failed {times} times")
