"""The states of a region's mappings, and what it keeps of them from one process to the next."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from moto.awslambda import models

from helpers.local_aws.engine import executor
from helpers.local_aws.execution.lambda_errors import LambdaError
from helpers.local_aws.mappings import service, sources, validation
from helpers.local_aws.mappings.mapping import EventSourceMapping, of_moto
from helpers.local_aws.mappings.service import LambdaWithMappings
from tests.local_aws.mappings.conftest import FUNCTION


@pytest.fixture
def lambda_(thread, monkeypatch) -> LambdaWithMappings:
    """Lambda with one function, which may read everything."""
    made = LambdaWithMappings("us-east-1", "123456789012")
    function = SimpleNamespace(function_name="worker", role="role", timeout=3)
    monkeypatch.setattr(made, "_target", lambda name: (function, FUNCTION))
    monkeypatch.setattr(validation, "check_access", lambda *_: None)
    monkeypatch.setattr(sources, "queue", lambda arn: None)
    monkeypatch.setattr(service, "_pollers", {})
    return made


def test_a_mapping_takes_its_time_and_cannot_be_changed_meanwhile(lambda_):
    """Ten seconds of AWS's, which are scaled."""
    source = "arn:aws:sqs:us-east-1:123456789012:queue"
    uuid = lambda_.create_event_source_mapping({"EventSourceArn": source, "FunctionName": "worker"})["UUID"]

    def state() -> str:
        return lambda_.get_event_source_mapping(uuid).state

    def in_use(change: str) -> None:
        assert lambda_.get_event_source_mapping(uuid).polls is (state() == "Updating")
        for call in (lambda_.delete_event_source_mapping, lambda uuid: lambda_.update_event_source_mapping(uuid, {})):
            with pytest.raises(LambdaError, match="because it is in use") as refused:
                call(uuid)
            assert (refused.value.error_type, refused.value.code) == ("ResourceInUseException", 400)
        assert state() == change
        executor.sleep(service.TRANSITION_S + 0.1)

    in_use("Creating")
    assert state() == "Enabled"
    for request, change, end in (
        ({"BatchSize": 3}, "Updating", "Enabled"),
        ({"Enabled": False}, "Disabling", "Disabled"),
        ({"BatchSize": 4}, "Updating", "Disabled"),
        ({"Enabled": True}, "Enabling", "Enabled"),
    ):
        assert lambda_.update_event_source_mapping(uuid, request)["State"] == change
        if end == "Disabled" and change == "Updating":
            executor.sleep(service.TRANSITION_S + 0.1)
        else:
            in_use(change)
        assert state() == end
    lambda_.delete_event_source_mapping(uuid)
    in_use("Deleting")
    with pytest.raises(LambdaError, match="The resource you requested does not exist"):
        state()


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("arn:aws:sqs:us-east-1:123456789012:queue", {"BatchSize": 3, "Enabled": False}),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/t/stream/x", {"BatchSize": 3, "StartingPosition": "LATEST"}),
    ],
)
def test_a_mapping_of_an_account_of_before_is_taken_over(source, settings):
    function = "arn:aws:lambda:us-east-1:123456789012:function:f"
    spec = {"RegionName": "us-east-1", "AccountId": "123456789012", "FunctionName": "f", "FunctionArn": function}
    before = models.EventSourceMapping({**spec, "EventSourceArn": source, "Tags": {"a": "b"}, **settings})
    mapping = of_moto(before)
    assert isinstance(mapping, EventSourceMapping)
    shown = mapping.described()
    assert (shown["UUID"], shown["EventSourceArn"], shown["FunctionArn"]) == (before.uuid, source, function)
    assert (shown["BatchSize"], mapping.enabled, mapping.tags) == (3, settings.get("Enabled", True), {"a": "b"})
    assert mapping.patterns == [] and mapping.window == 0 and not mapping.reports_failures


def test_a_mapping_of_before_whose_source_is_not_read_here_goes():
    spec = {"RegionName": "us-east-1", "AccountId": "1", "FunctionName": "f", "FunctionArn": "f"}
    kinesis = models.EventSourceMapping({**spec, "EventSourceArn": "arn:aws:kinesis:us-east-1:1:stream/s"})
    assert of_moto(kinesis) is None
