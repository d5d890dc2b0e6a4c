"""A whole run of the tests goes through several processes; what was named by hand runs in this one.

Each process has an account of its own. What belongs together (a file; all lessons, which follow one another in one
account) stays in one process, and what takes longest begins first. A pytest plugin (see conftest.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from xdist.scheduler import LoadScopeScheduling

#: Most tests wait for something for most of their time: so two processes for each core.
PROCESSES_PER_CORE, MOST_PROCESSES = 2, 8
LESSONS = "notebooks"
#: Files in which every test can run by itself, in any process, and is long enough to be worth it.
EACH_TEST_BY_ITSELF = ("tests/deep/test_difficult_aws.py", "tests/deep/test_walks.py")
#: What begins first, longest first: files, or the beginnings of tests' names.
LONGEST_FIRST = (
    "tests/deep/test_difficult_aws.py::test_every_lesson_passes[slow]",
    "tests/deep/test_difficult_aws.py::test_every_lesson_passes[throttle]",
    "tests/deep/test_difficult_aws.py::test_every_lesson_passes",
    "tests/deep/test_other_emulator.py",
    "tests/deep/test_difficult_aws.py",
    "tests/lessons/test_exercises.py",
    f"{LESSONS}/",
    "tests/deep/test_concurrency.py",
    "tests/deep/",
    "tests/workbook/test_bootstrap.py",
    "tests/local_aws/execution/test_hostile_functions.py",
    "tests/local_aws/recovery/test_survival.py",
    "tests/workbook/test_clean_up.py",
)


def scope_of(nodeid: str) -> str:
    """What a test must stay together with, in one process and in order."""
    file = nodeid.partition("::")[0]
    if file.startswith(f"{LESSONS}/"):
        return LESSONS
    return nodeid if file in EACH_TEST_BY_ITSELF else file


def longest_first(items: Iterable[pytest.Item]) -> list[pytest.Item]:
    """The tests in the order in which they should begin; within a scope as they were."""

    def rank(item: pytest.Item) -> int:
        ranks = (n for n, name in enumerate(LONGEST_FIRST) if item.nodeid.startswith(name))
        return next(ranks, len(LONGEST_FIRST))

    return sorted(items, key=rank)


def named_by_hand(config: pytest.Config) -> bool:
    """Whether the command names tests: by a path, `-k` or `-m`, or by `--lf` when some have failed."""
    if config.args_source is pytest.Config.ArgsSource.ARGS or config.option.keyword or config.option.markexpr:
        return True
    # pytest's own cache object is made later than the first who ask; without failures, --lf means everything.
    failed = config.rootpath / config.getini("cache_dir") / "v" / "cache" / "lastfailed"
    return bool(config.getoption("lf", default=False) and failed.is_file())


class Scheduling(LoadScopeScheduling):
    """Gives a process one scope after the other, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    if config.option.collectonly or named_by_hand(config):
        return 0
    return min(MOST_PROCESSES, PROCESSES_PER_CORE * (os.cpu_count() or 1))


def pytest_configure(config: pytest.Config) -> None:
    config.option.loadscopereorder = False  # by their number of tests, which says nothing about their time


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)
