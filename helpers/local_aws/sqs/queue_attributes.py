"""Check the values of an SQS queue's attributes. moto looks at the size of messages, and only in CreateQueue.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.sqs.exceptions import InvalidAttributeValue

RANGES = {  # seconds, and bytes of a message: 1 MiB since August 2025
    "DelaySeconds": range(900 + 1),
    "KmsDataKeyReusePeriodSeconds": range(60, 86_400 + 1),
    "MaximumMessageSize": range(1024, 1_048_576 + 1),
    "MessageRetentionPeriod": range(60, 1_209_600 + 1),
    "ReceiveMessageWaitTimeSeconds": range(20 + 1),
    "VisibilityTimeout": range(43_200 + 1),
}


def check(attributes: Mapping[str, Any]) -> None:
    """Raise InvalidAttributeValue for the first number that is none, or out of its range."""
    for name, allowed in RANGES.items():
        if name in attributes and _number(attributes[name]) not in allowed:
            raise InvalidAttributeValue(name)


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
