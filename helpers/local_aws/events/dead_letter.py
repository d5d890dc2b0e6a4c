"""Park an event that could not be delivered in its target's dead-letter queue.

The message is the event itself, not what the target would have received; its attributes say what went wrong:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
"""

from __future__ import annotations

from typing import Any

from moto.sqs import sqs_backends

from ..account.arn import Arn
from ..sqs.queue_policy import find_queue, queue_allows
from .delivery_errors import DeliveryFailed
from .put_events import Event

PRINCIPAL = "events.amazonaws.com"


def park(
    target: dict[str, Any], event: Event, rule_arn: str, failure: DeliveryFailed, retries: int, exhausted: str | None
) -> str | None:
    """Send the event to the target's dead-letter queue, with EventBridge's attributes.

    exhausted: the limit that ended the retries ("MaximumRetryAttempts" or "MaximumEventAgeInSeconds"), None when
    the failure was one that is not retried. Returns None when the event is parked, else why it could not be.
    """
    queue_arn = target["DeadLetterConfig"]["Arn"]
    if find_queue(queue_arn) is None:
        return f"the dead-letter queue {queue_arn} does not exist"
    if not queue_allows(queue_arn, PRINCIPAL, rule_arn, Arn.parse(rule_arn).account):
        return f"the policy of the dead-letter queue {queue_arn} does not let {PRINCIPAL} send to it for this rule"
    arn = Arn.parse(queue_arn)
    try:
        sqs_backends[arn.account][arn.region].send_message(
            queue_name=arn.resource_id,
            message_body=event.text,
            message_attributes=_attributes(target, rule_arn, failure, retries, exhausted),
        )
    except Exception as error:  # moto's own, such as a message that is too long
        return f"the dead-letter queue {queue_arn} did not take it: {error}"
    return None


def _attributes(
    target: dict[str, Any], rule_arn: str, failure: DeliveryFailed, retries: int, exhausted: str | None
) -> dict[str, dict[str, str]]:
    texts = {
        "RULE_ARN": rule_arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": failure.code,
        "ERROR_MESSAGE": failure.message or failure.code,
    }
    if exhausted is not None:
        texts |= {"EXHAUSTED_RETRY_CONDITION": exhausted, "RETRY_ATTEMPTS": str(retries)}
    return {name: {"DataType": "String", "StringValue": text} for name, text in texts.items()}
