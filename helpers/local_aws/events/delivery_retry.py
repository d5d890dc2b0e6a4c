"""Deliver from a rule to a target: try, retry while that can help, and end an event that no attempt delivered.

Missing permissions and missing targets are not retried; throttling and failures of the target's service are,
with growing and random delays, for 24 hours and 185 times unless the target's RetryPolicy says otherwise. Then
the event goes to the target's dead-letter queue, or is dropped when the target has none:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html

Delays are scaled, as all of AWS's waits are. So is an age that the learner has set in a RetryPolicy: who sets minutes
wants to see the event parked after them. AWS's own 24 hours are not: they are hours in which the account was up. An
event grows no older while the account is down or the machine sleeps.
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
#: Seconds that are too few for another attempt: what rounding leaves of an event's time.
_MOMENT_S = 0.001

_DELIVERED = {"InvocationAttempts": 1, "SuccessfulInvocationAttempts": 1, "Invocations": 1}

Target = dict[str, Any]
#: Hands an event to a target, for the rule with this ARN; raises what stopped it.
Send = Callable[[Target, Event, str], None]


@dataclass(frozen=True)
class RetryPolicy:
    """How often, and how long, delivery to a target is retried. age_s: seconds on AWS, None for AWS's own 24 hours."""

    attempts: int = MAX_ATTEMPTS
    age_s: float | None = None

    @classmethod
    def of(cls, target: Target) -> RetryPolicy:
        given = target.get("RetryPolicy") or {}
        return cls(given.get("MaximumRetryAttempts", MAX_ATTEMPTS), given.get("MaximumEventAgeInSeconds"))

    def exhausted(self, pending: PendingDelivery) -> str | None:
        """Return the limit that a delivery has reached, None when there is still hope."""
        return "MaximumRetryAttempts" if pending.retries >= self.attempts else self.too_old(pending)

    def too_old(self, pending: PendingDelivery) -> str | None:
        """Return the limit of an event's age, if a delivery has reached that."""
        return "MaximumEventAgeInSeconds" if self._left_s(pending) < _MOMENT_S else None

    def wait(self, pending: PendingDelivery, delay_s: float) -> float:
        """Count a delay (seconds on AWS) as waited, or what is left of the event's time; returns the seconds here."""
        if self.age_s is None:
            seconds = min(clock.scaled(delay_s), self._left_s(pending))
        else:
            delay_s = min(delay_s, self._left_s(pending))
            seconds = clock.scaled(delay_s)
        pending.waited_s += delay_s
        return seconds

    def _left_s(self, pending: PendingDelivery) -> float:
        """Return for how long an event may still wait: seconds on AWS, or of the account's uptime."""
        if self.age_s is None:
            return MAX_AGE_S - (clock.uptime() - pending.event.accepted_at)
        return self.age_s - pending.waited_s


def delay_before(retry: int, jitter: Callable[[], float] = random.random) -> float:
    """Return the seconds, as on AWS, to wait before retry number 1, 2, ….

    It is twice as long each time, less up to a half by chance.
    """
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(retry - 1, 32))
    return longest * (1 - jitter() / 2)


class Sender:
    """Delivers events to targets, those that may be slow or are retried in the targets' own lanes."""

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
        exhausted = self._policy.exhausted(pending)
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
        seconds = self._policy.wait(pending, delay_before(pending.retries + 1))
        BACKLOG.add(pending.event.size)
        pending.failure, pending.due = failure, clock.uptime() + seconds
        delivery_rows.put(pending)
        self._retry_in(seconds, failure)

    def resume(self, failure: DeliveryFailed) -> None:
        """Go on waiting for the next attempt, never longer than any event waits: the scale may be another now."""
        BACKLOG.add(self._pending.event.size)
        left = self._pending.due - clock.uptime()
        self._retry_in(min(max(0.0, left), clock.scaled(LONGEST_DELAY_S)), failure)

    def _retry_in(self, seconds: float, before: DeliveryFailed) -> None:
        self._lanes.later(seconds, self._pending.target["Arn"], functools.partial(self._retry, before))

    def _retry(self, before: DeliveryFailed) -> None:
        pending = self._pending
        BACKLOG.done(pending.event.size)
        too_old = self._policy.too_old(pending)
        if too_old:
            self._give_up(before, too_old)
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
