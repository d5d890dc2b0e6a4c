"""Keep change sets: what a request would change, read before it is carried out (`aws cloudformation deploy`)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..account.credentials import ACCOUNT_ID
from ..engine import clock
from . import parameters, plan, requests
from .beginnings import begin_creation, begin_update, check_updatable, store, unchanged
from .errors import Refused
from .resource import Request
from .services import Services
from .stacks import Stack, changing

Parameters = dict[str, Any]
_NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


@dataclass
class ChangeSet:
    """A request that waits to be carried out."""

    name: str
    stack: Stack
    request: Request
    kind: str  # CREATE or UPDATE
    capabilities: list[str]
    description: str | None
    on_failure: str | None
    id: str = ""
    reason: str | None = None
    execution: str = "AVAILABLE"
    created_at: datetime = field(default_factory=clock.utc)
    changes: list[plan.Change] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = f"arn:aws:cloudformation:{self.stack.region}:{ACCOUNT_ID}:changeSet/{self.name}/{uuid.uuid4()}"

    @property
    def status(self) -> str:
        return "FAILED" if self.reason else "CREATE_COMPLETE"


_all: dict[str, ChangeSet] = {}


def state() -> dict[str, ChangeSet]:
    """Return all change sets by their ids, for a later process to `restore`. `stacks.changing` should be held."""
    return dict(_all)


def restore(change_sets: dict[str, ChangeSet]) -> None:
    """Add the change sets of an earlier process."""
    _all.update(change_sets)


def create(given: Parameters, caller: Services) -> Parameters:
    kind, name = given.get("ChangeSetType") or "UPDATE", given["StackName"]
    if kind not in ("CREATE", "UPDATE"):
        raise Refused(f"The embedded AWS does not support the change set type {kind}.")
    stack = store.find(name)
    if kind == "CREATE" and stack is not None and stack.status != "REVIEW_IN_PROGRESS":
        raise Refused(
            f"Stack [{name}] already exists and cannot be created again with the changeSet [{given['ChangeSetName']}]."
        )
    if kind == "UPDATE":
        stack = store.get(name, "Stack [{}] does not exist")
        check_updatable(stack)
    if stack is not None and any(each.name == given["ChangeSetName"] for each in _of(stack)):
        raise Refused(f"ChangeSet {given['ChangeSetName']} already exists", "AlreadyExistsException")
    request = requests.read(given, caller, stack if kind == "UPDATE" else None)
    if stack is None:
        stack = _stack_in_review(name, caller, request)
    plan.resources(stack, request, store)  # refuses what cannot be
    store.add(stack)
    change_set = ChangeSet(
        given["ChangeSetName"], stack, request, kind, given.get("Capabilities") or [], given.get("Description"),
        given.get("OnStackFailure"),
    )  # fmt: skip
    change_set.changes = plan.changes(stack, request, store)
    if kind == "UPDATE" and unchanged(stack, request):
        change_set.reason, change_set.execution = _NO_CHANGES, "UNAVAILABLE"
    _all[change_set.id] = change_set
    return {"Id": change_set.id, "StackId": stack.id}


def _stack_in_review(name: str, caller: Services, request: Request) -> Stack:
    requests.check_name(name)
    stack = Stack(name, caller.region, request)
    stack.turn("REVIEW_IN_PROGRESS", "User Initiated")
    return stack


def _of(stack: Stack) -> list[ChangeSet]:
    return [each for each in _all.values() if each.stack is stack]


def _get(given: Parameters) -> ChangeSet:
    name = given["ChangeSetName"]
    if name in _all:
        return _all[name]
    if given.get("StackName"):
        stack = store.get(given["StackName"], "Stack [{}] does not exist")
        for each in _of(stack):
            if each.name == name:
                return each
    raise Refused(f"ChangeSet [{name}] does not exist", "ChangeSetNotFound")


def describe(given: Parameters, caller: Services) -> Parameters:
    found = _get(given)
    return {
        **_summary(found),
        "Parameters": parameters.described(found.request.template, found.request.parameters),
        "Capabilities": found.capabilities,
        "Tags": [{"Key": key, "Value": value} for key, value in found.request.tags.items()],
        "OnStackFailure": found.on_failure,
        "Changes": [{"Type": "Resource", "ResourceChange": _change(each)} for each in found.changes],
    }


def _change(change: plan.Change) -> Parameters:
    modified = change.action == "Modify"
    scope = sorted({"Tags" if each == "Tags" else "Properties" for each in change.properties})
    return {
        "Action": change.action,
        "LogicalResourceId": change.resource.logical_id,
        "PhysicalResourceId": change.resource.physical_id,
        "ResourceType": change.resource.type_name,
        "Replacement": str(change.replacement) if modified else None,
        "Scope": scope,
        "Details": [
            {
                "Target": {
                    "Attribute": "Tags" if each == "Tags" else "Properties",
                    "Name": None if each == "Tags" else each,
                    "RequiresRecreation": "Always" if each in change.resource.type.create_only else "Never",
                },
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for each in change.properties
        ],
    }


def _summary(found: ChangeSet) -> Parameters:
    return {
        "ChangeSetName": found.name,
        "ChangeSetId": found.id,
        "StackId": found.stack.id,
        "StackName": found.stack.name,
        "Description": found.description,
        "CreationTime": found.created_at,
        "ExecutionStatus": found.execution,
        "Status": found.status,
        "StatusReason": found.reason,
        "IncludeNestedStacks": False,
    }


def summaries(given: Parameters, caller: Services) -> Parameters:
    stack = store.get(given["StackName"], "Stack [{}] does not exist")
    return {"Summaries": [_summary(each) for each in _of(stack)]}


def delete(given: Parameters, caller: Services) -> Parameters:
    _all.pop(_get(given).id, None)
    return {}


def forget(stack: Stack) -> None:
    """Forget the change sets of a stack that goes."""
    for each in _of(stack):
        _all.pop(each.id, None)


def execute(given: Parameters, caller: Services) -> Parameters:
    found = _get(given)
    stack = found.stack
    if found.execution != "AVAILABLE":
        raise Refused(
            f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status}]",
            "InvalidChangeSetStatus",
        )
    if found.kind == "UPDATE":
        check_updatable(stack)
    with changing:  # carried out and begun, or neither
        stack.capabilities = found.capabilities
        for each in _of(stack):  # what else was compared with the stack as it was means nothing any more
            each.execution = "EXECUTE_COMPLETE" if each is found else "OBSOLETE"
        disable_rollback = bool(given.get("DisableRollback")) or found.on_failure == "DO_NOTHING"
        if found.kind == "CREATE":
            stack.request = found.request
            stack.on_failure = found.on_failure or ("DO_NOTHING" if disable_rollback else "ROLLBACK")
            begin_creation(stack, caller, given.get("ClientRequestToken"))
        else:
            begin_update(stack, found.request, caller, given.get("ClientRequestToken"), disable_rollback)
    return {}
