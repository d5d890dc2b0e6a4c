"""Cut Amazon Resource Names: arn:partition:service:region:account-id:resource.

The one place that cuts them. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

#: Characters of the longest ARN that is remembered (IAM's own limit); what is longer is cut anew each time.
_LONGEST = 2048
_SEPARATOR = re.compile("[:/]")


class MalformedArn(ValueError):
    """The text has not the six parts of an ARN."""


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of an ARN. resource: all that follows the account, colons included; str() gives the text back.

    scheme: "arn". It is not checked: what a text with another one means is for the service to say.
    """

    partition: str
    service: str
    region: str
    account: str
    resource: str
    scheme: str = "arn"

    @classmethod
    def parse(cls, text: str) -> Arn:
        """Cut a text. Raises MalformedArn when it has fewer than six parts."""
        return _remembered(text) if len(text) <= _LONGEST else _cut(text)

    @classmethod
    def find(cls, text: str) -> Arn | None:
        """Cut a text; None when it has fewer than six parts."""
        try:
            return cls.parse(text)
        except MalformedArn:
            return None

    def __str__(self) -> str:
        return ":".join(self.parts)

    @property
    def parts(self) -> tuple[str, str, str, str, str, str]:
        return self.scheme, self.partition, self.service, self.region, self.account, self.resource

    @property
    def resource_parts(self) -> list[str]:
        """What stands between the resource's colons: ["function", "orders", "live"]."""
        return self.resource.split(":")

    @property
    def resource_type(self) -> str:
        """What stands before the resource's first colon or slash: "function", "table"; "" without one (a queue)."""
        found = _SEPARATOR.search(self.resource)
        return self.resource[: found.start()] if found else ""

    @property
    def resource_id(self) -> str:
        """What follows the resource's first colon or slash; the whole resource without one."""
        found = _SEPARATOR.search(self.resource)
        return self.resource[found.end() :] if found else self.resource


def service_of(text: str) -> str | None:
    """Read the service where an ARN has it, whether or not the rest of the ARN is there; None without one."""
    parts = text.split(":", 3)
    return parts[2] if len(parts) > 2 else None


def _cut(text: str) -> Arn:
    parts = text.split(":", 5)
    if len(parts) < 6:
        raise MalformedArn(text)
    scheme, partition, service, region, account, resource = parts
    return Arn(partition, service, region, account, resource, scheme)


# The same few rules, targets and principals come with every event.
_remembered = lru_cache(maxsize=4096)(_cut)
