"""A table of 100,000 orders read into pandas by lesson 6's own cells."""

from __future__ import annotations

import contextlib
import io
import os
import time
from collections.abc import Iterator

import nbformat

from benchmarks.orders import item, row, service
from helpers.local_aws.lifecycle import Access
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws

SIZES = (1_000, 10_000, 100_000)
#: What is in the cells that read the table and make a DataFrame of it, in their order.
CELLS = ('get_paginator("scan")', 'for page in pages for item in page["Items"]', "pd.DataFrame(rows")


def main() -> None:
    print(f"{'a large table, read by lesson 6':58} {'measured':>22}   {'ratio':>10}   goal")
    first, filled = None, 0
    with service() as (aws, _), environment_of(aws.account):
        read_into_pandas()  # pandas is imported, connections are made
        for size in SIZES:
            fill(aws, filled, size)
            filled = size
            begin = time.perf_counter()
            orders = read_into_pandas()
            took = time.perf_counter() - begin
            if len(orders) != size:
                raise SystemExit(f"the lesson's cells read {len(orders)} of {size} orders")
            first = first or took / size
            row(f"{size:,} orders", f"{took:.2f} s", f"{took / size / first:.2f}", "about 1, per order")


def fill(aws: Aws, start: int, stop: int) -> None:
    """Store orders number `start` to `stop`, 25 in a request."""
    table = aws.client("dynamodb")
    for at in range(start, stop, 25):
        requests = [{"PutRequest": {"Item": item(f"X-{n:06}")}} for n in range(at, min(at + 25, stop))]
        answer = table.batch_write_item(RequestItems={"sample-table": requests})
        if answer["UnprocessedItems"]:
            raise SystemExit("orders were not stored")


def read_into_pandas():
    """Run the lesson's cells; the DataFrame that they make."""
    lesson = nbformat.read(PROJECT / "notebooks" / "06_explore_the_orders.ipynb", as_version=4)
    sources = [cell.source for cell in lesson.cells if cell.cell_type == "code"]
    names: dict[str, object] = {}
    exec("import boto3", names)
    with contextlib.redirect_stdout(io.StringIO()):
        for mark in CELLS:
            (source,) = [source for source in sources if mark in source]
            # An empty table has no first order to show.
            exec(source.replace("min(items, key", "items and min(items, key"), names)
    return names["orders"]


@contextlib.contextmanager
def environment_of(account: Access) -> Iterator[None]:
    """Clients without settings of their own reach this account."""
    settings = {
        "AWS_ENDPOINT_URL": account.endpoint_url,
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_DEFAULT_REGION": account.region,
    }
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
