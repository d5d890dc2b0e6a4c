"""The embedded AWS runs code that it is sent. These tests play those who must not be able to send it any."""

from __future__ import annotations

import json
import os
import socket
import stat
import time
import uuid
from pathlib import Path

import boto3
import psutil
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.polling import PATIENCE
from tests.support.raw_requests import address_of_aws, send, signed  # noqa: F401


def test_a_signed_request_is_answered(aws, address):
    status, _, body = send(address, signed(aws))
    assert status == 200
    assert "TableNames" in json.loads(body)


class TestAHostileWebPage:
    """A page in the learner's browser can send requests to 127.0.0.1, and by DNS rebinding under a name of its own."""

    def test_its_origin_gives_it_away(self, aws, address):
        status, headers, _ = send(address, {**signed(aws), "Origin": "https://evil.example"})
        assert status == 403
        assert not any(name.lower().startswith("access-control") for name in headers)

    @pytest.mark.parametrize("origin", ["null", "http://127.0.0.1:1", "http://localhost.evil.example"])
    def test_any_foreign_origin_is_refused(self, aws, address, origin):
        assert send(address, {**signed(aws), "Origin": origin})[0] == 403

    @pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
    def test_its_host_name_gives_it_away(self, address, host):
        assert send(address, {"Host": host})[0] == 403

    def test_a_preflight_gets_no_permission(self, address):
        asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        status, headers, _ = send(address, asked, method="OPTIONS")
        assert status == 403
        assert not any(name.lower().startswith("access-control") for name in headers)

    @pytest.mark.parametrize(
        "path", ["/", "/moto-api/data.json", "/moto-api/reset", "/_local_aws/status", "/2015-03-31/functions"]
    )
    def test_a_simple_request_without_origin_is_not_answered(self, address, path):
        for method in ("GET", "POST"):
            status, headers, _ = send(address, {}, method=method, path=path)
            assert status in (400, 403)
            assert not any(name.lower().startswith("access-control") for name in headers)


class TestAnotherUserOfTheMachine:
    def test_the_credentials_are_readable_by_their_owner_alone(self, aws):
        if os.name != "posix":
            pytest.skip("this platform has no permission bits; the user's profile folder is protected as a whole")
        home = _home_of(aws)
        assert stat.S_IMODE((home / "account.json").stat().st_mode) == 0o600

    def test_an_unsigned_request_is_refused(self, address):
        assert send(address, {"X-Amz-Target": "DynamoDB_20120810.ListTables"})[0] in (400, 403)

    def test_a_guessed_secret_is_refused(self, aws, address):
        status, _, body = send(address, signed(aws, secret="x" * 40))
        assert status == 400
        assert json.loads(body)["__type"] == "InvalidSignatureException"

    def test_an_unknown_key_is_refused(self, aws, address):
        status, _, body = send(address, signed(aws, key="AKIAIOSFODNN7EXAMPLE"))
        assert (status, json.loads(body)["__type"]) == (400, "UnrecognizedClientException")

    @pytest.mark.parametrize("expect", [{}, {"Expect": "100-continue"}])
    @pytest.mark.parametrize(("service", "code"), [("lambda", "UnrecognizedClientException"), ("s3", "InvalidClient")])
    def test_a_large_request_of_an_unknown_key_is_answered_as_a_small_one(self, aws, address, expect, service, code):
        """Nothing of it is kept; the answer is AWS's all the same, and comes when its sender listens."""
        headers = {**signed(aws, key="AKIAIOSFODNN7EXAMPLE", service=service), **expect}
        if service == "s3":
            del headers["X-Amz-Target"]
        status, _, body = send(address, headers, "x" * 5_000_000)
        assert status in (400, 403) and code in body.decode()

    def test_a_large_request_with_a_guessed_secret_is_refused(self, aws, address):
        status, _, body = send(address, signed(aws, secret="x" * 40), "x" * 5_000_000)
        assert (status, json.loads(body)["__type"]) == (400, "InvalidSignatureException")

    @pytest.mark.parametrize("path", ["/_local_aws/stop", "/_function-code/x?Expires=9999999999&Signature=x"])
    def test_a_large_request_is_refused_in_every_place(self, aws, address, path):
        assert send(address, {}, "x" * 5_000_000, path=path)[0] == 403

    def test_a_request_sent_again_much_later_is_refused(self, aws, address, monkeypatch):
        import datetime as real

        class Earlier(real.datetime):
            @classmethod
            def now(cls, zone=None):
                return real.datetime.now(zone) - real.timedelta(minutes=20)

            @classmethod
            def utcnow(cls):
                return cls.now(real.UTC).replace(tzinfo=None)

        import botocore.auth

        for name in ("datetime", "get_current_datetime"):
            if hasattr(botocore.auth, name):
                replacement = Earlier if name == "datetime" else (lambda *_, **__: Earlier.now(real.UTC))
                monkeypatch.setattr(botocore.auth, name, replacement)
        headers = signed(aws)
        assert headers["X-Amz-Date"] < time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - 600)), (
            "the test's clock"
        )
        status, _, body = send(address, headers)
        assert status == 400
        assert "expired" in json.loads(body)["message"]

    def test_the_server_listens_on_loopback_alone(self, aws, address):
        listening = {
            connection.laddr.ip
            for connection in psutil.Process(aws.account.pid).net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}

    def test_credentials_are_new_at_every_start(self, aws):
        assert aws.account.access_key_id.startswith("LKIA")
        assert len(aws.account.secret_access_key) == 40


class TestCredentialsThatTheAccountIssued:
    def test_an_iam_users_key_works_until_it_is_deleted(self, aws):
        iam = aws.client("iam")
        iam.create_user(UserName="teacher")
        key = iam.create_access_key(UserName="teacher")["AccessKey"]
        sts = _client(aws, "sts", key["AccessKeyId"], key["SecretAccessKey"])
        assert sts.get_caller_identity()["Arn"].endswith(":user/teacher")
        iam.delete_access_key(UserName="teacher", AccessKeyId=key["AccessKeyId"])
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            sts.get_caller_identity()

    def test_an_assumed_roles_credentials_need_their_session_token(self, aws):
        role = _role_trusting(aws, {"AWS": "arn:aws:iam::123456789012:root"})
        keys = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
        pair = keys["AccessKeyId"], keys["SecretAccessKey"]
        identity = _client(aws, "sts", *pair, keys["SessionToken"]).get_caller_identity()
        assert identity["Arn"].endswith("/session")
        with pytest.raises(ClientError, match="InvalidClientTokenId"):
            _client(aws, "sts", *pair, "another token").get_caller_identity()

    def test_a_role_is_assumed_only_by_whom_it_trusts(self, aws):
        caller = "arn:aws:iam::123456789012:user/administrator"
        assert aws.client("sts").get_caller_identity()["Arn"] == caller
        for principal in ({"Service": "lambda.amazonaws.com"}, {"AWS": "arn:aws:iam::210987654321:root"}):
            role = _role_trusting(aws, principal)
            with pytest.raises(ClientError) as refused:
                aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")
            assert refused.value.response["Error"] == {
                "Type": "Sender",
                "Code": "AccessDenied",
                "Message": f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role}",
            }


class TestMalformedHttp:
    @pytest.mark.parametrize(
        "raw",
        [
            b"nonsense\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
            b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            b"POST / HTTP/1.1\r\nHost : x\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n",
            b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(500)) + b"\r\n",
        ],
    )
    def test_it_is_refused_and_the_server_goes_on(self, aws, address, raw):
        with socket.create_connection(address, timeout=PATIENCE) as connection:
            connection.sendall(raw)
            answer = connection.recv(65536)
        assert answer.split(b" ")[1][:1] == b"4"
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"


def test_moto_s_own_interface_is_out_of_reach(aws, address):
    """moto's server would let anybody reset or read the account under /moto-api; signed or not, it is not there."""
    for path in ("/moto-api/reset", "/moto-api/data.json"):
        request = AWSRequest("POST", aws.account.endpoint_url + path, data="{}")
        keys = Credentials(aws.account.access_key_id, aws.account.secret_access_key)
        SigV4Auth(keys, "dynamodb", "us-east-1").add_auth(request)
        status, _, body = send(address, dict(request.headers), path=path)
        assert status != 200 or b"moto" not in body.lower()
    assert "TableNames" in aws.client("dynamodb").list_tables()


def _client(aws, service: str, key: str, secret: str, token: str | None = None):
    return boto3.client(
        service,
        endpoint_url=aws.account.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


def _role_trusting(aws, principal: dict[str, str]) -> str:
    name = f"role-{uuid.uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]


def _home_of(aws) -> Path:
    command = psutil.Process(aws.account.pid).cmdline()
    return Path(command[command.index("--home") + 1])
