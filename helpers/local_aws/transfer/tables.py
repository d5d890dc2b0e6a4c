"""Carry over DynamoDB's tables with their settings and, one by one, their items."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from .container import Reader, Writer
from .parties import Account, chosen, tag_list, tags

#: Items that one BatchWriteItem takes.
_BATCH = 25
_TYPE = "AWS::DynamoDB::Table"


def take(account: Account, file: Writer) -> None:
    names = sorted(account.pages("dynamodb", "list_tables", "TableNames"))
    tables = {name: _table(account, name) for name in names}
    in_order = sorted(names, key=lambda name: _place(tables[name]))
    file.put("tables.json", [tables[name] for name in in_order])
    for name in in_order:
        count = file.put_items(_place(tables[name]), account.pages("dynamodb", "scan", "Items", TableName=name))
        account.count("items", count)
    account.count("tables", len(tables))


def _place(table: dict[str, Any]) -> str:
    """Return where in the file a table's items are. A stack's table is another one each time."""
    name = f"{table['Stack']}/{table['LogicalResourceId']}" if "Stack" in table else table["TableName"]
    return f"items/{name}.jsonl"


def _table(account: Account, name: str) -> dict[str, Any]:
    """Return a table's description; of a table that a stack makes, which one it is."""
    stack = account.of_stacks.get((_TYPE, name))
    if stack is not None:
        return {"Stack": stack[0], "LogicalResourceId": stack[1]}
    dynamodb = account("dynamodb")
    table = dynamodb.describe_table(TableName=name)["Table"]
    demand = (table.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"
    found = {
        **chosen(table, "TableName", "KeySchema", "DeletionProtectionEnabled", "StreamSpecification"),
        "AttributeDefinitions": sorted(table["AttributeDefinitions"], key=lambda each: str(each["AttributeName"])),
        "BillingMode": "PAY_PER_REQUEST" if demand else "PROVISIONED",
        "Tags": tags(dynamodb.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]),
    }
    if not demand:
        found["ProvisionedThroughput"] = _throughput(table)
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        indexes = [_index(each, demand or kind.startswith("Local")) for each in table.get(kind) or []]
        if indexes:
            found[kind] = indexes
    if (table.get("TableClassSummary") or {}).get("TableClass"):
        found["TableClass"] = table["TableClassSummary"]["TableClass"]
    ttl = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if ttl.get("TimeToLiveStatus") == "ENABLED":
        found["TimeToLive"] = ttl["AttributeName"]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery = backups.get("PointInTimeRecoveryDescription") or {}
    found["PointInTimeRecovery"] = recovery.get("PointInTimeRecoveryStatus") == "ENABLED"
    return found


def _throughput(given: dict[str, Any]) -> dict[str, Any]:
    return chosen(given["ProvisionedThroughput"], "ReadCapacityUnits", "WriteCapacityUnits")


def _index(index: dict[str, Any], without_throughput: bool) -> dict[str, Any]:
    found = chosen(index, "IndexName", "KeySchema", "Projection")
    return found if without_throughput else found | {"ProvisionedThroughput": _throughput(index)}


def bring(account: Account, file: Reader) -> None:
    for table in file.get("tables.json", []):
        name = table.get("TableName", "")
        if "Stack" in table:
            _fill_stacks_table(account, file, table)
        elif account.there(account("dynamodb").describe_table, TableName=name) is not None:
            account.found(f"the table {name}, and its items")
        elif account.attempt(f"the table {name}", _make, account, table):
            account.count("tables")
            _fill(account, name, file.items(_place(table)))
            account.attempt(f"a setting of the table {name}", _set, account, table)


def _make(account: Account, table: dict[str, Any]) -> None:
    settings = chosen(
        table, "TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "ProvisionedThroughput",
        "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "TableClass", "DeletionProtectionEnabled",
    )  # fmt: skip
    account("dynamodb").create_table(Tags=tag_list(table["Tags"]), **settings)
    account("dynamodb").get_waiter("table_exists").wait(TableName=table["TableName"], WaiterConfig={"Delay": 1})


def _set(account: Account, table: dict[str, Any]) -> None:
    """Set what is not to see the items come: a stream would have them all, and those that are old would go."""
    dynamodb, named = account("dynamodb"), {"TableName": table["TableName"]}
    stream = table.get("StreamSpecification")
    if stream and stream.get("StreamEnabled"):
        dynamodb.update_table(StreamSpecification=stream, **named)
    if table.get("TimeToLive"):
        expiry = {"AttributeName": table["TimeToLive"], "Enabled": True}
        dynamodb.update_time_to_live(TimeToLiveSpecification=expiry, **named)
    if table.get("PointInTimeRecovery"):
        recovery = {"PointInTimeRecoveryEnabled": True}
        dynamodb.update_continuous_backups(PointInTimeRecoverySpecification=recovery, **named)


def _fill_stacks_table(account: Account, file: Reader, table: dict[str, Any]) -> None:
    """Fill a table that a stack has made, and that may have another name now, unless somebody was there before."""
    stack, logical_id = table["Stack"], table["LogicalResourceId"]
    if (stack, logical_id) not in account.of_stacks.values():
        account.left(f"the items of the table {logical_id}: the stack {stack} was not made by this import")
        return
    [now] = [each for (_, each), place in account.of_stacks.items() if place == (stack, logical_id)]
    _fill(account, now, file.items(_place(table)))


def _fill(account: Account, table: str, items: Iterator[dict[str, Any]]) -> None:
    dynamodb = account("dynamodb")
    while batch := list(islice(items, _BATCH)):
        waiting = [{"PutRequest": {"Item": item}} for item in batch]
        put = account.attempt(f"{len(batch)} items of the table {table}", _put, dynamodb, table, waiting)
        if not put:
            return
        account.count("items", len(batch))


def _put(dynamodb: Any, table: str, waiting: list[Any]) -> None:
    while waiting:
        answer = dynamodb.batch_write_item(RequestItems={table: waiting})
        waiting = answer.get("UnprocessedItems", {}).get(table, [])
