"""What a rule's target receives, and how it is handed over.

A Lambda function is invoked asynchronously in the name of EventBridge, so its resource policy decides. Other kinds of
targets are those that moto has a service for.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from moto.core.utils import unix_time_millis
from moto.utilities.arns import parse_arn

if TYPE_CHECKING:
    from .put_events import Event

Target = dict[str, Any]


class DeliveryFailed(Exception):
    """The target did not take the event. `code` is AWS's error code where there is one."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def target_input(target: Target, event: Event) -> str:
    """The JSON text that `target` receives for `event`."""
    if "Input" in target:
        return target["Input"]
    return event.text


def is_function(target: Target) -> bool:
    return target["Arn"].split(":", 3)[2] == "lambda"


def invoke_function(rule_arn: str, account: str, target: Target, event: Event) -> None:
    """Hand the event to Lambda's asynchronous queue. Raises DeliveryFailed."""
    from . import lambda_service

    payload = target_input(target, event).encode("utf-8", "replace")
    try:
        lambda_service.invoke_as_service(
            target["Arn"], payload, service="events.amazonaws.com", source_arn=rule_arn, source_account=account
        )
    except lambda_service.InvocationRefused as error:
        raise DeliveryFailed(error.code, error.message) from error


def send(target: Target, event: Event) -> None:
    """Deliver to any other kind of target. Raises DeliveryFailed, or what the target's service raises."""
    arn = parse_arn(target["Arn"])
    text = target_input(target, event)
    if arn.service == "sqs":
        _send_to_queue(arn, text, target.get("SqsParameters", {}).get("MessageGroupId"))
    elif arn.service == "logs":
        _send_to_log_group(arn, text)
    else:
        raise DeliveryFailed("UnsupportedTarget", f"The embedded AWS does not deliver to {target['Arn']}")


def _send_to_queue(arn: Any, text: str, group_id: str | None) -> None:
    from moto.sqs import sqs_backends

    queues = sqs_backends[arn.account][arn.region]
    queues.send_message(queue_name=arn.resource_id, message_body=text, group_id=group_id)


def _send_to_log_group(arn: Any, text: str) -> None:
    from moto.logs import logs_backends

    logs = logs_backends[arn.account][arn.region]
    group, stream = arn.resource_id.removesuffix(":*"), str(uuid.uuid4())
    logs.create_log_stream(group, stream)
    logs.put_log_events(group, stream, [{"timestamp": unix_time_millis(), "message": text}])
