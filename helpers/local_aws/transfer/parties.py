"""The account that is asked, and what its user is told: what was carried over, what was not, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.error import URLError

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

_CONFIG = Config(retries={"total_max_attempts": 3, "mode": "standard"}, proxies={}, read_timeout=300)
#: What the account, or who asks it in vain, answers.
_ERRORS = (ClientError, BotoCoreError, URLError)


class Account:
    """The account on one side: clients of its services, made once each, signed as its administrator.

    access: where it is and what opens it; say: tells the user one line.
    """

    def __init__(self, access: Any, say: Callable[[str], None]) -> None:
        self.access, self.say = access, say
        self.session = boto3.session.Session(access.access_key_id, access.secret_access_key, region_name=access.region)
        self._clients: dict[str, Any] = {}
        self.of_stacks: dict[tuple[str, str], tuple[str, str]] = {}  # (type, physical id): (stack, logical id)
        self.carried: dict[str, int] = {}
        self.made: set[str] = set()  # functions that this import has made

    def __call__(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.session.client(service, endpoint_url=self.access.endpoint_url, config=_CONFIG)
        return self._clients[service]

    def pages(self, service: str, method: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Yield what a list has, page after page."""
        client = self(service)
        if not client.can_paginate(method):
            yield from getattr(client, method)(**parameters).get(key) or []
            return
        for page in client.get_paginator(method).paginate(**parameters):
            yield from page.get(key) or []

    def in_stack(self, kind: str, physical_id: str) -> bool:
        """Return whether this is a stack's, so that the stack brings it."""
        return (kind, physical_id) in self.of_stacks

    def count(self, what: str, number: int = 1) -> None:
        self.carried[what] = self.carried.get(what, 0) + number

    def left(self, what: str) -> None:
        """Say that something is not carried over."""
        self.say(f"Not carried over: {what}.")

    def found(self, what: str) -> None:
        """Say that something is there already, and stays as it is."""
        self.say(f"Skipped, since the account has one of this name: {what}.")

    def there(self, ask: Callable[..., Any], **parameters: Any) -> Any:
        """Return what is asked for; None where there is no such thing."""
        try:
            return ask(**parameters)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404 or _missing(error):
                return None
            raise

    def attempt(self, what: str, action: Callable[..., object], *given: Any, **parameters: Any) -> bool:
        """Do something for one thing; if the account refuses it, say so and return False."""
        try:
            action(*given, **parameters)
        except _ERRORS as error:
            self.left(f"{what} ({reason(error)})")
            return False
        return True


def _missing(error: ClientError) -> bool:
    code = error.response["Error"].get("Code", "")
    return any(word in code for word in ("NotFound", "NoSuch", "NonExistent", "DoesNotExist"))


def reason(error: Exception) -> str:
    """Return why, in one line."""
    if isinstance(error, ClientError):
        return " ".join(str(error.response["Error"].get("Message") or error.response["Error"].get("Code")).split())
    return " ".join(str(error).split())


def chosen(given: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return those of the entries that have a value."""
    return {name: given[name] for name in names if given.get(name) not in (None, "", [], {})}


def tags(given: Any) -> dict[str, str]:
    """Return tags by their keys, without those that AWS itself makes; given: a list of Key and Value, or so already."""
    found = dict(given) if isinstance(given, Mapping) else {tag["Key"]: tag["Value"] for tag in given or []}
    return {key: value for key, value in sorted(found.items()) if not key.startswith("aws:")}


def tag_list(given: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in given.items()]
