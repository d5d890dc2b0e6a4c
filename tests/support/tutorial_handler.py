"""The tutorial's handler.py as Lambda would call it, with moto in the place of AWS."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from helpers.paths import PROJECT
from tests.support.embedded_aws import table_request

SOURCE = PROJECT / "handler.py"
CONTEXT = SimpleNamespace(aws_request_id="request-1")


def load_handler() -> ModuleType:
    """Import handler.py anew, as a new execution environment does."""
    spec = importlib.util.spec_from_file_location("handler_under_test", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def create_table(name: str) -> None:
    """Create a table like the workbook's with the client that boto3 makes by default."""
    boto3.client("dynamodb").create_table(**table_request(name))


@pytest.fixture(scope="module", name="handler")
def handler_without_aws() -> Iterator[ModuleType]:
    """The handler, imported once with moto in the place of AWS, whatever the shell has set for boto3."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        for name in ("AWS_PROFILE", "TABLE_NAME"):
            patch.delenv(name, raising=False)
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.setenv(name, "us-east-1")
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        with mock_aws():
            yield load_handler()


def event_with(body: object) -> dict:
    """Make the event in which EventBridge would hand over an order."""
    return {
        "version": "0",
        "id": "event-1",
        "detail-type": "microservice_x_test_event",
        "source": "microservice_x",
        "account": "123456789012",
        "time": "2024-01-01T00:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": {"body": body, "note": "details beside the body are not part of the order"},
    }
