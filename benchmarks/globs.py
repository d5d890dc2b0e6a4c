"""What a policy's wildcards cost, at their worst: an evil pattern beside a harmless one of the same length."""

from __future__ import annotations

import time

from benchmarks.orders import row
from helpers.local_aws.iam.authorization import AccessRequest, Decision, Policy, decide

NAME = "a" * 250
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/"
SECONDS = 0.5


def main() -> None:
    print(f"{'decisions about a table whose name has 250 letters':58} {'measured':>22}   {'ratio':>10}")
    for stars in (4, 16, 60):
        evil = "*a" * stars + "*b*"
        harmless = "a" * (len(evil) - 1) + "*"
        floor = decided(harmless, Decision.ALLOW)
        rate = decided(evil, Decision.IMPLICIT_DENY)
        row(f"{harmless[:9]}…*, {len(harmless)} characters", f"{floor:,.0f} decisions/s", "1.00")
        row(f"{evil[:9]}…b*, {len(evil)} characters", f"{rate:,.0f} decisions/s", f"{rate / floor:.4f}")


def decided(resource: str, expected: Decision) -> float:
    """Decisions per second of a policy that speaks of these tables."""
    statement = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": ARN + resource}
    policies = [Policy({"Version": "2012-10-17", "Statement": statement})]
    request = AccessRequest("dynamodb:PutItem", ARN + NAME)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < SECONDS:
        if decide(policies, request) is not expected:
            raise SystemExit("the decision is wrong, so its speed says nothing")
        count += 1
    return count / (time.perf_counter() - begin)
