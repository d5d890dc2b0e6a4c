"""Carry over stacks: the template makes again what it made, so it is not carried over by itself."""

from __future__ import annotations

import json
from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tags

_WHOLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def look(account: Account) -> None:
    """Find out what in the account a stack has made."""
    account.of_stacks.clear()
    for stack in _kept(account):
        for each in account.pages(
            "cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack["StackName"]
        ):
            place = (stack["StackName"], each["LogicalResourceId"])
            account.of_stacks[each["ResourceType"], each.get("PhysicalResourceId", "")] = place


def _kept(account: Account) -> list[dict[str, Any]]:
    stacks = account.pages("cloudformation", "describe_stacks", "Stacks")
    return sorted((each for each in stacks if each["StackStatus"] in _WHOLE), key=lambda each: each["CreationTime"])


def take(account: Account, file: Writer) -> None:
    kept = _kept(account)
    for each in account.pages("cloudformation", "describe_stacks", "Stacks"):
        if each["StackStatus"] not in _WHOLE:
            account.left(f"the stack {each['StackName']}, which is {each['StackStatus']}")
    file.put("stacks.json", [_stack(account, each) for each in kept])  # in the order in which they can be made
    account.count("stacks", len(kept))


def _stack(account: Account, stack: dict[str, Any]) -> dict[str, Any]:
    template = account("cloudformation").get_template(StackName=stack["StackName"])["TemplateBody"]
    return {
        "StackName": stack["StackName"],
        "TemplateBody": template if isinstance(template, str) else json.dumps(template),
        "Parameters": [
            chosen(each, "ParameterKey", "ParameterValue") | {"ParameterValue": each.get("ParameterValue", "")}
            for each in stack.get("Parameters") or []
        ],
        "Capabilities": sorted(stack.get("Capabilities") or []),
        "Tags": tags(stack.get("Tags")),
        "EnableTerminationProtection": bool(stack.get("EnableTerminationProtection")),
    }


def bring(account: Account, file: Reader) -> None:
    client = account("cloudformation")
    made = []
    for stack in file.get("stacks.json", []):
        name = stack["StackName"]
        there = [each["StackName"] for each in account.pages("cloudformation", "describe_stacks", "Stacks")]
        if name in there:
            account.found(f"the stack {name}, and the items of its tables")
        elif account.attempt(f"the stack {name}", _bring, client, stack):
            account.count("stacks")
            made.append(name)
    look(account)
    account.of_stacks = {key: place for key, place in account.of_stacks.items() if place[0] in made}


def _bring(client: Any, stack: dict[str, Any]) -> None:
    own = [{"Key": key, "Value": value} for key, value in stack["Tags"].items()]
    client.create_stack(**(stack | {"Tags": own}))
    waiter = client.get_waiter("stack_create_complete")
    waiter.wait(StackName=stack["StackName"], WaiterConfig={"Delay": 1, "MaxAttempts": 600})
