"""Describe stacks: the answers of all of CloudFormation's operations that change nothing."""

from __future__ import annotations

from typing import Any

from . import parameters
from .errors import Refused
from .resource import Resource
from .resource_types import capabilities
from .stacks import Stack, Store
from .template import Template

Parameters = dict[str, Any]


def stacks(store: Store, given: Parameters) -> Parameters:
    """Return one stack by name or ARN, or all that are not deleted, as DescribeStacks does."""
    if given.get("StackName"):
        return {"Stacks": [_stack(store.get(given["StackName"]))]}
    return {"Stacks": [_stack(each) for each in store.all() if each.status != "DELETE_COMPLETE"]}


def _stack(stack: Stack) -> Parameters:
    return {
        **_times(stack),
        "Description": stack.request.template.description,
        "Parameters": parameters.described(stack.request.template, stack.request.parameters),
        "DisableRollback": stack.on_failure == "DO_NOTHING",
        "Capabilities": stack.capabilities,
        "Outputs": stack.outputs,
        "Tags": [{"Key": key, "Value": value} for key, value in stack.request.tags.items()],
        "EnableTerminationProtection": stack.protected,
        "NotificationARNs": [],
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "RollbackConfiguration": {},
    }


def _times(stack: Stack) -> Parameters:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "CreationTime": stack.created_at,
        "LastUpdatedTime": stack.updated_at,
        "DeletionTime": stack.deleted_at,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
    }


def summaries(store: Store, given: Parameters) -> Parameters:
    """Return all stacks, the deleted ones included, as ListStacks does."""
    wanted = given.get("StackStatusFilter") or []
    return {
        "StackSummaries": [
            {**_times(each), "TemplateDescription": each.request.template.description,
             "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"}}
            for each in store.all()
            if not wanted or each.status in wanted
        ]
    }  # fmt: skip


def events(store: Store, given: Parameters) -> Parameters:
    """Return a stack's events, the newest first. Raises Refused without such a stack."""
    stack = store.get(given.get("StackName", ""), "Stack [{}] does not exist")
    return {"StackEvents": list(reversed(stack.events))}


def _named(stack: Stack, logical_id: str) -> Resource:
    if logical_id not in stack.resources:
        raise Refused(f"Resource {logical_id} does not exist for stack {stack.name}")
    return stack.resources[logical_id]


def _resource(resource: Resource) -> Parameters:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id or "",
        "ResourceType": resource.type_name,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
    }


def _of(stack: Stack, resource: Resource) -> Parameters:
    own = {"StackId": stack.id, "StackName": stack.name, "Timestamp": resource.changed_at}
    return {**own, **_resource(resource)}


def one_resource(store: Store, given: Parameters) -> Parameters:
    stack = store.get(given["StackName"], "Stack '{}' does not exist")
    detail = _of(stack, _named(stack, given["LogicalResourceId"]))
    return {"StackResourceDetail": {**detail, "LastUpdatedTimestamp": detail["Timestamp"]}}


def resources(store: Store, given: Parameters) -> Parameters:
    if not given.get("StackName"):
        physical_id = given.get("PhysicalResourceId")
        owners = (each for each in store.all() if any(r.physical_id == physical_id for r in each.resources.values()))
        stack = next(owners, None)
        if stack is None:
            raise Refused(f"Stack for {physical_id} does not exist")
    else:
        stack = store.get(given["StackName"])
    wanted = [_named(stack, given["LogicalResourceId"])] if given.get("LogicalResourceId") else stack.resources.values()
    return {"StackResources": [_of(stack, each) for each in list(wanted)]}


def resource_summaries(store: Store, given: Parameters) -> Parameters:
    stack = store.get(given["StackName"])
    return {
        "StackResourceSummaries": [
            {**_resource(each), "LastUpdatedTimestamp": each.changed_at} for each in list(stack.resources.values())
        ]
    }


def template(store: Store, given: Parameters) -> Parameters:
    stack = store.get(given.get("StackName", ""))
    return {"TemplateBody": stack.request.template.body, "StagesAvailable": ["Original", "Processed"]}


def validated(read: Template) -> Parameters:
    """Return what ValidateTemplate says of a template that is valid."""
    declared = [_declaration(name, rules) for name, rules in read.block("Parameters").items()]
    own = ("ParameterKey", "DefaultValue", "NoEcho", "Description")
    listed = [{name: each[name] for name in own} for each in declared]
    return {"Description": read.description, "Parameters": listed, **_capabilities(read)}


def template_summary(read: Template) -> Parameters:
    """Return what GetTemplateSummary does: as `validated`, with the parameters' types and the resources' types."""
    return {
        "Description": read.description,
        "Parameters": [_declaration(name, rules) for name, rules in read.block("Parameters").items()],
        "ResourceTypes": sorted({each["Type"] for each in read.resources.values()}),
        "Version": read.content.get("AWSTemplateFormatVersion"),
        **_capabilities(read),
    }


def _declaration(name: str, rules: dict[str, Any]) -> Parameters:
    return {
        "ParameterKey": name,
        "DefaultValue": None if rules.get("Default") is None else str(rules["Default"]),
        "ParameterType": rules.get("Type"),
        "NoEcho": str(rules.get("NoEcho", False)).lower() == "true",
        "Description": rules.get("Description"),
        "ParameterConstraints": {"AllowedValues": [str(each) for each in rules.get("AllowedValues", [])]},
    }


def _capabilities(read: Template) -> Parameters:
    capability, types = capabilities(read.resources)
    listed = ", ".join(types)
    return {
        "Capabilities": [capability] if capability else [],
        "CapabilitiesReason": f"The following resource(s) require capabilities: [{listed}]" if capability else None,
    }


def exports(store: Store, given: Parameters) -> Parameters:
    found = sorted(store.exports(), key=lambda each: each[1])
    return {"Exports": [{"ExportingStackId": stack.id, "Name": name, "Value": value} for stack, name, value in found]}


def imports(store: Store, given: Parameters) -> Parameters:
    name = given["ExportName"]
    importers = store.importers(name)
    if not importers:
        raise Refused(f"Export '{name}' is not imported by any stack.")
    return {"Imports": importers}
