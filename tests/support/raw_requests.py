"""Requests to an embedded AWS as somebody sends them who uses no SDK."""

from __future__ import annotations

import http.client

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.embedded_aws import Aws
from tests.support.polling import PATIENCE


@pytest.fixture(name="address")
def address_of_aws(aws: Aws) -> tuple[str, int]:
    host, _, port = aws.account.endpoint_url.removeprefix("http://").partition(":")
    return host, int(port)


def send(
    address: tuple[str, int], headers: dict[str, str], body: str | bytes = "{}", method: str = "POST", path: str = "/"
) -> tuple[int, dict[str, str], bytes]:
    """One raw request with exactly these headers; the status, headers and body of the answer."""
    connection = http.client.HTTPConnection(*address, timeout=PATIENCE)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode() if isinstance(body, str) else body)
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def signed(
    aws: Aws, target: str = "DynamoDB_20120810.ListTables", service: str = "dynamodb", **changes
) -> dict[str, str]:
    """The headers of a valid request (ListTables unless told), changed where a test says so."""
    account = aws.account
    keys = Credentials(changes.get("key", account.access_key_id), changes.get("secret", account.secret_access_key))
    request = AWSRequest("POST", account.endpoint_url + "/", data="{}")
    request.headers["X-Amz-Target"] = target
    request.headers["Content-Type"] = "application/x-amz-json-1.0"
    SigV4Auth(keys, service, "us-east-1").add_auth(request)
    return dict(request.headers)
