"""A class of learners on one machine: a Jupyter kernel for each, which does what a learner's notebook does."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_client import KernelManager
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager

from helpers.authoring.isolation import isolated
from helpers.local_aws import lifecycle
from helpers.paths import PROJECT
from tests.support.embedded_aws import own_home

LESSON = "05_send_events"
ORDERS = 20  # that each learner sends
PATIENCE = 300  # seconds for one cell: thirty share the machine
#: Held while a learner's variables are put together, in those of the whole process: learners begin in threads.
_ENVIRONMENT = threading.Lock()

SEND = """
import json
import boto3
from helpers import microservice_x
from helpers.waiting import wait_until

events, table = boto3.client("events"), boto3.client("dynamodb").get_paginator("scan")

def stored():
    pages = table.paginate(TableName="sample-table", ConsistentRead=True)
    return {item["OrderId"]["S"] for page in pages for item in page["Items"]}

mine = microservice_x.orders(%(count)d, first=%(first)d)
for batch in microservice_x.batches(mine):
    answer = events.put_events(Entries=[
        {"Source": "microservice_x", "DetailType": "microservice_x_test_event", "Detail": json.dumps({"body": order})}
        for order in batch
    ])
    assert answer["FailedEntryCount"] == 0, answer
wait_until(lambda: {order["OrderId"] for order in mine} <= stored(), "my orders", timeout=%(timeout)d)
"""


class CellFailed(Exception):
    """A learner's cell raised; the message is the exception's last line."""


class Learner:
    """One learner: a folder, an account in it (unless `account` names a common folder), and a running kernel."""

    def __init__(self, number: int, folder: Path, account: Path | None = None) -> None:
        self.number = number
        with _ENVIRONMENT, isolated(folder):
            variables = dict(os.environ)
        self.home = account or folder / "account"
        variables["LOCAL_AWS_HOME"] = str(self.home)
        variables.pop("PYTHONDONTWRITEBYTECODE", None)  # no learner compiles the workbook at every start
        self._kernel = KernelManager(kernel_name=CURRENT_ENV_KERNEL_NAME, kernel_spec_manager=NbvalKernelspecManager())
        begin = time.perf_counter()
        self._kernel.start_kernel(
            env=variables, cwd=str(PROJECT / "notebooks"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._client = self._kernel.blocking_client()
        self._client.start_channels()
        try:
            self._client.wait_for_ready(timeout=PATIENCE)
        except BaseException:
            self.leave()
            raise
        self.kernel_seconds = time.perf_counter() - begin

    @property
    def pid(self) -> int:
        """The kernel's process."""
        return self._kernel.provisioner.pid

    def run(self, source: str) -> str:
        """Execute a cell; returns what it printed. Raises CellFailed."""
        printed: list[str] = []

        def keep(message: dict[str, Any]) -> None:
            if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
                printed.append(message["content"]["text"])

        try:
            reply = self._client.execute_interactive(source, timeout=PATIENCE, output_hook=keep)["content"]
        except TimeoutError:
            kernel = "its kernel lives" if self._kernel.is_alive() else "its kernel has died"
            begun, beginning = "".join(printed)[-200:], source.strip().partition("\n")[0]
            message = f"no answer within {PATIENCE} s to {beginning!r}, {kernel}; so far it has printed {begun!r}"
            raise CellFailed(f"learner {self.number}: {message}") from None
        if reply["status"] != "ok":
            raise CellFailed(f"learner {self.number}: {reply.get('ename')}: {reply.get('evalue')}")
        return "".join(printed)

    def start(self, source: str) -> None:
        """Have a cell executed, and do not wait for it."""
        self._client.execute(source)

    def begin(self, at: float) -> tuple[float, float]:
        """Run the lesson's setup cell at a time of the clock; returns the seconds until the embedded AWS was there
        (the imports before it included), and until the cell was done.
        """
        self.run(f"import time; time.sleep(max(0, {at!r} - time.time())); _begin = time.perf_counter()")
        self.run("from helpers.local_aws import lifecycle; lifecycle.start(); _aws = time.perf_counter() - _begin")
        self.run(f"{setup_cell()}\n_took = time.perf_counter() - _begin")
        there, done = self.run("print(_aws, _took)").split()
        return float(there), float(done)

    def send(self) -> float:
        """Send this learner's orders and wait until they are stored; returns how many seconds that took."""
        begin = time.perf_counter()
        self.run(SEND % {"count": ORDERS, "first": self._first, "timeout": PATIENCE})
        return time.perf_counter() - begin

    def read(self) -> set[str]:
        """The ids of all orders in the table of this learner's account."""
        return set(json.loads(self.run("print(json.dumps(sorted(stored())))")))

    @property
    def own_orders(self) -> set[str]:
        return {f"X-{number:04d}" for number in range(self._first, self._first + ORDERS)}

    @property
    def _first(self) -> int:
        return self.number * 100 + 1

    def leave(self) -> None:
        """End the kernel, and the account if nobody has ended it yet."""
        self._client.stop_channels()
        self._kernel.shutdown_kernel(now=True)


@contextlib.contextmanager
def classroom(count: int, folder: Path, shared: bool = False) -> Iterator[list[Learner]]:
    """`count` learners who have opened their notebook; `shared`: all in one account. Afterwards all is ended."""
    account = folder / "account" if shared else None
    learners: list[Learner] = []
    try:
        with ThreadPoolExecutor(count) as pool:
            made = [pool.submit(Learner, number, folder / f"{number:02}", account) for number in range(1, count + 1)]
        learners += [future.result() for future in made if future.exception() is None]  # each of them has to leave
        for future in made:
            future.result()
        yield learners
    finally:
        for learner in learners:
            learner.leave()
        for home in {learner.home for learner in learners}:
            with own_home(home):
                lifecycle.stop()


def together(learners: list[Learner], act: Callable[[Learner], Any]) -> list[Any]:
    """What each learner's act returned, all done at the same time; an exception stands for its own result."""

    def attempt(learner: Learner) -> Any:
        try:
            return act(learner)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(learners)) as pool:
        return list(pool.map(attempt, learners))


def begin_together(learners: list[Learner], notice: float = 1.0) -> list[Any]:
    """All run the setup cell at the same instant, `notice` seconds from now: for each what `Learner.begin` returns,
    or an exception."""
    at = time.time() + notice
    return together(learners, lambda learner: learner.begin(at))


def setup_cell(lesson: str = LESSON) -> str:
    """The setup cell of a lesson, as it stands in the notebook."""
    cells = json.loads((PROJECT / "notebooks" / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    return next("".join(cell["source"]) for cell in cells if cell["id"] == "setup")
