"""Write the records of which a function's event consists, from what a queue or a stream holds.

Their form: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event and
.../dg/with-ddb.html#events-sample-dynamodb
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from moto.sqs.models import Message

#: "The payload size reaches 6 MB": https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
MAX_PAYLOAD = 6 * 1024 * 1024
_ENVELOPE = '{"Records":[%s]}'


def event(texts: Iterable[str]) -> bytes:
    """Return the event of records that are written already."""
    return (_ENVELOPE % ",".join(texts)).encode()


def text_of(record: dict[str, Any]) -> str:
    return json.dumps(record, separators=(",", ":"), default=_plain)


def fitting(sizes: Iterable[int]) -> int:
    """Return how many texts of these sizes (bytes), from the first on, one event can hold; at least one."""
    total, count = len(_ENVELOPE), 0
    for size in sizes:
        total += size + 1
        if count and total > MAX_PAYLOAD:
            break
        count += 1
    return count


def of_message(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """Return the record of a message that was received."""
    record: dict[str, Any] = {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": _system_attributes(message),
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }
    if message.message_attributes:
        record["md5OfMessageAttributes"] = message.attribute_md5
    return record


def _system_attributes(message: Message) -> dict[str, str]:
    named = {
        "ApproximateReceiveCount": message.approximate_receive_count,
        "SentTimestamp": message.sent_timestamp,
        "SequenceNumber": message.sequence_number,
        "MessageGroupId": message.group_id,
        "SenderId": message.sender_id,
        "MessageDeduplicationId": message.deduplication_id,
        "ApproximateFirstReceiveTimestamp": message.approximate_first_receive_timestamp,
        "AWSTraceHeader": (message.system_attributes.get("AWSTraceHeader") or {}).get("StringValue"),
    }
    return {name: str(value) for name, value in named.items() if value is not None}


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    written: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if value.get("BinaryValue"):
        binary = value["BinaryValue"]
        return {"binaryValue": binary if isinstance(binary, str) else base64.b64encode(binary).decode(), **written}
    return {"stringValue": value.get("StringValue"), **written}


def of_change(kept: dict[str, Any], stream_arn: str) -> dict[str, Any]:
    """Return the record of a change in a table. kept: as GetRecords answers it, with a time of UTC that says so not."""
    change = kept["dynamodb"]
    made = change["ApproximateCreationDateTime"].replace(tzinfo=UTC).timestamp()
    return {**kept, "dynamodb": {**change, "ApproximateCreationDateTime": int(made)}, "eventSourceARN": stream_arn}


def as_read(text: str) -> dict[str, Any]:
    """Return a record as the function will see it, for filters to look at."""
    record: dict[str, Any] = json.loads(text)
    return record


def _plain(value: Any) -> Any:
    """Return as JSON has it what a stream keeps of an item: bytes in base64, sets as lists."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.to_regular_json() if hasattr(value, "to_regular_json") else sorted(value)
