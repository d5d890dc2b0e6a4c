"""Tell a mapping's destination OnFailure which records of a stream were discarded, and why.

The record says where they are in the stream, and not what is in them: https://docs.aws.amazon.com/lambda/latest/dg/
services-dynamodb-errors.html
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from ..account.arn import Arn
from ..account.service_table import service_lock
from ..awslambda import destinations
from ..awslambda.event_invoke_config import ACTIONS
from ..engine import clock
from ..execution.function_names import name_and_qualifier
from ..execution.invocation import Outcome, new_id
from ..iam.access_control import role_may
from . import sources
from .mapping import EventSourceMapping
from .poller import Target
from .strands import Part

logger = logging.getLogger("local_aws.mappings")

#: Why, as the record's `condition` says it.
RETRIES, AGE = "RetryAttemptsExhausted", "RecordAgeExceeded"


def report(
    mapping: EventSourceMapping, target: Target | None, part: Part, condition: str, outcome: Outcome | None
) -> None:
    """Send the record, with the function's role. One that cannot be sent is lost, as on AWS, and told in the log."""
    destination = mapping.failure_destination
    first, last = part.changes[0].number, part.changes[-1].number
    logger.info("%s: records %d to %d are discarded: %s", mapping.function_arn, first, last, condition)
    if not destination or target is None:
        return
    text = json.dumps(_record(mapping, part, condition, outcome))
    try:
        _send(destination, text, target.role)
    except Exception as error:  # moto's services raise errors of many kinds
        logger.warning("%s: the destination %s did not take the record: %s", mapping.function_arn, destination, error)


def _record(mapping: EventSourceMapping, part: Part, condition: str, outcome: Outcome | None) -> dict[str, Any]:
    now = clock.utc()
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": outcome.request_id if outcome else new_id(),
            "functionArn": mapping.function_arn,
            "condition": condition,
            "approximateInvokeCount": part.attempts,
        },
        "version": "1.0",
        "timestamp": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z",
        "DDBStreamBatchInfo": _batch_info(mapping, part),
    }
    if outcome is not None:
        version = name_and_qualifier(Arn.parse(mapping.function_arn))[1] or "$LATEST"
        record["responseContext"] = {"statusCode": 200, "executedVersion": version}
        if outcome.error_type is not None:
            record["responseContext"]["functionError"] = "Unhandled"
    return record


def _batch_info(mapping: EventSourceMapping, part: Part) -> dict[str, Any]:
    shard = sources.shard(mapping.source_arn)
    first, last = part.changes[0], part.changes[-1]
    return {
        "shardId": shard.id if shard is not None else "",
        "startSequenceNumber": str(first.number),
        "endSequenceNumber": str(last.number),
        "approximateArrivalOfFirstRecord": _time(first.made),
        "approximateArrivalOfLastRecord": _time(last.made),
        "batchSize": len(part.changes),
        "streamArn": mapping.source_arn,
    }


def _time(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _send(destination: str, text: str, role_arn: str) -> None:
    arn = Arn.parse(destination)
    action = ACTIONS[arn.service]
    if not destinations.exists(destination):
        raise destinations.NotDelivered(f"{destination} does not exist")
    if not role_may(role_arn, action, destination):
        raise destinations.NotDelivered(f"the execution role {role_arn} may not do {action} on {destination}")
    if arn.service == "sqs":
        sqs_backends[arn.account][arn.region].send_message(arn.resource_id, text)
        return
    with service_lock("sns"):
        sns_backends[arn.account][arn.region].publish(text, arn=destination)
