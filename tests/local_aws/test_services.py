"""The account inside of somebody's interpreter: answered without a socket, in threads or in a loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.paths import PROJECT

#: Sends what boto3 has signed straight into an account, and prints what came of it.
PROBE = """
import json, os, sys
import boto3
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from helpers.local_aws.engine.loop import Loop
from helpers.local_aws.http.http1 import Request
from helpers.local_aws.services import Account

URL = "http://127.0.0.1:4566"
class Raw:
    def __init__(self, body): self.body = body
    def stream(self, **_): yield self.body

def send(request, **_):
    headers = {name.lower(): value.decode() if isinstance(value, bytes) else value
               for name, value in request.headers.items()}
    headers["host"] = URL.removeprefix("http://")
    body = request.body or b""
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else body.read()
    asked = Request(request.method, request.url.removeprefix(URL), headers, body)
    status, headers, body = account.answer(asked)
    return AWSResponse(request.url, status, headers, Raw(body))

session = boto3.Session("key", "secret", region_name="us-east-1")
session.events.register("before-send", send)
events, dynamodb, sqs, sts = (session.client(name, endpoint_url=URL) for name in ("events", "dynamodb", "sqs", "sts"))

os.environ["AWS_PROFILE"] = "nobody"
before = dict(os.environ)
account = Account(URL, runs_in=Loop() if sys.argv[1] == "loop" else None)
account.resume()
keys = account.administrator
for client in (events, dynamodb, sqs, sts):
    client._request_signer._credentials = Credentials(keys.access_key_id, keys.secret_access_key)
dynamodb.create_table(TableName="t", BillingMode="PAY_PER_REQUEST",
    AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "S"}],
    KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}])
dynamodb.put_item(TableName="t", Item={"Id": {"S": "1"}})
queue = sqs.create_queue(QueueName="q")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
    "Resource": arn}]})})
events.put_rule(Name="r", EventPattern=json.dumps({"source": ["shop"]}))
events.put_targets(Rule="r", Targets=[{"Id": "q", "Arn": arn}])
events.put_events(Entries=[{"Source": "shop", "DetailType": "Order", "Detail": "{}"}])
received = []
while not received:
    received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", [])
try:
    Account(URL)
except RuntimeError as error:
    second = str(error)
account.close()
print(json.dumps({
    "account": sts.get_caller_identity()["Account"],
    "item": dynamodb.get_item(TableName="t", Key={"Id": {"S": "1"}})["Item"],
    "source": json.loads(received[0]["Body"])["source"],
    "second": second,
    "changed": sorted(set(before.items()) ^ set(os.environ.items())),
}))
os._exit(0)
"""


@pytest.mark.parametrize("form", ["threads", "loop"])
def test_an_account_answers_without_a_process_of_its_own(tmp_path: Path, form: str):
    """A rule's event reaches its queue; the interpreter's own settings, be they wrong, are left as they are."""
    users_own = {"MOTO_ACCOUNT_ID": "000000000000", "PYTHONPATH": str(PROJECT)}
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(probe), form], cwd=tmp_path, env=os.environ | users_own, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "account": "123456789012",
        "item": {"Id": {"S": "1"}},
        "source": "shop",
        "second": "this process has an account already",
        "changed": [],
    }
