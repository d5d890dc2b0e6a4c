"""What a rule's target receives, and how it is handed over.

A Lambda function is invoked asynchronously in the name of EventBridge, so its resource policy decides. The
other kinds of targets are those that moto has a service for.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import requests
from moto import settings
from moto.core.utils import unix_time_millis
from moto.utilities.arns import Arn, parse_arn

from . import input_shape, lambda_service
from .locks import service_lock
from .put_events import Event

Target = dict[str, Any]

#: "EventBridge requests to an API destination endpoint must have a maximum client execution timeout of 5
#: seconds": https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-api-destinations.html
_HTTP_TIMEOUT_S = 5


class DeliveryFailed(Exception):
    """The target did not take the event. `code` is that of the service that refused it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def target_input(target: Target, event: Event, rule_arn: str) -> str:
    """The text that `target` receives for `event`. Raises DeliveryFailed if a template makes no JSON."""
    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        part = input_shape.select(target["InputPath"], event)
        return "{}" if part is None else part
    if "InputTransformer" in target:
        return _transformed(target["InputTransformer"], event, rule_arn)
    return event.text


def _transformed(transformer: dict[str, Any], event: Event, rule_arn: str) -> str:
    text = input_shape.transform(transformer, event, rule_arn)
    if text.lstrip()[:1] in ("{", "["):
        try:
            json.loads(text)
        except ValueError as error:
            raise DeliveryFailed("INVALID_JSON", f"The input template became no valid JSON: {error}") from error
    return text


def is_function(target: Target) -> bool:
    """Whether this target is a Lambda function."""
    return ":lambda:" in target["Arn"][:24]


def is_bus(target: Target) -> bool:
    """Whether this target is an event bus."""
    return ":event-bus/" in target["Arn"]


def locate_bus(target: Target) -> tuple[str, str, str]:
    """Account, region and name of a target that is an event bus."""
    arn = parse_arn(target["Arn"])
    return arn.account, arn.region, arn.resource_id


def invoke_function(target: Target, event: Event, rule_arn: str) -> None:
    """Hand the event to Lambda's asynchronous queue. Raises DeliveryFailed."""
    payload = target_input(target, event, rule_arn).encode()
    try:
        lambda_service.invoke_as_service(
            target["Arn"],
            payload,
            service="events.amazonaws.com",
            source_arn=rule_arn,
            source_account=rule_arn.split(":", 5)[4],
        )
    except lambda_service.InvocationRefused as error:
        raise DeliveryFailed(error.code, error.message) from error


def send(target: Target, event: Event, rule_arn: str) -> None:
    """Deliver to another kind of target. Raises DeliveryFailed, or what the target's service raises."""
    arn = parse_arn(target["Arn"])
    text = target_input(target, event, rule_arn)
    if arn.service == "sqs":
        _send_to_queue(arn, text, target.get("SqsParameters", {}).get("MessageGroupId"))
    elif arn.service == "logs":
        _send_to_log_group(arn, text)
    elif arn.service == "events" and arn.resource_type == "api-destination":
        _call_api_destination(arn, text, target.get("HttpParameters", {}))
    else:
        raise DeliveryFailed("UNSUPPORTED_TARGET", "The embedded AWS does not deliver to this kind of target")


def _send_to_queue(arn: Arn, text: str, group_id: str | None) -> None:
    from moto.sqs import sqs_backends

    queues = sqs_backends[arn.account][arn.region]
    queues.send_message(queue_name=arn.resource_id, message_body=text, group_id=group_id)


def _send_to_log_group(arn: Arn, text: str) -> None:
    from moto.logs import logs_backends

    logs = logs_backends[arn.account][arn.region]
    group, stream = arn.resource_id.removesuffix(":*"), str(uuid.uuid4())
    with service_lock("logs"):
        logs.create_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(unix_time_millis()), "message": text}])


def _call_api_destination(arn: Arn, text: str, parameters: dict[str, Any]) -> None:
    """As moto, only when MOTO_EVENTS_INVOKE_HTTP allows real requests."""
    from moto.events.models import events_backends

    if not settings.events_invoke_http():
        return
    destination = events_backends[arn.account][arn.region].destinations[arn.resource_id.split("/")[0]]
    response = requests.request(
        destination.http_method,
        destination.invocation_endpoint,
        params=parameters.get("QueryStringParameters"),
        headers={"Content-Type": "application/json; charset=utf-8", **parameters.get("HeaderParameters", {})},
        data=text.encode(),
        timeout=_HTTP_TIMEOUT_S,
    )
    if not response.ok:
        raise DeliveryFailed("SDK_CLIENT_ERROR", f"The API destination answered {response.status_code}")
