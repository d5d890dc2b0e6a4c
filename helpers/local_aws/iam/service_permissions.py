"""Find what a request needs, service by service; `needed` is where to ask.

The actions and resources of all services: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ..account.arn import service_of
from ..account.credentials import ACCOUNT_ID
from ..execution.function_names import locate
from ..execution.lambda_errors import LambdaError
from ..http.call import Call
from . import dynamodb_permissions
from .permissions import Permission, pass_role


def needed(call: Call) -> list[Permission]:
    """Return all permissions that a call needs; each must be allowed. Raises Unreadable."""
    if call.name in call.service.free:
        return []
    return _SERVICES.get(call.service.iam, _elsewhere)(call)


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
    kinds = {"EventBus": "event-bus", "Archive": "archive", "Replay": "replay", "Connection": "connection"}
    for kind, resource in kinds.items():
        names = call.names("ArchiveName", "ReplayName", "Name")
        if call.name.endswith(kind) and names:
            return [Permission(action, call.arn(f"{resource}/{names[0].rpartition('/')[2]}"))]
    if call.name in ("PutPermission", "RemovePermission"):
        return [_bus(call, bus)]
    return [Permission(action, (call.names("ResourceARN", "EventSourceArn") or ["*"])[0])]


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
    groups = call.names("logGroupName", "logGroupIdentifier", "logGroupNames", "logGroupIdentifiers") or [""]
    stream = (call.names("logStreamName") or [""])[0]
    names = (group.partition(":log-group:")[2].removesuffix(":*") if ":" in group else group for group in groups)
    return [Permission(action, call.arn(log_resource(name, stream))) for name in names]


def log_resource(group: str, stream: str = "") -> str:
    """Return the end of the ARN that CloudWatch Logs asks IAM about."""
    return f"log-group:{group}:log-stream:{stream}"


def _sqs(call: Call) -> list[Permission]:
    """Return what a call needs, a batch what its single operation does; SQS refuses with actions in lower case."""
    action = f"sqs:{call.name.removesuffix('Batch')}"
    queue = (call.names("QueueUrl", "QueueName") or [""])[0].rpartition("/")[2]
    arn = (call.names("SourceArn") or [call.arn(queue)])[0]
    return [Permission(action, arn, {}, action.lower())]


_INVOCATIONS = frozenset(("Invoke", "InvokeAsync", "InvokeWithResponseStream"))


def _lambda(call: Call) -> list[Permission]:
    action = f"lambda:{'InvokeFunction' if call.name in _INVOCATIONS else call.name}"
    resource = "*"
    if call.names("Resource"):
        resource = call.names("Resource")[0]
    elif call.names("FunctionName") and not call.name.endswith("EventSourceMappings"):
        try:
            given = (call.names("FunctionName")[0], next(iter(call.names("Qualifier")), None))
            name, qualifier = locate(*given, ACCOUNT_ID, call.region)
        except LambdaError:
            return []  # the service refuses such a name itself
        resource = call.arn(f"function:{name}:{qualifier}" if qualifier else f"function:{name}")
    elif call.names("UUID"):
        resource = call.arn(f"event-source-mapping:{call.names('UUID')[0]}")
    return [Permission(action, resource), *(pass_role(role, "lambda") for role in call.names("Role"))]


#: What IAM calls the entity that a parameter names. Those it knows it shows as "role NAME".
_IAM_ENTITIES = (
    ("RoleName", "role"),
    ("UserName", "user"),
    ("GroupName", "group"),
    ("InstanceProfileName", "instance-profile"),
    ("PolicyName", "policy"),
)


def _iam(call: Call) -> list[Permission]:
    action = f"iam:{call.name}"
    for parameter, kind in _IAM_ENTITIES:
        for name in call.names(parameter):
            path = call.input.get("Path", "/") if call.name.startswith("Create") else _path(kind, name)
            arn = f"arn:aws:iam::{ACCOUNT_ID}:{kind}{path}{name}"
            created = call.name.startswith("Create") and kind != "policy"
            return [Permission(action, arn, _iam_context(call), None, arn if created else f"{kind} {name}")]
    if call.names("PolicyArn"):
        arn = call.names("PolicyArn")[0]
        return [Permission(action, arn, {}, None, f"policy {arn}")]
    lists = re.fullmatch(r"List(Role|User|Group)s", call.name)
    return [Permission(action, f"arn:aws:iam::{ACCOUNT_ID}:{lists[1].lower()}/" if lists else "*")]


def _iam_context(call: Call) -> dict[str, str]:
    """Return the policy that is attached, and the boundary that a new identity gets."""
    keys = (("iam:policyarn", "PolicyArn"), ("iam:permissionsboundary", "PermissionsBoundary"))
    return {key: call.input[name] for key, name in keys if isinstance(call.input.get(name), str)}


def _path(kind: str, name: str) -> str:
    """Return the path of a role that exists: AWS's own requests name it without."""
    from moto.iam.models import iam_backends

    if kind == "role":
        roles = list(iam_backends[ACCOUNT_ID]["aws"].roles.values())
        return next((role.path for role in roles if role.name == name), "/")
    return "/"


def _sts(call: Call) -> list[Permission]:
    context = assume_role_context(call.input)
    return [Permission(f"sts:{call.name}", (call.names("RoleArn") or ["*"])[0], context)]


def assume_role_context(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the condition keys that only a request for a role has."""
    keys = (("sts:externalid", "ExternalId"), ("sts:rolesessionname", "RoleSessionName"))
    return {key: parameters[name] for key, name in keys if isinstance(parameters.get(name), str)}


def _elsewhere(call: Call) -> list[Permission]:
    """Any other service: the resource is the first parameter that is an ARN of that service, else any ("*")."""
    given = call.input.items()
    texts = [value for name, value in given if isinstance(value, str) and name.lower().endswith("arn")]
    own = [value for value in texts if service_of(value) == call.service.iam]
    roles = [pass_role(value, call.service.iam) for value in texts if ":role/" in value]
    return [Permission(f"{call.service.iam}:{call.name}", own[0] if own else "*"), *roles]


_SERVICES: dict[str, Callable[[Call], list[Permission]]] = {
    "dynamodb": dynamodb_permissions.needed,
    "events": _events,
    "iam": _iam,
    "lambda": _lambda,
    "logs": _logs,
    "sqs": _sqs,
    "sts": _sts,
}
