"""Those who are half in: functions with a role's credentials, whoever has overheard a request, other users.

tests/local_aws/test_security.py plays those who have nothing.
"""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import quote, urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.local_aws.account.credentials import Credentials, CredentialStore
from helpers.local_aws.http import http1, signing
from helpers.paths import PROJECT
from tests.support.embedded_aws import Aws, own_home
from tests.support.folders import open_to_others
from tests.support.polling import PATIENCE
from tests.support.raw_requests import address_of_aws, send, signed  # noqa: F401

posix = pytest.mark.skipif(
    os.name != "posix", reason="Windows has no permission bits: a profile's ACL protects its files"
)


class Session:
    """Somebody with the credentials of a role that may do `actions`, and nothing else."""

    def __init__(self, aws, *actions: str) -> None:
        self._aws, self.role = aws, f"role-{uuid.uuid4().hex[:8]}"
        iam = aws.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.arn = iam.create_role(RoleName=self.role, AssumeRolePolicyDocument=document)["Role"]["Arn"]
        if actions:
            allow = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
            iam.put_role_policy(RoleName=self.role, PolicyName="own", PolicyDocument=policy)
        given = aws.client("sts").assume_role(RoleArn=self.arn, RoleSessionName="session")["Credentials"]
        self.keys = Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def client(self, service: str):
        """A client of a session of its own: what others have made of boto3's default one is none of its business."""
        return boto3.Session().client(
            service,
            endpoint_url=self._aws.account.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id=self.keys.access_key,
            aws_secret_access_key=self.keys.secret_key,
            aws_session_token=self.keys.token,
        )

    def send(self, service: str, body: str | bytes = "{}", method: str = "POST", path: str = "/", **headers: str):
        """A request with any headers, all of them signed; the status and the text of the answer."""
        request = AWSRequest(method, self._aws.account.endpoint_url + path, data=body)
        for name, value in headers.items():
            request.headers[name.replace("__", "\0").replace("_", "-").replace("\0", "_")] = value
        SigV4Auth(self.keys, service, "us-east-1").add_auth(request)
        where = urlsplit(self._aws.account.endpoint_url)
        status, _, answer = send((where.hostname, where.port), dict(request.headers), body, method, path)
        return status, answer.decode("utf-8", "replace")


@pytest.fixture
def rule(aws):
    events, name = aws.client("events"), f"victim-{uuid.uuid4().hex[:8]}"
    events.put_rule(Name=name, EventPattern='{"source": ["x"]}')
    yield name
    events.delete_rule(Name=name)


def deny(aws, session: Session, action: str, resource: str) -> None:
    statement = {"Effect": "Deny", "Action": action, "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="denied", PolicyDocument=policy)


def exists(aws, rule: str) -> bool:
    return [found["Name"] for found in aws.client("events").list_rules(NamePrefix=rule)["Rules"]] == [rule]


FORM = "application/x-www-form-urlencoded"


class TestARequestThatNamesTwoOperations:
    """Who may read says "read" to IAM, and tries to say "delete" to the service."""

    def test_its_own_operation_is_answered(self, aws, rule):
        reader = Session(aws, "events:ListRules")
        status, answer = reader.send(
            "events",
            json.dumps({"NamePrefix": rule}),
            X_Amz_Target="AWSEvents.ListRules",
            Content_Type="application/x-amz-json-1.1",
        )
        assert status == 200 and rule in answer

    @pytest.mark.parametrize("way", ["query", "form", "body", "header", "underscore", "parts", "plain query", "name"])
    def test_an_event_bus_is_not_deceived(self, aws, rule, way):
        reader = Session(aws, "events:ListRules")
        target = {"X_Amz_Target": "AWSEvents.ListRules", "Content_Type": "application/x-amz-json-1.1"}
        wanted = f"Action=DeleteRule&Name={rule}"
        own = json.dumps({"Name": rule})
        attempts = {
            "query": lambda: reader.send("events", own, path=f"/?{wanted}", **target),
            "form": lambda: reader.send("events", wanted, **{**target, "Content_Type": FORM}),
            "body": lambda: reader.send("events", json.dumps({"NamePrefix": f"&{wanted}&"}), **target),
            "header": lambda: reader.send("events", own, Action="DeleteRule", Name=rule, **target),
            "underscore": lambda: reader.send("events", own, x__amz__target="AWSEvents.DeleteRule", **target),
            "parts": lambda: reader.send(
                "events", "--b\r\nContent-Disposition: form-data; name=Action\r\n\r\nDeleteRule\r\n--b--\r\n",
                **{**target, "Content_Type": "multipart/form-data; boundary=b"},
            ),
            "plain query": lambda: reader.send("events", own, path=f"/?{wanted}"),
            "name": lambda: reader.send("events", own, path=f"/?Name={rule}", **target),
        }  # fmt: skip
        status, answer = attempts[way]()
        assert exists(aws, rule), answer
        assert status in (400, 403) or (way == "body" and status == 200)

    @pytest.mark.parametrize("way", ["target", "both", "twice", "header", "parts"])
    def test_iam_is_not_deceived(self, aws, way):
        reader, victim = Session(aws, "iam:GetRole"), Session(aws)
        get, delete = (f"Action={op}Role&RoleName={victim.role}&Version=2010-05-08" for op in ("Get", "Delete"))
        form = {"Content_Type": FORM}
        assert reader.send("iam", get, **form)[0] == 200
        attempts = {
            "target": lambda: reader.send("iam", delete, X_Amz_Target="x.GetRole", **form),
            "both": lambda: reader.send("iam", delete, path=f"/?{get}", **form),
            "twice": lambda: reader.send("iam", f"{delete}&Action=GetRole", **form),
            "header": lambda: reader.send("iam", "", Action="DeleteRole", RoleName=victim.role),
            "parts": lambda: reader.send(
                "iam", delete, path=f"/?{get}", Content_Type="multipart/form-data; boundary=b"
            ),
        }
        status, answer = attempts[way]()
        assert status in (400, 403), answer
        assert aws.client("iam").get_role(RoleName=victim.role)

    def test_a_form_that_is_not_called_one_does_nothing(self, aws):
        """moto may take any body for a form; IAM has not been asked about what is in it, so nothing must happen."""
        caller, victim = Session(aws, "iam:*"), Session(aws)
        deny(aws, caller, "iam:DeleteRole", "*")
        request = f"Action=DeleteRole&RoleName={victim.role}&Version=2010-05-08"
        for headers in ({}, {"Content_Type": "text/plain"}, {"Content_Type": FORM}):
            status, answer = caller.send("iam", request, **headers)
            assert status >= 400 and "DeleteRoleResponse" not in answer
        assert aws.client("iam").get_role(RoleName=victim.role)

    def test_a_packed_body_hides_nothing(self, aws):
        table, caller = aws.table(), Session(aws, "dynamodb:*")
        deny(aws, caller, "dynamodb:DescribeTable", f"arn:aws:dynamodb:*:*:table/{table}")
        headers = {"X_Amz_Target": "DynamoDB_20120810.DescribeTable", "Content_Type": "application/x-amz-json-1.0"}
        body = json.dumps({"TableName": table})
        packed = gzip.compress(body.encode())
        for sent, more in ((body, {}), (packed, {"Content_Encoding": "gzip"})):
            status, answer = caller.send("dynamodb", sent, **headers, **more)
            assert (status, "explicit deny" in answer) == (400, True)

    @pytest.mark.parametrize("way", ["target", "action", "header"])
    def test_lambda_is_not_deceived(self, aws, way):
        name = aws.function("def handler(event, context): pass")
        reader = Session(aws, "lambda:GetFunction", "lambda:ListFunctions")
        path = f"/2015-03-31/functions/{name}"
        attempts = {
            "target": lambda: reader.send("lambda", "", "GET", path, X_Amz_Target="x.DeleteFunction"),
            "action": lambda: reader.send("lambda", "", "DELETE", f"{path}?Action=GetFunction"),
            "header": lambda: reader.send("lambda", "", "GET", path, Action="DeleteFunction"),
        }
        status, answer = attempts[way]()
        assert status in (400, 403), answer
        assert aws.client("lambda").get_function(FunctionName=name)


class TestCredentialsOfAFunction:
    def test_they_may_nothing_when_their_role_is_deleted(self, aws):
        caller = Session(aws, "dynamodb:ListTables")
        assert "TableNames" in caller.client("dynamodb").list_tables()
        aws.client("iam").delete_role_policy(RoleName=caller.role, PolicyName="own")
        aws.client("iam").delete_role(RoleName=caller.role)
        with pytest.raises(ClientError, match="UnrecognizedClientException"):
            caller.client("dynamodb").list_tables()

    def test_they_are_refused_when_they_have_expired(self):
        def request(keys: Credentials) -> http1.Request:
            sent = AWSRequest("POST", "http://127.0.0.1:1/", data="{}")
            SigV4Auth(
                Keys(keys.access_key_id, keys.secret_access_key, keys.session_token), "sts", "us-east-1"
            ).add_auth(sent)
            headers = {name.lower(): value for name, value in sent.headers.items()}
            return http1.Request("POST", "/", {"host": "127.0.0.1:1", **headers}, b"{}")

        for seconds, refused in ((60, False), (-1, True)):
            keys = Credentials("ASIA" + "A" * 16, "s" * 40, "token", "role", time.time() + seconds)
            if refused:
                with pytest.raises(signing.NotAuthenticated) as refusal:
                    signing.authenticate(request(keys), CredentialStore(keys))
                assert refusal.value.code == "ExpiredTokenException"
            else:
                assert signing.authenticate(request(keys), CredentialStore(keys)).credentials is keys

    def test_no_token_of_somebody_elses_opens_a_role(self, aws):
        """SDKs do not even sign these two operations: a token of an identity provider is to say who asks."""
        caller, victim = Session(aws), Session(aws, "iam:*")
        role = f"RoleArn={quote(victim.arn)}&RoleSessionName=session&Version=2011-06-15"
        for request in (
            f"Action=AssumeRoleWithWebIdentity&WebIdentityToken=token&{role}",
            f"Action=AssumeRoleWithSAML&SAMLAssertion=AAAA&PrincipalArn=arn%3Aaws%3Aiam%3A%3A1%3Asaml-provider/p&{role}",
        ):
            status, answer = caller.send("sts", request, Content_Type=FORM)
            assert (status, "InvalidIdentityToken" in answer, "SecretAccessKey" in answer) == (400, True, False)

    def test_they_open_no_other_account(self, aws):
        caller = Session(aws, "sts:AssumeRole", "dynamodb:DescribeTable")
        foreign = "arn:aws:iam::210987654321:role/role"
        with pytest.raises(ClientError, match="AccessDenied"):
            caller.client("sts").assume_role(RoleArn=foreign, RoleSessionName="session")
        json_ = {"X_Amz_Target": "DynamoDB_20120810.DescribeTable", "Content_Type": "application/x-amz-json-1.0"}
        asked = json.dumps({"TableName": aws.table()})
        status, _ = caller.send("dynamodb", asked, X_Moto_Account_Id="210987654321", **json_)
        assert status == 200, "moto's header changes nothing"

    @pytest.mark.parametrize(
        "service", ["dynamodb", "motoapi", "moto_api", "motoapi.amazonaws.com", "instance_metadata"]
    )
    @pytest.mark.parametrize("path", ["/moto-api/reset", "/moto-api/data.json", "/moto-api/config", "/_local_aws/stop"])
    def test_the_server_itself_is_out_of_reach(self, aws, service, path):
        caller = Session(aws, "dynamodb:*")
        for method in ("GET", "POST"):
            status, answer = caller.send(service, "", method, path)
            assert 400 <= status < 502 and status != 500, answer
            assert "account" not in answer.lower() or "AccessDenied" in answer or "not authorized" in answer
        assert aws.client("sts").get_caller_identity()["Account"] == "123456789012"
        assert aws.client("iam").get_role(RoleName=caller.role)

    @posix
    def test_another_process_gets_no_event_of_a_function(self, aws):
        """The Runtime API's port is no secret. What asks there and is not the worker is not answered."""
        source = """
import os, subprocess, sys
ASK = '''import sys, urllib.request
try:
    print(urllib.request.urlopen(f"http://{sys.argv[1]}/2018-06-01/runtime/invocation/next", timeout=5).read())
except Exception as error:
    print("refused", type(error).__name__)'''
def handler(event, context):
    api = os.environ["AWS_LAMBDA_RUNTIME_API"]
    return subprocess.run([sys.executable, "-c", ASK, api], capture_output=True, text=True).stdout
"""
        name = aws.function(source, Timeout=20)
        assert aws.invoke(name, {"secret": 1})["Json"].startswith("refused")


class TestWhoeverOverheardARequest:
    def test_it_can_be_sent_again_only_for_some_minutes(self, aws, address):
        """As on AWS, where only TLS keeps others from overhearing it; here only this machine's administrator can."""
        headers = signed(aws)
        assert [send(address, headers)[0] for _ in range(2)] == [200, 200]

    @pytest.mark.parametrize(
        "change",
        [
            {"X-Amz-Target": "DynamoDB_20120810.DeleteTable"},
            {"Host": "localhost:{port}"},
            {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"},
            {"X-Amz-Security-Token": "x"},
            {"X-Amz-Date": "20200101T000000Z"},
        ],
    )
    def test_nothing_of_it_can_be_changed_or_added(self, aws, address, change):
        headers = {name.lower(): value for name, value in signed(aws).items()}
        altered = {name.lower(): value.format(port=address[1]) for name, value in change.items()}
        status, _, answer = send(
            address, {"Host": altered.pop("host", f"127.0.0.1:{address[1]}"), **headers, **altered}
        )
        assert status == 400
        assert json.loads(answer)["__type"] in ("InvalidSignatureException", "UnrecognizedClientException")

    @pytest.mark.parametrize("change", [{"body": '{"Limit": 1}'}, {"path": "/?Action=other"}, {"method": "PUT"}])
    def test_it_is_good_for_its_own_body_and_address_alone(self, aws, address, change):
        status, _, answer = send(address, signed(aws), **change)
        assert (status, json.loads(answer)["__type"]) == (400, "InvalidSignatureException")

    @pytest.mark.parametrize("expires", [60, -60])
    def test_a_presigned_address_opens_nothing(self, aws, address, expires):
        """Nothing in the embedded AWS needs one; so none is good, and not only when its time is over."""
        request = AWSRequest("GET", aws.account.endpoint_url + "/?Action=GetCallerIdentity&Version=2011-06-15")
        keys = Keys(aws.account.access_key_id, aws.account.secret_access_key)
        SigV4QueryAuth(keys, "sts", "us-east-1", expires=expires).add_auth(request)
        path = request.url.removeprefix(aws.account.endpoint_url)
        assert send(address, {}, "", "GET", path)[0] == 403


class TestAWebPage:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_what_its_images_and_forms_ask_for_is_refused(self, aws, address, site):
        status, headers, _ = send(address, {**signed(aws), "Sec-Fetch-Site": site})
        assert status == 403
        assert not any(name.lower().startswith("access-control") for name in headers)

    @pytest.mark.parametrize("content_type", ["text/plain", FORM, "multipart/form-data; boundary=b"])
    def test_its_forms_do_nothing(self, address, content_type):
        sent = {"Content-Type": content_type, "Origin": "null"}
        for extra in ({}, {"Sec-Fetch-Site": "cross-site"}):
            assert send(address, {**sent, **extra}, "Action=CreateUser&UserName=evil")[0] == 403

    @pytest.mark.parametrize("host", ["[::1]:{port}", "[::ffff:127.0.0.1]:{port}", "0.0.0.0:{port}", "127.1:{port}"])
    def test_no_other_name_of_this_machine_is_ours(self, aws, address, host):
        assert send(address, {**signed(aws), "Host": host.format(port=address[1])})[0] == 403


class TestAnotherUser:
    @posix
    def test_nothing_of_an_account_is_readable_whatever_the_mask(self, tmp_path):
        """With a mask that hides nothing, in a folder that everybody may look into."""
        home = tmp_path / "open"
        home.mkdir()
        home.chmod(0o777)
        start = "import os; os.umask(0); from helpers.local_aws import lifecycle; lifecycle.start()"
        with own_home(home):
            subprocess.run([sys.executable, "-c", start], cwd=PROJECT, check=True, timeout=PATIENCE)
            try:
                account = lifecycle.start()
                assert Aws(account).client("lambda").list_functions()["Functions"] == []
                assert stat.S_IMODE(home.stat().st_mode) == 0o700
                modes = {
                    path.name: stat.S_IMODE(path.stat().st_mode) for path in home.rglob("*") if path.name != "lock"
                }
                assert {"account.json", "server.log", "scratch", "functions"} <= modes.keys()
                assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
            finally:
                lifecycle.stop()

    @posix
    def test_a_folder_into_which_others_write_is_refused(self, tmp_path):
        shared = tmp_path / "shared"
        shared.mkdir()
        (shared / "somebody's").touch()
        shared.chmod(0o1777)
        with own_home(shared), pytest.raises(WorkbookError, match="LOCAL_AWS_HOME"):
            lifecycle.start()
        assert stat.S_IMODE(shared.stat().st_mode) == 0o1777, "it is not ours to change"

    @posix
    @pytest.mark.skipif(
        getattr(os, "geteuid", lambda: 1)() != 0, reason="only root can make a folder of another user's"
    )
    def test_a_folder_of_another_users_is_refused(self, tmp_path):
        home = tmp_path / "theirs"
        home.mkdir()
        home.chmod(0o755)
        open_to_others(tmp_path)
        start = (
            "import os; from helpers.errors import WorkbookError; from helpers.local_aws import lifecycle\n"
            "os.setuid(65534)\n"
            "try: lifecycle.start()\nexcept WorkbookError as error: print(error)"
        )
        with own_home(home):
            shown = subprocess.run(
                [sys.executable, "-c", start], cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE
            )
        if "Permission" in shown.stderr:
            pytest.skip("another user cannot read this project")
        assert "belongs to another user" in shown.stdout, shown.stderr


def test_jupyterlab_keeps_its_token():
    """Whoever has JupyterLab has the learner's kernels: neither our options nor our settings may open it."""
    from helpers.lab import launch, options

    given = " ".join(launch.defaults(options.read([]), PROJECT)).lower()
    settings = " ".join(path.read_text() for path in Path(PROJECT, "helpers", "lab", "jupyter").rglob("*.json")).lower()
    for word in ("token", "password", "disable_check_xsrf", "allow_origin", "ip=", "allow_remote"):
        assert word not in given and word not in settings


@pytest.mark.parametrize("content_type", ["application/x-amz-json-1.1", "text/plain", "application/json"])
def test_the_text_of_an_event_is_no_parameter_whatever_the_content_type(aws, content_type):
    entry = {"Source": "shop", "DetailType": "t", "Detail": json.dumps({"note": "&Entries=none&Action=DeleteRule&"})}
    status, answer = Session(aws, "events:PutEvents").send(
        "events", json.dumps({"Entries": [entry]}), X_Amz_Target="AWSEvents.PutEvents", Content_Type=content_type
    )
    assert status == 200 and json.loads(answer)["FailedEntryCount"] == 0, answer
