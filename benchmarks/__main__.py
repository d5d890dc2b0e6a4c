"""How fast the workbook is, as ratios inside one run: python -m benchmarks [NAME …]

The names: orders, way, mappings, rules, globs, failures, ten-thousand, load, large-table, transactions, restart,
memory, classroom, lessons, notebooks, in-process; without any, all of them.

Machines are noisy and differ, so nothing here is compared with a clock of another day. Each figure stands beside a
floor that is measured in the same run on the same machine: the same orders put into the same server with boto3
directly, the import that starting cannot do without, empty notebooks. Printed, never asserted.
"""

from __future__ import annotations

import sys

from benchmarks import (
    classroom,
    failures,
    globs,
    in_process,
    large_table,
    lessons,
    load,
    mappings,
    memory,
    orders,
    restart,
    rules,
    ten_thousand,
    transactions,
    walkthrough,
    way,
)

PARTS = {
    "orders": orders.main,
    "way": way.main,
    "mappings": mappings.main,
    "rules": rules.main,
    "globs": globs.main,
    "failures": failures.main,
    "ten-thousand": ten_thousand.main,
    "load": load.main,
    "large-table": large_table.main,
    "transactions": transactions.main,
    "restart": restart.main,
    "memory": memory.main,
    "classroom": classroom.main,
    "lessons": lessons.main,
    "notebooks": walkthrough.main,
    "in-process": in_process.main,
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"No benchmark is called {unknown[0]!r}; there are: {', '.join(PARTS)}.")
    for name in chosen:
        PARTS[name]()
