"""Look whether what the account has does what the lessons need: code, settings, permissions, pattern, key.

It reads only. No function is invoked, no event sent, no message received. What AWS does not tell (a permission of the
learner's own may be missing for it) is no finding.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from helpers.account import function_code, function_log, role_policies
from helpers.account import state as account_state
from helpers.account.answers import Answers
from helpers.account.state import BUS, FUNCTION, NARROW_POLICY, ROLE, RULE, TABLE, AccountState, Clients, Finding
from helpers.account.troubles import KINDS

KEY = [("OrderId", "HASH", "S")]
#: An order of the lessons, as EventBridge hands it on; either type of event is one.
ORDER = {"OrderId": "A-1", "Item": "desk-lamp", "Amount": 65.5, "IsMember": True, "ShippingMethod": "Express"}
EVENT = {
    "version": "0", "id": "1", "account": "123456789012", "region": "us-east-1", "time": "2026-11-23T12:00:00Z",
    "resources": [], "source": "microservice_x", "detail": {"body": ORDER},
}  # fmt: skip
TYPES = ("OrderPlaced", "microservice_x_test_event")
#: Of lessons 4 and 7. EventBridge need not be asked about them.
GOOD_PATTERNS = (
    {"source": [{"prefix": ""}]},
    {"source": ["microservice_x"], "detail-type": [*TYPES], "detail": {"body": {"OrderId": [{"exists": True}]}}},
)


def read(clients: Clients | None = None, thorough: bool = False) -> AccountState:
    """Return which parts the account has, and what is wrong with them. Raises botocore's errors like `state.read`.

    thorough: read the function's log even where it runs the code that all know to be good.
    """
    answers = Answers(clients or account_state.kept_clients())
    return examined(account_state.read(answers), answers, thorough)


def examined(state: AccountState, answers: Answers, thorough: bool = False) -> AccountState:
    """Return the state with what is wrong; `answers`: the look at the account that the state was read in."""
    findings = (*_role(answers), *_table(answers), *_function(answers, thorough), *_rule(answers))
    certain = [KINDS[finding.kind] for finding in findings if not KINDS[finding.kind].suspected]
    return replace(state, troubles={kind.part: kind.label for kind in reversed(certain)}, findings=findings)


def _role(answers: Answers) -> Iterator[Finding]:
    role = answers.get("iam", "get_role", RoleName=ROLE).get("Role")
    if not role:
        return
    trust = role.get("AssumeRolePolicyDocument")
    if isinstance(trust, dict) and not any(map(_lets_lambda_in, role_policies.listed(trust.get("Statement", [])))):
        yield Finding("trust")
    function = answers.get("lambda", "get_function", FunctionName=FUNCTION).get("Configuration")
    if not function:
        return  # what the role is good for comes with the function
    group = function["FunctionArn"].replace(":lambda:", ":logs:").replace(":function:", ":log-group:/aws/lambda/")
    if role_policies.verdict(answers, ROLE, "logs:PutLogEvents", f"{group}:log-stream:any") is None:
        yield Finding("may not log")
    table = answers.get("dynamodb", "describe_table", TableName=TABLE).get("Table")
    if table:
        yield from _may_store(answers, table["TableArn"])


def _may_store(answers: Answers, table_arn: str) -> Iterator[Finding]:
    verdict = role_policies.verdict(answers, ROLE, "dynamodb:PutItem", table_arn)
    if verdict:
        yield Finding("denied", {"policy": verdict})
    elif verdict is None:
        inline = answers.get("iam", "list_role_policies", RoleName=ROLE).get("PolicyNames", [])
        yield Finding("may not store, narrowly" if NARROW_POLICY in inline else "may not store")


def _lets_lambda_in(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    actions = role_policies.listed(statement.get("Action", []))
    return (
        statement.get("Effect") == "Allow"
        and "lambda.amazonaws.com" in role_policies.listed(services)
        and bool({"sts:AssumeRole", "sts:*", "*"}.intersection(actions))
    )


def _table(answers: Answers) -> Iterator[Finding]:
    table = answers.get("dynamodb", "describe_table", TableName=TABLE).get("Table")
    if not table:
        return
    types = {each["AttributeName"]: each["AttributeType"] for each in table.get("AttributeDefinitions", [])}
    key = [(each["AttributeName"], each["KeyType"], types.get(each["AttributeName"])) for each in table["KeySchema"]]
    if key != KEY:
        words = {"S": "string", "N": "number", "B": "binary"}
        shown = " and ".join(f"{name} ({words.get(kind or '', kind)})" for name, _, kind in key)
        yield Finding("wrong key", {"key": shown})


def _function(answers: Answers, thorough: bool) -> Iterator[Finding]:
    answer = answers.get("lambda", "get_function", FunctionName=FUNCTION)
    if not answer:
        return
    settings = answer["Configuration"]
    for status, reason in (("State", "StateReason"), ("LastUpdateStatus", "LastUpdateStatusReason")):
        if settings.get(status) == "Failed":
            yield Finding("not active", {"error": settings.get(reason, "its last change failed").rstrip(".")})
    if answer.get("Concurrency", {}).get("ReservedConcurrentExecutions") == 0:
        yield Finding("may not run")
    role = settings["Role"].rpartition("/")[2]
    if role != ROLE:
        yield Finding("no role", {"role": role})
    failures = [*does_not_run(answers, FUNCTION, thorough)]
    yield from failures
    if not failures and _is_other_code(answers):
        yield Finding("other code")
    yield from _table_name(answers, settings)
    yield from _failures(answers)


def does_not_run(answers: Answers, name: str, thorough: bool = True) -> Iterator[Finding]:
    """Find why a function does not start, or why its newest invocation was cut off: by its code, then by its log.

    thorough: as in `read`.
    """
    answer = answers.get("lambda", "get_function", FunctionName=name)
    if "Handler" not in answer.get("Configuration", {}):
        return  # no function, or one that is an image
    settings, location = answer["Configuration"], answer["Code"].get("Location", "")
    files = answers.once(function_code.fetch, location)
    if not thorough and files is not None and function_code.is_as_released(files, settings["Handler"]):
        return
    syntax = function_code.reads_as_here(settings.get("Runtime", ""), location)
    fault = function_code.fault(files, settings["Handler"], syntax) if files is not None else None
    if fault:
        yield fault
        return
    error = function_log.newest_failure(answers, name, settings.get("LastModified", "")).rstrip(".")
    if error:
        yield Finding("cut off" if function_log.was_running(error) else "does not start", {"error": error})


def _is_other_code(answers: Answers) -> bool:
    location = answers.get("lambda", "get_function", FunctionName=FUNCTION)["Code"].get("Location", "")
    files = answers.once(function_code.fetch, location)
    return files is not None and function_code.is_other_code(files, function_code.handler_file())


def _table_name(answers: Answers, settings: dict[str, Any]) -> Iterator[Finding]:
    name = settings.get("Environment", {}).get("Variables", {}).get("TABLE_NAME", TABLE)
    if name == TABLE:
        return
    try:
        answers.ask("dynamodb", "describe_table", TableName=name)
        yield Finding("another table", {"table": name or "a table without a name"})
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            yield Finding("no such table", {"table": name})
    except BotoCoreError:  # a name that no table can have
        yield Finding("no such table", {"table": name or "a table without a name"})


def _failures(answers: Answers) -> Iterator[Finding]:
    settings = answers.get("lambda", "get_function_event_invoke_config", FunctionName=FUNCTION)
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if _is_lost_queue(answers, destination):
        yield Finding("failures: no queue", {"queue": destination.rpartition(":")[2]})


def _rule(answers: Answers) -> Iterator[Finding]:
    rule = answers.get("events", "describe_rule", Name=RULE, EventBusName=BUS)
    if not rule:
        return
    if rule["State"] == "DISABLED":
        yield Finding("disabled")
    yield from _pattern(answers, rule.get("EventPattern"))
    targets = answers.get("events", "list_targets_by_rule", Rule=RULE, EventBusName=BUS).get("Targets", [])
    function = answers.get("lambda", "get_function", FunctionName=FUNCTION).get("Configuration")
    if function and targets and all(target["Arn"] != function["FunctionArn"] for target in targets):
        yield Finding("target", {"target": " and ".join(_name(target["Arn"]) for target in targets)})
    for queue in [target.get("DeadLetterConfig", {}).get("Arn") for target in targets]:
        if _is_lost_queue(answers, queue):
            yield Finding("dead letters: no queue", {"queue": queue.rpartition(":")[2]})
    if function:
        yield from _permission(answers, rule["Arn"])


def _pattern(answers: Answers, pattern: str | None) -> Iterator[Finding]:
    if not pattern:
        yield Finding("no pattern")
        return
    if json.loads(pattern) in GOOD_PATTERNS:
        return
    for kind in TYPES:
        event = EVENT | {"detail-type": kind}
        if not _matches(answers, pattern, event):
            fields = json.loads(pattern)
            differs = [
                name for name, wanted in fields.items() if not _matches(answers, json.dumps({name: wanted}), event)
            ]
            yield Finding("pattern", {"fields": " and ".join(differs) or "something"})
            return


def _matches(answers: Answers, pattern: str, event: dict[str, Any]) -> bool:
    """Return what EventBridge says; True where it says nothing."""
    answer = answers.get("events", "test_event_pattern", EventPattern=pattern, Event=json.dumps(event))
    return bool(answer.get("Result", True))


def _permission(answers: Answers, rule_arn: str) -> Iterator[Finding]:
    """Find a permission for EventBridge that is for other rules, where there is none for this one."""
    policy = answers.get("lambda", "get_policy", FunctionName=FUNCTION).get("Policy")
    statements = json.loads(policy)["Statement"] if policy else []
    if any(account_state.permits(statement, rule_arn) for statement in statements):
        return
    for statement in statements:
        sources = account_state.sources_of(statement)
        if account_state.is_for_rules(statement) and sources:
            yield Finding("permission", {"source": _name(sources[0])})
            return


def _is_lost_queue(answers: Answers, arn: str | None) -> bool:
    """Return whether the ARN is that of a queue, and there is no such queue."""
    parts = (arn or "").split(":")
    if len(parts) != 6 or parts[2] != "sqs":
        return False
    try:
        answers.ask("sqs", "get_queue_url", QueueName=parts[5])
        return False
    except ClientError as error:
        return "NonExistentQueue" in error.response["Error"]["Code"] or "NotExist" in error.response["Error"]["Code"]
    except BotoCoreError:
        return False


def _name(arn: str) -> str:
    """Return what a sentence calls the thing with this ARN: its name, with the word before it if there is one."""
    return " ".join(arn.split(":", 5)[-1].replace(":", "/").split("/", 1)) if arn.count(":") >= 5 else arn
