"""The benchmarks still run: their figures are for people, but nobody looks at them on each day that something moves."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from embedded_aws import PROJECT

BENCHMARKS = PROJECT / "tests" / "benchmarks"


def run(program: str) -> object:
    """What a program prints as JSON, in a process that finds the benchmarks' modules."""
    paths = os.pathsep.join(str(path) for path in (PROJECT, PROJECT / "tests", BENCHMARKS))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_part_can_be_run():
    program = f"import json, runpy; parts = runpy.run_path({str(BENCHMARKS / '__main__.py')!r})['PARTS']"
    modules = run(f"{program}; print(json.dumps(sorted(part.__module__ for part in parts.values() if callable(part))))")
    files = {path.stem for path in BENCHMARKS.glob("*.py")} - {"__main__"}
    assert set(modules) == files, "every file is a part"


def test_an_order_passes_every_station():
    """`timed_aws` puts its marks around the server's own functions, by their names."""
    program = (
        "import json, way; way.ORDERS, way.UNCOUNTED = 4, 1; puts, journeys = way.journey_times(); "
        "print(json.dumps([len(puts), [[station in each for station in way.STATIONS] for each in journeys]]))"
    )
    puts, journeys = run(program)
    assert puts == len(journeys) == 4
    assert all(all(passed) for passed in journeys)
