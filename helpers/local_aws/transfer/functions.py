"""Carry over Lambda's functions: code, versions, aliases, who may call them, and what calls them."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from .container import LARGEST_PART, Reader, Writer
from .parties import Account, chosen, tags

_SETTINGS = (
    "Runtime", "Role", "Handler", "Description", "Timeout", "MemorySize", "DeadLetterConfig", "TracingConfig",
    "EphemeralStorage", "LoggingConfig",
)  # fmt: skip
_ASYNC = ("MaximumRetryAttempts", "MaximumEventAgeInSeconds", "DestinationConfig")
_MAPPING = (
    "BatchSize", "MaximumBatchingWindowInSeconds", "FilterCriteria", "ParallelizationFactor",
    "BisectBatchOnFunctionError", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "TumblingWindowInSeconds",
    "FunctionResponseTypes", "ScalingConfig", "DestinationConfig",
)  # fmt: skip
_LATEST = "$LATEST"


def take(account: Account, file: Writer) -> None:
    found: list[dict[str, Any]] = []
    for each in sorted(
        account.pages("lambda", "list_functions", "Functions"), key=lambda each: str(each["FunctionName"])
    ):
        name = each["FunctionName"]
        if account.in_stack("AWS::Lambda::Function", name):
            _say_what_a_stack_does_not_bring(account, name)
        elif each.get("PackageType", "Zip") != "Zip" or each.get("Layers"):
            account.left(f"the function {name}, which is an image or has layers")
        else:
            account.attempt(f"the function {name}", _take, account, file, name, found)
    file.put("functions.json", found)
    account.count("functions", len(found))


def _say_what_a_stack_does_not_bring(account: Account, name: str) -> None:
    aliases = list(account.pages("lambda", "list_aliases", "Aliases", FunctionName=name))
    for what, found in (("aliases", aliases), ("event sources", _own_mappings(account, name))):
        if found:
            account.left(f"the {what} of the function {name}, which a stack has made and which the stack does not know")


def _own_mappings(account: Account, name: str) -> list[dict[str, Any]]:
    """Return what calls a function, without what a stack brings."""
    found = account.pages("lambda", "list_event_source_mappings", "EventSourceMappings", FunctionName=name)
    return [each for each in found if not account.in_stack("AWS::Lambda::EventSourceMapping", each["UUID"])]


def _take(account: Account, file: Writer, name: str, found: list[dict[str, Any]]) -> None:
    found.append(_function(account, file, name))


def _function(account: Account, file: Writer, name: str) -> dict[str, Any]:
    lambda_, named = account("lambda"), {"FunctionName": name}
    listed = account.pages("lambda", "list_versions_by_function", "Versions", **named)
    versions = sorted({each["Version"] for each in listed} - {_LATEST}, key=int)
    described = {version: _version(account, file, name, version) for version in [*versions, _LATEST]}
    whole = lambda_.get_function(**named)
    aliases = account.pages("lambda", "list_aliases", "Aliases", **named)
    configs = account.pages("lambda", "list_function_event_invoke_configs", "FunctionEventInvokeConfigs", **named)
    mappings = _own_mappings(account, name)
    return {
        "FunctionName": name,
        "Versions": described,
        "Tags": tags(whole.get("Tags")),
        "ReservedConcurrentExecutions": (whole.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
        "Aliases": [chosen(each, "Name", "FunctionVersion", "Description", "RoutingConfig") for each in aliases],
        "Permissions": {place: found for place in [_LATEST, *versions] if (found := _statements(account, name, place))},
        "EventInvokeConfigs": {_qualifier(each["FunctionArn"]): chosen(each, *_ASYNC) for each in configs},
        "EventSourceMappings": sorted(map(_mapping, mappings), key=lambda each: json.dumps(each, sort_keys=True)),
    }


def _qualifier(arn: str) -> str:
    parts = arn.split(":")
    return parts[7] if len(parts) > 7 else _LATEST


def _version(account: Account, file: Writer, name: str, version: str) -> dict[str, Any]:
    whole = account("lambda").get_function(FunctionName=name, Qualifier=version)
    file.put_bytes(_place(name, version), _download(whole["Code"]["Location"]))
    found = chosen(whole["Configuration"], *_SETTINGS)
    found["Architectures"] = whole["Configuration"].get("Architectures") or ["x86_64"]
    found["Environment"] = {"Variables": (whole["Configuration"].get("Environment") or {}).get("Variables", {})}
    return found


def _place(name: str, version: str) -> str:
    return f"code/{name}/{version}.zip"


def _download(link: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    with opener.open(link, timeout=300) as answer:
        content: bytes = answer.read(LARGEST_PART)
    return content


def _statements(account: Account, name: str, qualifier: str) -> list[dict[str, Any]]:
    """Return who may call a function, as AddPermission wants it."""
    which = {} if qualifier == _LATEST else {"Qualifier": qualifier}
    policy = account.there(account("lambda").get_policy, FunctionName=name, **which)
    statements = json.loads(policy["Policy"])["Statement"] if policy else []
    return [
        _permission(each) for each in statements if not account.in_stack("AWS::Lambda::Permission", each.get("Sid", ""))
    ]


def _permission(statement: dict[str, Any]) -> dict[str, Any]:
    principal = statement["Principal"]
    if isinstance(principal, dict):
        [principal] = principal.values()
    conditions = {
        key.lower(): value for each in (statement.get("Condition") or {}).values() for key, value in each.items()
    }
    given = {
        "StatementId": statement["Sid"],
        "Action": statement["Action"],
        "Principal": principal,
        "SourceArn": conditions.get("aws:sourcearn"),
        "SourceAccount": conditions.get("aws:sourceaccount"),
        "PrincipalOrgID": conditions.get("aws:principalorgid"),
    }
    return chosen(given, *given)


def _mapping(given: dict[str, Any]) -> dict[str, Any]:
    found = chosen(given, "EventSourceArn", "StartingPosition", *_MAPPING)
    qualifier = _qualifier(given["FunctionArn"])
    if ":table/" in found["EventSourceArn"]:  # another name each time
        found["EventSourceArn"] = found["EventSourceArn"].rpartition("/")[0]
    return found | {"Qualifier": qualifier, "Enabled": given.get("State") in ("Enabled", "Enabling", "Creating")}


def bring(account: Account, file: Reader) -> None:
    lambda_ = account("lambda")
    for function in file.get("functions.json", []):
        name = function["FunctionName"]
        if account.there(lambda_.get_function, FunctionName=name) is not None:
            account.found(f"the function {name}")
        elif account.attempt(f"the function {name}", _bring, account, file, function):
            account.count("functions")
            account.made.add(name)
            _bring_around(account, function)


def _bring(account: Account, file: Reader, function: dict[str, Any]) -> None:
    """Make a function with its versions, each under its number, and at last what is deployed now."""
    lambda_, name, number = account("lambda"), function["FunctionName"], 0
    made = False
    for version, settings in function["Versions"].items():
        code = file.get_bytes(_place(name, version))
        if code is None:
            raise file.wrong(f"the code of {name} is missing")
        while version != _LATEST and number + 1 < int(version) and made:  # some numbers were deleted
            number += 1
            _publish(lambda_, name, {"Description": f"{number}, deleted"})
            lambda_.delete_function(FunctionName=name, Qualifier=str(number))
        if not made:
            lambda_.create_function(FunctionName=name, Code={"ZipFile": code}, Tags=function["Tags"], **settings)
        else:
            lambda_.update_function_code(FunctionName=name, ZipFile=code, Architectures=settings["Architectures"])
        made = True
        _wait(lambda_, name)
        if version == _LATEST:
            _configure(lambda_, name, settings)
        else:
            number = int(_publish(lambda_, name, settings))


def _configure(lambda_: Any, name: str, settings: dict[str, Any]) -> None:
    given = {key: value for key, value in settings.items() if key != "Architectures"}
    lambda_.update_function_configuration(FunctionName=name, **({"Description": ""} | given))
    _wait(lambda_, name)


def _publish(lambda_: Any, name: str, settings: dict[str, Any]) -> str:
    _configure(lambda_, name, settings)
    return str(lambda_.publish_version(FunctionName=name)["Version"])


def _wait(lambda_: Any, name: str) -> None:
    lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def _bring_around(account: Account, function: dict[str, Any]) -> None:
    lambda_, named = account("lambda"), {"FunctionName": function["FunctionName"]}
    name = function["FunctionName"]
    if function["ReservedConcurrentExecutions"] is not None:
        reserved = function["ReservedConcurrentExecutions"]
        account.attempt(
            f"the reserved concurrency of {name}",
            lambda_.put_function_concurrency,
            ReservedConcurrentExecutions=reserved,
            **named,
        )
    for alias in function["Aliases"]:
        account.attempt(f"the alias {alias['Name']} of {name}", lambda_.create_alias, **named, **alias)
    for qualifier, statements in function["Permissions"].items():
        which = named if qualifier == _LATEST else named | {"Qualifier": qualifier}
        for each in statements:
            account.attempt(
                f"the permission {each['StatementId']} of {name}",
                lambda_.add_permission,
                **which,
                **each,
            )
    for qualifier, config in function["EventInvokeConfigs"].items():
        account.attempt(
            f"the asynchronous settings of {name}",
            lambda_.put_function_event_invoke_config,
            Qualifier=qualifier,
            **named,
            **config,
        )


def bring_mappings(account: Account, file: Reader) -> None:
    """Connect functions with queues and streams. A table's stream has another name than before: it begins anew."""
    for function in file.get("functions.json", []):
        name = function["FunctionName"]
        for mapping in function["EventSourceMappings"] if name in account.made else []:
            account.attempt(
                f"the event source {mapping['EventSourceArn']} of {name}",
                _connect,
                account,
                name,
                dict(mapping),
            )


def _connect(account: Account, name: str, mapping: dict[str, Any]) -> None:
    qualifier = mapping.pop("Qualifier")
    arn = mapping["EventSourceArn"]
    if ":table/" in arn:
        table = arn.partition(":table/")[2].partition("/")[0]
        mapping["EventSourceArn"] = account("dynamodb").describe_table(TableName=table)["Table"]["LatestStreamArn"]
    target = name if qualifier == _LATEST else f"{name}:{qualifier}"
    account("lambda").create_event_source_mapping(FunctionName=target, **mapping)
