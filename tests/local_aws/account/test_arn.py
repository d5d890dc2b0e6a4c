"""The one place that cuts ARNs: its parts, and what is none."""

from __future__ import annotations

import pytest
from moto.utilities.arns import parse_arn

from helpers.local_aws.account.arn import Arn, MalformedArn, service_of
from helpers.local_aws.execution.function_names import name_and_qualifier, unqualified

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:orders"
ARNS = (
    "arn:aws:sqs:us-east-1:123456789012:orders.fifo",
    FUNCTION,
    f"{FUNCTION}:live",
    "arn:aws:dynamodb:us-east-1:123456789012:table/orders/index/by-item",
    "arn:aws:events:us-east-1:123456789012:rule/shop/every-order",
    "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/orders:log-stream:2026/[1]a",
    "arn:aws-cn:iam::123456789012:role/path/name",
    "arn:aws:events:us-east-1:::",
    ":::::",
)


@pytest.mark.parametrize("text", ARNS)
def test_an_arn_is_cut_as_moto_cuts_it_and_gives_its_text_back(text: str):
    arn, by_moto = Arn.parse(text), parse_arn(text)
    assert str(arn) == text
    assert (arn.account, arn.region, arn.service) == (by_moto.account, by_moto.region, by_moto.service)
    assert (arn.resource_type or None, arn.resource_id) == (by_moto.resource_type or None, by_moto.resource_id)


def test_a_long_text_is_cut_too():
    assert Arn.parse(f"arn:aws:s3:::{'x' * 5000}").resource == "x" * 5000


@pytest.mark.parametrize("text", ["", "orders", "arn:aws:sqs:us-east-1:orders"])
def test_fewer_than_six_parts_are_no_arn(text: str):
    assert Arn.find(text) is None
    with pytest.raises(MalformedArn):
        Arn.parse(text)


@pytest.mark.parametrize("text, service", [("arn:aws:sqs", "sqs"), (FUNCTION, "lambda"), ("arn:aws", None), ("", None)])
def test_the_service_is_read_from_a_part_of_an_arn_too(text: str, service: str | None):
    assert service_of(text) == service


def test_a_functions_arn_has_a_name_and_perhaps_a_qualifier():
    assert name_and_qualifier(Arn.parse(FUNCTION)) == ("orders", None)
    assert name_and_qualifier(Arn.parse(f"{FUNCTION}:live")) == ("orders", "live")
    assert unqualified(f"{FUNCTION}:live") == unqualified(FUNCTION) == FUNCTION
    with pytest.raises(LookupError):
        name_and_qualifier(Arn.parse("arn:aws:sqs:us-east-1:123456789012:orders"))
