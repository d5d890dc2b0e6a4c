"""What exists in the account, asked of AWS itself with boto3: never read from a file or remembered in a flag.

The diagram, the catch-up and the checks all ask through this module, so they can never disagree. The
workbook speaks of *parts*, short words that a lesson's metadata uses too (see PARTS). Two more forms name
stored orders: `order:A-1` is the item with that OrderId, and `orders:X-0001..X-0200` is the whole range.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

import boto3
from botocore.exceptions import ClientError

ROLE = "microservice-role"
TABLE = "sample-table"
FUNCTION = "sample-function"
BUS = "default"
RULE = "sample-rule"

PARTS = {  # part: how a sentence names it, in the order in which the lessons build them
    "role": f"role {ROLE}",
    "policies": "its two policies",
    "table": f"table {TABLE}",
    "function": f"function {FUNCTION}",
    "rule": f"rule {RULE}",
    "target": "its target",
    "permission": "permission to invoke",
}
KEYS_PER_READ = 100  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html

_ORDERS = re.compile(r"order:(?P<one>.+)|orders:(?P<prefix>\D*)(?P<first>\d+)\.\.(?P=prefix)(?P<last>\d+)")
_NOT_FOUND = {"NoSuchEntity", "NoSuchEntityException", "ResourceNotFoundException"}


@dataclass(frozen=True)
class AccountState:
    """The parts that the account had when it was asked."""

    parts: frozenset[str]

    def has(self, *parts: str) -> bool:
        """True when all of them are there."""
        return self.parts.issuperset(parts)


def read() -> AccountState:
    """Ask the account that boto3 is connected to which PARTS exist. Raises botocore's errors when it does
    not answer.
    """
    function = _found(boto3.client("lambda"), "get_function", FunctionName=FUNCTION)
    parts = _role_parts() | _table_parts() | _function_parts(function) | _rule_parts(function)
    return AccountState(frozenset(parts))


def missing(wanted: Iterable[str], state: AccountState) -> list[str]:
    """Those of `wanted` (parts of `state`, or orders, which are looked up now) that are not there.

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
    """The OrderIds that `order:ID` or `orders:FIRST..LAST` names; None when the word has another form."""
    match = _ORDERS.fullmatch(word)
    if not match:
        return None
    if match["one"]:
        return [match["one"]]
    first, last = match["first"], match["last"]
    return [f"{match['prefix']}{number:0{len(first)}d}" for number in range(int(first), int(last) + 1)]


def _found(client, operation: str, **arguments) -> dict | None:
    """The answer of one call, or None when AWS says that the resource does not exist."""
    try:
        return getattr(client, operation)(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in _NOT_FOUND:
            return None
        raise


def _role_parts() -> set[str]:
    iam = boto3.client("iam")
    if not _found(iam, "get_role", RoleName=ROLE):
        return set()
    attached = iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]
    inline = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    return {"role", "policies"} if len(attached) + len(inline) >= 2 else {"role"}


def _table_parts() -> set[str]:
    answer = _found(boto3.client("dynamodb"), "describe_table", TableName=TABLE)
    return {"table"} if answer and answer["Table"]["TableStatus"] == "ACTIVE" else set()


def _function_parts(function: dict | None) -> set[str]:
    # A function from before AWS had states carries none, and is active.
    return {"function"} if function and function["Configuration"].get("State", "Active") == "Active" else set()


def _rule_parts(function: dict | None) -> set[str]:
    """The rule, its target, and the function's permission for it: each lets events through only with the one
    before.
    """
    events = boto3.client("events")
    rule = _found(events, "describe_rule", Name=RULE, EventBusName=BUS)
    if not rule:
        return set()
    parts = {"rule"} if rule["State"] == "ENABLED" else set()
    if not function:
        return parts
    targets = events.list_targets_by_rule(Rule=RULE, EventBusName=BUS)["Targets"]
    if function["Configuration"]["FunctionArn"] in {target["Arn"] for target in targets}:
        parts.add("target")
    policy = _found(boto3.client("lambda"), "get_policy", FunctionName=FUNCTION)
    if policy and any(_permits(statement, rule["Arn"]) for statement in json.loads(policy["Policy"])["Statement"]):
        parts.add("permission")
    return parts


def _permits(statement: dict, rule_arn: str) -> bool:
    """Whether a statement of the function's resource policy lets EventBridge invoke it on behalf of the
    rule.
    """
    principal = statement.get("Principal")
    service = principal.get("Service") if isinstance(principal, dict) else None
    sources = [
        value
        for test in statement.get("Condition", {}).values()
        for key, value in test.items()
        if key.lower() == "aws:sourcearn"
    ]
    return statement["Effect"] == "Allow" and service == "events.amazonaws.com" and sources in ([], [rule_arn])


def _stored(ids: list[str]) -> set[str]:
    """Those of the OrderIds that the table holds."""
    dynamodb = boto3.client("dynamodb")
    stored = set()
    for start in range(0, len(ids), KEYS_PER_READ):
        keys = [{"OrderId": {"S": order_id}} for order_id in ids[start : start + KEYS_PER_READ]]
        while keys:  # AWS may answer in part and hand back the rest as unprocessed
            answer = dynamodb.batch_get_item(
                RequestItems={TABLE: {"Keys": keys, "ProjectionExpression": "OrderId", "ConsistentRead": True}}
            )
            stored |= {item["OrderId"]["S"] for item in answer["Responses"].get(TABLE, [])}
            keys = answer["UnprocessedKeys"].get(TABLE, {}).get("Keys", [])
    return stored
