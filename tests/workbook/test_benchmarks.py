"""The benchmarks still run: their figures are for people, but nobody looks at them on each day that something moves."""

from __future__ import annotations

import json
import subprocess
import sys

from helpers.paths import PROJECT

BENCHMARKS = PROJECT / "benchmarks"


def run(program: str) -> object:
    """What a program prints as JSON, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_part_can_be_run():
    program = "import json; from benchmarks.__main__ import PARTS as parts"
    modules = run(f"{program}; print(json.dumps(sorted(part.__module__ for part in parts.values() if callable(part))))")
    files = {path.stem for path in BENCHMARKS.glob("*.py")} - {"__init__", "__main__"}
    assert {name.rpartition(".")[2] for name in modules} == files, "every file is a part"


def test_an_order_passes_every_station():
    """`timed_aws` puts its marks around the server's own functions, by their names."""
    program = (
        "import json; from benchmarks import way; way.ORDERS, way.UNCOUNTED = 4, 1; "
        "puts, journeys = way.journey_times(); "
        "print(json.dumps([len(puts), [[station in each for station in way.STATIONS] for each in journeys]]))"
    )
    puts, journeys = run(program)
    assert puts == len(journeys) == 4
    assert all(all(passed) for passed in journeys)
