"""Connect functions with the queues, tables and streams that feed them: kept by Lambda, known to the sources too.

moto puts an event source mapping into its source when it is made; a source that was restored hears of it here.
"""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from ..account.arn import Arn


def connect(functions: Any) -> None:
    """Tell the sources of all mappings of `functions`, moto's Lambda of one region."""
    account, region = functions.account_id, functions.region_name
    for mapping in functions._event_source_mappings.values():  # noqa: SLF001  moto lists them in no other way
        arn = mapping.event_source_arn
        source = Arn.parse(arn)
        found: Any
        if source.service == "sqs":
            sources = sqs_backends[account][region].queues.values()
            found = next((queue for queue in sources if queue.queue_arn == arn), None)
        elif source.service == "dynamodb":
            found = dynamodb_backends[account][region].tables.get(source.resource_id.split("/")[0])
        else:
            streams = kinesis_backends[account][region].streams.values()
            found = next((stream for stream in streams if stream.arn == arn), None)
        if found is not None:
            key = arn if source.service == "kinesis" else mapping.function_arn
            found.lambda_event_source_mappings[key] = mapping
