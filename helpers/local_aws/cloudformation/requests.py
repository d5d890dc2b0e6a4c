"""Read a request for a stack: template, parameters, tags and capabilities, checked before any work begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlparse

from botocore.exceptions import ClientError

from . import parameters, template
from .errors import Refused
from .resource import Request
from .resource_types import capabilities
from .services import Services
from .stacks import Stack

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")
#: Parameters of requests whose effect is missing here: refused, so that nobody relies on them.
_NOT_HERE = {
    "NotificationARNs",
    "RoleARN",
    "StackPolicyBody",
    "StackPolicyURL",
    "RollbackConfiguration",
    "ResourceTypes",
}


def read_template(parameters_: Mapping[str, Any], caller: Services, stack: Stack | None = None) -> template.Template:
    """Return the template that a request brings, points to in S3, or that the stack has already. Raises Refused."""
    given = [name for name in ("TemplateBody", "TemplateURL") if parameters_.get(name)]
    previous = stack if parameters_.get("UsePreviousTemplate") else None
    if len(given) + bool(previous) != 1:
        raise Refused("Either Template URL or Template Body must be specified.")
    if previous:
        return previous.request.template
    if given == ["TemplateURL"]:
        return template.read(_download(parameters_["TemplateURL"], caller))
    body = parameters_["TemplateBody"]
    if len(body.encode()) > template.LARGEST_BODY:
        raise Refused(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {template.LARGEST_BODY}"
        )
    return template.read(body)


def _download(url: str, caller: Services) -> str:
    """Return a template in a bucket: https://bucket.s3.region.amazonaws.com/key, or with the bucket in the path."""
    parts = urlparse(url)
    bucket, key = (parts.hostname or "").partition(".s3")[0], unquote(parts.path.lstrip("/"))
    if ".s3" not in (parts.hostname or ""):
        bucket, _, key = key.partition("/")
    try:
        return caller.request("s3", "GetObject", Bucket=bucket, Key=key)["Body"].read().decode()
    except ClientError as error:
        raise Refused(f"S3 error: {error.response['Error'].get('Message', '')}") from error


def check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )


def read(given: Mapping[str, Any], caller: Services, stack: Stack | None = None) -> Request:
    """Return the whole request: what the stack is to be. Raises Refused."""
    unsupported = sorted(name for name in _NOT_HERE if given.get(name))
    if unsupported:
        raise Refused(f"The embedded AWS does not support {', '.join(unsupported)}.")
    read_ = read_template(given, caller, stack)
    before = stack.request.parameters if stack else {}
    taken = parameters.take(read_, given.get("Parameters") or [], before)
    tags = {tag["Key"]: tag["Value"] for tag in given.get("Tags") or []}
    if any(key.lower().startswith("aws:") for key in tags):
        raise Refused("Tag keys that begin with aws: are reserved for AWS.")
    if "Tags" not in given and stack:
        tags = stack.request.tags
    _check_capabilities(read_, given.get("Capabilities") or [])
    return Request(read_, taken, tags)


def _check_capabilities(read_: template.Template, acknowledged: list[str]) -> None:
    needed, _ = capabilities(read_.resources)
    enough = {needed, "CAPABILITY_NAMED_IAM"}
    if needed and not enough & set(acknowledged):
        raise Refused(f"Requires capabilities : [{needed}]", "InsufficientCapabilitiesException")
