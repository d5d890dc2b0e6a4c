"""Fixtures for the black-box tests: an embedded AWS of the tests' own, and what AWS itself was recorded to answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import pytest

from helpers.local_aws import lifecycle
from tests.support import recorded
from tests.support.embedded_aws import Aws, own_home
from tests.support.lambda_requests import create_function


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aws]:
    """One account for all black-box tests of a run; the learner's is never touched. Tests make their own resources."""
    home = tmp_path_factory.mktemp("local-aws")
    with own_home(home):
        account = lifecycle.start()
    yield Aws(account, home)
    with own_home(home):
        lifecycle.stop()


@pytest.fixture
def conformance() -> Callable[[str], dict]:
    """What AWS answered, recorded: conformance("lambda_/test_lambda.snapshot.json") -> {test: content}."""
    snapshots = recorded.read("aws_recorded.json")["snapshots"]
    return lambda name: {test: entry["recorded-content"] for test, entry in snapshots[name].items()}


@pytest.fixture(scope="module")
def role(aws: Aws) -> str:
    """The ARN of a role for the functions of one module."""
    return aws.role()


@pytest.fixture
def create(aws: Aws, role: str) -> Callable[..., dict]:
    """create(**changes): CreateFunction, valid except for the changes."""
    return functools.partial(create_function, aws, role)
