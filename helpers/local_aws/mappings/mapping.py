"""Describe one event source mapping: its settings, as the API has them, and its state."""

from __future__ import annotations

import uuid
from collections.abc import Mapping as Settings
from dataclasses import dataclass, field
from typing import Any

from ..account.arn import Arn
from ..engine import clock
from ..event_patterns.event_pattern import EventPattern, compile_pattern

#: What LastProcessingResult says.
NOTHING_YET, OK, CALL_FAILED = "No records processed", "OK", "PROBLEM: Function call failed"
#: States in which a mapping cannot be changed, and those in which it polls.
IN_TRANSITION = frozenset({"Creating", "Enabling", "Updating", "Disabling", "Deleting"})
POLLING = frozenset({"Enabled", "Updating"})

#: Settings and what they are without being given, by the source's service. None: not shown unless given.
DEFAULTS: Settings[str, Settings[str, Any]] = {
    "sqs": {
        "BatchSize": 10,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "FilterCriteria": None,
        "ScalingConfig": None,
    },
    "dynamodb": {
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
        "FilterCriteria": None,
        "StartingPosition": None,
        "ParallelizationFactor": 1,
        "BisectBatchOnFunctionError": False,
        "MaximumRetryAttempts": -1,
        "MaximumRecordAgeInSeconds": -1,
        "TumblingWindowInSeconds": 0,
        "DestinationConfig": {"OnFailure": {}},
    },
}


@dataclass(eq=False)
class EventSourceMapping:
    """One mapping. settings: those of DEFAULTS; function_arn: with the version or alias, if one was named."""

    source_arn: str
    function_arn: str
    region: str
    account_id: str
    settings: dict[str, Any]
    enabled: bool = True
    tags: dict[str, str] = field(default_factory=dict)
    state: str = "Creating"
    result: str = NOTHING_YET
    last_modified: float = field(default_factory=clock.now)
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def service(self) -> str:
        return Arn.parse(self.source_arn).service

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account_id}:event-source-mapping:{self.uuid}"

    @property
    def polls(self) -> bool:
        return self.enabled and self.state in POLLING

    @property
    def batch_size(self) -> int:
        size: int = self.settings["BatchSize"]
        return size

    @property
    def window(self) -> float:
        """Seconds for which records are gathered."""
        seconds: float = self.settings["MaximumBatchingWindowInSeconds"]
        return seconds

    @property
    def reports_failures(self) -> bool:
        return "ReportBatchItemFailures" in self.settings["FunctionResponseTypes"]

    @property
    def patterns(self) -> list[EventPattern]:
        """Those of which a record must match one; none: every record is for the function."""
        criteria = self.settings.get("FilterCriteria") or {}
        return [compile_pattern(each["Pattern"]) for each in criteria.get("Filters") or []]

    @property
    def maximum_concurrency(self) -> int | None:
        most: int | None = (self.settings.get("ScalingConfig") or {}).get("MaximumConcurrency")
        return most

    @property
    def failure_destination(self) -> str:
        """The ARN of what hears of discarded records, "" for none."""
        sides = self.settings.get("DestinationConfig") or {}
        return (sides.get("OnFailure") or {}).get("Destination") or ""

    def described(self) -> dict[str, Any]:
        """Return the mapping as the API does. AWS shows no LastProcessingResult of a queue that was not read yet."""
        shown = {name: value for name, value in self.settings.items() if value not in (None, {})}
        if self.service != "sqs" or self.result != NOTHING_YET:
            shown["LastProcessingResult"] = self.result
        return {
            **shown,
            "UUID": self.uuid,
            "EventSourceArn": self.source_arn,
            "EventSourceMappingArn": self.arn,
            "FunctionArn": self.function_arn,
            "LastModified": self.last_modified,
            "State": self.state,
            "StateTransitionReason": "USER_INITIATED" if self.service == "sqs" else "User action",
        }


def of_moto(found: Any) -> EventSourceMapping | None:
    """Return a mapping that an account of before has kept as moto's; None for one of a source that is not read."""
    service = Arn.parse(found.event_source_arn).service
    if service not in DEFAULTS:
        return None
    given = {name: value for name, value in found.get_configuration().items() if name in DEFAULTS[service]}
    settings = {**DEFAULTS[service], **given}
    made = EventSourceMapping(found.event_source_arn, found.function_arn, found.region, found.account_id, settings)
    made.uuid, made.tags, made.enabled = found.uuid, dict(found.tags), bool(found.enabled)
    made.state = "Enabled" if made.enabled else "Disabled"
    return made
