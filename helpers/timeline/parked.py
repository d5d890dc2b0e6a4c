"""Read the messages about an event that wait in queues: none is taken out, and none stays hidden."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3

from helpers.exercises.tools import found

VISIBILITY_TIMEOUT = 10  # seconds; only where a queue holds more messages than one request shows
MAX_REQUESTS = 20  # at most so many requests to one queue
_REQUEST_ID = re.compile(r"^RequestId: \S+ (?:Error: )?")  # before what Lambda itself says


@dataclass(frozen=True)
class ParkedMessage:
    """A message about the event in a queue: from a rule that could not deliver it, or from Lambda, which then
    gives the request id, and in `error` what the function answered last.
    """

    queue: str
    event: dict[str, Any]
    cause: str
    rule_arn: str | None = None
    target_arn: str | None = None
    request_id: str | None = None
    attempts: int = 0
    error: str = ""


def queue_name(arn: str | None) -> str | None:
    """Return the name in the ARN of a queue; None for the ARN of anything else."""
    parts = (arn or "").split(":")
    return parts[5] if len(parts) == 6 and parts[2] == "sqs" else None


def parked_messages(queue: str, event_id: str) -> list[ParkedMessage]:
    """Return what a queue holds about the event. It stays there. A queue that does not exist holds nothing."""
    return [parked for message in _messages(queue) if (parked := _parked_message(queue, message, event_id))]


def _messages(queue: str) -> Iterator[dict[str, Any]]:
    """Yield every message of a queue once. None is hidden, unless there are more than one request shows.

    To wait a second is to ask all of the machines that keep the queue
    (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html).
    """
    client = boto3.client("sqs")
    address = found(client, "get_queue_url", QueueName=queue)
    if not address:
        return
    url = address["QueueUrl"]
    seen: set[str] = set()
    hidden: list[str] = []
    try:
        for _ in range(MAX_REQUESTS):
            more = client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1,
                VisibilityTimeout=VISIBILITY_TIMEOUT if seen else 0,
            ).get("Messages", [])  # fmt: skip
            hidden += [message["ReceiptHandle"] for message in more] if seen else []
            new = [message for message in more if message["MessageId"] not in seen]
            yield from new
            if len(more) < 10 and len(seen) < 10 or not more:
                return
            seen |= {message["MessageId"] for message in new}
    finally:
        for handle in hidden:  # visible again, at once
            client.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)


def _parked_message(queue: str, message: dict[str, Any], event_id: str) -> ParkedMessage | None:
    """Return the message, if it is about the event: a record of Lambda's has the event inside."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return None
    record = body if isinstance(body, dict) and isinstance(body.get("requestContext"), dict) else None
    event = record.get("requestPayload") if record else body
    if not isinstance(event, dict) or event.get("id") != event_id:
        return None
    attributes = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    if record:
        context = record["requestContext"]
        attempts = context.get("approximateInvokeCount", 0)
        error = _error(record.get("responsePayload"))
        condition, request_id = context.get("condition", ""), context.get("requestId")
        return ParkedMessage(queue, event, condition, None, None, request_id, attempts, error)
    cause = attributes.get("ERROR_CODE") or attributes.get("ErrorMessage", "")
    return ParkedMessage(
        queue, event, cause, attributes.get("RULE_ARN"), attributes.get("TARGET_ARN"), attributes.get("RequestID")
    )


def _error(payload: Any) -> str:
    """Return what a function's last answer says, if it is an error: such as Runtime.ImportModuleError: No module …"""
    if not isinstance(payload, dict) or "errorMessage" not in payload:
        return ""
    message = _REQUEST_ID.sub("", str(payload["errorMessage"]))
    kind = payload.get("errorType", "")
    return message if not kind or kind == "Sandbox.Timedout" else f"{kind}: {message}"
