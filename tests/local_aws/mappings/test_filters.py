"""Which messages a mapping's filters let through: the rows of AWS's table on the form of bodies and patterns."""

from __future__ import annotations

import pytest

from helpers.local_aws.event_patterns.event_pattern import compile_pattern
from helpers.local_aws.mappings.filters import message_matches


@pytest.mark.parametrize(
    ("body", "pattern", "passes"),
    [
        ("plain", '{"body": ["plain"]}', True),
        ("plain", '{"body": ["other"]}', False),
        ("plain", '{"awsRegion": ["us-east-1"]}', True),
        ("plain", '{"body": {"kind": ["order"]}}', False),
        ("plain", '{"body": {"kind": [{"exists": false}]}}', False),
        ('{"kind": "order"}', '{"body": ["plain"]}', False),
        ('{"kind": "order"}', '{"awsRegion": ["us-east-1"]}', True),
        ('{"kind": "order"}', '{"body": {"kind": ["order"]}}', True),
        ('{"kind": "note"}', '{"body": {"kind": ["order"]}}', False),
        ('{"n": 5}', '{"body": {"n": [{"numeric": [">", 4]}]}}', True),
        ("5", '{"body": ["5"]}', True),
        ("[" * 100_000, '{"body": {"kind": ["order"]}}', False),
    ],
)
def test_the_form_of_the_body_must_be_that_of_the_pattern(body, pattern, passes):
    record = {"body": body, "awsRegion": "us-east-1"}
    assert message_matches([compile_pattern(pattern)], record) is passes


def test_one_of_several_patterns_is_enough():
    patterns = [compile_pattern(f'{{"body": ["{word}"]}}') for word in ("a", "b")]
    assert [message_matches(patterns, {"body": body}) for body in "abc"] == [True, True, False]
