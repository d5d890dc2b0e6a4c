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

    def make(self, work: Work, name: str, properties: Properties) -> str:
        bus = pick(properties, "EventBusName")
        if work.call_if_there("events", "DescribeRule", Name=name, **bus):  # PutRule would replace it
            raise already_exists(self.name, name)
        self._put(work, name, properties, Tags=work.tag_list(properties))
        return _rule_id(bus, name)

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        bus = pick(properties, "EventBusName")
        rule = work.call_if_there("events", "DescribeRule", Name=name, **bus)
        tags = rule and work.call_if_there("events", "ListTagsForResource", ResourceARN=rule["Arn"])
        return _rule_id(bus, name) if tags and work.owns(tags["Tags"]) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        name = physical_id.rpartition("|")[2]
        self._aim(work, name, {}, properties)
        return {"Arn": work.call("events", "DescribeRule", Name=name, **pick(properties, "EventBusName"))["Arn"]}

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


def _rule_id(bus: Properties, name: str) -> str:
    """As on AWS: the rule's name, and on a bus of its own the bus before it."""
    return f"{_bus_name(bus)}|{name}" if bus and _bus_name(bus) != "default" else name


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

    def make(self, work: Work, name: str, properties: Properties) -> str:
        settings = pick(properties, "EventSourceName", *self._settings)
        work.call("events", "CreateEventBus", Name=name, Tags=work.tag_list(properties), **settings)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        bus = work.call_if_there("events", "DescribeEventBus", Name=name)
        tags = bus and work.call_if_there("events", "ListTagsForResource", ResourceARN=bus["Arn"])
        return name if tags and work.owns(tags["Tags"]) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return self._permitted(work, physical_id, {}, properties)

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, *self._settings):
            work.call("events", "UpdateEventBus", Name=physical_id, **pick(new, *self._settings))
        attributes = self._permitted(work, physical_id, old, new)
        work.call("events", "TagResource", ResourceARN=attributes["Arn"], Tags=work.tag_list(new))
        return attributes

    def _permitted(self, work: Work, name: str, old: Properties, new: Properties) -> dict[str, str]:
        if changed(old, new, "Policy"):
            policy = json_text(new.get("Policy"))
            if policy:
                work.call("events", "PutPermission", EventBusName=name, Policy=policy)
            else:
                work.call_if_there("events", "RemovePermission", EventBusName=name, RemoveAllPermissions=True)
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
    unmarked = True
    attributes = frozenset({"Arn"})
    longest_name = 48

    def make(self, work: Work, name: str, properties: Properties) -> str:
        settings = self._settings(properties)
        work.call("events", "CreateArchive", ArchiveName=name, EventSourceArn=properties["SourceArn"], **settings)
        return name

    def find(self, work: Work, name: str, properties: Properties) -> str | None:
        return name if work.call_if_there("events", "DescribeArchive", ArchiveName=name) else None

    def finish(self, work: Work, physical_id: str, properties: Properties) -> dict[str, str]:
        return {"Arn": work.call("events", "DescribeArchive", ArchiveName=physical_id)["ArchiveArn"]}

    def update(self, work: Work, physical_id: str, old: Properties, new: Properties) -> dict[str, str]:
        settings = {"Description": "", "RetentionDays": 0, **self._settings(new)}
        answer = work.call("events", "UpdateArchive", ArchiveName=physical_id, **settings)
        return {"Arn": answer["ArchiveArn"]}

    def _settings(self, properties: Properties) -> Properties:
        pattern = {"EventPattern": json_text(properties.get("EventPattern"))}
        return {**pattern, **pick(properties, "Description", "KmsKeyIdentifier", "RetentionDays")}

    def delete(self, work: Work, physical_id: str, properties: Properties) -> None:
        work.call_if_there("events", "DeleteArchive", ArchiveName=physical_id)
