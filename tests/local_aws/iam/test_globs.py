"""Wildcards: against a plain reading of what they mean, and in a number of steps that no pattern makes large."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide
from helpers.local_aws.iam.policy_text import Glob, matches, tokens
from tests.support.campaign import ANY_TEXT, examples
from tests.support.steps import steps

SHORT = st.text("ab?*", max_size=9)


@cache
def plainly(pattern: str, text: str) -> bool:
    """What the two wildcards mean, word for word."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return plainly(pattern[1:], text) or (bool(text) and plainly(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and plainly(pattern[1:], text[1:])


@examples(2000)
@given(SHORT | ANY_TEXT, SHORT | ANY_TEXT)
@example("*", "")
@example("a*a", "a")
@example("?*?", "\n")
def test_wildcards_mean_what_they_say(pattern, text):
    assert Glob(tokens(pattern)).match(text) == matches(tokens(pattern), text) == plainly(pattern, text)


EVIL = ["a" * 249 + "b", "*a" * 60 + "*b", "*" * 200 + "b", "*?a" * 60 + "?b", "*" + "a" * 120 + "b*"]


@pytest.mark.parametrize("pattern", EVIL, ids=lambda pattern: pattern[:6])
@pytest.mark.parametrize("length", [250, 500])
def test_no_pattern_takes_more_comparisons_than_the_lengths_multiplied(pattern, length):
    compared = 0

    class Character:
        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return other == "a"

    assert not matches(tokens(pattern), [Character()] * length)
    assert compared <= (len(pattern) + 1) * length


@pytest.mark.parametrize(
    "statement",
    [
        {"Resource": "arn:aws:dynamodb:us-east-1:123456789012:table/*a*a*a*a*a*a*a*a*b*"},
        {"Action": "dynamodb:*a*a*a*a*a*a*a*a*b*", "Resource": "*"},
        {"Resource": "*", "Condition": {"StringLike": {"aws:name": "*a*a*a*a*a*a*a*a*b*"}}},
        {"Resource": "*", "Condition": {"StringLike": {"aws:name": "*a*a*a*a*${aws:none, 'a'}*a*a*a*b*"}}},
        {"Resource": "*", "Condition": {"ArnLike": {"aws:arn": "arn:aws:s:r:1:*a*a*a*a*a*a*a*a*b*"}}},
    ],
    ids=["resource", "action", "StringLike", "variable", "ArnLike"],
)
def test_an_evil_policy_is_decided_in_few_steps(statement):
    """It took a quarter of a minute for a name of 250 letters, and every other client waited."""
    name = "a" * 250
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", **statement}}
    context = {"aws:name": name, "aws:arn": f"arn:aws:s:r:1:{name}"}
    request = AccessRequest(f"dynamodb:{name}", f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}", None, context)
    assert steps(lambda: decide([Policy(document)], request)) < 20_000
    assert decide([Policy(document)], request) is Decision.IMPLICIT_DENY
