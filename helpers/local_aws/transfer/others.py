"""Carry over log groups and alarms, and say what other things are left."""

from __future__ import annotations

from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tag_list, tags

_ALARM = (
    "AlarmName", "AlarmDescription", "ActionsEnabled", "OKActions", "AlarmActions", "InsufficientDataActions",
    "MetricName", "Namespace", "Statistic", "ExtendedStatistic", "Dimensions", "Period", "Unit", "EvaluationPeriods",
    "DatapointsToAlarm", "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics",
)  # fmt: skip


def take_log_groups(account: Account, file: Writer) -> None:
    logs, found, with_lines = account("logs"), [], 0
    for group in account.pages("logs", "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        with_lines += bool(group.get("storedBytes"))
        for kind in ("subscription", "metric"):
            list_, key = f"describe_{kind}_filters", f"{kind}Filters"
            for each in account.pages("logs", list_, key, logGroupName=name):
                account.left(f"the {kind} filter {each['filterName']} of the log group {name}")
        if not account.in_stack("AWS::Logs::LogGroup", name):
            arn = group["arn"].removesuffix(":*")
            own = tags(logs.list_tags_for_resource(resourceArn=arn).get("tags"))
            found.append({**chosen(group, "logGroupName", "retentionInDays"), "tags": own})
    if with_lines:
        account.left(f"the lines of {with_lines} log group{'s' * (with_lines > 1)}")
    file.put("log_groups.json", sorted(found, key=lambda each: str(each["logGroupName"])))
    account.count("log groups", len(found))


def bring_log_groups(account: Account, file: Reader) -> None:
    logs = account("logs")
    for group in file.get("log_groups.json", []):
        name = group["logGroupName"]
        same = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        if any(each["logGroupName"] == name for each in same):
            account.found(f"the log group {name}")
        elif account.attempt(f"the log group {name}", _bring_log_group, logs, group):
            account.count("log groups")


def _bring_log_group(logs: Any, group: dict[str, Any]) -> None:
    name = group["logGroupName"]
    logs.create_log_group(logGroupName=name, **({"tags": group["tags"]} if group["tags"] else {}))
    if group.get("retentionInDays"):
        logs.put_retention_policy(logGroupName=name, retentionInDays=group["retentionInDays"])


def take_alarms(account: Account, file: Writer) -> None:
    cloudwatch, found = account("cloudwatch"), []
    for alarm in account.pages("cloudwatch", "describe_alarms", "MetricAlarms"):
        own = tags(cloudwatch.list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"])
        found.append({**{key: alarm[key] for key in _ALARM if alarm.get(key) not in (None, "", [])}, "Tags": own})
    for alarm in account.pages("cloudwatch", "describe_alarms", "CompositeAlarms", AlarmTypes=["CompositeAlarm"]):
        account.left(f"the composite alarm {alarm['AlarmName']}")
    for name in account.pages("cloudwatch", "list_dashboards", "DashboardEntries"):
        account.left(f"the dashboard {name['DashboardName']}")
    file.put("alarms.json", sorted(found, key=lambda each: str(each["AlarmName"])))
    account.count("alarms", len(found))


def bring_alarms(account: Account, file: Reader) -> None:
    cloudwatch = account("cloudwatch")
    for alarm in file.get("alarms.json", []):
        name = alarm["AlarmName"]
        settings = {key: value for key, value in alarm.items() if key in _ALARM}
        if cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            account.found(f"the alarm {name}")
        elif account.attempt(
            f"the alarm {name}", cloudwatch.put_metric_alarm, Tags=tag_list(alarm["Tags"]), **settings
        ):
            account.count("alarms")


def say_what_buckets_are_left(account: Account) -> None:
    """Name the buckets: their objects may be larger than any file should be."""
    s3 = account("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        objects = sum(1 for _ in account.pages("s3", "list_objects_v2", "Contents", Bucket=bucket["Name"]))
        account.left(f"the bucket {bucket['Name']} and its {objects} objects")
