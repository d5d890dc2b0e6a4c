"""Find what DynamoDB's operations need: actions on tables, indexes and streams.

https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from moto.dynamodb.models import dynamodb_backends

from ..account.credentials import ACCOUNT_ID
from ..http.call import Call
from . import partiql
from .permissions import NoResource, Permission

#: The members of TransactItems; each is an action of its own.
_TRANSACT_ACTIONS = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem", "Get": "GetItem"}
#: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
_PARTIQL_ACTIONS = {
    "SELECT": "PartiQLSelect",
    "INSERT": "PartiQLInsert",
    "UPDATE": "PartiQLUpdate",
    "DELETE": "PartiQLDelete",
    "EXISTS": "ConditionCheckItem",
}
_WITHOUT_TABLE = {"ListTables": "table/*", "ListGlobalTables": "global-table/*"}
_ANYWHERE = frozenset(
    ("DescribeLimits", "DescribeEndpoints", "ListStreams", "ListBackups", "ListExports", "ListImports")
)


def needed(call: Call) -> list[Permission]:
    """Return the permissions that an operation needs. Raises NoResource, and NotParsed for a statement."""
    operation, parameters = call.name, call.input
    if operation in ("BatchGetItem", "BatchWriteItem"):
        asked = parameters.get("RequestItems")
        tables = asked.items() if isinstance(asked, Mapping) else ()
        return [_permission(call, operation, table, _requests(request)) for table, request in tables]
    if operation in ("TransactGetItems", "TransactWriteItems"):
        return list(_transaction(call))
    if operation in ("ExecuteStatement", "BatchExecuteStatement", "ExecuteTransaction"):
        return list(_partiql(call))
    if operation in _WITHOUT_TABLE:
        return [Permission(f"dynamodb:{operation}", call.arn(_WITHOUT_TABLE[operation]))]
    if operation in _ANYWHERE:
        return [Permission(f"dynamodb:{operation}", "*")]
    if call.names("TableName"):
        index = parameters.get("IndexName") if operation in ("Query", "Scan") else None
        return [_permission(call, operation, call.names("TableName")[0], [parameters], index)]
    return [Permission(f"dynamodb:{operation}", arn) for arn in _elsewhere(call)]


def _elsewhere(call: Call) -> list[str]:
    """Return the ARNs of all that an operation names otherwise than by TableName. Raises NoResource."""
    if call.name == "GetRecords":  # an iterator says itself of which stream it is
        return [str(call.input.get("ShardIterator", "")).partition("|")[0] or "*"]
    # What is restored is read, too: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/
    # backuprestore_IAM.html
    found = call.names("ResourceArn", "StreamArn", "BackupArn", "ExportArn", "ImportArn", "TableArn", "SourceTableArn")
    parameters = call.input.get("TableCreationParameters")
    names = call.names("SourceTableName", "TargetTableName")
    if isinstance(parameters, Mapping) and isinstance(parameters.get("TableName"), str):
        names.append(parameters["TableName"])
    found += [name if name.startswith("arn:") else call.arn(f"table/{name}") for name in names]
    globally = call.names("GlobalTableName")
    found += [f"arn:aws:dynamodb::{ACCOUNT_ID}:global-table/{name}" for name in globally]
    found += [call.arn(f"table/{name}") for name in globally if not call.name.startswith("Describe")]
    if not found:
        raise NoResource(call.name)
    return found


def _requests(request: Any) -> list[Mapping[str, Any]]:
    """Return the single requests of a batch for one table: keys to get, or items to put and keys to delete."""
    if isinstance(request, Mapping):
        return [{**request, "Key": key} for key in request.get("Keys", ())]
    entries = [entry for entry in request if isinstance(entry, Mapping)] if isinstance(request, list) else []
    return [single for entry in entries for single in entry.values() if isinstance(single, Mapping)]


def _transaction(call: Call) -> Iterator[Permission]:
    items = call.input.get("TransactItems")
    for item in items if isinstance(items, list) else ():
        for kind, request in item.items() if isinstance(item, Mapping) else ():
            if isinstance(request, Mapping):
                action = _TRANSACT_ACTIONS.get(kind, "ConditionCheckItem")
                enclosing = {"dynamodb:enclosingoperation": call.name}
                yield _permission(call, action, str(request.get("TableName", "")), [request], None, enclosing)


def _partiql(call: Call) -> Iterator[Permission]:
    kept = {"BatchExecuteStatement": "Statements", "ExecuteTransaction": "TransactStatements"}.get(call.name)
    listed = call.input.get(kept) if kept is not None else [call.input]
    for entry in listed if isinstance(listed, list) else ():
        found = partiql.parse(str(entry.get("Statement", "")) if isinstance(entry, Mapping) else "")
        yield _permission(call, _PARTIQL_ACTIONS[found.verb], found.table, [], found.index)


def _permission(
    call: Call,
    action: str,
    table: str,
    requests: list[Mapping[str, Any]],
    index: str | None = None,
    context: Mapping[str, str] | None = None,
) -> Permission:
    arn = table if table.startswith("arn:") else call.arn(f"table/{table}")
    keys: dict[str, Any] = {
        **(context or {}),
        "dynamodb:leadingkeys": partial(_leading_keys, call.region, arn, index, requests),
        "dynamodb:attributes": partial(_attributes, requests),
    }
    for name in ("Select", "ReturnValues", "ReturnConsumedCapacity"):
        if requests and isinstance(requests[0].get(name), str):
            keys[f"dynamodb:{name.lower()}"] = requests[0][name]
    return Permission(f"dynamodb:{action}", f"{arn}/index/{index}" if index else arn, keys)


def _leading_keys(
    region: str, table_arn: str, index: str | None, requests: list[Mapping[str, Any]]
) -> tuple[str, ...] | None:
    """Return the partition keys that requests name; None where one names none, as a Scan."""
    table = dynamodb_backends[ACCOUNT_ID][region].tables.get(table_arn.rpartition("/")[2])
    if table is None:
        return None
    key = table.hash_key_attr
    if index:
        schemas = [i.schema for i in (*table.global_indexes, *table.indexes) if i.name == index]
        key = next((part["AttributeName"] for part in (schemas or [[]])[0] if part["KeyType"] == "HASH"), key)
    values = [_key_value(request, key) for request in requests]
    return tuple(value for value in values if value is not None) if values and None not in values else None


def _key_value(request: Mapping[str, Any], key: str) -> str | None:
    attribute = (request.get("Item") or request.get("Key") or {}).get(key)
    if attribute is None and "KeyConditionExpression" in request:
        names = request.get("ExpressionAttributeNames") or {}
        for name, value in re.findall(r"([#\w.-]+)\s*=\s*(:\w+)", request["KeyConditionExpression"]):
            if names.get(name, name) == key:
                attribute = (request.get("ExpressionAttributeValues") or {}).get(value)
    if attribute is None:
        attribute = ((request.get("KeyConditions") or {}).get(key) or {}).get("AttributeValueList", [None])[0]
    return str(next(iter(attribute.values()))) if isinstance(attribute, Mapping) and attribute else None


_EXPRESSIONS = ("ProjectionExpression", "UpdateExpression", "ConditionExpression")
_MORE_EXPRESSIONS = ("FilterExpression", "KeyConditionExpression")
_WORDS = frozenset(
    {
        "and", "or", "not", "between", "in", "set", "remove", "add", "delete", "size", "contains", "begins_with",
        "attribute_exists", "attribute_not_exists", "attribute_type", "if_not_exists", "list_append",
    }
)  # fmt: skip


def _attributes(requests: list[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return the top-level attributes that requests name."""
    found: dict[str, None] = {}
    for request in requests:
        names = request.get("ExpressionAttributeNames") or {}
        for part in ("Item", "Key", "AttributeUpdates", "Expected", "KeyConditions", "ScanFilter", "QueryFilter"):
            found |= dict.fromkeys(request.get(part) or ())
        found |= dict.fromkeys(request.get("AttributesToGet") or ())
        for part in (*_EXPRESSIONS, *_MORE_EXPRESSIONS):
            for word in re.findall(r"(?<![\w:.#])#?[A-Za-z_]\w*", str(request.get(part, ""))):
                if word.lower() not in _WORDS:
                    found[names.get(word, word)] = None
    return tuple(found)
