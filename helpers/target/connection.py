"""Connect boto3 to the AWS that a learner's environment variables choose before JupyterLab starts.

WORKBOOK_TARGET   local (default): the embedded AWS; aws: the learner's own account; endpoint: AWS_ENDPOINT_URL, such as
                  another emulator or a class server
WORKBOOK_ACCOUNT  the account that is expected, twelve digits; aws does not start without it
WORKBOOK_PREFIX   goes before the name of everything that is made, such as team1- (helpers.target.name_prefix)

Local never looks at the learner's credentials. The other two ask AWS STS who they are before anything else.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from helpers import waiting
from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.target import lost_answers, name_prefix, proven_connections, refused_entries, s3_regions, tagging
from helpers.target.aws_trouble import advice

LOCAL, AWS, ENDPOINT = KINDS = ("local", "aws", "endpoint")
ACCOUNT_ID = re.compile(r"\d{12}")
HELP = "on-another-aws"
#: Botocore's own way to try again after throttling, errors and lost answers, unless the learner chose another.
RETRIES = {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "6"}


@dataclass(frozen=True)
class Target:
    """Where boto3 sends its requests, and who it is there."""

    kind: str
    account_id: str
    region: str
    prefix: str = ""
    endpoint_url: str = ""
    identity: str = ""

    def __str__(self) -> str:
        where = {
            LOCAL: f"Local AWS, account {self.account_id}, region {self.region}. Nothing here costs money.",
            AWS: f"AWS account {self.account_id}, region {self.region}, as {self.identity}.",
            ENDPOINT: f"AWS at {self.endpoint_url}, account {self.account_id}, region {self.region}.",
        }[self.kind]
        return f"{where} All names begin with {self.prefix}" if self.prefix else where


_connected: str | None = None  # the kind to which this process has been connected


def connect() -> Target:
    """Point this process's boto3 at the chosen AWS and at nothing else. Raises WorkbookError."""
    global _connected  # noqa: PLW0603  boto3 and the environment belong to the whole process, too
    kind, prefix = chosen(os.environ)
    if _connected not in (None, kind):
        raise WorkbookError(
            f"This kernel is connected to {_connected!r}, and WORKBOOK_TARGET says {kind!r} now. "
            "Choose Kernel → Restart Kernel, then run the setup cell.",
            more=HELP,
        )
    target = {LOCAL: _local, AWS: _aws, ENDPOINT: _endpoint}[kind](prefix)
    _connected = kind
    waiting.watched_part = _watched_part() if kind == LOCAL else 1.0
    return target


def _watched_part() -> float:
    """Return for which part of its usual time a lesson watches an embedded AWS whose waits may be shortened.

    Never less than a quarter: what is watched for comes in milliseconds, however short the waits are. Raises
    WorkbookError for a LOCAL_AWS_TIME_SCALE that is none.
    """
    from helpers.local_aws.engine import clock  # which reads the variable when it is imported

    scale = clock.scale() if lifecycle.is_inside() else clock.read_scale()
    return min(1.0, max(0.25, scale / clock.DEFAULT_SCALE))


def connect_to(account: lifecycle.Access, prefix: str = "") -> None:
    """Point this process's boto3 at an embedded AWS and at nothing else."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # profiles, tokens, endpoints of single services: whatever could lead to another account
    os.environ.update(account.environment())
    _without_proxy(account.endpoint_url)
    if not lifecycle.is_inside():
        proven_connections.expect(account)
    _new_session(prefix)


def chosen(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return (kind, prefix) as the variables say. Raises WorkbookError for a value that none of them can have."""
    kind = environment.get("WORKBOOK_TARGET") or LOCAL
    if kind not in KINDS:
        raise WorkbookError(
            f"WORKBOOK_TARGET is {kind!r}; it may be {', '.join(KINDS)}. Correct it or unset it, then start again.",
            more=HELP,
        )
    prefix = environment.get("WORKBOOK_PREFIX") or ""
    if prefix and not name_prefix.PREFIX.fullmatch(prefix):
        raise WorkbookError(
            f"WORKBOOK_PREFIX is {prefix!r}; it must begin with a small letter, go on with at most eleven small "
            "letters and digits, and end with a hyphen, such as team1-",
            more=HELP,
        )
    account = environment.get("WORKBOOK_ACCOUNT") or ""
    if account and not ACCOUNT_ID.fullmatch(account):
        raise WorkbookError(f"WORKBOOK_ACCOUNT is {account!r}; an account has a number of twelve digits.", more=HELP)
    if kind == AWS and not account:
        raise WorkbookError(
            "WORKBOOK_TARGET=aws needs WORKBOOK_ACCOUNT too, the number of the account that you mean (twelve digits), "
            "so that nothing is ever made in another one.",
            more=HELP,
        )
    return kind, prefix


def _local(prefix: str) -> Target:
    """Start or find the embedded AWS."""
    account = lifecycle.start()
    connect_to(account, prefix)
    return Target(LOCAL, account.account_id, account.region, prefix, account.endpoint_url)


def _aws(prefix: str) -> Target:
    """Return the learner's own account: the one that WORKBOOK_ACCOUNT names, or none."""
    elsewhere = sorted(name for name in os.environ if name.startswith("AWS_ENDPOINT_URL"))
    if elsewhere:
        raise WorkbookError(
            f"WORKBOOK_TARGET=aws means AWS itself, but {elsewhere[0]} points elsewhere. Unset it, or choose "
            "WORKBOOK_TARGET=endpoint.",
            more=HELP,
        )
    return _verified_target(AWS, prefix, "")


def _endpoint(prefix: str) -> Target:
    """Return an address that speaks AWS's protocols and is not AWS; no profile of the learner's is used there."""
    url = os.environ.get("AWS_ENDPOINT_URL") or ""
    host = _host(url)
    if not host:
        raise WorkbookError("WORKBOOK_TARGET=endpoint needs AWS_ENDPOINT_URL, such as http://127.0.0.1:4566", more=HELP)
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws", ".api.aws")):
        raise WorkbookError(f"{url} is AWS itself: choose WORKBOOK_TARGET=aws and name the account.", more=HELP)
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
    if "AWS_REGION" not in os.environ:
        os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        os.environ.pop(name, None)
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    _without_proxy(url)
    return _verified_target(ENDPOINT, prefix, url)


def _host(url: str) -> str:
    """Return the host of a web address; "" of what is none."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and parts.port != 0
    except ValueError:  # such as a port of 99999
        return ""
    return (parts.hostname or "") if is_one else ""


def _verified_target(kind: str, prefix: str, url: str) -> Target:
    """Ask STS which account the credentials belong to, and refuse any but the expected one."""
    try:
        _new_session(prefix)
        identity = boto3.client("sts").get_caller_identity()
        region = boto3.DEFAULT_SESSION.region_name
    except (BotoCoreError, ClientError, ValueError) as error:
        raise WorkbookError(advice(error) or f"AWS cannot be asked who you are: {error}", more=HELP) from error
    found, expected = identity["Account"], os.environ.get("WORKBOOK_ACCOUNT")
    if expected and found != expected:
        raise WorkbookError(
            f"Your credentials belong to account {found}, and WORKBOOK_ACCOUNT expects {expected}. Nothing was made. "
            "Sign in to the other account (AWS_PROFILE chooses a profile), or correct WORKBOOK_ACCOUNT.",
            more=HELP,
        )
    if not region:
        raise WorkbookError("No region is chosen. Set AWS_DEFAULT_REGION, such as eu-central-1.", more=HELP)
    return Target(kind, found, region, prefix, url, identity["Arn"].split(":", 5)[-1])


def _new_session(prefix: str) -> None:
    """Begin a new session, with names, tag and retries; an older one remembers what it was given then."""
    for name, value in RETRIES.items():
        os.environ.setdefault(name, value)
    boto3.setup_default_session()
    session = boto3.DEFAULT_SESSION
    lost_answers.install(session)
    refused_entries.install(session)
    s3_regions.install(session.events)
    tagging.install(session)  # before the names, which the tag's value is one of
    name_prefix.install(session.events, prefix)


def _without_proxy(url: str) -> None:
    """Exempt this address from every proxy."""
    host = urlsplit(url).hostname or ""
    for name in ("NO_PROXY", "no_proxy"):
        hosts = [known for known in os.environ.get(name, "").split(",") if known]
        os.environ[name] = ",".join(hosts if host in hosts else [*hosts, host])
