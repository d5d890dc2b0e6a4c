"""What the black-box tests share: an account of the embedded AWS, with short ways to make what a test needs."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

import boto3
import psutil
from botocore.config import Config

from helpers.local_aws import lifecycle
from helpers.paths import PROJECT

LAMBDA_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


class Aws:
    """An account: `aws.client("lambda")`, and short ways to make what a test needs."""

    def __init__(self, account: lifecycle.Account, home: Path | None = None) -> None:
        self.account = account
        self._home = home
        self.session = boto3.Session(
            aws_access_key_id=account.access_key_id,
            aws_secret_access_key=account.secret_access_key,
            region_name=account.region,
        )

    def client(self, service: str, **config: object):
        """A client that tries once: a test wants to see the first error."""
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

    def function(self, source: str, handler: str = "main.handler", **settings: object) -> str:
        """Create a function from Python source, wait until it is active, and return its name."""
        name = f"function-{uuid.uuid4().hex[:8]}"
        lambda_ = self.client("lambda")
        lambda_.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=settings.pop("Role", None) or self.role(),
            Handler=handler,
            Code={"ZipFile": zip_of({"main.py": source})},
            **settings,
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
        """All log events of a function, oldest first."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{name}")
        events = [event for page in pages for event in page["events"]]
        return [event["message"] for event in sorted(events, key=lambda event: event["timestamp"])]


def gone(pid: int, seconds: float = 30) -> bool:
    """Does the process end within some seconds? One that only waits to be collected by its parent has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.05)
    return False


def zip_of(files: dict[str, str]) -> bytes:
    """A deployment package with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def serve(module: str, folder: Path, *arguments: str) -> tuple[subprocess.Popen, lifecycle.Account]:
    """Start a module of these tests that serves a changed account in `folder`, and wait until it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    home, command = lifecycle.Home(folder), [sys.executable, "-m", module, str(folder), *arguments]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=PROJECT)
    end = time.monotonic() + 60
    while (state := home.read()) is None:
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            raise RuntimeError((folder / "server.log").read_text(encoding="utf-8"))
        time.sleep(0.05)
    state |= {"started": True}
    return process, lifecycle.Account(**{name: state[name] for name in lifecycle.Account.__dataclass_fields__})


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
