"""Deliver to queues, topics, streams, log groups and HTTP endpoints: targets that moto has a service for.

Each function hands one event over, or raises: DeliveryFailed, or what the target's service raises.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..engine import clock
from ..sqs.queue_policy import find_queue, policies_allow
from ..storage import journal
from .api_destination import call_api_destination
from .delivery_errors import no_resource, not_permitted
from .put_events import Event
from .target_permission import PRINCIPAL, check, check_role
from .targets import Target, target_input


def send(target: Target, event: Event, rule_arn: str) -> None:
    """Deliver to a target that is neither a function nor an event bus."""
    arn = Arn.parse(target["Arn"])
    text = target_input(target, event, rule_arn)
    service = "api-destination" if arn.service == "events" else arn.service
    _SENDERS[service](target, arn, text, event, rule_arn)


def _send_to_queue(target: Target, arn: Arn, text: str, event: Event, rule_arn: str) -> None:
    from moto.sqs import sqs_backends

    queue = find_queue(target["Arn"])
    if queue is None:
        raise no_resource("The specified queue does not exist.")
    check(target, "sqs:SendMessage", target["Arn"], rule_arn, queue.policy)
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    # EventBridge gives no deduplication id: a FIFO queue needs ContentBasedDeduplication.
    sqs_backends[arn.account][arn.region].send_message(queue_name=arn.resource_id, message_body=text, group_id=group)


def _publish_to_topic(target: Target, arn: Arn, text: str, event: Event, rule_arn: str) -> None:
    from moto.sns.models import sns_backends

    topics = sns_backends[arn.account][arn.region]
    with service_lock("sns"):
        topic = topics.topics.get(target["Arn"])
    if topic is None:
        raise no_resource("Topic does not exist")
    check(target, "sns:Publish", target["Arn"], rule_arn, topic.policy)
    topics.publish(text, arn=target["Arn"])


def _put_in_stream(target: Target, arn: Arn, text: str, event: Event, rule_arn: str) -> None:
    from moto.kinesis.models import kinesis_backends

    from . import input_shape

    check_role(target["RoleArn"], "kinesis:PutRecord", target["Arn"], rule_arn)
    path = (target.get("KinesisParameters") or {}).get("PartitionKeyPath")
    key = (input_shape.select(path, event) or "").strip('"') if path else ""
    with service_lock("kinesis"):
        kinesis_backends[arn.account][arn.region].put_record(
            target["Arn"], "", key or event.id, "", base64.b64encode(text.encode()).decode()
        )
        journal.changed("kinesis", arn.region)


def _send_to_log_group(target: Target, arn: Arn, text: str, event: Event, rule_arn: str) -> None:
    from moto.logs import logs_backends

    logs = logs_backends[arn.account][arn.region]
    group, stream = arn.resource_id.removesuffix(":*"), str(uuid.uuid4())
    with service_lock("logs"):
        if group not in logs.groups:
            raise no_resource("The specified log group does not exist.")
        _check_log_policies(logs, target["Arn"].removesuffix(":*"), stream, rule_arn)
        logs.create_log_stream(group, stream)
        journal.changed("logs", arn.region)
        logs.put_log_events(group, stream, [{"timestamp": int(clock.now() * 1000), "message": text}])


def _check_log_policies(logs: Any, group_arn: str, stream: str, rule_arn: str) -> None:
    """CloudWatch Logs' resource policies belong to the account, not to a group."""
    resource, account = f"{group_arn}:log-stream:{stream}", Arn.parse(rule_arn).account
    policies = [policy.policy_document for policy in logs.resource_policies.values()]
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        if not policies_allow(policies, action, resource, PRINCIPAL, rule_arn, account):
            raise not_permitted(PRINCIPAL, action, resource)


def _call_api(target: Target, arn: Arn, text: str, event: Event, rule_arn: str) -> None:
    check_role(target["RoleArn"], "events:InvokeApiDestination", target["Arn"], rule_arn)
    call_api_destination(target, arn, text)


_SENDERS = {
    "sqs": _send_to_queue,
    "sns": _publish_to_topic,
    "kinesis": _put_in_stream,
    "logs": _send_to_log_group,
    "api-destination": _call_api,
}

#: Kinds of targets, by the service in their ARN, that events can be delivered to, for the message about others.
DELIVERED_TO = "Lambda functions, SQS queues, SNS topics, Kinesis streams, log groups, API destinations and event buses"


def is_supported(target_arn: str) -> bool:
    """Return whether events can be delivered to this kind of target at all."""
    arn = Arn.parse(target_arn)
    if arn.service == "events":
        return arn.resource_type in ("event-bus", "api-destination")
    return arn.service == "lambda" or arn.service in _SENDERS


def needs_role(target_arn: str, rule_arn: str) -> bool:
    """Return whether PutTargets demands a RoleArn: no policy of the target's own, or a bus that is elsewhere."""
    arn = Arn.parse(target_arn)
    if arn.service == "events" and arn.resource_type == "event-bus":
        rule = Arn.parse(rule_arn)
        return (arn.region, arn.account) != (rule.region, rule.account)
    return arn.service in ("events", "kinesis")
