"""The API for how asynchronous events are treated, compared with what AWS was recorded to answer."""

from __future__ import annotations

import json
import uuid

import pytest
from botocore.exceptions import ClientError

from tests.support.async_aws import Queue
from tests.support.async_aws import role as role_with
from tests.support.embedded_aws import Aws
from tests.support.lambda_requests import ACCOUNT, ECHO, as_here, constraint, refused

SNAPSHOTS = "lambda_/test_lambda_api.snapshot.json"
EXCEPTIONS = "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_exceptions"
LIFECYCLE = "TestLambdaEventInvokeConfig::test_lambda_eventinvokeconfig_lifecycle"


@pytest.fixture(scope="module")
def sender(aws) -> str:
    return role_with(aws, "sqs:SendMessage", "lambda:InvokeFunction", "events:PutEvents")


@pytest.fixture
def client(aws):
    return aws.client("lambda", parameter_validation=False)


@pytest.fixture
def name(aws, sender) -> str:
    """A function with a version 1 and an alias."""
    name = aws.function(ECHO, Role=sender)
    lambda_ = aws.client("lambda")
    lambda_.publish_version(FunctionName=name)
    lambda_.create_alias(FunctionName=name, Name="eventinvokealias", FunctionVersion="1")
    return name


def outcome(call, **parameters: object) -> dict:
    """An answer, or an error's response, without what differs from call to call."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        answer = error.response
    answer["ResponseMetadata"] = {"HTTPHeaders": {}, "HTTPStatusCode": answer["ResponseMetadata"]["HTTPStatusCode"]}
    for config in (answer, *answer.get("FunctionEventInvokeConfigs", [])):
        if "LastModified" in config:
            config["LastModified"] = "datetime"
    return json.loads(json.dumps(answer))


def test_requests_as_aws_was_recorded_to_answer_them(aws, client, name, sender, conformance):
    recorded = conformance(SNAPSHOTS)[EXCEPTIONS]
    other = aws.function(ECHO, Role=sender)
    function_arn = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:"
    arn, alias = function_arn + name, "eventinvokealias"
    put, get = client.put_function_event_invoke_config, client.get_function_event_invoke_config
    delete, update = client.delete_function_event_invoke_config, client.update_function_event_invoke_config
    retries = {"MaximumRetryAttempts": 1}

    def destination(side: str, target: str) -> dict:
        return {"DestinationConfig": {side: {"Destination": target}}}

    checked = 0

    def check(step: str, call, **parameters: object) -> None:
        nonlocal checked
        checked += 1
        expected = as_here(recorded[step], function_name=name, **{"resource:5": other})
        assert outcome(call, **parameters) == expected, step

    check("put_functionname_name_notfound", put, FunctionName="unknown", **retries)
    check("put_functionname_arn_notfound", put, FunctionName=function_arn + "unknown", **retries)
    check("put_functionname_nootherargs", put, FunctionName=name)
    target = function_arn + "doesnotexist"
    check("put_destination_lambda_doesntexist", put, FunctionName=name, **destination("OnSuccess", target))
    check("put_destination_recursive", put, FunctionName=name, **destination("OnSuccess", arn))
    check("put_destination_other_lambda", put, FunctionName=name, **destination("OnSuccess", function_arn + other))
    wrong = arn.replace(":lambda:", ":iam:")
    check("put_destination_invalid_service_arn", put, FunctionName=name, **destination("OnSuccess", wrong))
    for side in ("Success", "Failure"):
        step = f"put_destination_{side.lower()}_no_destination_arn"
        check(step, put, FunctionName=name, DestinationConfig={f"On{side}": {}})
    wrong = arn.replace(":lambda:", ":_-/!lambda:")
    check("put_destination_invalid_arn_pattern", put, FunctionName=name, **destination("OnFailure", wrong))
    for step, request in {
        "put_destination_latest": {"FunctionName": name},
        "put_destination_latest_explicit_qualifier": {"FunctionName": name, "Qualifier": "$LATEST"},
        "put_destination_version": {"FunctionName": name, "Qualifier": "1"},
        "put_alias_functionname_qualifier": {"FunctionName": name, "Qualifier": alias},
        "put_alias_doesnotexist": {"FunctionName": name, "Qualifier": "doesnotexist"},
        "put_alias_qualifiedarn": {"FunctionName": f"{arn}:{alias}"},
        "put_alias_qualifiedarn_qualifier": {"FunctionName": f"{arn}:{alias}", "Qualifier": alias},
        "put_alias_qualifiedarn_qualifierconflict": {"FunctionName": f"{arn}:{alias}", "Qualifier": "other"},
        "put_alias_shorthand": {"FunctionName": f"{name}:{alias}"},
        "put_alias_shorthand_qualifier": {"FunctionName": f"{name}:{alias}", "Qualifier": alias},
        "put_alias_shorthand_qualifierconflict": {"FunctionName": f"{name}:{alias}", "Qualifier": "other"},
        "put_version_shorthand": {"FunctionName": f"{name}:1"},
        "put_shorthand_qualifier_match": {"FunctionName": f"{name}:$LATEST", "Qualifier": "$LATEST"},
        "put_shorthand_qualifier_mismatch_1": {"FunctionName": f"{name}:$LATEST", "Qualifier": "1"},
        "put_shorthand_qualifier_mismatch_2": {"FunctionName": f"{name}:$LATEST", "Qualifier": alias},
        "put_shorthand_qualifier_mismatch_3": {"FunctionName": f"{name}:1", "Qualifier": alias},
    }.items():
        check(step, put, **request, **retries)
    limits = {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 21600}
    check("put_maxevent_maxvalue_result", put, FunctionName=name, **limits)
    limits["MaximumEventAgeInSeconds"] = 60
    check("put_pre_overwrite", put, FunctionName=name, **limits)
    check("put_post_overwrite", put, FunctionName=name, MaximumRetryAttempts=0)
    check("get_post_overwrite", get, FunctionName=name)
    check("pre_update_response", put, FunctionName=name, **limits)
    check("update_response", update, FunctionName=name, MaximumRetryAttempts=0)
    check("update_response_existing", get, FunctionName=name)
    check("list_configs", client.list_function_event_invoke_configs, FunctionName=name)
    check("delete_latest", delete, FunctionName=name)
    check("delete_version", delete, FunctionName=name, Qualifier="1")
    check("delete_alias", delete, FunctionName=name, Qualifier=alias)
    check("list_configs_postdelete", client.list_function_event_invoke_configs, FunctionName=name)
    check("delete_function_not_found", delete, FunctionName=name)
    check("delete_function_doesnotexist", delete, FunctionName="doesnotexist")
    check("list_function_doesnotexist", client.list_function_event_invoke_configs, FunctionName="doesnotexist")
    check("get_function_doesnotexist", get, FunctionName="doesnotexist")
    check("get_qualifier_doesnotexist", get, FunctionName=name, Qualifier="doesnotexist")
    check("get_eventinvokeconfig_doesnotexist", get, FunctionName=name, Qualifier=alias)
    check("update_eventinvokeconfig_function_doesnotexist", update, FunctionName="doesnotexist", **retries)
    step = "update_eventinvokeconfig_config_doesnotexist"
    check(f"{step}_with_qualifier", update, FunctionName=name, Qualifier=alias, **retries)
    check(f"{step}_without_qualifier", update, FunctionName=name, **retries)
    assert checked == len(recorded) - 3  # the two that made version and alias, and one that repeats another


def test_the_life_of_a_configuration(aws, client, name, conformance):
    recorded = conformance(SNAPSHOTS)[LIFECYCLE]
    put, get = client.put_function_event_invoke_config, client.get_function_event_invoke_config
    update, listed = client.update_function_event_invoke_config, client.list_function_event_invoke_configs
    for step, call, parameters in (
        ("put_invokeconfig_retries_0", put, {"MaximumRetryAttempts": 0}),
        ("put_invokeconfig_eventage_60", put, {"MaximumEventAgeInSeconds": 60}),
        ("update_invokeconfig_eventage_nochange", update, {"MaximumEventAgeInSeconds": 60}),
        ("update_invokeconfig_retries", update, {"MaximumRetryAttempts": 1}),
        ("get_invokeconfig", get, {}),
        ("get_invokeconfig_latest", get, {"Qualifier": "$LATEST"}),
        ("list_single_invokeconfig", listed, {}),
        ("get_invokeconfig_postpublish", get, {"Qualifier": "1"}),
        ("put_published_invokeconfig", put, {"Qualifier": "1", "MaximumEventAgeInSeconds": 120}),
        ("get_published_invokeconfig", get, {"Qualifier": "1"}),
    ):
        expected = as_here(recorded[step], function_name=name)
        assert outcome(call, FunctionName=name, **parameters) == expected, step


@pytest.mark.parametrize(
    ("parameter", "value", "rule"),
    [
        ("MaximumRetryAttempts", 3, "less than or equal to 2"),
        ("MaximumRetryAttempts", -1, "greater than or equal to 0"),
        ("MaximumEventAgeInSeconds", 59, "greater than or equal to 60"),
        ("MaximumEventAgeInSeconds", 21601, "less than or equal to 21600"),
    ],
)
def test_limits(client, name, parameter, value, rule):
    shown = constraint(parameter[0].lower() + parameter[1:], value, f"Member must have value {rule}")
    call = client.put_function_event_invoke_config
    assert refused(call, FunctionName=name, **{parameter: value}) == ("ValidationException", shown)


def test_the_role_must_be_allowed_to_send(aws, client):
    queue = Queue(aws)
    plain = aws.function(ECHO)
    config = {"OnFailure": {"Destination": queue.arn}}
    code, message = refused(client.put_function_event_invoke_config, FunctionName=plain, DestinationConfig=config)
    assert code == "InvalidParameterValueException"
    problem = "The function's execution role does not have permissions to call SendMessage on"
    assert message == f"{problem} {queue.arn}"


@pytest.mark.parametrize("kind", ["sqs:us-east-1:{}:absent", "events:us-east-1:{}:event-bus/absent"])
def test_a_destination_must_be_there(client, name, kind):
    arn = f"arn:aws:{kind.format(ACCOUNT)}"
    config = {"OnFailure": {"Destination": arn}}
    code, message = refused(client.put_function_event_invoke_config, FunctionName=name, DestinationConfig=config)
    assert (code, message) == ("InvalidParameterValueException", f"The destination ARN {arn} is invalid.")


def test_an_update_leaves_the_other_destination(aws, client, name):
    one, other = Queue(aws), Queue(aws)
    put, update = client.put_function_event_invoke_config, client.update_function_event_invoke_config
    put(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": one.arn}})
    config = update(FunctionName=name, DestinationConfig={"OnFailure": {"Destination": other.arn}})
    destinations = {"OnSuccess": {"Destination": one.arn}, "OnFailure": {"Destination": other.arn}}
    assert config["DestinationConfig"] == destinations
    config = update(FunctionName=name, DestinationConfig={"OnSuccess": {"Destination": ""}})
    assert config["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": {"Destination": other.arn}}


def test_lists_come_in_pages(client, name):
    for qualifier in ("$LATEST", "1", "eventinvokealias"):
        client.put_function_event_invoke_config(FunctionName=name, Qualifier=qualifier, MaximumRetryAttempts=1)
    pages = client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 2}
    )
    sizes = [len(page["FunctionEventInvokeConfigs"]) for page in pages]
    assert sizes == [2, 1]


def test_a_new_function_of_the_same_name_starts_without(aws: Aws, client, create):
    name = f"function-{uuid.uuid4().hex[:8]}"
    create(FunctionName=name)
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    client.delete_function(FunctionName=name)
    create(FunctionName=name)
    assert client.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"] == []
    assert "ReservedConcurrentExecutions" not in client.get_function_concurrency(FunctionName=name)
