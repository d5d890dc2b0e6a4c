"""What the tests of functions that misbehave share: an innocent function beside them, which must not notice."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from tests.support.embedded_aws import Aws
from tests.support.lambda_requests import ECHO
from tests.support.polling import PATIENCE

posix = pytest.mark.skipif(os.name != "posix", reason="this platform has no signals and no fork")
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process limit or adopt others")


@pytest.fixture(scope="module", name="innocent")
def innocent_function(aws: Aws) -> str:
    return aws.function(ECHO)


@contextlib.contextmanager
def unnoticed(aws: Aws, innocent: str) -> Iterator[None]:
    """The innocent function answers rightly before, during and after."""
    assert aws.invoke(innocent, "before")["Json"] == "before"
    with ThreadPoolExecutor(1) as pool:
        stop: list[bool] = []

        def keep_asking() -> int:
            answers = 0
            while not stop or not answers:
                assert aws.invoke(innocent, answers)["Json"] == answers
                answers += 1
                time.sleep(0.05)
            return answers

        asking = pool.submit(keep_asking)
        try:
            yield
        finally:
            stop.append(True)
        assert asking.result(PATIENCE) > 0
    assert aws.invoke(innocent, "after")["Json"] == "after"
    assert psutil.pid_exists(aws.account.pid)


def failure(answer: dict) -> tuple[str, str]:
    """Type and message of an error, the message without its request id."""
    assert answer["FunctionError"] == "Unhandled"
    return answer["Json"]["errorType"], answer["Json"]["errorMessage"].partition(" Error: ")[2]
