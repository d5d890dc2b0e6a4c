"""Deliver from a rule to a target: try, retry while that can help, and end an event that no attempt delivered.

Missing permissions and missing targets are not retried; throttling and failures of the target's service are,
with growing and random delays, for 24 hours and 185 times unless the target's RetryPolicy says otherwise. Then
the event goes to the target's dead-letter queue, or is dropped when the target has none:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
"""

from __future__ import annotations

import functools
import json
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..account.backlog import BACKLOG
from ..cloudwatch import metrics
from ..engine import clock
from ..engine.executor import Lanes
from . import dead_letter, delivery_rows
from .delivery_errors import DeliveryFailed, as_failure
from .delivery_rows import PendingDelivery
from .put_events import Event

logger = logging.getLogger("local_aws.event_bus")

NAMESPACE = "AWS/Events"
#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
MAX_ATTEMPTS = 185
MAX_AGE_S = 86_400
#: Seconds before the first retry, and at most. AWS publishes neither: with these, 185 retries fill its 24 hours.
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 600.0

_DELIVERED = {"InvocationAttempts": 1, "SuccessfulInvocationAttempts": 1, "Invocations": 1}

Target = dict[str, Any]
#: Hands an event to a target, for the rule with this ARN; raises what stopped it.
Send = Callable[[Target, Event, str], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and how long (seconds on AWS), delivery to a target is retried."""

    attempts: int = MAX_ATTEMPTS
    age_s: float = MAX_AGE_S

    @classmethod
    def of(cls, target: Target) -> RetryPolicy:
        given = target.get("RetryPolicy") or {}
        return cls(given.get("MaximumRetryAttempts", MAX_ATTEMPTS), given.get("MaximumEventAgeInSeconds", MAX_AGE_S))

    def exhausted(self, retries: int, age_s: float) -> str | None:
        """Return the limit that is reached after so many retries and seconds, None when there is still hope."""
        if retries >= self.attempts:
            return "MaximumRetryAttempts"
        return "MaximumEventAgeInSeconds" if age_s >= self.age_s else None


def delay_before(retry: int, jitter: Callable[[], float] = random.random) -> float:
    """Return the seconds, as on AWS, to wait before retry number 1, 2, ….

    It is twice as long each time, less up to a half by chance.
    """
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(retry - 1, 32))
    return longest * (1 - jitter() / 2)


class Sender:
    """Delivers events to targets in the lanes of their targets."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes

    def deliver(self, send: Send, pending: PendingDelivery) -> None:
        """Try to hand the event over; see to the rest if that fails."""
        try:
            send(pending.target, pending.event, pending.rule.arn)
        except Exception as error:
            _Undelivered(self._lanes, send, pending).failed(error)
        else:
            metrics.record(NAMESPACE, pending.rule.metric_dimensions, _DELIVERED)
            delivery_rows.delete(pending)

    def deliver_later(self, send: Send, pending: PendingDelivery) -> None:
        """Deliver (see `deliver`) on the target's own lane, after what goes there already."""
        delivery_rows.put(pending)
        self._send_counted(send, pending)

    def _send_counted(self, send: Send, pending: PendingDelivery) -> None:
        BACKLOG.add(pending.event.size)
        self._lanes.send(pending.target["Arn"], functools.partial(self._deliver_counted, send, pending))

    def _deliver_counted(self, send: Send, pending: PendingDelivery) -> None:
        try:
            self.deliver(send, pending)
        finally:
            BACKLOG.done(pending.event.size)

    def resume(self, send: Send, kept: PendingDelivery) -> None:
        """Go on with a delivery that an earlier server has left."""
        if kept.failure is None:
            self._send_counted(send, kept)
        else:
            _Undelivered(self._lanes, send, kept).resume(kept.failure)


class _Undelivered:
    """An event that a target did not take yet."""

    def __init__(self, lanes: Lanes, send: Send, pending: PendingDelivery) -> None:
        self._lanes, self._send, self._pending = lanes, send, pending
        self._policy = RetryPolicy.of(pending.target)

    def failed(self, error: Exception) -> None:
        """Retry after an attempt that has failed, or give up."""
        pending, failure = self._pending, as_failure(error)
        if failure.code == "INTERNAL_ERROR":
            logger.error("delivering failed in the embedded AWS itself", exc_info=error)
        self._record({"InvocationAttempts": 1} | ({"RetryInvocationAttempts": 1} if pending.retries else {}))
        exhausted = self._policy.exhausted(pending.retries, pending.age_s)
        if not failure.retryable:
            self._give_up(failure, None)
        elif exhausted:
            self._give_up(failure, exhausted)
        else:
            self._wait(failure)

    def _wait(self, failure: DeliveryFailed) -> None:
        pending = self._pending
        if not pending.retries:
            logger.info("not delivered yet: %s", json.dumps(self._described(failure)))
        delay = min(delay_before(pending.retries + 1), self._policy.age_s - pending.age_s)
        pending.age_s += delay
        BACKLOG.add(pending.event.size)
        pending.failure, pending.due = failure, clock.now() + clock.scaled(delay)
        delivery_rows.put(pending)
        self._retry_in(clock.scaled(delay), failure)

    def resume(self, failure: DeliveryFailed) -> None:
        """Go on waiting for the next attempt."""
        BACKLOG.add(self._pending.event.size)
        self._retry_in(max(0.0, self._pending.due - clock.now()), failure)

    def _retry_in(self, seconds: float, before: DeliveryFailed) -> None:
        self._lanes.later(seconds, self._pending.target["Arn"], functools.partial(self._retry, before))

    def _retry(self, before: DeliveryFailed) -> None:
        pending = self._pending
        BACKLOG.done(pending.event.size)
        if pending.age_s >= self._policy.age_s:
            self._give_up(before, "MaximumEventAgeInSeconds")
            return
        pending.retries += 1
        try:
            self._send(pending.target, pending.event, pending.rule.arn)
        except Exception as error:
            self.failed(error)
        else:
            self._record(_DELIVERED | {"RetryInvocationAttempts": 1})
            delivery_rows.delete(pending)

    def _give_up(self, failure: DeliveryFailed, exhausted: str | None) -> None:
        pending = self._pending
        outcome = {"Invocations": 1, "FailedInvocations": 1}
        line: dict[str, Any] = self._described(failure)
        if (pending.target.get("DeadLetterConfig") or {}).get("Arn"):
            problem = dead_letter.park(
                pending.target, pending.event, pending.rule.arn, failure, pending.retries, exhausted
            )
            outcome["InvocationsFailedToBeSentToDlq" if problem else "InvocationsSentToDlq"] = 1
            line["then"] = f"dropped: {problem}" if problem else "sent to the dead-letter queue"
        else:
            line["then"] = "dropped: the target has no dead-letter queue"
        if exhausted:
            line |= {"retries": pending.retries, "ended by": exhausted}
        self._record(outcome)
        delivery_rows.delete(pending)
        logger.warning("not delivered: %s", json.dumps(line))

    def _described(self, failure: DeliveryFailed) -> dict[str, str]:
        return {
            "rule": self._pending.rule.arn,
            "target": self._pending.target["Arn"],
            "event": self._pending.event.id,
            "code": failure.code,
            "message": failure.message,
        }

    def _record(self, values: Mapping[str, float]) -> None:
        metrics.record(NAMESPACE, self._pending.rule.metric_dimensions, values)
