"""Ask AWS itself, with boto3, what exists in the account: never a file, never a flag.

The diagram, the catch-up and the checks all ask through this module, so they can never disagree. The
workbook speaks of *parts*, short words that a lesson's metadata uses too (see PARTS). Two more forms name
stored orders: `order:A-1` is the item with that OrderId, and `orders:X-0001..X-0200` is the whole range.
"""

import functools
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import boto3
from botocore.exceptions import ClientError

from helpers.target.name_prefix import is_own

ROLE = "microservice-role"
TABLE = "sample-table"
FUNCTION = "sample-function"
BUS = "default"
RULE = "sample-rule"
DEAD_LETTER_QUEUE = "sample-rule-dlq"
FAILURE_QUEUE = "sample-function-failures"
ARCHIVE = "sample-archive"
FUNCTION_Y = "microservice-y"
RULE_Y = "order-stored-rule"

PARTS = {  # part: how a sentence names it, in the order in which the lessons build them
    "role": f"role {ROLE}",
    "policies": "its policies",
    "table": f"table {TABLE}",
    "function": f"function {FUNCTION}",
    "handler": "handler.py in it",
    "rule": f"rule {RULE}",
    "target": "its target",
    "permission": "permission to invoke",
    "pattern": "a pattern for orders alone",
    "dead-letter-queue": f"dead-letter queue {DEAD_LETTER_QUEUE}",
    "failure-destination": f"on-failure queue {FAILURE_QUEUE}",
    "archive": f"archive {ARCHIVE}",
    "announcement": "permission to announce orders",
    "microservice-y": f"function {FUNCTION_Y}",
    "order-stored-rule": f"rule {RULE_Y}",
    "least-privilege": "least privilege for the role",
}
#: What part 2 adds to a service that works without it: nothing says of these that they are missing.
ADDITIONS = frozenset({
    "pattern", "dead-letter-queue", "failure-destination", "archive", "least-privilege",
    "announcement", "microservice-y", "order-stored-rule",
})  # fmt: skip
#: The parts that the diagram draws and names: which code is in the function shows nowhere.
DRAWN = {part: words for part, words in PARTS.items() if part != "handler"}
#: CodeSha256 of the short function that lesson 3 begins with, before handler.py takes its place.
SHORT_HANDLER = "AibdQe/eLP5RqhQgKTmNQV+CrFp6nm9itxJsKcFqR0c="
ORDERS_PATTERN = {"source": {"microservice_x"}, "detail-type": {"microservice_x_test_event", "OrderPlaced"}}
BROAD_POLICY, NARROW_POLICY = "AmazonDynamoDBFullAccess", "store-orders"  # before and after least privilege
FAILURES_POLICY = "send-failures"  # what the function may not send to its queue is lost
ANNOUNCE_POLICY = "announce-orders"  # the function may put events
EXTRA_POLICIES = {FAILURES_POLICY, ANNOUNCE_POLICY}  # no order is stored by these
KEYS_PER_READ = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html

_ORDERS = re.compile(r"order:(?P<one>.+)|orders:(?P<prefix>\D*)(?P<first>\d+)\.\.(?P=prefix)(?P<last>\d+)")
NOT_FOUND = {
    "NoSuchEntity",
    "NoSuchEntityException",
    "ResourceNotFoundException",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
}


Clients = Callable[[str], Any]  # makes one by the service's name


@dataclass(frozen=True)
class Finding:
    """Something that is there and does not do what the lessons need: `kind` is a key of troubles.KINDS."""

    kind: str
    facts: dict[str, str] = field(default_factory=dict)  # what the kind's sentence leaves open


@dataclass(frozen=True)
class AccountState:
    """The parts that the account had when it was asked, and what was wrong with them, as far as somebody has looked.

    troubles: {part: a few words} for the picture; buses: the names of the lessons' own event buses besides the default
    one; findings: what is wrong and what is only suspected, in the order of the lessons. Troubles and findings are
    empty unless helpers.account.health has read the state.
    """

    parts: frozenset[str]
    troubles: dict[str, str] = field(default_factory=dict, hash=False)
    buses: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = field(default=(), hash=False)

    def has(self, *parts: str) -> bool:
        """Return whether all of the parts are there."""
        return self.parts.issuperset(parts)


def read(clients: Clients | None = None) -> AccountState:
    """Ask the account that boto3 is connected to which PARTS exist. Raises botocore's errors when it does not answer.

    clients: makes a service's client by its name. Who asks often in a row gives one that keeps them (`kept_clients`):
    making the six takes longer than asking.
    """
    clients = clients or kept_clients()
    parts: set[str] = set()
    for look in _LOOKS:
        parts |= look(clients)
    return AccountState(frozenset(parts), buses=_own_buses(clients("events")))


def read_again(state: AccountState, parts: Iterable[str], clients: Clients) -> AccountState:
    """Ask about these parts alone, and those that one question answers with them; the rest is as in `state`."""
    wanted, there = set(parts), set(state.parts)
    for look, tells in _LOOKS.items():
        if wanted & tells:
            there = there - tells | look(clients)
    return replace(state, parts=frozenset(there))


def kept_clients() -> Clients:
    """Return a function that makes each client once, of the account that boto3 is connected to now."""
    return functools.cache(boto3.client)


def missing(wanted: Iterable[str], state: AccountState) -> list[str]:
    """Return those of `wanted` (parts of `state`, or orders, which are looked up now) that are not there.

    Raises ValueError for a word that is neither.
    """
    absent = []
    for word in wanted:
        ids = order_ids(word)
        if ids is None and word not in PARTS:
            raise ValueError(
                f"{word!r} names no part of the account; known are {', '.join(PARTS)}, order:… and orders:…"
            )
        there = state.has(word) if ids is None else state.has("table") and set(ids) == _stored(ids)
        if not there:
            absent.append(word)
    return absent


def order_ids(word: str) -> list[str] | None:
    """Return the OrderIds that `order:ID` or `orders:FIRST..LAST` names; None when the word has another form."""
    match = _ORDERS.fullmatch(word)
    if not match:
        return None
    if match["one"]:
        return [match["one"]]
    first, last = match["first"], match["last"]
    return [f"{match['prefix']}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def _found(client: Any, operation: str, **arguments: Any) -> dict[str, Any] | None:
    """Return the answer of one call, or None when AWS says that the resource does not exist."""
    try:
        answer: dict[str, Any] = getattr(client, operation)(**arguments)
        return answer
    except ClientError as error:
        if error.response["Error"]["Code"] in NOT_FOUND:
            return None
        raise


def _policies(iam: Any) -> tuple[set[str], set[str]] | None:
    """Return the names of the policies that are attached to the role, and of those in it; None without the role."""
    attached = _found(iam, "list_attached_role_policies", RoleName=ROLE)
    inline = _found(iam, "list_role_policies", RoleName=ROLE)
    if attached is None or inline is None:
        return None
    return {policy["PolicyName"] for policy in attached["AttachedPolicies"]}, set(inline["PolicyNames"])


def _role_parts(clients: Clients) -> set[str]:
    policies = _policies(clients("iam"))
    if policies is None:
        return set()
    attached, inline = policies
    parts = {"role"}
    if len((attached | inline) - EXTRA_POLICIES) >= 2:  # one for the logs, one for the table
        parts.add("policies")
    if NARROW_POLICY in inline and BROAD_POLICY not in attached:
        parts.add("least-privilege")
    if ANNOUNCE_POLICY in inline:
        parts.add("announcement")
    return parts


def _table_parts(clients: Clients) -> set[str]:
    answer = _found(clients("dynamodb"), "describe_table", TableName=TABLE)
    return {"table"} if answer and answer["Table"]["TableStatus"] == "ACTIVE" else set()


def _function_parts(clients: Clients) -> set[str]:
    function = _found(clients("lambda"), "get_function", FunctionName=FUNCTION)
    if not function:
        return set()
    # A function from before AWS had states carries none, and is active.
    parts = {"function"} if function["Configuration"].get("State", "Active") == "Active" else set()
    if function["Configuration"].get("CodeSha256") != SHORT_HANDLER:
        parts.add("handler")
    settings = _found(clients("lambda"), "get_function_event_invoke_config", FunctionName=FUNCTION) or {}
    destination = settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if _is_queue(clients, destination, FAILURE_QUEUE):
        policies = _policies(clients("iam"))
        if policies is not None and FAILURES_POLICY in policies[1]:
            parts.add("failure-destination")
    return parts


def _rule_parts(clients: Clients) -> set[str]:
    """Return what there is of the rule, its target and the function's permission for it: each needs the one before."""
    lambda_, events = clients("lambda"), clients("events")
    function = _found(lambda_, "get_function", FunctionName=FUNCTION)
    rule = _found(events, "describe_rule", Name=RULE, EventBusName=BUS)
    if not rule:
        return set()
    parts = {"rule"}
    if _is_for_orders(rule.get("EventPattern")):
        parts.add("pattern")
    if function:
        parts |= _target_parts(clients, function["Configuration"]["FunctionArn"])
        policy = _found(lambda_, "get_policy", FunctionName=FUNCTION)
        statements = json.loads(policy["Policy"])["Statement"] if policy else []
        if any(permits(statement, rule["Arn"]) for statement in statements):
            parts.add("permission")
    return parts


def _is_for_orders(pattern: str | None) -> bool:
    """Return whether an event pattern wants Microservice X's orders alone, whatever else it wants of them."""
    fields = json.loads(pattern or "{}")
    # An operator such as {"prefix": "…"} is no text: what it lets through is not looked into.
    return all(
        wanted == {value for value in fields.get(name, []) if isinstance(value, str)}
        and len(fields[name]) == len(wanted)
        for name, wanted in ORDERS_PATTERN.items()
    )


def _target_parts(clients: Clients, function_arn: str) -> set[str]:
    targets = clients("events").list_targets_by_rule(Rule=RULE, EventBusName=BUS)["Targets"]
    to_function = [target for target in targets if target["Arn"] == function_arn]
    queues = [target.get("DeadLetterConfig", {}).get("Arn") for target in to_function]
    parts = {"target"} if to_function else set()
    if any(_is_queue(clients, arn, DEAD_LETTER_QUEUE) for arn in queues):
        parts.add("dead-letter-queue")
    return parts


def _is_queue(clients: Clients, arn: str | None, name: str) -> bool:
    """Return whether the ARN is that of the queue with this name, and there is such a queue."""
    if not arn or arn.split(":")[2] != "sqs" or arn.split(":")[-1] != name:
        return False
    return bool(_found(clients("sqs"), "get_queue_url", QueueName=name))


def _archive_parts(clients: Clients) -> set[str]:
    archive = _found(clients("events"), "describe_archive", ArchiveName=ARCHIVE)
    return {"archive"} if archive and archive["State"] == "ENABLED" else set()


def _second_service_parts(clients: Clients) -> set[str]:
    """Return what there is of Microservice Y: its function, and the rule that leads to it."""
    parts, events = set(), clients("events")
    function = _found(clients("lambda"), "get_function", FunctionName=FUNCTION_Y)
    if function and function["Configuration"].get("State", "Active") == "Active":
        parts.add("microservice-y")
    rule = _found(events, "describe_rule", Name=RULE_Y, EventBusName=BUS)
    if rule and rule["State"] == "ENABLED":
        targets = events.list_targets_by_rule(Rule=RULE_Y, EventBusName=BUS)["Targets"]
        # The function may be gone: then the rule points at nothing.
        if any(target["Arn"].endswith(f":function:{FUNCTION_Y}") for target in targets):
            parts.add("order-stored-rule")
    return parts


#: What is asked, and the parts that its answer tells.
_LOOKS: dict[Callable[[Clients], set[str]], set[str]] = {
    _role_parts: {"role", "policies", "least-privilege", "announcement"},
    _table_parts: {"table"},
    _function_parts: {"function", "handler", "failure-destination"},
    _rule_parts: {"rule", "pattern", "target", "permission", "dead-letter-queue"},
    _archive_parts: {"archive"},
    _second_service_parts: {"microservice-y", "order-stored-rule"},
}


def _own_buses(events: Any) -> tuple[str, ...]:
    """Return the names of the buses that a lesson or an exercise has made, sorted."""
    names = {bus["Name"] for bus in events.list_event_buses()["EventBuses"]}
    return tuple(sorted(name for name in names - {BUS} if is_own(name)))


def permits(statement: dict[str, Any], rule_arn: str) -> bool:
    """Return whether a statement of the function's resource policy lets EventBridge invoke it for the rule."""
    sources = sources_of(statement)
    return statement["Effect"] == "Allow" and is_for_rules(statement) and sources in ([], [rule_arn])


def is_for_rules(statement: dict[str, Any]) -> bool:
    """Return whether a statement of a resource policy is about EventBridge."""
    principal = statement.get("Principal")
    return isinstance(principal, dict) and principal.get("Service") == "events.amazonaws.com"


def sources_of(statement: dict[str, Any]) -> list[str]:
    """Return the ARNs on whose behalf a statement of a resource policy wants a service to come."""
    return [
        value
        for test in statement.get("Condition", {}).values()
        for key, value in test.items()
        if key.lower() == "aws:sourcearn"
    ]


def _stored(ids: list[str]) -> set[str]:
    """Return those of the OrderIds that the table holds."""
    dynamodb = boto3.client("dynamodb")
    stored = set()
    for start in range(0, len(ids), KEYS_PER_READ):
        keys = [{"OrderId": {"S": order_id}} for order_id in ids[start : start + KEYS_PER_READ]]
        while keys:  # AWS may answer in part and hand back the rest as unprocessed
            request = {TABLE: {"Keys": keys, "ProjectionExpression": "OrderId", "ConsistentRead": True}}
            try:
                answer = dynamodb.batch_get_item(RequestItems=request)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationException":
                    raise
                return set()  # the table has another key: it holds no order of ours
            stored |= {item["OrderId"]["S"] for item in answer["Responses"].get(TABLE, [])}
            keys = answer["UnprocessedKeys"].get(TABLE, {}).get("Keys", [])
    return stored
