"""Find what a request needs, service by service; `needed` is where to ask.

The actions and resources of all services: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ..account.credentials import ACCOUNT_ID
from ..execution.function_names import locate
from ..execution.lambda_errors import LambdaError
from ..http.call import Call
from . import dynamodb_permissions, iam_permissions, looked_up_resources, named_resources, s3_permissions
from .permissions import NoResource, Permission, pass_role


def needed(call: Call) -> list[Permission]:
    """Return all permissions that a call needs; each must be allowed.

    Raises Unreadable, and NoResource when nobody here can say what it is about: an operation that botocore does not
    know, and services that are not in the table below.
    """
    if call.name in call.service.free:
        return []
    find = _SERVICES.get(call.service.iam)
    if call.operation is None or find is None:
        raise NoResource(call.name)
    return find(call)


def _json(text: str) -> dict[str, Any]:
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return parameters if isinstance(parameters, dict) else {}


def _events(call: Call) -> list[Permission]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html"""
    if call.name == "PutEvents":
        entries = call.input.get("Entries")
        return [_put_event(call, entry) for entry in entries or () if isinstance(entry, dict)] or [_bus(call, None)]
    action, bus = f"events:{call.name}", (call.names("EventBusName") or ["default"])[0].rpartition("/")[2]
    names = call.names("Rule", "Name")
    if call.name.endswith(("Rule", "Targets", "TargetsByRule")) and names:
        rule = names[0] if bus == "default" else f"{bus}/{names[0]}"
        roles = [pass_role(arn, "events") for arn in call.names("RoleArn") + _target_values(call, "RoleArn")]
        return [Permission(action, call.arn(f"rule/{rule}"), _rule_context(call)), *roles]
    for kind, resource in _EVENTS_KINDS.items():
        names = call.names("ArchiveName", "ReplayName", "Name")
        if call.name.endswith(kind) and names:
            roles = [pass_role(arn, "events") for arn in call.names("RoleArn")]
            return [Permission(action, call.arn(f"{resource}/{names[0].rpartition('/')[2]}")), *roles]
    if call.name in ("PutPermission", "RemovePermission"):
        return [_bus(call, bus)]
    if call.names("ResourceARN"):
        return [Permission(action, call.names("ResourceARN")[0])]
    if not call.name.startswith(("List", "TestEventPattern")):
        raise NoResource(call.name)
    return [Permission(action, "*")]


_EVENTS_KINDS = {
    "EventBus": "event-bus",
    "Archive": "archive",
    "Replay": "replay",
    "Connection": "connection",
    "ApiDestination": "api-destination",
    "Endpoint": "endpoint",
}


def _bus(call: Call, name: str | None, context: Mapping[str, Any] | None = None) -> Permission:
    arn = name if name and name.startswith("arn:") else call.arn(f"event-bus/{name or 'default'}")
    return Permission(f"events:{call.name}", arn, context or {})


def _put_event(call: Call, entry: Mapping[str, Any]) -> Permission:
    context = {"events:eventbusinvocation": "false"}
    for key, parameter in (("events:source", "Source"), ("events:detail-type", "DetailType")):
        if isinstance(entry.get(parameter), str):
            context[key] = entry[parameter]
    return _bus(call, entry.get("EventBusName"), context)


def _rule_context(call: Call) -> dict[str, Any]:
    """Return what a rule would match, and what it would send to."""
    context: dict[str, Any] = {"events:creatoraccount": ACCOUNT_ID}
    pattern = call.input.get("EventPattern")
    fields = _json(pattern) if isinstance(pattern, str) else {}
    for field in ("source", "detail-type"):
        values = fields.get(field)
        if isinstance(values, list):
            context[f"events:{field}"] = tuple(value for value in values if isinstance(value, str))
    targets = _target_values(call, "Arn")
    return {**context, "events:targetarn": tuple(targets)} if targets else context


def _target_values(call: Call, name: str) -> list[str]:
    targets = call.input.get("Targets")
    found = [target.get(name) for target in targets if isinstance(target, dict)] if isinstance(targets, list) else []
    return [value for value in found if isinstance(value, str)]


def _logs(call: Call) -> list[Permission]:
    """Return the permission for each log group.

    A log group's ARN in a policy ends in :* for everything but tags, because what is asked for has that form:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    """
    action = f"logs:{call.name}"
    if call.names("resourceArn"):
        return [Permission(action, call.names("resourceArn")[0])]
    if call.names("destinationName"):
        return [Permission(action, call.arn(f"destination:{call.names('destinationName')[0]}"))]
    groups = call.names("logGroupName", "logGroupIdentifier", "logGroupNames", "logGroupIdentifiers")
    if not groups and call.name not in _LOGS_ANYWHERE:
        raise NoResource(call.name)
    stream = (call.names("logStreamName") or [""])[0]
    names = (
        group.partition(":log-group:")[2].removesuffix(":*") if ":" in group else group for group in groups or [""]
    )
    roles = [pass_role(role, "logs") for role in call.names("roleArn")]
    return [*(Permission(action, call.arn(log_resource(name, stream))) for name in names), *roles]


#: Operations on no log group in particular: AWS asks about "log-group::log-stream:".
_LOGS_ANYWHERE = frozenset(
    {
        "CancelExportTask", "DeleteQueryDefinition", "DeleteResourcePolicy", "DescribeDestinations",
        "DescribeExportTasks", "DescribeLogGroups", "DescribeMetricFilters", "DescribeQueries",
        "DescribeQueryDefinitions", "DescribeResourcePolicies", "GetLogRecord", "GetQueryResults", "ListLogGroups",
        "PutQueryDefinition", "PutResourcePolicy", "StopQuery", "TestMetricFilter",
    }
)  # fmt: skip


def log_resource(group: str, stream: str = "") -> str:
    """Return the end of the ARN that CloudWatch Logs asks IAM about."""
    return f"log-group:{group}:log-stream:{stream}"


def _sqs(call: Call) -> list[Permission]:
    """Return what a call needs, a batch what its single operation does; SQS refuses with actions in lower case."""
    action = f"sqs:{call.name.removesuffix('Batch')}"
    if call.names("SourceArn"):  # messages are moved
        moves = [Permission("sqs:SendMessage", arn, {}, "sqs:sendmessage") for arn in call.names("DestinationArn")]
        return [Permission(action, call.names("SourceArn")[0], {}, action.lower()), *moves]
    queue = (call.names("QueueUrl", "QueueName") or [""])[0].rpartition("/")[2]
    if not queue and call.name != "ListQueues":
        raise NoResource(call.name)
    return [Permission(action, call.arn(queue), {}, action.lower())]


_INVOCATIONS = frozenset(("Invoke", "InvokeAsync", "InvokeWithResponseStream"))


#: Operations on no resource.
_LAMBDA_ANYWHERE = frozenset(
    {
        "CreateCodeSigningConfig", "CreateEventSourceMapping", "GetAccountSettings", "ListCodeSigningConfigs",
        "ListEventSourceMappings", "ListFunctions", "ListLayers",
    }
)  # fmt: skip


def _lambda(call: Call) -> list[Permission]:
    action = f"lambda:{'InvokeFunction' if call.name in _INVOCATIONS else call.name}"
    roles = [pass_role(role, "lambda") for role in call.names("Role")]
    return [Permission(action, _lambda_resource(call), _mapped_function(call)), *roles]


def _mapped_function(call: Call) -> dict[str, str]:
    """Return the function that a mapping is made of or changed to: a condition, and no part of the resource."""
    names = call.names("FunctionName") if call.name in ("CreateEventSourceMapping", "UpdateEventSourceMapping") else []
    try:
        name, qualifier = locate(names[0], None, ACCOUNT_ID, call.region) if names else ("", None)
    except LambdaError:  # the service refuses such a name itself
        return {}
    arn = call.arn(f"function:{name}:{qualifier}" if qualifier else f"function:{name}")
    return {"lambda:functionarn": arn} if name else {}


def _lambda_resource(call: Call) -> str:
    """Return the ARN of the function, event source mapping or layer that a call is about. Raises NoResource."""
    if call.name in _LAMBDA_ANYWHERE:
        return "*"
    if call.names("UUID"):  # which function a mapping is for is no part of its ARN
        return call.arn(f"event-source-mapping:{call.names('UUID')[0]}")
    if call.names("FunctionName"):
        given = call.names("FunctionName")[0]
        try:
            name, qualifier = locate(given, next(iter(call.names("Qualifier")), None), ACCOUNT_ID, call.region)
        except LambdaError:
            return call.arn(f"function:{given}")  # the service refuses such a name itself
        return call.arn(f"function:{name}:{qualifier}" if qualifier else f"function:{name}")
    if call.names("LayerName"):
        layer, version = call.names("LayerName")[0], call.input.get("VersionNumber")
        arn = layer if layer.startswith("arn:") else call.arn(f"layer:{layer}")
        return arn if version is None else f"{arn}:{version}"
    if given_arns := call.names("Resource", "ResourceArn", "Arn", "CodeSigningConfigArn"):
        return given_arns[0]
    raise NoResource(call.name)


_SERVICES: dict[str, Callable[[Call], list[Permission]]] = {
    **{name: named.needed for name, named in named_resources.NAMED.items()},
    "cloudformation": looked_up_resources.cloudformation,
    "dynamodb": dynamodb_permissions.needed,
    "events": _events,
    "iam": iam_permissions.needed,
    "kinesis": looked_up_resources.kinesis,
    "kms": looked_up_resources.kms,
    "lambda": _lambda,
    "logs": _logs,
    "s3": s3_permissions.needed,
    "scheduler": named_resources.schedule,
    "secretsmanager": looked_up_resources.secretsmanager,
    "sqs": _sqs,
    "ssm": looked_up_resources.ssm,
    "sts": iam_permissions.sts,
}
