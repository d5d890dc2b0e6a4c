"""From a rule to a target: the first attempt, further ones while they can help, and the end of an event that no
attempt delivered.

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
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..account.backlog import BACKLOG
from ..account.time_scale import scaled
from ..cloudwatch import metrics
from . import dead_letter, delivery_rows
from .delivery import Delivery
from .delivery_errors import DeliveryFailed, as_failure
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
        """The limit that is reached after so many retries and seconds, None when there is still hope."""
        if retries >= self.attempts:
            return "MaximumRetryAttempts"
        return "MaximumEventAgeInSeconds" if age_s >= self.age_s else None


def delay_before(retry: int, jitter: Callable[[], float] = random.random) -> float:
    """Seconds, as on AWS, to wait before retry number 1, 2, …: twice as long each time, less up to a half by chance."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2.0 ** min(retry - 1, 32))
    return longest * (1 - jitter() / 2)


class Sender:
    """Delivers events to targets on the threads of `delivery`."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery

    def deliver(self, send: Send, rule: Any, target: Target, event: Event, row: int | None = None) -> None:
        """Try to hand the event over; see to the rest if that fails. `rule` is our Rule (arn, metric_dimensions).

        row: the number of the delivery's row in the journal, if it has one already.
        """
        try:
            send(target, event, rule.arn)
        except Exception as error:
            _Undelivered(self._delivery, send, rule, target, event, row).failed(error)
        else:
            metrics.record(NAMESPACE, rule.metric_dimensions, _DELIVERED)
            if row is not None:
                delivery_rows.delete(row)

    def deliver_later(self, send: Send, rule: Any, target: Target, event: Event) -> None:
        """`deliver` on the target's own lane, after what goes there already."""
        row = delivery_rows.put(None, rule, target, event)
        self._send_counted(send, rule, target, event, row)

    def _send_counted(self, send: Send, rule: Any, target: Target, event: Event, row: int | None) -> None:
        BACKLOG.add(event.size)
        self._delivery.send(target["Arn"], functools.partial(self._deliver_counted, send, rule, target, event, row))

    def _deliver_counted(self, send: Send, rule: Any, target: Target, event: Event, row: int | None) -> None:
        try:
            self.deliver(send, rule, target, event, row)
        finally:
            BACKLOG.done(event.size)

    def resume(self, send: Send, kept: delivery_rows.Kept) -> None:
        """Go on with a delivery that an earlier server has left."""
        if kept.failure is None:
            self._send_counted(send, kept.rule, kept.target, kept.event, kept.row)
        else:
            _Undelivered(self._delivery, send, kept.rule, kept.target, kept.event, kept.row).resume(kept)


class _Undelivered:
    """An event that a target did not take yet. `age_s` is the time it has waited, in seconds on AWS."""

    def __init__(
        self, delivery: Delivery, send: Send, rule: Any, target: Target, event: Event, row: int | None = None
    ) -> None:
        self._delivery, self._send, self._rule, self._target, self._event = delivery, send, rule, target, event
        self._row = row
        self._policy = RetryPolicy.of(target)
        self._retries = 0
        self._age_s = 0.0

    def failed(self, error: Exception) -> None:
        """An attempt has failed."""
        failure = as_failure(error)
        if failure.code == "INTERNAL_ERROR":
            logger.error("delivering failed in the embedded AWS itself", exc_info=error)
        self._record({"InvocationAttempts": 1} | ({"RetryInvocationAttempts": 1} if self._retries else {}))
        if not failure.retryable:
            self._give_up(failure, None)
        elif self._policy.exhausted(self._retries, self._age_s):
            self._give_up(failure, self._policy.exhausted(self._retries, self._age_s))
        else:
            self._wait(failure)

    def _wait(self, failure: DeliveryFailed) -> None:
        if not self._retries:
            logger.info("not delivered yet: %s", json.dumps(self._described(failure)))
        delay = min(delay_before(self._retries + 1), self._policy.age_s - self._age_s)
        self._age_s += delay
        BACKLOG.add(self._event.size)
        due, tried = time.time() + scaled(delay), (self._retries, self._age_s)
        self._row = delivery_rows.put(self._row, self._rule, self._target, self._event, failure, due, *tried)
        self._delivery.later(scaled(delay), self._target["Arn"], functools.partial(self._try_again, failure))

    def resume(self, kept: delivery_rows.Kept) -> None:
        """Go on waiting for the next attempt."""
        assert kept.failure is not None
        self._retries, self._age_s = kept.retries, kept.age_s
        BACKLOG.add(self._event.size)
        job = functools.partial(self._try_again, kept.failure)
        self._delivery.later(max(0.0, kept.due - time.time()), self._target["Arn"], job)

    def _try_again(self, before: DeliveryFailed) -> None:
        BACKLOG.done(self._event.size)
        if self._age_s >= self._policy.age_s:
            self._give_up(before, "MaximumEventAgeInSeconds")
            return
        self._retries += 1
        try:
            self._send(self._target, self._event, self._rule.arn)
        except Exception as error:
            self.failed(error)
        else:
            self._record(_DELIVERED | {"RetryInvocationAttempts": 1})
            self._forget()

    def _forget(self) -> None:
        if self._row is not None:
            delivery_rows.delete(self._row)

    def _give_up(self, failure: DeliveryFailed, exhausted: str | None) -> None:
        outcome = {"Invocations": 1, "FailedInvocations": 1}
        line: dict[str, Any] = self._described(failure)
        if (self._target.get("DeadLetterConfig") or {}).get("Arn"):
            problem = dead_letter.park(self._target, self._event, self._rule.arn, failure, self._retries, exhausted)
            outcome["InvocationsFailedToBeSentToDlq" if problem else "InvocationsSentToDlq"] = 1
            line["then"] = f"dropped: {problem}" if problem else "sent to the dead-letter queue"
        else:
            line["then"] = "dropped: the target has no dead-letter queue"
        if exhausted:
            line |= {"retries": self._retries, "ended by": exhausted}
        self._record(outcome)
        self._forget()
        logger.warning("not delivered: %s", json.dumps(line))

    def _described(self, failure: DeliveryFailed) -> dict[str, str]:
        return {
            "rule": self._rule.arn,
            "target": self._target["Arn"],
            "event": self._event.id,
            "code": failure.code,
            "message": failure.message,
        }

    def _record(self, values: Mapping[str, float]) -> None:
        metrics.record(NAMESPACE, self._rule.metric_dimensions, values)
