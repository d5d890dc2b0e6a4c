"""Gather all types of resources that a template may hold, by their names."""

from __future__ import annotations

from typing import Any

from . import types_data, types_events, types_iam, types_lambda, types_mappings
from .resource_type import ResourceType

KNOWN: dict[str, ResourceType] = {
    each.name: each()
    for each in (
        types_data.LogGroup,
        types_data.Queue,
        types_data.QueuePolicy,
        types_data.Table,
        types_events.Archive,
        types_events.EventBus,
        types_events.Rule,
        types_iam.ManagedPolicy,
        types_iam.Policy,
        types_iam.Role,
        types_iam.RolePolicy,
        types_lambda.EventInvokeConfig,
        types_lambda.Function,
        types_lambda.Permission,
        types_mappings.EventSourceMapping,
    )
}


def capabilities(template_resources: dict[str, dict[str, Any]]) -> tuple[str | None, list[str]]:
    """Return what whoever creates the stack must acknowledge, and the types because of which.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html#capabilities
    """
    iam = [resource for resource in template_resources.values() if resource["Type"].startswith("AWS::IAM::")]
    if not iam:
        return None, []
    named = any(KNOWN[resource["Type"]].named_by in resource.get("Properties", {}) for resource in iam)
    types = sorted({resource["Type"] for resource in iam})
    return "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM", types
