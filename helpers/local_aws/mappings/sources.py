"""Find what mappings read from, and say whether a function's role may read it.

Lambda polls with the function's execution role: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
#configure-execution-role and .../dg/with-ddb.html (AWSLambdaDynamoDBExecutionRole)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.dynamodb.models import dynamodb_backends

from ..account.arn import Arn
from ..dynamodb.stream import Shard
from ..iam.access_control import role_reaches
from ..sqs.queue_policy import find_queue

if TYPE_CHECKING:
    from ..sqs.queues import Queue

_QUEUE_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_STREAM_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")


def queue(arn: str) -> Queue | None:
    """Return the queue with this ARN; None when there is none."""
    found: Queue | None = find_queue(arn)
    return found


def shard(arn: str) -> Shard | None:
    """Return the shard of the stream with this ARN; None when no table has such a stream."""
    stream = Arn.parse(arn)
    tables: Any = dynamodb_backends[stream.account][stream.region].tables
    table = tables.get(stream.resource_id.partition("/")[0])
    found: Shard | None = table.shard_of(arn) if table is not None else None
    return found


def forbidden(role_arn: str, source_arn: str) -> str | None:
    """Return AWS's sentence about what the role lacks to read the source; None when it may."""
    if Arn.parse(source_arn).service == "sqs":
        for action in _QUEUE_ACTIONS:
            if not role_reaches(role_arn, f"sqs:{action}", source_arn):
                return f"The provided execution role does not have permissions to call {action} on SQS"
        return None
    if all(role_reaches(role_arn, f"dynamodb:{action}", source_arn) for action in _STREAM_ACTIONS):
        return None
    return (
        f"Cannot access stream {source_arn}. Please ensure the role can perform the GetRecords, GetShardIterator, "
        "DescribeStream, and ListStreams Actions on your stream in IAM."
    )
