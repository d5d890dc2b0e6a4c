"""Two levels of tests: the default one, in minutes, and `--all`. A pytest plugin (see conftest.py).

Deep is what lies in a folder `deep` or is marked so: whole lessons on an AWS that fails, a browser, thirty kernels,
functions that misbehave. What is named by hand (a path, `-k`) runs, deep or not. What is left out is always said.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support import recorded
from tests.support.parallel import longest_first, named_by_hand, scope_of

LEFT_OUT = pytest.StashKey[int]()


class Level:
    """What this process runs, for tests that try less at the default level."""

    everything = True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--all", action="store_true", help="run deep tests, too: everything")
    parser.addoption(
        "--shard",
        metavar="K/N",
        type=_shard,
        help="run the Kth of N parts of what is chosen: with 1/4, 2/4, 3/4 and 4/4 nothing is left out",
    )


def _shard(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count:
        raise pytest.UsageError(f"--shard {text}: give it as K/N with K from 1 to N, such as 2/4.")
    return number, count


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "deep: only --all, or a name given by hand, runs this test")
    if not hasattr(config, "workerinput"):  # a worker process is told by its controller
        config.option.all = config.option.all or named_by_hand(config)
    Level.everything = _runs_everything(config)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["all"] = node.config.option.all


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    chosen, left_out = longest_first(items), []
    if not Level.everything:
        left_out = [item for item in chosen if is_deep(item)]
        config.stash[LEFT_OUT] = len(left_out)
    if config.option.shard:
        number, count = config.option.shard
        scopes = list(dict.fromkeys(scope_of(item.nodeid) for item in chosen if item not in left_out))
        elsewhere = {scope for n, scope in enumerate(scopes) if n % count != number - 1}
        left_out += [item for item in chosen if item not in left_out and scope_of(item.nodeid) in elsewhere]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    gone = set(left_out)
    items[:] = [item for item in chosen if item not in gone]


def _runs_everything(config: pytest.Config) -> bool:
    everything: bool = getattr(config, "workerinput", {}).get("all", config.option.all)
    return everything


def is_deep(item: pytest.Item) -> bool:
    folders = item.nodeid.partition("::")[0].split("/")  # not those around the project, which may have any name
    return "deep" in folders or item.get_closest_marker("deep") is not None


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    count = getattr(node, "workeroutput", {}).get("left out", 0)  # none of a process that has crashed
    node.config.stash[LEFT_OUT] = max(count, node.config.stash.get(LEFT_OUT, 0))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if count := sum(recorded.ABSENT in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(
            f"NOT COMPARED WITH AWS: {count} checks did not run, because there are no recorded answers in "
            f"{recorded.FOLDER}; WORKBOOK_CONFORMANCE names the folder that has them.",
            red=True,
        )
    if config.option.shard and not terminalreporter.stats.keys() - {"deselected", ""}:
        terminalreporter.write_line(
            "This part is empty: a file is never divided, and there are fewer files than parts."
        )
    if left_out := config.stash.get(LEFT_OUT, 0):
        terminalreporter.write_line(f"left out: {left_out} deep tests, --all runs them")
