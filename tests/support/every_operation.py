"""Calls of every operation of a service, made up from botocore's models and from what earlier calls have answered."""

from __future__ import annotations

import datetime
import itertools
import json
import re
import time
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape
from botocore.parsers import ResponseParserError

from tests.support.calls_by_hand import BY_HAND

#: What begins the names of operations that take something away: done by nobody here, or at the end.
TAKES_AWAY = (
    "Delete|Remove|Terminate|Deregister|Stop|Cancel|Detach|Disassociate|Untag|Disable|Purge|Revoke|Release|Abort|"
    "Unsubscribe|Reject|Deprecate|Leave|Close|Unassign|Unlink|Reset|Withdraw|Deactivate|Archive|Clear|Batch(Delete|Remove)"
)
_TAKES_AWAY = re.compile(TAKES_AWAY)
_MAKES = re.compile(
    "Create|Register|Put|Run|Allocate|Request|Import|Add|Start|Upload|Publish|Send|Import|Provision|Admin"
)
_READS = re.compile("Get|List|Describe|Search|Query|Scan|Lookup|Select|Batch(Get|Describe)|Head|Filter|Poll|Receive")

_DOCUMENT = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)
_ACCOUNT = "123456789012"
#: Texts for members whose name ends so.
_TEXTS = {
    "rolearn": f"arn:aws:iam::{_ACCOUNT}:role/a-role",
    "iamrole": f"arn:aws:iam::{_ACCOUNT}:role/a-role",
    "policydocument": _DOCUMENT,
    "policy": _DOCUMENT,
    "cidrblock": "10.0.0.0/16",
    "cidr": "10.0.0.0/16",
    "cidrip": "10.0.0.0/16",
    "cidripv6": "::/0",
    "ipaddress": "10.0.0.9",
    "publicip": "10.0.0.9",
    "email": "a@example.com",
    "emailaddress": "a@example.com",
    "accountid": _ACCOUNT,
    "account": _ACCOUNT,
    "region": "us-east-1",
    "availabilityzone": "us-east-1a",
    "instancetype": "t2.micro",
    "url": "https://example.com/a",
    "domainname": "example.com",
    "json": "{}",
    "kmskeyid": "alias/aws/s3",
    "date": "2030-01-01",
    "time": "2030-01-01T00:00:00Z",
    "engine": "mysql",
    "scheduleexpression": "rate(1 day)",
    "definition": json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}),
}


def takes_away(operation: str) -> bool:
    return _TAKES_AWAY.match(operation) is not None


class Walk:
    """One service's operations, called in an order in which later ones find what earlier ones have made.

    answers: {operation: "ok", or the code of the last refusal}.
    """

    def __init__(self, service: str, client: Any) -> None:
        self.service, self._client = service, client
        self.answers: dict[str, str] = {}
        self.statuses: dict[str, int] = {}
        self.messages: dict[str, str] = {}
        self.refused_by_hand: list[str] = []
        self.known: dict[str, list[Any]] = {}
        self._numbers = itertools.count(1)

    def by_hand(self) -> None:
        """Make the calls that are written down, and note those that are refused."""
        model = self._client.meta.service_model
        for name, given in BY_HAND.get(self.service, ()):
            try:
                done = self._once(model.operation_model(name), self._filled(given))
            except LookupError as error:  # what it refers to has not been made
                done, self.messages[name] = False, str(error)
            if not done:
                self.refused_by_hand.append(f"{self.service} {name}: {self.messages[name]}")

    def _filled(self, given: Any) -> Any:
        if isinstance(given, dict):
            return {name: self._filled(value) for name, value in given.items()}
        if isinstance(given, list):
            return [self._filled(value) for value in given]
        if given == "<now>":
            return int(time.time() * 1000)
        return self.known[given[1:-1]][-1] if isinstance(given, str) and re.fullmatch("<[a-z]+>", given) else given

    def operations(self) -> list[OperationModel]:
        """Those that make something, then those that change or read it."""
        model = self._client.meta.service_model
        made = [model.operation_model(name) for name in model.operation_names]
        return sorted(made, key=lambda each: (not _MAKES.match(each.name), bool(_READS.match(each.name))))

    def make(self) -> None:
        """Call all that makes, changes or reads something; what is refused once more, after the others."""
        self.by_hand()
        for _ in range(2):
            for operation in self.operations():
                if not takes_away(operation.name) and self.answers.get(operation.name) != "ok":
                    self.call(operation)

    def take_away(self) -> None:
        for operation in self.operations():
            if takes_away(operation.name):
                self.call(operation)

    def call(self, operation: OperationModel) -> None:
        """Call an operation with what it must have, and with all that it may have if that is refused."""
        for fullness in (0, 1):
            if self._once(operation, self._input(operation, fullness)) or self.answers[operation.name] == "501":
                return

    def _once(self, operation: OperationModel, given: dict[str, Any]) -> bool:
        name = operation.name
        try:
            answer = self._client._make_api_call(name, given)
        except ClientError as error:
            self.statuses[name] = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
            self.messages[name] = str(error)
            self.answers[name] = "501" if self.statuses[name] == 501 else error.response["Error"].get("Code", "?")
            return False
        except (BotoCoreError, ResponseParserError, ValueError, TypeError, KeyError, AttributeError) as error:
            self.answers.setdefault(name, type(error).__name__)
            self.messages[name] = str(error)
            return False
        self.answers[name], self.statuses[name] = "ok", 200
        self._learn(given, name)
        self._learn({key: value for key, value in answer.items() if key != "ResponseMetadata"}, name)
        return True

    def _learn(self, thing: Any, name: str) -> None:
        """Remember texts by the names that they stand under, qualified by what they are part of."""
        if isinstance(thing, dict):
            for key, value in thing.items():
                if isinstance(value, (str, int)) and not isinstance(value, bool):
                    for known in {key.lower(), *self._qualified(name, key)}:
                        self.known.setdefault(known, []).append(value)
                elif isinstance(value, list) and value and isinstance(value[0], str):
                    self.known.setdefault(key.lower().removesuffix("s"), []).append(value[0])
                else:
                    self._learn(value, key)
        elif isinstance(thing, list):
            for each in thing[:3]:
                self._learn(each, name)

    @staticmethod
    def _qualified(owner: str, key: str) -> Iterator[str]:
        key = key.lower()
        if key in ("id", "arn", "name", "identifier", "uuid"):
            owner = re.sub("^(Create|Put|Register|Start|Import|Request|Add)|s$", "", owner).lower()
            yield owner + key

    # Making up parameters

    def _input(self, operation: OperationModel, fullness: int) -> dict[str, Any]:
        shape = operation.input_shape
        return {} if shape is None else self._structure(shape, operation.name, fullness, 0)

    def _structure(self, shape: StructureShape, owner: str, fullness: int, depth: int) -> dict[str, Any]:
        required = set(shape.required_members)
        named = {"queryArgs"}
        if getattr(shape, "is_tagged_union", False) and shape.members:
            first = next(iter(shape.members))
            return {first: self._value(shape.members[first], first, owner, fullness, depth + 1)}
        return {
            name: self._value(member, name, owner, fullness, depth + 1)
            for name, member in shape.members.items()
            if name not in named
            and (
                name in required
                or (fullness and depth < 2 and self._wanted(name))
                or (depth > 0 and not required and depth < 4)
            )
        }

    @staticmethod
    def _wanted(name: str) -> bool:
        return not re.search("token|dryrun|marker|md5|checksum|^sse|expected|clientrequest", name, re.IGNORECASE)

    def _value(self, shape: Shape, name: str, owner: str, fullness: int, depth: int) -> Any:
        if isinstance(shape, StructureShape):
            return self._structure(shape, name, fullness, depth) if depth < 7 else {}
        if isinstance(shape, ListShape):
            if depth >= 7:
                return []
            count = max(1, shape.metadata.get("min", 1))
            return [self._value(shape.member, name.removesuffix("s"), owner, fullness, depth + 1) for _ in range(count)]
        if isinstance(shape, MapShape):
            key = self._text(shape.key, "key", owner)
            return {key: self._value(shape.value, "value", owner, fullness, depth + 1)} if depth < 7 else {}
        if shape.type_name in ("integer", "long"):
            return self._number(shape, name)
        if shape.type_name in ("float", "double"):
            return float(shape.metadata.get("min", 1))
        if shape.type_name == "boolean":
            return True
        if shape.type_name == "timestamp":
            return datetime.datetime(2030, 1, 1, tzinfo=datetime.UTC)
        if shape.type_name == "blob":
            return b'{"a": 1}'
        return self._text(shape, name, owner)

    def _number(self, shape: Shape, name: str) -> int:
        if "port" in name.lower():
            return 80
        return int(shape.metadata.get("min", 1)) or 1

    def _text(self, shape: Shape, name: str, owner: str) -> str:
        enum = shape.metadata.get("enum")
        if enum:
            return str(enum[0])
        low = name.lower()
        own = re.match(r"(?:Create|Register|Allocate|Import|Request|Run)(\w+)", owner)
        its_own = own is not None and low in (
            "name",
            f"{own[1].lower()}name",
            f"{own[1].lower()}id",
            f"{own[1].lower()}identifier",
        )
        if not its_own:
            for known in (low, self._target(owner) + low):
                for value in reversed(self.known.get(known, [])):
                    if isinstance(value, str):
                        return value
        for end, text in _TEXTS.items():
            if low.endswith(end):
                return text
        if low.endswith("arn"):
            for known, values in self.known.items():
                if known.endswith("arn") and isinstance(values[-1], str):
                    return values[-1]
            return f"arn:aws:{self.service}:us-east-1:{_ACCOUNT}:thing/a"
        if shape.metadata.get("jsonvalue"):
            return "{}"
        return f"thing{next(self._numbers)}".ljust(shape.metadata.get("min", 0), "0")[: shape.metadata.get("max", 200)]

    @staticmethod
    def _target(owner: str) -> str:
        return re.sub(
            "^(Update|Describe|Get|Put|Modify|Start|Enable|Set|Associate|Attach|Tag|List|Batch|Add)", "", owner
        ).lower()
