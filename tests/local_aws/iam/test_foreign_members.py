"""IAM is asked about what an operation acts on, whatever else stands in its request."""

from __future__ import annotations

import json
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.core.model import OperationModel

from helpers.local_aws.account.credentials import Credentials
from helpers.local_aws.account.service_table import SERVICES, Service, named
from helpers.local_aws.http.call import Unreadable, read
from helpers.local_aws.http.http1 import Request
from helpers.local_aws.http.signing import Caller
from helpers.local_aws.iam import access_control, identity_policies, resource_policies
from helpers.local_aws.iam.authorization import Decision, Policy, PolicySet
from helpers.local_aws.iam.identity_policies import IdentityPolicies
from tests.local_aws.test_attacks import FORM, Session
from tests.support.campaign import examples
from tests.support.embedded_aws import LAMBDA_TRUST
from tests.support.raw_requests import address_of_aws  # noqa: F401
from tests.support.written_requests import operations, written

ACCOUNT = "123456789012"
USER = Credentials("AKIA", "s", principal_arn=f"arn:aws:iam::{ACCOUNT}:user/me", user_name="me")
MORE = ("ssm", "kms", "secretsmanager", "kinesis", "scheduler", "firehose", "ecr", "rds", "autoscaling")
EVERY = [
    (service, operation)
    for service in (*SERVICES, *map(named, MORE))
    for operation in operations(service)
    if operation.name not in service.free
]
#: All names by which operations say what they are about.
NAMES = sorted(
    {
        name
        for _, operation in EVERY
        if operation.input_shape is not None
        for name, shape in operation.input_shape.members.items()
        if shape.type_name == "string" and name.lower().endswith(("arn", "name", "id", "url", "resource", "rule"))
    }
)


@pytest.fixture(scope="module")
def somebody():
    """Let the caller do everything to what is called "allowed", and nothing else."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*allowed*"}]}
    policies = IdentityPolicies(PolicySet([Policy(document)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(identity_policies, "of_user", lambda name: policies)
        patch.setattr(resource_policies, "decide", lambda *asked: Decision.IMPLICIT_DENY)
        yield


def refused(service: Service, request: Request) -> bool:
    """Whether the request ends before its service sees it."""
    try:
        return access_control.refuse(read(request, Caller(USER, service, "us-east-1"))) is not None
    except Unreadable:
        return True


def with_member(operation: OperationModel, name: str) -> list[Request]:
    """The operation on "victim", with a member whose value is allowed in each place where one may stand."""
    request, value = written(operation, "victim"), f"arn:aws:x:us-east-1:{ACCOUNT}:allowed"
    headers, body = request.headers, request.body
    in_query = f"{request.target}{'&' if '?' in request.target else '?'}{name}={value}"
    found = [
        Request(request.method, in_query, headers, body),
        Request(request.method, request.target, {**headers, name.lower(): value}, body),
        Request(request.method, request.target, {**headers, "content-type": FORM}, f"{name}={value}".encode()),
    ]
    if "x-amz-target" in headers or body.startswith(b"{") or not body:
        joined = {**json.loads(body or b"{}"), name: value}
        found.append(Request(request.method, request.target, headers, json.dumps(joined).encode()))
    else:
        found.append(Request(request.method, request.target, headers, body + f"&{name}={value}".encode()))
    return found


@examples(400)
@given(st.sampled_from(EVERY), st.sampled_from(NAMES))
def test_no_foreign_member_opens_anything(somebody, which: tuple[Service, OperationModel], name: str):
    service, operation = which
    shape = operation.input_shape
    own = shape.members if shape is not None else {}
    if name in own or name.lower() in {each.serialization.get("name", "").lower() for each in own.values()}:
        return
    for request in with_member(operation, name):
        assert refused(service, request), (operation.name, name, request)


def sent(session: Session, service: str, target: str, **parameters: object) -> int:
    kinds = {"AmazonSQS": "1.0", "DynamoDB_20120810": "1.0"}
    version = kinds.get(target.partition(".")[0], "1.1")
    headers = {"X_Amz_Target": target, "Content_Type": f"application/x-amz-json-{version}"}
    return session.send(service, json.dumps(parameters), **headers)[0]


class TestWhatWasOnceTaken:
    """Somebody who may do everything with one thing, and would like to with another."""

    @pytest.fixture
    def mine(self, aws) -> tuple[Session, str]:
        """A session that may do everything with what has this name in it."""
        session, name = Session(aws), f"mine-{uuid.uuid4().hex[:8]}"
        statement = {"Effect": "Allow", "Action": "*", "Resource": f"arn:aws:*:*:*:*{name}*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="own", PolicyDocument=policy)
        return session, name

    def test_source_arn_on_a_queue(self, aws, mine):
        session, name = mine
        url = aws.client("sqs").create_queue(QueueName=f"victim-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        source = f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"
        assert sent(session, "sqs", "AmazonSQS.SendMessage", QueueUrl=url, MessageBody="x", SourceArn=source) == 403
        form = f"Action=SendMessage&MessageBody=x&QueueUrl={url}&SourceArn={source}&Version=2012-11-05"
        assert session.send("sqs", form, Content_Type=FORM)[0] == 403
        path = url.partition(":")[2].partition("/")[2].partition("/")[2]
        without = "Action=SendMessage&MessageBody=x&Version=2012-11-05"
        assert session.send("sqs", without, path=f"/{path}", Content_Type=FORM)[0] == 403

    def test_resource_on_a_function(self, aws, mine):
        session, name = mine
        own = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:{name}"
        path = f"/2015-03-31/functions/victim?Resource={own}&FunctionName={own}"
        for method, headers in (("GET", {}), ("DELETE", {"Resource": own})):
            assert session.send("lambda", "", method, path, **headers)[0] == 403

    @pytest.mark.parametrize(
        "path", ["{name}/{victim}", "{name}%2F{victim}", "{name}//{victim}/", "{name}/../{victim}"]
    )
    def test_two_functions_in_one_path(self, aws, mine, path):
        session, name = mine
        victim = aws.function("def handler(event, context): return 1")
        path = f"/2015-03-31/functions/{path.format(name=name, victim=victim)}"
        for method, end in (("DELETE", ""), ("GET", ""), ("GET", "/"), ("PUT", "/configuration")):
            assert session.send("lambda", "", method, path + end)[0] >= 400
        assert aws.client("lambda").get_function(FunctionName=victim)["Configuration"]["FunctionName"] == victim

    def test_rule_beside_name(self, mine):
        session, name = mine
        assert sent(session, "events", "AWSEvents.PutRule", Name="victim", Rule=name, EventPattern="{}") == 400
        assert sent(session, "events", "AWSEvents.PutRule", Name=name, EventPattern='{"source": ["x"]}') == 200
        assert sent(session, "events", "AWSEvents.DeleteRule", Name=name) == 200

    def test_resource_arn_on_a_log_group(self, aws, mine):
        session, name = mine
        group = f"victim-{uuid.uuid4().hex[:8]}"
        aws.client("logs").create_log_group(logGroupName=group)
        own = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{name}"
        target = "Logs_20140328.DeleteLogGroup"
        assert sent(session, "logs", target, logGroupName=group, resourceArn=own) == 400
        assert aws.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    def test_another_users_access_key(self, aws, mine):
        session, name = mine
        iam, victim = aws.client("iam"), f"victim-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=victim)
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))
        for more in (f"&RoleName={name}", f"&GroupName={name}", ""):
            form = f"Action=CreateAccessKey&UserName={victim}{more}&Version=2010-05-08"
            assert session.send("iam", form, Content_Type=FORM)[0] == 403
        assert iam.list_access_keys(UserName=victim)["AccessKeyMetadata"] == []

    def test_a_key_names_its_user(self, aws, mine):
        session, _ = mine
        iam, victim = aws.client("iam"), f"victim-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=victim)
        key = iam.create_access_key(UserName=victim)["AccessKey"]["AccessKeyId"]
        form = f"Action=DeleteAccessKey&AccessKeyId={key}&Version=2010-05-08"
        status, answer = session.send("iam", form, Content_Type=FORM)
        assert status == 403 and f"user {victim}" in answer

    def test_a_role_has_no_user_of_its_own(self, mine):
        status, answer = mine[0].send("iam", "Action=GetUser&Version=2010-05-08", Content_Type=FORM)
        assert status == 400 and "userName" in answer

    def test_statements_beside_a_statement(self, aws, mine):
        session, name = mine
        table = aws.table()
        target, statement = "DynamoDB_20120810.ExecuteStatement", f'SELECT * FROM "{table}"'
        own = [{"Statement": f'SELECT * FROM "{name}"'}]
        assert sent(session, "dynamodb", target, Statement=statement, Statements=own, TransactStatements=own) == 400

    def test_table_name_beside_an_arn(self, aws, mine):
        session, name = mine
        arn = f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/{aws.table()}"
        given = {"ResourceArn": arn, "TableName": name, "Tags": [{"Key": "a", "Value": "b"}]}
        assert sent(session, "dynamodb", "DynamoDB_20120810.TagResource", **given) == 400
        assert aws.client("dynamodb").list_tags_of_resource(ResourceArn=arn)["Tags"] == []

    def test_the_group_is_what_a_user_is_added_to(self, aws, mine):
        session, name = mine
        iam = aws.client("iam")
        iam.create_user(UserName=name)
        group = f"admins-{uuid.uuid4().hex[:8]}"
        iam.create_group(GroupName=group)
        with pytest.raises(iam.exceptions.ClientError, match="AddUserToGroup"):
            session.client("iam").add_user_to_group(UserName=name, GroupName=group)

    def test_a_restored_table_is_read(self, aws, mine):
        session, name = mine
        table = aws.table()
        dynamodb = aws.client("dynamodb")
        dynamodb.update_continuous_backups(
            TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        restore = session.client("dynamodb").restore_table_to_point_in_time
        with pytest.raises(dynamodb.exceptions.ClientError, match=f"AccessDenied.*{table}"):
            restore(SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True)
        backup = dynamodb.create_backup(TableName=table, BackupName="backup")["BackupDetails"]["BackupArn"]
        with pytest.raises(dynamodb.exceptions.ClientError, match=f"AccessDenied.*{table}"):
            session.client("dynamodb").restore_table_from_backup(TargetTableName=name, BackupArn=backup)
