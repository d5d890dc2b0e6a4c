"""How fast the workbook is, as ratios inside one run: python tests/benchmarks [NAME …]

The names: orders, way, rules, failures, ten-thousand, load, large-table, restart, classroom, lessons, notebooks;
without any, all of them.

Machines are noisy and differ, so nothing here is compared with a clock of another day. Each figure stands beside a
floor that is measured in the same run on the same machine: the same orders put into the same server with boto3
directly, the import that starting cannot do without, empty notebooks. Printed, never asserted.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[2]), str(Path(__file__).resolve().parents[1])]

import classroom  # noqa: E402
import failures  # noqa: E402
import large_table  # noqa: E402
import lessons  # noqa: E402
import load  # noqa: E402
import orders  # noqa: E402
import restart  # noqa: E402
import rules  # noqa: E402
import ten_thousand  # noqa: E402
import walkthrough  # noqa: E402
import way  # noqa: E402

PARTS = {
    "orders": orders.main,
    "way": way.main,
    "rules": rules.main,
    "failures": failures.main,
    "ten-thousand": ten_thousand.main,
    "load": load.main,
    "large-table": large_table.main,
    "restart": restart.main,
    "classroom": classroom.main,
    "lessons": lessons.main,
    "notebooks": walkthrough.main,
}

if __name__ == "__main__":
    chosen = sys.argv[1:] or list(PARTS)
    unknown = [name for name in chosen if name not in PARTS]
    if unknown:
        sys.exit(f"No benchmark is called {unknown[0]!r}; there are: {', '.join(PARTS)}.")
    for name in chosen:
        PARTS[name]()
