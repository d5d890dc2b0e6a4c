"""Put entries again that PutEvents refused for a reason that passes, such as throttling; boto3 does not do that.

Lesson 5 teaches how to do that, with a `send` of its own. The other lessons are about something else, so there the
workbook's clients do the same: what was refused is put again, five times in all, and the answer has all entries in
their places. What is refused for good stays refused.
https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
"""

import random
import threading
import time
from typing import Any

TRANSIENT = {"ThrottlingException", "InternalFailure", "InternalException"}
PAUSES = (0.1, 0.2, 0.4, 0.8)  # seconds at most, before each further attempt


def install(session: Any) -> None:
    """Make the clients that a boto3 Session creates from now on put such entries again."""
    sending_again = threading.local()

    def remember(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["workbook_entries"] = list(params.get("Entries", ()))

    def resend(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if getattr(sending_again, "now", False):
            return
        sending_again.now = True
        try:
            _resend_refused(session, parsed, context["workbook_entries"])
        finally:
            sending_again.now = False

    for event, handler in (
        ("provide-client-params.eventbridge.PutEvents", remember),
        ("after-call.eventbridge.PutEvents", resend),
    ):
        session.events.unregister(event, unique_id=f"workbook {event}")
        session.events.register(event, handler, unique_id=f"workbook {event}")


def _resend_refused(session: Any, answer: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """Put what the answer refuses for now again, and write what becomes of it into the answer."""
    for longest in PAUSES:
        results = answer.get("Entries", ())
        refused = [number for number, result in enumerate(results) if result.get("ErrorCode") in TRANSIENT]
        if not refused:
            return
        time.sleep(random.uniform(0, longest))
        again = session.client("events").put_events(Entries=[entries[number] for number in refused])
        for number, result in zip(refused, again["Entries"], strict=True):
            results[number] = result
        answer["FailedEntryCount"] = sum("ErrorCode" in result for result in results)
