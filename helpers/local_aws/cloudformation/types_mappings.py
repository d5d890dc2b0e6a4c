"""Define the type AWS::Lambda::EventSourceMapping."""

from __future__ import annotations

from typing import Any

from .resource_type import Properties, ResourceType, Work, allowed, changed, pick
from .services import wait

_IN_TRANSITION = frozenset({"Creating", "Enabling", "Updating", "Disabling", "Deleting"})


class EventSourceMapping(ResourceType):
    """A queue or a stream that feeds a function. What it cannot be here, Lambda refuses."""

    name = "AWS::Lambda::EventSourceMapping"
    _settings = (
        "AmazonManagedKafkaEventSourceConfig", "BatchSize", "BisectBatchOnFunctionError", "DestinationConfig",
        "DocumentDBEventSourceConfig", "Enabled", "FilterCriteria", "FunctionName", "FunctionResponseTypes",
        "KmsKeyArn", "LoggingConfig", "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds",
        "MaximumRetryAttempts", "MetricsConfig", "ParallelizationFactor", "ProvisionedPollerConfig", "Queues",
        "ScalingConfig", "SelfManagedKafkaEventSourceConfig", "SourceAccessConfigurations", "Topics",
        "TumblingWindowInSeconds",
    )  # fmt: skip
    # What a setting is that the template no longer has; BatchSize depends on the source.
    _defaults = {
        "BisectBatchOnFunctionError": False, "DestinationConfig": {"OnFailure": {}}, "Enabled": True,
        "FilterCriteria": {}, "FunctionResponseTypes": [], "MaximumBatchingWindowInSeconds": 0,
        "MaximumRecordAgeInSeconds": -1, "MaximumRetryAttempts": -1, "ParallelizationFactor": 1, "ScalingConfig": {},
    }  # fmt: skip
    create_only = frozenset(
        {"EventSourceArn", "SelfManagedEventSource", "StartingPosition", "StartingPositionTimestamp"}
    )
    properties = allowed(["FunctionName"], [*(n for n in _settings if n != "FunctionName"), *create_only, "Tags"])
    attributes = frozenset({"EventSourceMappingArn", "Id"})
    takes_tags = True

    def make(self, work: Work, name: str, properties: Properties) -> str:
        """Make it; its id is Lambda's choice, and its tags say whose it is."""
        settings = _api(pick(properties, *self.create_only, *self._settings))
        made = work.call("lambda", "CreateEventSourceMapping", Tags=work.tags(properties), **settings)
        return str(made["UUID"])

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        wanted = pick(properties, "FunctionName", "EventSourceArn")
        listed = work.call_if_there("lambda", "ListEventSourceMappings", **wanted) or {}
        for each in listed.get("EventSourceMappings", []):
            tags = work.call_if_there("lambda", "ListTags", Resource=each["EventSourceMappingArn"])
            if tags and work.owns(tags["Tags"]):
                return str(each["UUID"])
        return None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        self._settle(work, physical_id)
        return self._attributes(work.call("lambda", "GetEventSourceMapping", UUID=physical_id))

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        defaults = {**self._defaults, "BatchSize": 10 if ":sqs:" in str(new.get("EventSourceArn")) else 100}
        names = [name for name in self._settings if changed(old, new, name)]
        if names:
            settings = {name: new.get(name, defaults.get(name)) for name in names}
            work.call("lambda", "UpdateEventSourceMapping", UUID=physical_id, **_api(settings))
            self._settle(work, physical_id)
        found = work.call("lambda", "GetEventSourceMapping", UUID=physical_id)
        gone = work.tags_gone(old, new)
        if gone:
            work.call("lambda", "UntagResource", Resource=found["EventSourceMappingArn"], TagKeys=gone)
        work.call("lambda", "TagResource", Resource=found["EventSourceMappingArn"], Tags=work.tags(new))
        return self._attributes(found)

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        self._settle(work, physical_id)
        if work.call_if_there("lambda", "DeleteEventSourceMapping", UUID=physical_id):
            self._settle(work, physical_id)

    def _settle(self, work: Work, physical_id: str) -> None:
        def settled() -> bool:
            found = work.call_if_there("lambda", "GetEventSourceMapping", UUID=physical_id)
            return found is None or found["State"] not in _IN_TRANSITION

        wait(settled, f"Event source mapping {physical_id}")

    def _attributes(self, found: dict[str, Any]) -> dict[str, str]:
        return {"EventSourceMappingArn": found["EventSourceMappingArn"], "Id": found["UUID"]}


def _api(properties: Properties) -> dict[str, Any]:
    """Spell the properties as the API does."""
    return {{"KmsKeyArn": "KMSKeyArn"}.get(name, name): value for name, value in properties.items()}
