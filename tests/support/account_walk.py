"""Walk an account in an interpreter of its own: `python -m tests.support.account_walk FOLDER STEP END SERVICE …`.

STEP: "make" calls what makes, changes and reads something, "take-away" what takes something away, "look" nothing. END:
"stop" closes the account, "kill" ends the process in the middle of it. What is then in the account is written beside
the folder, with what became of the calls; an account that was walked before must be as it was left. A line for each
difference is printed, and says where.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from helpers.local_aws import in_process
from helpers.local_aws.engine.clock import QuickClock
from helpers.local_aws.recovery import snapshots
from tests.support import account_state
from tests.support.every_operation import Walk


def main(folder: Path, step: str, end: str, services: list[str]) -> None:
    warnings.simplefilter("ignore")  # moto's, about its own errors
    folder.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(filename=f"{folder}.log", level=logging.WARNING)
    account = in_process(folder, clock=QuickClock())
    left = Path(f"{folder}.state.json")
    if left.exists():
        _compare(json.loads(left.read_text(encoding="utf-8")))
    calls = Path(f"{folder}.calls.json")
    earlier = json.loads(calls.read_text("utf-8")) if calls.exists() else {}
    walks = [] if step == "look" else [Walk(service, account.client(service)) for service in services]
    for walk in walks:
        walk.known |= earlier.get(walk.service, {}).get("known", {})
        walk.make() if step == "make" else walk.take_away()
    time.sleep(60)  # of the account's own time: what follows from all that has followed
    left.write_text(json.dumps(account_state.state()), encoding="utf-8")
    calls.write_text(json.dumps({walk.service: _outcome(walk) for walk in walks}), "utf-8")
    sys.stdout.flush()
    if end == "stop":
        account.close()
    os._exit(0)


def _compare(before: dict[str, list[str]]) -> None:
    for where in before:
        name, _, region = where.rpartition(" ")
        snapshots.backend_at((name, region))  # or nobody would have asked for it yet
    for where, lines in account_state.differences(before, account_state.state()).items():
        for line in lines[:10] or _first_out_of_order(before[where], account_state.state()[where]):
            print(f"{where}: {line[:300]}")


def _first_out_of_order(before: list[str], after: list[str]) -> list[str]:
    return [f"{had} | {has}" for had, has in zip(before, after, strict=False) if had != has][:3]


def _outcome(walk: Walk) -> dict[str, Any]:
    return {
        "answers": walk.answers,
        "messages": walk.messages,
        "refused by hand": walk.refused_by_hand,
        "known": walk.known,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
