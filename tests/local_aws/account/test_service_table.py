"""The table of services says nothing that botocore, moto or AWS would say otherwise."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from botocore.session import get_session
from moto.backend_index import backend_url_patterns
from moto.backends import list_of_moto_modules
from moto.iam.aws_managed_policies import aws_managed_policies_data

from helpers.local_aws.account.service_table import _READING, SERVICES, Effect, Service, named, of_model, service_lock

every = pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.endpoint)


@every
def test_it_has_the_names_that_botocore_has(service: Service):
    assert [model.service_name for model in service.described] == list(service.models)
    assert service.described[0].endpoint_prefix == service.endpoint
    assert {model.signing_name for model in service.described} <= service.names
    assert {named(name.upper()) for name in service.names} == {of_model(name) for name in service.models} == {service}


def test_no_name_stands_for_two():
    counts = Counter(name for service in SERVICES for name in service.names)
    counts += Counter(model for service in SERVICES for model in service.models if model not in service.names)
    assert not [name for name, count in counts.items() if count > 1]


def test_a_service_that_is_signed_for_by_another_name_is_in_the_table():
    """Or it would be taken for another, or nobody would know what its paths mean. Of services that moto has."""
    session, moto = get_session(), set(list_of_moto_modules())
    named_there = {name for service in SERVICES for name in service.names}
    models = [session.get_service_model(name) for name in session.get_available_services() if _bare(name) in moto]
    unknown = {
        model.service_name
        for model in models
        if (model.signing_name in named_there or model.metadata["protocol"].startswith("rest"))
        and model.service_name not in named(model.signing_name).models
    }
    assert unknown == {
        "bedrock-agent", "bedrock-agentcore-control", "bedrock-runtime", "devops-agent", "iot-data",
        "kinesis-video-archived-media", "mediastore-data", "pinpoint", "s3control", "sagemaker-metrics",
        "sagemaker-runtime",
    }, "their addresses are those of another host of AWS's, or of moto's, which nobody can ask here"  # fmt: skip


def _bare(name: str) -> str:
    """How moto names the module of a service."""
    return name.replace("-", "")


@every
def test_its_operations_are_operations(service: Service):
    known = {name for model in service.described for name in model.operation_names}
    assert service.rows | service.changing | service.free | service.refused <= known
    assert all(_READING.match(name) for name in service.changing), "what changes by its name needs no mention"
    assert not service.rows & service.changing


@every
def test_moto_has_it_where_a_call_is_sent(service: Service):
    prefixes = {model.endpoint_prefix for model in service.described}
    for host in [f"{prefix}{'' if service.one_endpoint else '.us-east-1'}.amazonaws.com" for prefix in prefixes]:
        found = next(name for name, pattern in backend_url_patterns if pattern.match(f"https://{host}"))
        assert {"awslambda": "lambda"}.get(found, found) in map(_bare, service.models)


@every
def test_its_actions_begin_as_in_aws_s_own_policies(service: Service):
    assert f"{service.iam}:" in actions()


def actions() -> set[str]:
    """Everything in front of a colon in the actions of the policies that AWS manages."""
    return set(re.findall(r"\b[a-z0-9-]+:(?=[A-Z*])", json.dumps(json.loads(aws_managed_policies_data))))


def test_what_a_call_may_change():
    for service, operation, method, effect in (
        ("dynamodb", "PutItem", "POST", Effect.ROWS),
        ("dynamodb", "CreateTable", "POST", Effect.STATE),
        ("dynamodb", "Query", "POST", Effect.NOTHING),
        ("lambda", "Invoke", "POST", Effect.ROWS),
        ("lambda", "GetPolicy", "GET", Effect.NOTHING),
        ("lambda", "", "DELETE", Effect.STATE),
        ("s3", "HeadObject", "HEAD", Effect.NOTHING),
        ("s3", "PutObject", "PUT", Effect.STATE),
        ("sts", "GetCallerIdentity", "POST", Effect.NOTHING),
        ("sts", "GetSessionToken", "POST", Effect.STATE),
        ("eventbridge", "PutEvents", "POST", Effect.ROWS),
        ("something-else", "ListThings", "POST", Effect.NOTHING),
        ("something-else", "", "POST", Effect.STATE),
    ):
        assert named(service).effect(operation, method) is effect, (service, operation)


def test_who_answers_in_xml():
    answered = {service.endpoint for service in SERVICES if service.answers_xml}
    assert answered == {
        "iam", "sts", "s3", "sns", "cloudformation", "email", "elasticloadbalancing", "cloudfront",
    }  # fmt: skip
    assert named("ec2").answers_xml and not named("nobody-knows-it").answers_xml


def test_a_service_has_one_lock_however_many_others_are_asked_for():
    """Services that are not in the table are made when they are named, and not all of them are kept."""
    locks = {name: service_lock(name) for name in ("dynamodb", "kinesis", "nobody-knows-it")}
    assert len(set(map(id, locks.values()))) == 3
    for number in range(1000):
        named(f"other-{number}")
    assert all(service_lock(name) is lock is named(name.upper()).lock for name, lock in locks.items())
