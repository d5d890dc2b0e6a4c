"""Send the record of an asynchronous event that is over to its destination or its dead-letter queue.

Lambda acts with the function's execution role. A record that cannot be sent is lost, as on AWS; a metric counts it.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..cloudwatch import metrics
from ..engine import clock
from ..execution.function_names import name_and_qualifier
from ..execution.invocation import FunctionSpec, hops_in, root_of
from ..iam.access_control import role_may
from .async_queue import SUCCESS, AsyncEvent
from .event_invoke_config import ACTIONS

logger = logging.getLogger("local_aws.destinations")

#: Characters of an error's message that a dead-letter queue's message carries.
_MAX_ERROR_MESSAGE = 1024


class NotDelivered(Exception):
    """A destination did not take the record; says why."""


@dataclass(frozen=True)
class Ending:
    """An asynchronous event that Lambda is through with."""

    event: AsyncEvent
    spec: FunctionSpec
    condition: str

    @property
    def function_arn(self) -> str:
        return f"{self.spec.arn}:{self.event.qualifier}"

    def record(self) -> dict[str, Any]:
        """Return the record that a destination receives."""
        now, event, last = clock.utc(), self.event, self.event.last
        record: dict[str, Any] = {
            "version": "1.0",
            "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
            "requestContext": {
                "requestId": event.request_id,
                "functionArn": self.function_arn,
                "condition": self.condition,
                "approximateInvokeCount": event.attempts,
            },
            "requestPayload": json.loads(event.payload),
        }
        if last is not None:
            record["responseContext"] = {"statusCode": 200, "executedVersion": self.spec.version}
            if last.error_type:
                record["responseContext"]["functionError"] = "Unhandled"
            record["responsePayload"] = _parsed(last.payload)
        return record

    def dead_letter_attributes(self) -> dict[str, dict[str, str]]:
        """Return what the message in a dead-letter queue says beside the event itself."""
        last = self.event.last
        answer = _parsed(last.payload) if last else None
        text = answer.get("errorMessage") if isinstance(answer, dict) else None
        return {
            "RequestID": {"DataType": "String", "StringValue": self.event.request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": "200" if last else "429"},
            "ErrorMessage": {"DataType": "String", "StringValue": str(text or "Rate Exceeded.")[:_MAX_ERROR_MESSAGE]},
        }


def deliver(ending: Ending, destination: str) -> None:
    """Send the record to a destination; one that cannot be reached is counted and told in the server's log."""
    result = "Success" if ending.condition == SUCCESS else "Failure"
    try:
        _send(ending, destination, json.dumps(ending.record()), f"Lambda Function Invocation Result - {result}")
    except Exception as error:  # moto's services raise errors of many kinds
        logger.warning("%s: its destination for %s did not take the record: %s", ending.spec.name, result, error)
        metrics.record("AWS/Lambda", {"FunctionName": ending.spec.name}, {"DestinationDeliveryFailures": 1})


def send_to_dead_letter_queue(ending: Ending) -> None:
    """Send the event itself to the function's dead-letter queue or topic."""
    target, text = ending.spec.dead_letter_arn, ending.event.payload.decode("utf-8", "replace")
    try:
        _send(ending, target, text, "", ending.dead_letter_attributes())
    except Exception as error:
        logger.warning("%s: its dead-letter queue did not take the event: %s", ending.spec.name, error)
        metrics.record("AWS/Lambda", {"FunctionName": ending.spec.name}, {"DeadLetterErrors": 1})


def exists(destination: str) -> bool:
    """Return whether there is such a queue, topic, function or event bus in this account."""
    arn = Arn.parse(destination)
    if arn.service == "sqs":
        return arn.resource_id in sqs_backends[arn.account][arn.region].queues
    if arn.service == "sns":
        return destination in sns_backends[arn.account][arn.region].topics
    if arn.service == "events":
        return arn.resource_id in events_backends[arn.account][arn.region].event_buses
    try:
        return lambda_backends[arn.account][arn.region].get_function(destination) is not None
    except Exception:  # moto's and ours: no such function, version or alias
        return False


def _send(
    ending: Ending, destination: str, text: str, detail_type: str, attributes: dict[str, dict[str, str]] | None = None
) -> None:
    arn = Arn.parse(destination)
    action = ACTIONS[arn.service]
    if not exists(destination):
        raise NotDelivered(f"{destination} does not exist")
    if not role_may(ending.spec.role_arn, action, destination):
        raise NotDelivered(f"the execution role {ending.spec.role_arn} may not do {action} on {destination}")
    trace = ending.event.trace_id
    if arn.service == "sqs":
        sqs_backends[arn.account][arn.region].send_message(arn.resource_id, text, message_attributes=attributes)
    elif arn.service == "sns":
        with service_lock("sns"):
            sns_backends[arn.account][arn.region].publish(text, arn=destination, message_attributes=attributes)
    elif arn.service == "lambda":
        function: Any = lambda_backends[arn.account][arn.region].get_function(destination)
        function.enqueue_watched(text.encode(), trace, name_and_qualifier(arn)[1] or "$LATEST")
    else:
        entry = {
            "Source": "lambda",
            "DetailType": detail_type,
            "Detail": text,
            "Resources": [destination, ending.function_arn],
            "EventBusName": destination,
        }
        buses: Any = events_backends[arn.account][arn.region]
        answer = buses.put_events([entry], hops=hops_in(trace), root=root_of(trace), throttle=False)[0]
        if "ErrorCode" in answer:
            raise NotDelivered(f"{answer['ErrorCode']}: {answer.get('ErrorMessage', '')}")


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload) if payload else None
    except ValueError:
        return payload.decode("utf-8", "replace")
