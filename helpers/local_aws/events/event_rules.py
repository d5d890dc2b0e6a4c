"""Refuse what PutRule and PutTargets refuse, with EventBridge's codes and messages.

Limits and patterns: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html,
…/API_Target.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.exceptions import ValidationException

from ..account.arn import Arn
from . import input_shape, target_services
from .delivery_retry import MAX_AGE_S, MAX_ATTEMPTS
from .validation_errors import refuse

#: "Targets per rule": https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
MAX_TARGETS = 5
MAX_TARGETS_PER_REQUEST = 100

_NAME = r"[\.\-_A-Za-z0-9]+"
_STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
_INPUTS = ("Input", "InputPath", "InputTransformer")
_ARN = re.compile(r"arn:[\w-]+:[\w-]+:[\w-]*:\d*:.+")
#: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html
_RETRY_LIMITS = {"MaximumRetryAttempts": (0, MAX_ATTEMPTS), "MaximumEventAgeInSeconds": (60, MAX_AGE_S)}


class LimitExceeded(JsonRESTError):
    def __init__(self) -> None:
        super().__init__("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def check_rule(
    name: str | None,
    event_pattern: str | None,
    state: str | None,
    description: str | None,
    role_arn: str | None,
) -> None:
    """Raise ValidationException for values that PutRule does not take."""
    problems = _text_problems("name", name, longest=64, pattern=_NAME)
    problems += _text_problems("eventPattern", event_pattern, longest=4096)
    if state is not None and state not in _STATES:
        problems.append(
            f"Value '{state}' at 'state' failed to satisfy constraint: "
            f"Member must satisfy enum value set: [{', '.join(_STATES)}]"
        )
    problems += _text_problems("description", description, longest=512)
    problems += _text_problems("roleArn", role_arn, longest=1600)
    refuse(problems)


def check_targets(targets: list[dict[str, Any]], rule_arn: str) -> None:
    """Raise ValidationException for targets that PutTargets does not take."""
    problems: list[str] = []
    if len(targets) > MAX_TARGETS_PER_REQUEST:
        problems.append(
            f"Value at 'targets' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_TARGETS_PER_REQUEST}"
        )
    for number, target in enumerate(targets, 1):
        place = f"targets.{number}.member"
        problems += _text_problems(f"{place}.id", target.get("Id"), longest=64, pattern=_NAME)
        problems += _text_problems(f"{place}.input", target.get("Input"), longest=8192)
        problems += _text_problems(f"{place}.inputPath", target.get("InputPath"), longest=256)
        problems += _retry_problems(f"{place}.retryPolicy", target.get("RetryPolicy") or {})
    refuse(problems)
    for target in targets:
        _check_input(target)
        _check_arns(target, rule_arn)


def check_number_of_targets(existing: list[dict[str, Any]], added: list[dict[str, Any]]) -> None:
    """Raise LimitExceeded when a rule would have more than five targets."""
    if len({target["Id"] for target in (*existing, *added)}) > MAX_TARGETS:
        raise LimitExceeded


def _text_problems(place: str, text: str | None, *, longest: int, pattern: str = "") -> list[str]:
    problems = []
    failed = f"Value '{text}' at '{place}' failed to satisfy constraint: Member must"
    if text is not None and pattern and not re.fullmatch(pattern, text):
        problems.append(f"{failed} satisfy regular expression pattern: {pattern}")
    if text is not None and len(text) > longest:
        problems.append(f"{failed} have length less than or equal to {longest}")
    return problems


def _retry_problems(place: str, policy: dict[str, Any]) -> list[str]:
    problems = []
    for name, (least, most) in _RETRY_LIMITS.items():
        value = policy.get(name)
        failed = f"Value '{value}' at '{place}.{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must"
        if value is not None and value < least:
            problems.append(f"{failed} have value greater than or equal to {least}")
        if value is not None and value > most:
            problems.append(f"{failed} have value less than or equal to {most}")
    return problems


def _check_input(target: dict[str, Any]) -> None:
    """Check that what a target receives is given in one way at most, and in a form that can work."""
    name = target["Id"]
    if sum(key in target for key in _INPUTS) > 1:
        raise ValidationException(
            f"Only one of Input, InputPath, or InputTransformer must be provided for target {name}."
        )
    if "Input" in target:
        try:
            json.loads(target["Input"])
        except ValueError:
            raise ValidationException(f"JSON syntax error in input for target {name}.") from None
    transformer = target.get("InputTransformer", {})
    paths = transformer.get("InputPathsMap") or {}
    for path in [target.get("InputPath", "$"), *paths.values()]:
        if not input_shape.is_path(path):
            raise ValidationException(f"Invalid InputPath for target {name}.")
    for placeholder in input_shape.placeholders(transformer.get("InputTemplate", "")):
        if placeholder not in paths and placeholder not in input_shape.RESERVED:
            raise ValidationException(f"InputTemplate for target {name} contains invalid placeholder {placeholder}.")


def _check_arns(target: dict[str, Any], rule_arn: str) -> None:
    """Check that the target, its role and its dead-letter queue are of a kind that can work."""
    arn, queue = target["Arn"], (target.get("DeadLetterConfig") or {}).get("Arn")
    for given in (arn, target.get("RoleArn"), queue):
        if given is not None and not _ARN.fullmatch(given):
            raise ValidationException(f"Parameter {given} is not valid. Reason: Provided Arn is not in correct format.")
    if not target_services.is_supported(arn):
        raise ValidationException(
            f"Parameter {arn} is not valid. Reason: The embedded AWS delivers events to "
            f"{target_services.DELIVERED_TO}, and not to this kind of target. On AWS it may be valid."
        )
    if target_services.needs_role(arn, rule_arn) and not target.get("RoleArn"):
        raise ValidationException(f"RoleArn is required for target {arn}.")
    if queue is not None:
        _check_dead_letter_queue(queue, rule_arn)


def _check_dead_letter_queue(queue_arn: str, rule_arn: str) -> None:
    """Check that it is a standard queue in the rule's Region.

    Whether it exists, and lets EventBridge send, shows when it is used:
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    queue = Arn.parse(queue_arn)
    if queue.service != "sqs" or queue.region != Arn.parse(rule_arn).region or queue.resource.endswith(".fifo"):
        raise ValidationException(
            f"Parameter {queue_arn} is not valid. Reason: "
            "A dead-letter queue must be a standard SQS queue in the Region of the rule."
        )
