"""What the black-box tests share: an account of the embedded AWS, with short ways to make what a test needs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import uuid
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from helpers.local_aws import lifecycle
from helpers.local_aws.home import Home
from helpers.paths import PROJECT
from tests.support.polling import eventually

LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


#: The keys of the workbook's table.
ORDER_KEYS = {"OrderId": "S"}


class Aws:
    """An account: `aws.client("lambda")`, and short ways to make what a test needs."""

    def __init__(self, account: lifecycle.Access, home: Path | None = None) -> None:
        self.account = account
        self._home = home
        self._clients: dict[tuple, Any] = {}
        self.session = boto3.Session(
            aws_access_key_id=account.access_key_id,
            aws_secret_access_key=account.secret_access_key,
            region_name=account.region,
        )

    def client(self, service: str, **config: object):
        """A client that tries once: a test wants to see the first error. The same one each time: making one, with a
        connection of its own, takes as long as a few calls.
        """
        key = self.account.endpoint_url, service, repr(sorted(config.items()))
        if key not in self._clients:
            self._clients[key] = self.own_client(service, **config)
        return self._clients[key]

    def own_client(self, service: str, **config: object):
        """A new client, for who changes it."""
        settings = Config(retries={"total_max_attempts": 1}, **config)
        return self.session.client(service, endpoint_url=self.account.endpoint_url, config=settings)

    def server_log(self) -> str:
        """What the server has written into its log so far."""
        assert self._home is not None
        return (self._home / "server.log").read_text(encoding="utf-8")

    def role(self) -> str:
        """The ARN of a role that Lambda may assume and that may do what the tutorial's role may."""
        iam = self.client("iam")
        name = f"role-{uuid.uuid4().hex[:8]}"
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]["Arn"]
        for policy in ("AmazonDynamoDBFullAccess", "service-role/AWSLambdaBasicExecutionRole"):
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return arn

    def table(self, name: str | None = None, keys: Mapping[str, str] = ORDER_KEYS, **settings: object) -> str:
        """Create a table as `table_request` says, under a new name unless one is given, and return its name."""
        name = name or f"table-{uuid.uuid4().hex[:8]}"
        self.client("dynamodb").create_table(**table_request(name, keys, **settings))
        return name

    def function(self, source: str, handler: str = "main.handler", **settings: object) -> str:
        """Create a function from Python source, wait until it is active, and return its name.

        It may take a minute, unless told otherwise: Lambda's three seconds are short on a busy machine.
        """
        name = f"function-{uuid.uuid4().hex[:8]}"
        lambda_ = self.client("lambda")
        lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=settings.pop("Role", None) or self.role(),
            Handler=handler,
            Code={"ZipFile": zip_of({"main.py": source})},
            **{"Timeout": 60, **settings},
        )
        lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        return name

    def subscribe(self, function: str, rule: str, pattern: dict) -> None:
        """Have a rule hand the events that match to a function, with the permission for it."""
        events, lambda_ = self.client("events"), self.client("lambda")
        rule_arn = events.put_rule(Name=rule, EventPattern=json.dumps(pattern))["RuleArn"]
        lambda_.add_permission(
            FunctionName=function,
            StatementId=rule,
            Action="lambda:InvokeFunction",
            Principal="events.amazonaws.com",
            SourceArn=rule_arn,
        )
        arn = lambda_.get_function(FunctionName=function)["Configuration"]["FunctionArn"]
        events.put_targets(Rule=rule, Targets=[{"Id": "function", "Arn": arn}])

    def invoke(self, name: str, payload: object = None, **settings: object):
        """Invoke a function and return the answer with its payload parsed."""
        answer = self.client("lambda").invoke(FunctionName=name, Payload=json.dumps(payload), **settings)
        answer["Json"] = json.loads(answer["Payload"].read() or "null")
        return answer

    def log(self, name: str) -> list[str]:
        """All log events of a function, oldest first; none while it has no log group."""
        logs = self.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        try:
            events = [event for page in pages for event in page["events"]]
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]


def gone(pid: int) -> bool:
    """Wait until the process has ended; one that only waits to be reaped by its parent has.

    Its first thread may have ended before the others, which still hold its connections.
    """

    def ended() -> bool:
        try:
            process = psutil.Process(pid)
            return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1
        except psutil.NoSuchProcess:
            return True

    return eventually(ended, f"the end of process {pid}")


def table_request(name: str, keys: Mapping[str, str] = ORDER_KEYS, **settings: object) -> dict:
    """Make the parameters of a CreateTable call: paid by request; `settings` are further ones, or others.

    keys: {name: type} of the partition key and, after it, the sort key if there is one, as {"Id": "S", "At": "N"}.
    """
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    return {
        "TableName": name,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
        "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        **settings,
    }


def zip_of(files: dict[str, str]) -> bytes:
    """A deployment package with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def serve(module: str, folder: Path, *arguments: str) -> tuple[subprocess.Popen, lifecycle.Access]:
    """Start a module of these tests that serves a changed account in `folder`, and wait until it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    home, command = Home(folder), [sys.executable, "-m", module, str(folder), *arguments]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT)
    try:
        eventually(lambda: home.read() or process.poll() is not None, "the server")
    finally:
        if (state := home.read()) is None:
            process.kill()
    if state is None:
        raise RuntimeError((folder / "server.log").read_text(encoding="utf-8"))
    state |= {"started": True}
    return process, lifecycle.Access(**{name: state[name] for name in lifecycle.Access.__dataclass_fields__})


class Gate:
    """Holds functions and other programs up until a test lets them go on; they say that they are there."""

    #: Source for them: pass_gate(folder) says that its caller is there and returns when the gate is open.
    SOURCE = """
import os as _os, time as _time, uuid as _uuid
def pass_gate(folder):
    open(_os.path.join(folder, "waits-" + _uuid.uuid4().hex), "w").close()
    end = _time.monotonic() + 600
    while not _os.path.exists(_os.path.join(folder, "open")) and _time.monotonic() < end:
        _time.sleep(0.02)
"""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = str(folder)

    def count(self) -> int:
        """How many have come to the gate so far."""
        return len(list(Path(self.folder).glob("waits-*")))

    def wait_for(self, count: int = 1) -> None:
        """Wait until so many have come."""
        eventually(lambda: self.count() >= count, f"{count} at the gate")

    def open(self) -> None:
        """Let everybody go on, now and later."""
        Path(self.folder, "open").touch()


class own_home:
    """Within this context, `lifecycle` speaks of the server in `home`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def __enter__(self) -> None:
        self._before = os.environ.get("LOCAL_AWS_HOME")
        os.environ["LOCAL_AWS_HOME"] = str(self._home)

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            os.environ.pop("LOCAL_AWS_HOME", None)
        else:
            os.environ["LOCAL_AWS_HOME"] = self._before
