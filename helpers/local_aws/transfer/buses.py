"""Carry over EventBridge's buses, rules with their targets, and archives without their events."""

from __future__ import annotations

from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tag_list, tags

_RULE = ("Name", "EventPattern", "ScheduleExpression", "State", "Description", "RoleArn")
_DEFAULT = "default"


def take(account: Account, file: Writer) -> None:
    names = sorted(each["Name"] for each in account.pages("events", "list_event_buses", "EventBuses"))
    found = {"Buses": [_bus(account, name) for name in names], "Archives": _archives(account)}
    file.put("buses.json", found)
    account.count("event buses", len(names) - 1)
    account.count("rules", sum(len(bus["Rules"]) for bus in found["Buses"]))
    account.count("archives", len(found["Archives"]))
    for method, key in (("list_connections", "Connections"), ("list_api_destinations", "ApiDestinations")):
        for each in account.pages("events", method, key):
            account.left(f"the {key[:-1]} {each['Name']}, whose secrets nobody is told")


def _bus(account: Account, name: str) -> dict[str, Any]:
    """Return a bus and its rules; of one that a stack makes, only the rules that the stack does not."""
    events = account("events")
    rules = [
        _rule(account, name, rule)
        for rule in account.pages("events", "list_rules", "Rules", EventBusName=name)
        if not rule.get("ManagedBy") and not account.in_stack("AWS::Events::Rule", _rule_id(name, rule["Name"]))
    ]
    rules.sort(key=lambda each: str(each["Name"]))
    if account.in_stack("AWS::Events::EventBus", name):
        return {"Name": name, "OfStack": True, "Rules": rules}
    bus = events.describe_event_bus(Name=name)
    return {
        **chosen(bus, "Name", "Description", "DeadLetterConfig", "Policy"),
        "Tags": tags(events.list_tags_for_resource(ResourceARN=bus["Arn"])["Tags"]),
        "Rules": rules,
    }


def _rule_id(bus: str, name: str) -> str:
    return name if bus == _DEFAULT else f"{bus}|{name}"


def _rule(account: Account, bus: str, rule: dict[str, Any]) -> dict[str, Any]:
    targets = account.pages("events", "list_targets_by_rule", "Targets", Rule=rule["Name"], EventBusName=bus)
    return {
        **chosen(rule, *_RULE),
        "Tags": tags(account("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
        "Targets": sorted(targets, key=lambda each: str(each["Id"])),
    }


def _archives(account: Account) -> list[dict[str, Any]]:
    found = []
    for each in account.pages("events", "list_archives", "Archives"):
        archive = account("events").describe_archive(ArchiveName=each["ArchiveName"])
        if archive.get("EventCount"):
            account.left(f"{archive['EventCount']} events in the archive {each['ArchiveName']}")
        if not account.in_stack("AWS::Events::Archive", each["ArchiveName"]):
            found.append(
                chosen(archive, "ArchiveName", "EventSourceArn", "Description", "EventPattern", "RetentionDays")
            )
    return sorted(found, key=lambda each: str(each["ArchiveName"]))


def bring_buses(account: Account, file: Reader) -> None:
    events = account("events")
    for bus in file.get("buses.json", {}).get("Buses", []):
        name = bus["Name"]
        if bus.get("OfStack"):
            continue
        if name == _DEFAULT:
            _bring_policy(account, bus)
        elif account.there(events.describe_event_bus, Name=name) is not None:
            account.found(f"the event bus {name}")
        else:
            settings = chosen(bus, "Description", "DeadLetterConfig")
            what = f"the event bus {name}"
            if account.attempt(what, events.create_event_bus, Name=name, Tags=tag_list(bus["Tags"]), **settings):
                account.count("event buses")
                _bring_policy(account, bus)


def _bring_policy(account: Account, bus: dict[str, Any]) -> None:
    events, name = account("events"), bus["Name"]
    if not bus.get("Policy"):
        return
    if events.describe_event_bus(Name=name).get("Policy"):
        account.found(f"the policy of the event bus {name}")
        return
    account.attempt(
        f"the policy of the event bus {name}", events.put_permission, EventBusName=name, Policy=bus["Policy"]
    )


def bring_rules(account: Account, file: Reader) -> None:
    """Make rules and archives, when there is all that they aim at. What would run by itself is disabled."""
    events, found = account("events"), file.get("buses.json", {})
    for archive in found.get("Archives", []):
        name = archive["ArchiveName"]
        if account.there(events.describe_archive, ArchiveName=name) is not None:
            account.found(f"the archive {name}")
        elif account.attempt(f"the archive {name}", events.create_archive, **archive):
            account.count("archives")
    for bus in found.get("Buses", []):
        for rule in bus["Rules"]:
            which = {"Name": rule["Name"], "EventBusName": bus["Name"]}
            if account.there(events.describe_rule, **which) is not None:
                account.found(f"the rule {rule['Name']}")
            elif account.attempt(f"the rule {rule['Name']}", _bring_rule, account, bus["Name"], rule):
                account.count("rules")


def _bring_rule(account: Account, bus: str, rule: dict[str, Any]) -> None:
    events, settings = account("events"), chosen(rule, *_RULE)
    if rule.get("ScheduleExpression") and rule.get("State", "ENABLED") != "DISABLED":
        settings["State"] = "DISABLED"
        account.say(f"Disabled, since it would begin by itself: the rule {rule['Name']}. EnableRule turns it on.")
    events.put_rule(EventBusName=bus, Tags=tag_list(rule["Tags"]), **settings)
    for start in range(0, len(rule["Targets"]), 10):  # PutTargets takes ten
        batch = rule["Targets"][start : start + 10]
        answer = events.put_targets(Rule=rule["Name"], EventBusName=bus, Targets=batch)
        for each in answer["FailedEntries"]:
            account.left(f"the target {each['TargetId']} of the rule {rule['Name']} ({each.get('ErrorMessage')})")
