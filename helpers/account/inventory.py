"""List what an account has of the kinds that the workbook makes, read its tags, and delete it.

Whose a thing is, its tag alone says (helpers.target.tagging); a name that looks familiar says nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import boto3
from botocore.exceptions import ClientError

from helpers.local_aws import lifecycle
from helpers.target import tagging

_PARALLEL_REQUESTS = 8  # tags that are asked for at the same time


@dataclass(frozen=True)
class Resource:
    """One thing in the account. `id` is what its API calls go by: an ARN, a URL or the name; `tag` is our tag's value,
    or "" when it has none.
    """

    kind: str
    name: str
    id: str
    tag: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Kind:
    """How resources of one kind are found, asked for their tags and deleted. `listed` yields (name, id) pairs."""

    name: str
    listed: Callable[[], Iterable[tuple[str, str]]]
    tags: Callable[[str], dict[str, str]]
    delete: Callable[[Resource], None]

    def found(self) -> list[Resource]:
        """Return all resources of the kind, sorted by name, each with its tag. Raises botocore's errors."""

        def tagged(pair: tuple[str, str]) -> Resource | None:
            try:
                return Resource(self.name, *pair, self.tags(pair[1]).get(tagging.KEY, ""))
            except ClientError as error:
                if "NotFound" in str(error) or "NonExistent" in str(error) or "NoSuch" in str(error):
                    return None  # it has gone since it was listed
                raise

        with ExitStack() as stack:
            # An account in this interpreter answers one thread, and there may be no other.
            beside = map if lifecycle.is_inside() else stack.enter_context(ThreadPoolExecutor(_PARALLEL_REQUESTS)).map
            return sorted(filter(None, beside(tagged, self.listed())), key=lambda each: each.name)


def _pages(service: str, operation: str, items: str, **arguments: object) -> Iterator[Any]:
    for page in boto3.client(service).get_paginator(operation).paginate(**arguments):
        yield from page.get(items, [])


def _as_map(tags: list[dict[str, Any]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _wait(service: str, waiter: str, **arguments: object) -> None:
    boto3.client(service).get_waiter(waiter).wait(WaiterConfig={"Delay": 2, "MaxAttempts": 300}, **arguments)


def _stacks() -> Iterator[tuple[str, str]]:
    for stack in _pages("cloudformation", "describe_stacks", "Stacks"):
        if not stack.get("RootId") and stack["StackStatus"] != "DELETE_COMPLETE":
            yield stack["StackName"], stack["StackId"]


def _stack_tags(stack_id: str) -> dict[str, str]:
    return _as_map(boto3.client("cloudformation").describe_stacks(StackName=stack_id)["Stacks"][0].get("Tags", []))


def _delete_stack(stack: Resource) -> None:
    boto3.client("cloudformation").delete_stack(StackName=stack.id)
    _wait("cloudformation", "stack_delete_complete", StackName=stack.id)


def _rules() -> Iterator[tuple[str, str]]:
    """Yield the rules of every bus. Those that AWS manages belong to something else, such as an archive."""
    for bus in boto3.client("events").list_event_buses()["EventBuses"]:
        for rule in _pages("events", "list_rules", "Rules", EventBusName=bus["Name"]):
            if not rule.get("ManagedBy"):
                yield rule["Name"], rule["Arn"]


def _event_tags(arn: str) -> dict[str, str]:
    return _as_map(boto3.client("events").list_tags_for_resource(ResourceARN=arn)["Tags"])


def _delete_rule(rule: Resource) -> None:
    events, path = boto3.client("events"), rule.id.partition(":rule/")[2].split("/")
    there = {"Rule": rule.name, "EventBusName": path[0] if len(path) == 2 else "default"}
    ids = [target["Id"] for target in events.list_targets_by_rule(**there)["Targets"]]
    if ids:
        events.remove_targets(**there, Ids=ids)
    events.delete_rule(Name=rule.name, EventBusName=there["EventBusName"])


def _buses() -> Iterator[tuple[str, str]]:
    for bus in boto3.client("events").list_event_buses()["EventBuses"]:
        if bus["Name"] != "default":
            yield bus["Name"], bus["Arn"]


def _archives() -> Iterator[tuple[str, str]]:
    token: dict[str, str] = {}
    while True:  # this call has no paginator
        answer = boto3.client("events").list_archives(**token)
        yield from ((archive["ArchiveName"], archive["ArchiveName"]) for archive in answer["Archives"])
        if not answer.get("NextToken"):
            return
        token = {"NextToken": answer["NextToken"]}


def _archive_tags(name: str) -> dict[str, str]:
    """Return the tag that an archive's description carries: the workbook writes it there, as there are no others."""
    description = boto3.client("events").describe_archive(ArchiveName=name).get("Description") or ""
    key, colon, value = description.partition(": ")
    return {key: value} if colon else {}


def _alarms() -> Iterator[tuple[str, str]]:
    for alarm in _pages("cloudwatch", "describe_alarms", "MetricAlarms"):
        yield alarm["AlarmName"], alarm["AlarmArn"]


def _delete_alarm(alarm: Resource) -> None:
    boto3.client("cloudwatch").delete_alarms(AlarmNames=[alarm.name])


def _functions() -> Iterator[tuple[str, str]]:
    for function in _pages("lambda", "list_functions", "Functions"):
        yield function["FunctionName"], function["FunctionArn"]


def _delete_function(function: Resource) -> None:
    boto3.client("lambda").delete_function(FunctionName=function.name)
    with suppress(boto3.client("logs").exceptions.ResourceNotFoundException):  # its log belongs to it
        boto3.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{function.name}")


def _queues() -> Iterator[tuple[str, str]]:
    for url in _pages("sqs", "list_queues", "QueueUrls"):
        yield url.rpartition("/")[2], url


def _tables() -> Iterator[tuple[str, str]]:
    for name in _pages("dynamodb", "list_tables", "TableNames"):
        yield name, name


def _table_tags(name: str) -> dict[str, str]:
    dynamodb = boto3.client("dynamodb")
    arn = dynamodb.describe_table(TableName=name)["Table"]["TableArn"]
    return _as_map(dynamodb.list_tags_of_resource(ResourceArn=arn)["Tags"])


def _delete_table(table: Resource) -> None:
    boto3.client("dynamodb").delete_table(TableName=table.name)
    _wait("dynamodb", "table_not_exists", TableName=table.name)


def _roles() -> Iterator[tuple[str, str]]:
    for role in _pages("iam", "list_roles", "Roles"):
        if not role["Path"].startswith("/aws-"):  # AWS's own
            yield role["RoleName"], role["RoleName"]


def _delete_role(role: Resource) -> None:
    iam = boto3.client("iam")
    for policy in _pages("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role.name):
        iam.detach_role_policy(RoleName=role.name, PolicyArn=policy["PolicyArn"])
    for name in _pages("iam", "list_role_policies", "PolicyNames", RoleName=role.name):
        iam.delete_role_policy(RoleName=role.name, PolicyName=name)
    iam.delete_role(RoleName=role.name)


def _log_groups() -> Iterator[tuple[str, str]]:
    for group in _pages("logs", "describe_log_groups", "logGroups"):
        yield group["logGroupName"], group["arn"].removesuffix(":*")


def _buckets() -> Iterator[tuple[str, str]]:
    for bucket in boto3.client("s3").list_buckets()["Buckets"]:
        yield bucket["Name"], bucket["Name"]


def _bucket_tags(name: str) -> dict[str, str]:
    try:
        return _as_map(boto3.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
    except ClientError as error:
        # A bucket of another region, or one that may not be looked into, is none of the workbook's.
        if error.response["Error"]["Code"] in ("NoSuchTagSet", "AccessDenied", "PermanentRedirect"):
            return {}
        raise


def _delete_bucket(bucket: Resource) -> None:
    s3 = boto3.client("s3")
    for item in _pages("s3", "list_objects_v2", "Contents", Bucket=bucket.name):
        s3.delete_object(Bucket=bucket.name, Key=item["Key"])
    s3.delete_bucket(Bucket=bucket.name)


def _deleter(service: str, operation: str, parameter: str, of_id: bool = False) -> Callable[[Resource], None]:
    def delete(resource: Resource) -> None:
        getattr(boto3.client(service), operation)(**{parameter: resource.id if of_id else resource.name})

    return delete


def _tags(service: str, operation: str, parameter: str, answer: str, resource_id: str) -> dict[str, str]:
    tags = getattr(boto3.client(service), operation)(**{parameter: resource_id}).get(answer, {})
    return _as_map(tags) if isinstance(tags, list) else tags


#: In the order in which they can go: what uses something before what it uses.
KINDS = (
    Kind("stack", _stacks, _stack_tags, _delete_stack),
    Kind("rule", _rules, _event_tags, _delete_rule),
    Kind("archive", _archives, _archive_tags, _deleter("events", "delete_archive", "ArchiveName")),
    Kind("event bus", _buses, _event_tags, _deleter("events", "delete_event_bus", "Name")),
    Kind(
        "alarm",
        _alarms,
        partial(_tags, "cloudwatch", "list_tags_for_resource", "ResourceARN", "Tags"),
        _delete_alarm,
    ),
    Kind("function", _functions, partial(_tags, "lambda", "list_tags", "Resource", "Tags"), _delete_function),
    Kind(
        "queue",
        _queues,
        partial(_tags, "sqs", "list_queue_tags", "QueueUrl", "Tags"),
        _deleter("sqs", "delete_queue", "QueueUrl", of_id=True),
    ),
    Kind("table", _tables, _table_tags, _delete_table),
    Kind("bucket", _buckets, _bucket_tags, _delete_bucket),
    Kind("role", _roles, partial(_tags, "iam", "list_role_tags", "RoleName", "Tags"), _delete_role),
    Kind(
        "log group",
        _log_groups,
        partial(_tags, "logs", "list_tags_for_resource", "resourceArn", "tags"),
        _deleter("logs", "delete_log_group", "logGroupName"),
    ),
)
