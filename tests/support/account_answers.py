"""What an account says about itself: the answers to all of its lists and descriptions, to compare with later ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tests.support.embedded_aws import Aws

SERVICES = (
    "iam", "dynamodb", "lambda", "events", "sqs", "sns", "logs", "s3", "cloudformation", "cloudwatch", "kinesis", "sts",
)  # fmt: skip
#: Operations whose answer is another one each time; and metrics, of which a kill may cost the last seconds.
_NEVER_THE_SAME = {"GetCredentialReport", "GetUser", "GetSessionToken", "ListMetrics"}
_SHOWN = ("List", "Describe", "Get")


def answers(aws: Aws) -> dict[str, Any]:
    """{call: answer} for every call of SERVICES that lists or describes, with the names that the account has."""
    found: dict[str, Any] = {}
    clients = {service: aws.client(service) for service in SERVICES}  # to make one takes longer than most of its calls
    for service, client in clients.items():
        for operation, method in sorted(_operations(client)):
            found[f"{service} {operation}"] = _answer(client, method)
    for call, (service, method, parameters) in _details(clients):
        found[call] = _answer(clients[service], method, **parameters)
    return found


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """One line for each call whose answer has changed."""
    return [
        f"{call}\n    before: {before.get(call)}\n    after:  {after.get(call)}"
        for call in sorted(before.keys() | after.keys())
        if before.get(call) != after.get(call)
    ]


def _operations(client: Any) -> Iterator[tuple[str, str]]:
    for method, operation in client.meta.method_to_api_mapping.items():
        shape = client.meta.service_model.operation_model(operation).input_shape
        shown = operation.startswith(_SHOWN) and operation not in _NEVER_THE_SAME
        if shown and (shape is None or not shape.required_members):
            yield operation, method


def _answer(client: Any, method: str, **parameters: Any) -> Any:
    """The answer without what belongs to the call alone; of a refusal its code."""
    try:
        if client.can_paginate(method):
            given = client.get_paginator(method).paginate(**parameters).build_full_result()
        else:
            given = getattr(client, method)(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return _plain({name: value for name, value in given.items() if name != "ResponseMetadata"})


def _plain(value: Any) -> Any:
    """Streams are read, and a link's signature is left away."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name != "Location"}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.read() if hasattr(value, "read") else value


def _details(clients: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str, dict[str, Any]]]]:
    for service, method, parameters in _calls(clients):
        yield f"{service} {method} {parameters}", (service, method, parameters)


def _calls(clients: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    lambda_ = clients["lambda"]
    for function in lambda_.list_functions()["Functions"]:
        name = {"FunctionName": function["FunctionName"]}
        for method in (
            "get_function", "get_policy", "list_versions_by_function", "list_aliases", "get_function_concurrency",
            "list_function_event_invoke_configs", "get_function_recursion_config",
        ):  # fmt: skip
            yield "lambda", method, name
        for alias in lambda_.list_aliases(**name)["Aliases"]:
            for method in ("get_alias", "get_function", "get_policy"):
                key = "Name" if method == "get_alias" else "Qualifier"
                yield "lambda", method, name | {key: alias["Name"]}
        yield "lambda", "list_tags", {"Resource": function["FunctionArn"]}
    dynamodb = clients["dynamodb"]
    for table in dynamodb.list_tables()["TableNames"]:
        for method in ("describe_table", "scan", "describe_time_to_live", "describe_continuous_backups"):
            yield "dynamodb", method, {"TableName": table}
    events = clients["events"]
    for bus in events.list_event_buses()["EventBuses"]:
        yield "events", "describe_event_bus", {"Name": bus["Name"]}
        for rule in events.list_rules(EventBusName=bus["Name"])["Rules"]:
            yield "events", "describe_rule", {"Name": rule["Name"], "EventBusName": bus["Name"]}
            yield "events", "list_targets_by_rule", {"Rule": rule["Name"], "EventBusName": bus["Name"]}
            yield "events", "list_tags_for_resource", {"ResourceARN": rule["Arn"]}
    for archive in events.list_archives()["Archives"]:
        yield "events", "describe_archive", {"ArchiveName": archive["ArchiveName"]}
    for replay in events.list_replays()["Replays"]:
        yield "events", "describe_replay", {"ReplayName": replay["ReplayName"]}
    for url in clients["sqs"].list_queues().get("QueueUrls", []):
        yield "sqs", "get_queue_attributes", {"QueueUrl": url, "AttributeNames": ["All"]}
        yield "sqs", "list_queue_tags", {"QueueUrl": url}
    for topic in clients["sns"].list_topics()["Topics"]:
        yield "sns", "get_topic_attributes", {"TopicArn": topic["TopicArn"]}
        yield "sns", "list_subscriptions_by_topic", {"TopicArn": topic["TopicArn"]}
    for group in clients["logs"].describe_log_groups()["logGroups"]:
        name = {"logGroupName": group["logGroupName"]}
        yield "logs", "describe_log_streams", name
        yield "logs", "filter_log_events", name
    iam = clients["iam"]
    for role in iam.list_roles()["Roles"]:
        name = {"RoleName": role["RoleName"]}
        for method in ("get_role", "list_role_policies", "list_attached_role_policies", "list_role_tags"):
            yield "iam", method, name
        for policy in iam.list_role_policies(**name)["PolicyNames"]:
            yield "iam", "get_role_policy", name | {"PolicyName": policy}
    for bucket in clients["s3"].list_buckets()["Buckets"]:
        yield "s3", "list_objects_v2", {"Bucket": bucket["Name"]}
        for each in clients["s3"].list_objects_v2(Bucket=bucket["Name"]).get("Contents", []):
            yield "s3", "get_object", {"Bucket": bucket["Name"], "Key": each["Key"]}
    for stack in clients["cloudformation"].list_stacks()["StackSummaries"]:
        for method in ("describe_stacks", "describe_stack_events", "get_template", "describe_stack_resources"):
            yield "cloudformation", method, {"StackName": stack["StackName"]}
