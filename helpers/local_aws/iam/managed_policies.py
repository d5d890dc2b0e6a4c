"""Make AWS's own managed policies when somebody asks for one. moto makes all of them, over 1,500, at IAM's first call.

moto has them as one JSON text. It is read once, for where each policy is in there, and a policy's part once more when
the policy is asked for. Its id comes from its ARN: on AWS it is the same for ever.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import re
from collections.abc import Iterator, MutableMapping, ValuesView
from typing import NamedTuple

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, ManagedPolicy
from moto.utilities.utils import get_partition

_NAME = re.compile(r'\s*[{,]\s*"([^"]+)"\s*:\s*')


class Listed(NamedTuple):
    """What a list of policies is chosen by, of one that has not been made; and where in moto's text it is."""

    arn: str
    name: str
    path: str
    begin: int
    end: int
    attachment_count: int = 0


class ManagedPolicies(MutableMapping[str, ManagedPolicy]):
    """The managed policies of an account by their ARNs, AWS's first.

    One that is got by its ARN is kept: it can be attached. Those that `values` goes through are made for that alone.
    """

    def __init__(self, account_id: str, region_name: str) -> None:
        self._account_id, self._region_name = account_id, region_name
        self._of_aws = _listed(get_partition(region_name))
        self._made: dict[str, ManagedPolicy] = {}

    def __getitem__(self, arn: str) -> ManagedPolicy:
        found = self._made.get(arn)
        if found is None:
            found = self._made[arn] = self._make(arn)
        return found

    def __setitem__(self, arn: str, policy: ManagedPolicy) -> None:
        self._made[arn] = policy

    def __delitem__(self, arn: str) -> None:
        del self._made[arn]

    def __contains__(self, arn: object) -> bool:
        return arn in self._made or arn in self._of_aws

    def __iter__(self) -> Iterator[str]:
        yield from self._of_aws
        yield from list(self.own())

    def __len__(self) -> int:
        return len(self._of_aws) + len(self.own())

    def values(self) -> ValuesView[ManagedPolicy]:
        return _Values(self)

    def look(self, arn: str) -> ManagedPolicy:
        """Return a policy without keeping it. Raises KeyError."""
        return self._made.get(arn) or self._make(arn)

    def is_of_aws(self, arn: str) -> bool:
        return arn in self._of_aws

    def own(self) -> dict[str, ManagedPolicy]:
        """Return the account's own policies."""
        return {arn: each for arn, each in list(self._made.items()) if arn not in self._of_aws}

    def listed(self, scope: str) -> list[ManagedPolicy | Listed]:
        """Return AWS's policies, the account's own ("Local"), or all ("All"), for choosing among them."""
        of_aws = [] if scope == "Local" else [self._made.get(arn, each) for arn, each in self._of_aws.items()]
        return of_aws if scope == "AWS" else [*of_aws, *self.own().values()]

    def _make(self, arn: str) -> AWSManagedPolicy:
        found = self._of_aws[arn]
        data = json.loads(aws_managed_policies_data[found.begin : found.end])
        policy = AWSManagedPolicy.from_data(found.name, self._account_id, self._region_name, data)
        policy.id = "A" + base64.b32encode(hashlib.sha256(arn.encode()).digest())[:20].decode()
        return policy


class _Values(ValuesView[ManagedPolicy]):
    def __init__(self, policies: ManagedPolicies) -> None:
        super().__init__(policies)
        self._policies = policies

    def __iter__(self) -> Iterator[ManagedPolicy]:
        return map(self._policies.look, self._policies)


@functools.cache
def _listed(partition: str) -> dict[str, Listed]:
    """Find all policies in moto's text; what is read is not kept."""
    text, read = aws_managed_policies_data, json.JSONDecoder().raw_decode
    found: dict[str, Listed] = {}
    at = 0
    while match := _NAME.match(text, at):
        policy, at = read(text, match.end())
        name, path = match[1], policy["Path"]
        arn = f"arn:{partition}:iam::aws:policy{path}{name}"
        found[arn] = Listed(arn, name, path, match.end(), at)
    return found
