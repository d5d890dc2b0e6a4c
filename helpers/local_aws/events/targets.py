"""Tell what a rule's target receives and which kinds of targets there are; hand events to Lambda functions.

A Lambda function is invoked asynchronously in the name of EventBridge, so its resource policy decides (or the role
that the target names). The other kinds of targets are in `target_services`.
"""

from __future__ import annotations

import json
from typing import Any

from ..account.arn import Arn
from ..awslambda import lambda_service
from . import input_shape
from .delivery_errors import DeliveryFailed
from .put_events import Event
from .target_permission import PRINCIPAL, check_role

Target = dict[str, Any]


def target_input(target: Target, event: Event, rule_arn: str) -> str:
    """Return the text that `target` receives for `event`. Raises DeliveryFailed if a template makes no JSON."""
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
    """Return whether this target is a Lambda function."""
    return Arn.parse(target["Arn"]).service == "lambda"


def is_bus(target: Target) -> bool:
    """Return whether this target is an event bus."""
    arn = Arn.parse(target["Arn"])
    return arn.service == "events" and arn.resource_type == "event-bus"


def locate_bus(target: Target) -> tuple[str, str, str]:
    """Return account, region and name of a target that is an event bus."""
    arn = Arn.parse(target["Arn"])
    return arn.account, arn.region, arn.resource_id


def invoke_function(target: Target, event: Event, rule_arn: str) -> None:
    """Hand the event to Lambda's asynchronous queue. Raises DeliveryFailed or InvocationRefused."""
    payload = target_input(target, event, rule_arn).encode()
    if target.get("RoleArn"):
        _invoke_with_role(target, payload, event, rule_arn)
        return
    lambda_service.invoke_as_service(
        target["Arn"],
        payload,
        service=PRINCIPAL,
        source_arn=rule_arn,
        source_account=Arn.parse(rule_arn).account,
        hops=event.hops,
        root=event.root,
    )


def _invoke_with_role(target: Target, payload: bytes, event: Event, rule_arn: str) -> None:
    check_role(target["RoleArn"], "lambda:InvokeFunction", target["Arn"], rule_arn)
    arn = Arn.parse(target["Arn"])
    function = lambda_service.service_of(arn).get_function(target["Arn"])
    function.enqueue(payload, event.hops, event.root)
