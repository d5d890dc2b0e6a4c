"""Refuse what Lambda refuses of a mapping, with AWS's codes and messages, and what cannot be done here, by its name.

What the API model states comes first, as ValidationException:
https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..account.arn import Arn
from ..awslambda import destinations
from ..awslambda.event_invoke_config import ACTIONS
from ..event_patterns.event_pattern import InvalidEventPattern, compile_pattern
from ..execution.lambda_errors import LambdaError, constraint_errors, invalid
from ..iam.access_control import role_may
from ..sqs.queues import Queue
from . import sources
from .mapping import DEFAULTS

Request = Mapping[str, Any]

_LIMITS = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
    "MaximumRetryAttempts": (-1, 10_000),
    "TumblingWindowInSeconds": (0, 900),
}
_MAX_PATTERN, _MAX_FILTERS = 4096, 5
_LEAST_AGE = 60
_POSITIONS = "[LATEST, AT_TIMESTAMP, TRIM_HORIZON]"
#: Settings that AWS knows and that nothing here acts on; a value of 0 or nothing says the same as none.
_ABSENT = (
    "AmazonManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "KMSKeyArn", "LoggingConfig",
    "MetricsConfig", "ProvisionedPollerConfig", "Queues", "SelfManagedEventSource",
    "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics", "TumblingWindowInSeconds",
)  # fmt: skip
#: Services whose sources AWS reads and nothing here does, as their ARNs name them.
_OTHER_SOURCES = {
    "kinesis": "Kinesis streams", "kafka": "Amazon MSK", "mq": "Amazon MQ", "rds": "Amazon DocumentDB",
}  # fmt: skip
_ONLY_AT_CREATION = frozenset({"StartingPosition"})


def check_constraints(request: Request) -> None:
    """Check what the API model states for single parameters. Raises LambdaError."""
    failures = list(_failures(request))
    if failures:
        raise constraint_errors(failures)


def _failures(request: Request) -> Iterator[tuple[str, object, str]]:
    values = {name: (request.get(name), *limits) for name, limits in _LIMITS.items()}
    scaling = request.get("ScalingConfig") or {}
    values["ScalingConfig.MaximumConcurrency"] = (scaling.get("MaximumConcurrency"), 2, 1000)
    for name, (value, least, most) in values.items():
        if value is not None and not least <= value <= most:
            rule = f"greater than or equal to {least}" if value < least else f"less than or equal to {most}"
            yield _parameter(name), value, f"Member must have value {rule}"
    position = request.get("StartingPosition")
    if position is not None and position not in _POSITIONS.strip("[]").split(", "):
        yield "startingPosition", position, f"Member must satisfy enum value set: {_POSITIONS}"
    types = request.get("FunctionResponseTypes") or []
    if any(each != "ReportBatchItemFailures" for each in types):
        rule = "Member must satisfy constraint: [Member must satisfy enum value set: [ReportBatchItemFailures]]"
        yield "functionResponseTypes", f"[{', '.join(map(str, types))}]", rule
    for number, each in enumerate(_filters(request), 1):
        if len(each.get("Pattern") or "") > _MAX_PATTERN:
            rule = f"Member must have length less than or equal to {_MAX_PATTERN}"
            yield f"filterCriteria.filters.{number}.member.pattern", each["Pattern"], rule


def _parameter(name: str) -> str:
    return ".".join(part[0].lower() + part[1:] for part in name.split("."))


def check_source(request: Request) -> Arn:
    """Return the ARN of the source that a request names. Raises LambdaError; NotImplementedError for another kind."""
    for name in _ABSENT:
        if request.get(name) not in (None, 0, [], {}, ""):
            raise NotImplementedError(f"an event source mapping with {name}; leave it out.")
    arn = Arn.find(request.get("EventSourceArn") or "")
    if arn is not None and arn.service in _OTHER_SOURCES:
        raise NotImplementedError(
            f"event source mappings of {_OTHER_SOURCES[arn.service]}; it reads SQS queues and DynamoDB streams."
        )
    if arn is None or arn.service not in DEFAULTS:
        raise invalid("Unrecognized event source.")
    if arn.service == "dynamodb" and not re.fullmatch(r"table/[^/]+/stream/.+", arn.resource):
        raise invalid(f"Stream not found: {arn}")
    return arn


def settings_of(request: Request, source: Arn, former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return all settings of a mapping that a request wants; what it leaves out is as in `former`, or the default.

    Raises LambdaError for what does not go together, or not with the source.
    """
    known = DEFAULTS[source.service]
    for name in {name for each in DEFAULTS.values() for name in each} - known.keys():
        if request.get(name) not in (None, 0, [], {}, False):
            if name == "StartingPosition":
                raise invalid("StartingPosition is not valid for SQS event sources.")
            raise invalid(f"Unsupported {name} parameter for given event source mapping type.")
    given = {name: request[name] for name in known if request.get(name) is not None}
    if former is not None:
        given = {name: value for name, value in given.items() if name not in _ONLY_AT_CREATION}
    settings = {**known, **(former or {}), **given}
    if not _filters(settings):
        settings["FilterCriteria"] = None
    _check_filters(settings)
    if source.service == "sqs":
        _check_batches(settings, fifo=source.resource.endswith(".fifo"))
    else:
        _check_stream(settings, source)
    return settings


def _check_batches(settings: Request, fifo: bool) -> None:
    window = settings["MaximumBatchingWindowInSeconds"]
    if fifo and window:
        raise invalid("Batching window is not supported for FIFO queues.")
    if fifo and settings["BatchSize"] > 10:
        raise invalid("Batch size must not exceed 10 for FIFO queues.")
    if settings["BatchSize"] > 10 and not window:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")


def _check_stream(settings: Request, source: Arn) -> None:
    position = settings["StartingPosition"]
    if position is None:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: "
            "Member must not be null."
        )
    if position == "AT_TIMESTAMP":
        raise invalid(f"Unsupported starting position for arn type: {source}")
    if 0 <= settings["MaximumRecordAgeInSeconds"] < _LEAST_AGE:
        raise invalid(f"MaximumRecordAgeInSeconds must be -1 or between {_LEAST_AGE} and 604800.")
    sides = settings["DestinationConfig"]
    if (sides.get("OnSuccess") or {}).get("Destination"):
        raise invalid("Unsupported DestinationConfig parameter for given event source mapping type.")


def _filters(settings: Request) -> list[dict[str, Any]]:
    return (settings.get("FilterCriteria") or {}).get("Filters") or []


def _check_filters(settings: Request) -> None:
    found = _filters(settings)
    if len(found) > _MAX_FILTERS:
        raise invalid(f"The number of filters exceeds the limit of {_MAX_FILTERS}.")
    for each in found:
        try:
            compile_pattern(each.get("Pattern") or "")
        except InvalidEventPattern:
            raise invalid("Invalid filter pattern definition.") from None


def check_access(source: Arn, role_arn: str, timeout_s: int) -> None:
    """Check that the source is there, and that the function's role may read it. Raises LambdaError."""
    arn = str(source)
    queue = sources.queue(arn) if source.service == "sqs" else None
    if source.service == "sqs" and queue is None:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    if source.service == "dynamodb" and sources.shard(arn) is None:
        raise invalid(f"Stream not found: {arn}")
    problem = sources.forbidden(role_arn, arn)
    if problem is not None:
        raise invalid(problem)
    if queue is not None:
        check_visibility(queue, timeout_s)


def check_visibility(queue: Queue, timeout_s: int) -> None:
    """Refuse a queue whose messages would come back while the function still works on them. Raises LambdaError."""
    visibility: int = queue.visibility_timeout  # type: ignore[attr-defined]  # moto sets it with setattr
    if visibility < timeout_s:
        raise invalid(
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout_s} seconds"
        )


def check_destination(settings: Request, role_arn: str) -> None:
    """Check what is to hear of discarded records: a standard queue or topic. Raises LambdaError."""
    sides = settings.get("DestinationConfig") or {}
    destination = (sides.get("OnFailure") or {}).get("Destination")
    if not destination:
        return
    arn = Arn.find(destination)
    service = arn.service if arn is not None else destination.partition(":")[0]
    if service in ("s3", "kafka"):
        raise NotImplementedError(f"a destination in {service} for discarded records; name an SQS queue or SNS topic.")
    if service not in ("sqs", "sns") or destination.endswith(".fifo") or not destinations.exists(destination):
        raise invalid(f"The destination ARN {destination} is invalid.")
    if not role_may(role_arn, ACTIONS[service], destination):
        call = {"sqs": "SendMessage on SQS", "sns": "Publish on SNS"}[service]
        raise invalid(f"The provided execution role does not have permissions to call {call}")


def conflict(source: Arn, function_name: str, uuid: str) -> LambdaError:
    """Return the error for a source and a function that have a mapping already."""
    if source.service == "sqs":
        what = f'An event source mapping with SQS arn (" {source} ") and function (" {function_name} ") already exists.'
    else:
        what = (
            f'The event source arn (" {source} ") and function (" {function_name} ") provided mapping already exists.'
        )
    text = f"{what} Please update or delete the existing mapping with UUID {uuid}"
    return LambdaError("ResourceConflictException", text)
