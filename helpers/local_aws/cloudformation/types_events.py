"""Define the types AWS::Events::Rule, AWS::Events::EventBus and AWS::Events::Archive."""

from __future__ import annotations

from typing import Any

from .errors import already_exists, handler_failure
from .resource_type import Properties, ResourceType, Work, allowed, changed, json_text, pick


class Rule(ResourceType):
    name = "AWS::Events::Rule"
    properties = allowed(
        optional=["Description", "EventBusName", "EventPattern", "Name", "RoleArn", "ScheduleExpression", "State",
                  "Tags", "Targets"],
    )  # fmt: skip
    create_only = frozenset({"EventBusName", "Name"})
    named_by = "Name"
    attributes = frozenset({"Arn"})
    takes_tags = True

    def create(self, work: Work, properties: Properties) -> dict[str, str]:
        name = properties.get("Name") or work.name(64)
        bus = pick(properties, "EventBusName")
        if work.call_if_there("events", "DescribeRule", Name=name, **bus):  # PutRule would replace it
            raise already_exists(self.name, name)
        arn = self._put(work, name, properties, Tags=work.tag_list(properties))
        # As on AWS: the rule's name, and on a bus of its own the bus before it.
        work.started(f"{_bus_name(bus)}|{name}" if bus and _bus_name(bus) != "default" else name)
        self._aim(work, name, {}, properties)
        return {"Arn": arn}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        name = physical_id.rpartition("|")[2]
        arn = self._put(work, name, new)
        self._aim(work, name, old, new)
        gone = work.tags_gone(old, new)
        if gone:
            work.call("events", "UntagResource", ResourceARN=arn, TagKeys=gone)
        work.call("events", "TagResource", ResourceARN=arn, Tags=work.tag_list(new))
        return {"Arn": arn}

    def _put(self, work: Work, name: str, properties: Properties, **more: Any) -> str:
        settings = pick(properties, "Description", "EventBusName", "RoleArn", "ScheduleExpression", "State")
        pattern = json_text(properties.get("EventPattern"))
        return work.call("events", "PutRule", Name=name, EventPattern=pattern, **settings, **more)["RuleArn"]

    def _aim(self, work: Work, name: str, old: Properties, new: Properties) -> None:
        """Bring the targets from the old state to the new one."""
        bus = pick(new or old, "EventBusName")
        before, after = _targets(old), _targets(new)
        gone = [target for target in before if target not in after]
        if gone:
            answer = work.call_if_there("events", "RemoveTargets", Rule=name, Ids=gone, **bus)
            _require_all(answer or {})
        fresh = [target for key, target in after.items() if target != before.get(key)]
        for start in range(0, len(fresh), 10):  # PutTargets takes ten
            batch = fresh[start : start + 10]
            _require_all(work.call("events", "PutTargets", Rule=name, Targets=batch, **bus))

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        name = physical_id.rpartition("|")[2]
        self._aim(work, name, properties, {})
        work.call_if_there("events", "DeleteRule", Name=name, **pick(properties, "EventBusName"))


def _targets(properties: Properties) -> dict[str, Any]:
    return {target.get("Id", ""): target for target in properties.get("Targets", [])}


def _bus_name(bus: Properties) -> str:
    return bus["EventBusName"].rpartition("/")[2]


def _require_all(answer: dict[str, Any]) -> None:
    """Raise ResourceFailure if some targets were refused: the status of these calls is 200 even then."""
    failed = answer.get("FailedEntries") or []
    if failed:
        raise handler_failure(failed[0].get("ErrorMessage") or failed[0].get("ErrorCode", ""), "InvalidRequest")


class EventBus(ResourceType):
    name = "AWS::Events::EventBus"
    properties = allowed(
        ["Name"], ["DeadLetterConfig", "Description", "EventSourceName", "KmsKeyIdentifier", "Policy", "Tags"]
    )
    create_only = frozenset({"EventSourceName", "Name"})
    named_by = "Name"
    attributes = frozenset({"Arn", "Name"})
    takes_tags = True
    _settings = ("DeadLetterConfig", "Description", "KmsKeyIdentifier")

    def create(self, work: Work, properties: Properties) -> dict[str, str]:
        name = properties["Name"]
        settings = pick(properties, "EventSourceName", *self._settings)
        work.call("events", "CreateEventBus", Name=name, Tags=work.tag_list(properties), **settings)
        work.started(name)
        return self._permitted(work, name, {}, properties)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, *self._settings):
            work.call("events", "UpdateEventBus", Name=physical_id, **pick(new, *self._settings))
        attributes = self._permitted(work, physical_id, old, new)
        work.call("events", "TagResource", ResourceARN=attributes["Arn"], Tags=work.tag_list(new))
        return attributes

    def _permitted(self, work: Work, name: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, "Policy"):
            policy = json_text(new.get("Policy"))
            removal = {} if policy else {"RemoveAllPermissions": True}
            operation = "PutPermission" if policy else "RemovePermission"
            work.call("events", operation, EventBusName=name, Policy=policy, **removal)
        return {"Arn": work.call("events", "DescribeEventBus", Name=name)["Arn"], "Name": name}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("events", "DeleteEventBus", Name=physical_id)


class Archive(ResourceType):
    name = "AWS::Events::Archive"
    properties = allowed(
        ["SourceArn"], ["ArchiveName", "Description", "EventPattern", "KmsKeyIdentifier", "RetentionDays"]
    )
    create_only = frozenset({"ArchiveName", "SourceArn"})
    named_by = "ArchiveName"
    attributes = frozenset({"Arn"})

    def create(self, work: Work, properties: Properties) -> dict[str, str]:
        name = properties.get("ArchiveName") or work.name(48)
        settings = self._settings(properties)
        answer = work.call(
            "events", "CreateArchive", ArchiveName=name, EventSourceArn=properties["SourceArn"], **settings
        )
        work.started(name)
        return {"Arn": answer["ArchiveArn"]}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        settings = {"Description": "", "RetentionDays": 0, **self._settings(new)}
        answer = work.call("events", "UpdateArchive", ArchiveName=physical_id, **settings)
        return {"Arn": answer["ArchiveArn"]}

    def _settings(self, properties: Properties) -> Properties:
        pattern = {"EventPattern": json_text(properties.get("EventPattern"))}
        return {**pattern, **pick(properties, "Description", "KmsKeyIdentifier", "RetentionDays")}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("events", "DeleteArchive", ArchiveName=physical_id)
