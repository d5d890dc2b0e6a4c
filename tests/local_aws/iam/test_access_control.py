"""IAM decides: what a function's role, an assumed role and a user may do, through boto3."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.embedded_aws import LAMBDA_TRUST

ACCOUNT = "123456789012"
INVALID = "The security token included in the request is invalid."
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: object, resource: object = "*", **more: object) -> dict:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: object, resource: object = "*", **more: object) -> dict:
    return {**allow(action, resource, **more), "Effect": "Deny"}


@dataclass
class Someone:
    """Somebody without any permission at first."""

    iam: object
    name: str
    arn: str  # as errors name them
    client: Callable

    def may(self, *statements: dict, name: str = "policy") -> None:
        """From now on these statements say what is allowed; none: nothing."""
        if statements:
            self.iam.put_role_policy(RoleName=self.name, PolicyName=name, PolicyDocument=document(*statements))
        else:
            self.iam.delete_role_policy(RoleName=self.name, PolicyName=name)


def client_with(aws, credentials: dict[str, str]) -> Callable:
    session = boto3.Session(**credentials, region_name="us-east-1")
    settings = Config(retries={"total_max_attempts": 1})
    return lambda service: session.client(service, endpoint_url=aws.account.endpoint_url, config=settings)


def assume(aws, role_arn: str, **settings: str) -> Callable:
    answer = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="session", **settings)["Credentials"]
    return client_with(
        aws,
        {
            "aws_access_key_id": answer["AccessKeyId"],
            "aws_secret_access_key": answer["SecretAccessKey"],
            "aws_session_token": answer["SessionToken"],
        },
    )


@pytest.fixture
def someone(aws) -> Someone:
    """The session of a role that the account may assume."""
    name = f"someone-{uuid.uuid4().hex[:8]}"
    iam = aws.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(statement))["Role"]["Arn"]
    return Someone(iam, name, f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session", assume(aws, role))


@pytest.fixture
def table(aws) -> str:
    kinds = [{"AttributeName": n, "AttributeType": "S"} for n in ("Id", "Kind")]
    index = {
        "IndexName": "by-kind",
        "KeySchema": [{"AttributeName": "Kind", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    return aws.table(keys={"Id": "S"}, AttributeDefinitions=kinds, GlobalSecondaryIndexes=[index])


def item(name: str) -> dict:
    return {"Id": {"S": name}, "Kind": {"S": "test"}}


def refused(call: Callable, **arguments: object) -> tuple[str, str, int]:
    """Code, message and HTTP status of the refusal."""
    with pytest.raises(ClientError) as refusal:
        call(**arguments)
    answer = refusal.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def is_refused(call: Callable, **arguments: object) -> bool:
    """Whether IAM refuses the call; other errors, such as of a resource that is not there, come after IAM."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDeniedException", "AccessDenied")
    return False


def sentence(who: str, action: str, resource: str, end: str = "because no identity-based policy allows the {} action"):
    return f"User: {who} is not authorized to perform: {action} on resource: {resource} " + end.format(action)


class TestTheErrorsOfTheServices:
    """Code, message and status as AWS has them."""

    def test_dynamodb(self, someone, table):
        message = sentence(someone.arn, "dynamodb:PutItem", arn("dynamodb", f"table/{table}"))
        call = someone.client("dynamodb").put_item
        assert refused(call, TableName=table, Item=item("a")) == ("AccessDeniedException", message, 400)

    def test_an_explicit_deny(self, someone, table):
        someone.may(allow("*"), deny("dynamodb:Put*"))
        end = "with an explicit deny in an identity-based policy"
        message = sentence(someone.arn, "dynamodb:PutItem", arn("dynamodb", f"table/{table}"), end)
        call = someone.client("dynamodb").put_item
        assert refused(call, TableName=table, Item=item("a")) == ("AccessDeniedException", message, 400)

    def test_logs(self, someone):
        call = someone.client("logs").create_log_group
        message = sentence(someone.arn, "logs:CreateLogGroup", arn("logs", "log-group:mine:log-stream:"))
        assert refused(call, logGroupName="mine") == ("AccessDeniedException", message, 400)

    def test_sqs(self, aws, someone):
        url = aws.client("sqs").create_queue(QueueName=f"queue-{someone.name}")["QueueUrl"]
        queue = arn("sqs", f"queue-{someone.name}")
        call = someone.client("sqs").send_message
        message = sentence(someone.arn, "sqs:sendmessage", queue)
        assert refused(call, QueueUrl=url, MessageBody="x") == ("AccessDenied", message, 403)

    def test_events(self, someone):
        entry = {"Source": "s", "DetailType": "t", "Detail": "{}"}
        message = sentence(someone.arn, "events:PutEvents", arn("events", "event-bus/default"))
        call = someone.client("events").put_events
        assert refused(call, Entries=[entry]) == ("AccessDeniedException", message, 400)

    def test_lambda(self, someone):
        message = sentence(someone.arn, "lambda:InvokeFunction", arn("lambda", "function:nobody"))
        call = someone.client("lambda").invoke
        assert refused(call, FunctionName="nobody") == ("AccessDeniedException", message, 403)

    def test_iam(self, someone):
        call = someone.client("iam").create_role
        message = sentence(someone.arn, "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/mine")
        assert refused(call, RoleName="mine", AssumeRolePolicyDocument="{}") == ("AccessDenied", message, 403)
        message = sentence(someone.arn, "iam:GetRole", f"role {someone.name}")
        assert refused(someone.client("iam").get_role, RoleName=someone.name) == ("AccessDenied", message, 403)

    def test_another_service(self, someone):
        call = someone.client("cloudwatch").list_metrics
        assert is_refused(call)
        someone.may(allow("cloudwatch:ListMetrics"))
        assert not is_refused(call)

    def test_asking_who_one_is_needs_no_permission(self, someone):
        assert someone.client("sts").get_caller_identity()["Arn"] == someone.arn


class TestDynamoDB:
    def test_one_action_on_one_table(self, someone, table):
        someone.may(allow("dynamodb:PutItem", arn("dynamodb", f"table/{table}")))
        dynamodb = someone.client("dynamodb")
        dynamodb.put_item(TableName=table, Item=item("a"))
        dynamodb.put_item(TableName=arn("dynamodb", f"table/{table}"), Item=item("b"))
        assert is_refused(dynamodb.put_item, TableName="another", Item=item("a"))
        assert is_refused(dynamodb.get_item, TableName=table, Key={"Id": {"S": "a"}})
        assert is_refused(dynamodb.scan, TableName=table)
        assert is_refused(dynamodb.delete_table, TableName=table)
        assert is_refused(dynamodb.list_tables)

    def test_an_index_is_a_resource_of_its_own(self, someone, table):
        someone.may(allow(["dynamodb:Query", "dynamodb:Scan"], arn("dynamodb", f"table/{table}")))
        dynamodb = someone.client("dynamodb")
        asked = {"KeyConditionExpression": "Kind = :k", "ExpressionAttributeValues": {":k": {"S": "test"}}}
        assert not is_refused(dynamodb.scan, TableName=table)
        message = sentence(someone.arn, "dynamodb:Query", arn("dynamodb", f"table/{table}/index/by-kind"))
        assert refused(dynamodb.query, TableName=table, IndexName="by-kind", **asked)[1] == message
        someone.may(allow("dynamodb:Query", arn("dynamodb", f"table/{table}/index/*")))
        assert not is_refused(dynamodb.query, TableName=table, IndexName="by-kind", **asked)

    def test_a_batch_needs_every_table(self, someone, table):
        someone.may(allow("dynamodb:BatchWriteItem", arn("dynamodb", f"table/{table}")))
        write = someone.client("dynamodb").batch_write_item
        put = [{"PutRequest": {"Item": item("a")}}]
        assert not is_refused(write, RequestItems={table: put})
        assert is_refused(write, RequestItems={table: put, "another": put})
        someone.may(allow("dynamodb:PutItem"))
        assert is_refused(write, RequestItems={table: put})

    def test_a_transaction_needs_its_single_actions(self, someone, table):
        here = arn("dynamodb", f"table/{table}")
        write = someone.client("dynamodb").transact_write_items
        put = {"Put": {"TableName": table, "Item": item("a")}}
        delete = {"Delete": {"TableName": table, "Key": {"Id": {"S": "b"}}}}
        someone.may(allow("dynamodb:PutItem", here))
        assert not is_refused(write, TransactItems=[put])
        assert refused(write, TransactItems=[put, delete])[1] == sentence(someone.arn, "dynamodb:DeleteItem", here)
        get = {"Get": {"TableName": table, "Key": {"Id": {"S": "a"}}}}
        assert is_refused(someone.client("dynamodb").transact_get_items, TransactItems=[get])

    @pytest.mark.parametrize(
        ("statement", "action"),
        [
            ('SELECT * FROM "{}"', "PartiQLSelect"),
            ("select Id from {} where Id = 'a'", "PartiQLSelect"),
            ("INSERT INTO \"{}\" VALUE {{'Id': 'z'}}", "PartiQLInsert"),
            ("UPDATE \"{}\" SET Kind = 'x' WHERE Id = 'a'", "PartiQLUpdate"),
            ("DELETE FROM \"{}\" WHERE Id = 'a'", "PartiQLDelete"),
        ],
    )
    def test_partiql(self, someone, table, statement, action):
        someone.may(allow("dynamodb:*Item"))
        execute = someone.client("dynamodb").execute_statement
        name = table.replace("-", "_") if '"' not in statement else table
        here = arn("dynamodb", f"table/{name}")
        said = refused(execute, Statement=statement.format(name))[1]
        assert said == sentence(someone.arn, f"dynamodb:{action}", here)
        someone.may(allow(f"dynamodb:{action}", here))
        assert not is_refused(execute, Statement=statement.format(name))

    def test_partition_keys_and_attributes(self, someone, table):
        dynamodb = someone.client("dynamodb")
        key = "dynamodb:LeadingKeys"
        mine = {"ForAllValues:StringLike": {key: ["mine-*"]}, "Null": {key: "false"}}
        someone.may(allow("dynamodb:*", Condition=mine))
        assert not is_refused(dynamodb.put_item, TableName=table, Item=item("mine-1"))
        assert is_refused(dynamodb.put_item, TableName=table, Item=item("yours-1"))
        query = {"KeyConditionExpression": "#i = :i", "ExpressionAttributeNames": {"#i": "Id"}}
        for name, is_mine in (("mine-1", True), ("yours-1", False)):
            values = {":i": {"S": name}}
            assert is_refused(dynamodb.query, TableName=table, ExpressionAttributeValues=values, **query) is not is_mine
        assert is_refused(dynamodb.scan, TableName=table)
        only = {"ForAllValues:StringEquals": {"dynamodb:Attributes": ["Id"]}}
        someone.may(allow("dynamodb:GetItem", Condition=only))
        key = {"Id": {"S": "mine-1"}}
        assert not is_refused(dynamodb.get_item, TableName=table, Key=key, ProjectionExpression="Id")
        assert is_refused(dynamodb.get_item, TableName=table, Key=key, ProjectionExpression="Id, Kind")


class TestWherePoliciesCanStand:
    """Each change is in force with the next request."""

    def test_inline(self, someone, table):
        put = someone.client("dynamodb").put_item
        for _ in range(2):
            assert is_refused(put, TableName=table, Item=item("a"))
            someone.may(allow("dynamodb:PutItem"))
            assert not is_refused(put, TableName=table, Item=item("a"))
            someone.may(allow("dynamodb:GetItem"))
            assert is_refused(put, TableName=table, Item=item("a"))
            someone.may()

    def test_managed_and_its_versions(self, someone, table):
        iam, put = someone.iam, someone.client("dynamodb").put_item
        name = f"managed-{uuid.uuid4().hex[:8]}"
        managed = iam.create_policy(PolicyName=name, PolicyDocument=document(allow("dynamodb:*")))["Policy"]["Arn"]
        assert is_refused(put, TableName=table, Item=item("a"))
        iam.attach_role_policy(RoleName=someone.name, PolicyArn=managed)
        assert not is_refused(put, TableName=table, Item=item("a"))
        narrow = document(allow("dynamodb:GetItem"))
        iam.create_policy_version(PolicyArn=managed, PolicyDocument=narrow, SetAsDefault=True)
        assert is_refused(put, TableName=table, Item=item("a"))
        iam.set_default_policy_version(PolicyArn=managed, VersionId="v1")
        assert not is_refused(put, TableName=table, Item=item("a"))
        iam.detach_role_policy(RoleName=someone.name, PolicyArn=managed)
        assert is_refused(put, TableName=table, Item=item("a"))

    def test_of_aws(self, someone, table):
        full = "arn:aws:iam::aws:policy/AmazonDynamoDBFullAccess"
        someone.iam.attach_role_policy(RoleName=someone.name, PolicyArn=full)
        assert not is_refused(someone.client("dynamodb").delete_table, TableName=table)
        assert is_refused(someone.client("sqs").list_queues)

    def test_a_role_that_is_deleted_ends_its_sessions(self, someone, table):
        someone.may(allow("*"))
        assert not is_refused(someone.client("dynamodb").scan, TableName=table)
        someone.may()
        someone.iam.delete_role(RoleName=someone.name)
        scan = someone.client("dynamodb").scan
        assert refused(scan, TableName=table) == ("UnrecognizedClientException", INVALID, 400)
        assert refused(someone.client("sts").get_caller_identity) == ("InvalidClientTokenId", INVALID, 403)

    def test_a_role_of_the_same_name_does_not_bring_them_back(self, aws, someone, table):
        trust = someone.iam.get_role(RoleName=someone.name)["Role"]["AssumeRolePolicyDocument"]
        someone.iam.delete_role(RoleName=someone.name)
        again = someone.iam.create_role(RoleName=someone.name, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
        someone.may(allow("*"))
        scan = someone.client("dynamodb").scan
        assert refused(scan, TableName=table) == ("UnrecognizedClientException", INVALID, 400)
        session = assume(aws, again["Arn"])
        assert not is_refused(session("dynamodb").scan, TableName=table)
        assert session("sts").get_caller_identity()["UserId"] == f"{again['RoleId']}:session"

    def test_a_function_is_refused_until_it_gets_new_environments(self, aws):
        source = "import boto3\ndef handler(event, context): return boto3.client('sts').get_caller_identity()['UserId']"
        role = aws.role()
        name, iam, lambda_ = aws.function(source, Role=role), aws.client("iam"), aws.client("lambda")
        before = aws.invoke(name)["Json"]
        role_name = role.rpartition("/")[2]
        for policy in iam.list_attached_role_policies(RoleName=role_name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=role_name, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=role_name)
        again = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=json.dumps(LAMBDA_TRUST))["Role"]
        assert "InvalidClientTokenId" in aws.invoke(name)["Json"]["errorMessage"]
        lambda_.update_function_configuration(FunctionName=name, Description="with the new role")
        lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 0.05})
        after = aws.invoke(name)["Json"]
        assert after == f"{again['RoleId']}:{name}" != before

    def test_a_permissions_boundary(self, someone, table):
        someone.may(allow("*"))
        boundary = someone.iam.create_policy(
            PolicyName=f"boundary-{uuid.uuid4().hex[:8]}", PolicyDocument=document(allow("dynamodb:GetItem"))
        )["Policy"]["Arn"]
        someone.iam.put_role_permissions_boundary(RoleName=someone.name, PermissionsBoundary=boundary)
        dynamodb = someone.client("dynamodb")
        assert not is_refused(dynamodb.get_item, TableName=table, Key={"Id": {"S": "a"}})
        end = "because no permissions boundary allows the {} action"
        message = sentence(someone.arn, "dynamodb:Scan", arn("dynamodb", f"table/{table}"), end)
        assert refused(dynamodb.scan, TableName=table)[1] == message

    def test_a_session_policy(self, aws, someone, table):
        someone.may(allow("*"))
        role = f"arn:aws:iam::{ACCOUNT}:role/{someone.name}"
        dynamodb = assume(aws, role, Policy=document(allow("dynamodb:GetItem")))("dynamodb")
        assert not is_refused(dynamodb.get_item, TableName=table, Key={"Id": {"S": "a"}})
        assert is_refused(dynamodb.scan, TableName=table)

    def test_of_a_user_and_the_user_s_groups(self, aws, table):
        iam, name = aws.client("iam"), f"user-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        pair = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        client = client_with(aws, pair)
        scan = client("dynamodb").scan
        message = sentence(f"arn:aws:iam::{ACCOUNT}:user/{name}", "dynamodb:Scan", arn("dynamodb", f"table/{table}"))
        assert refused(scan, TableName=table)[1] == message
        iam.create_group(GroupName=name)
        iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=document(allow("dynamodb:Scan")))
        iam.add_user_to_group(GroupName=name, UserName=name)
        assert not is_refused(scan, TableName=table)
        iam.remove_user_from_group(GroupName=name, UserName=name)
        assert is_refused(scan, TableName=table)
        own = document(allow("dynamodb:GetItem", arn("dynamodb", "table/${aws:username}-*")))
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=own)
        get = client("dynamodb").get_item
        assert not is_refused(get, TableName=f"{name}-1", Key={"Id": {"S": "a"}})
        assert is_refused(get, TableName=table, Key={"Id": {"S": "a"}})


@pytest.mark.parametrize(
    ("condition", "allowed"),
    [
        ({"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "2020-01-01"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": 1600000000}}, True),
        ({"DateLessThan": {"aws:EpochTime": "1600000000"}}, False),
        ({"IpAddress": {"aws:SourceIp": "127.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "2001:db8::/32"]}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"Bool": {"aws:SecureTransport": "true"}}, True),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, False),
        ({"Null": {"aws:PrincipalTag/team": "true"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/team": "red"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/team": "red"}}, False),
        ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}, True),
        ({"StringNotLike": {"aws:RequestedRegion": "us-*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/someone-*"}}, True),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/someone-*"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}, "Bool": {"aws:ViaAWSService": False}}, True),
        ({"StringLike": {"aws:userid": "AROA*:session"}}, True),
        ({"BinaryEquals": {"aws:PrincipalAccount": "MTIz"}}, False),
    ],
)
def test_conditions_on_the_request(someone, condition, allowed):
    someone.may(allow("dynamodb:ListTables", Condition=condition))
    assert is_refused(someone.client("dynamodb").list_tables) is not allowed


def test_the_tag_of_a_role(someone):
    someone.may(allow("dynamodb:ListTables", Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}))
    someone.iam.tag_role(RoleName=someone.name, Tags=[{"Key": "team", "Value": "red"}])
    assert not is_refused(someone.client("dynamodb").list_tables)


class TestEvents:
    def test_each_bus_and_each_source(self, someone):
        put = someone.client("events").put_events
        entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": "{}"}
        condition = {"StringEquals": {"events:source": "shop", "events:detail-type": "OrderPlaced"}}
        someone.may(allow("events:PutEvents", arn("events", "event-bus/default"), Condition=condition))
        assert put(Entries=[entry])["FailedEntryCount"] == 0
        assert is_refused(put, Entries=[entry, {**entry, "Source": "bank"}])
        assert is_refused(put, Entries=[{**entry, "DetailType": "OrderStored"}])
        assert is_refused(put, Entries=[entry, {**entry, "EventBusName": "another"}])

    def test_a_rule_with_a_role_needs_to_pass_it(self, aws, someone):
        rule = f"rule-{someone.name}"
        aws.client("events").put_rule(Name=rule, EventPattern='{"source": ["none"]}')
        target = {"Id": "t", "Arn": arn("sqs", "q"), "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{someone.name}"}
        put = someone.client("events").put_targets
        someone.may(allow("events:PutTargets", arn("events", f"rule/{rule}")))
        assert "iam:PassRole" in refused(put, Rule=rule, Targets=[target])[1]


class TestSQS:
    def test_a_batch_needs_what_one_message_needs(self, aws, someone):
        url = aws.client("sqs").create_queue(QueueName=f"queue-{someone.name}")["QueueUrl"]
        someone.may(allow("sqs:SendMessage", arn("sqs", f"queue-{someone.name}")))
        sqs = someone.client("sqs")
        assert not is_refused(sqs.send_message_batch, QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}])
        assert is_refused(sqs.receive_message, QueueUrl=url)

    def test_the_queue_s_own_policy_counts_too(self, aws, someone):
        admin, queue = aws.client("sqs"), arn("sqs", f"queue-{someone.name}")
        url = admin.create_queue(QueueName=f"queue-{someone.name}")["QueueUrl"]
        send = someone.client("sqs").send_message
        role = f"arn:aws:iam::{ACCOUNT}:role/{someone.name}"
        for principal, enough in ((f"arn:aws:iam::{ACCOUNT}:root", False), (role, True)):
            statement = allow("sqs:SendMessage", queue, Principal={"AWS": principal})
            admin.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(statement)})
            assert is_refused(send, QueueUrl=url, MessageBody="x") is not enough
        statement = deny("sqs:SendMessage", queue, Principal="*")
        admin.set_queue_attributes(QueueUrl=url, Attributes={"Policy": document(statement)})
        someone.may(allow("*"))
        assert refused(send, QueueUrl=url, MessageBody="x")[1].endswith("an explicit deny in a resource-based policy")


class TestLambda:
    def test_invoking(self, aws, someone):
        name = aws.function("def handler(event, context): return 1")
        invoke = someone.client("lambda").invoke
        assert is_refused(invoke, FunctionName=name)
        someone.may(allow("lambda:InvokeFunction", arn("lambda", f"function:{name}")))
        assert not is_refused(invoke, FunctionName=name)
        assert not is_refused(invoke, FunctionName=arn("lambda", f"function:{name}"))
        assert is_refused(invoke, FunctionName=name, Qualifier="$LATEST")  # another ARN, as on AWS
        assert is_refused(someone.client("lambda").delete_function, FunctionName=name)

    def test_the_function_s_own_policy_counts_too(self, aws, someone):
        name = aws.function("def handler(event, context): return 1")
        role = f"arn:aws:iam::{ACCOUNT}:role/{someone.name}"
        aws.client("lambda").add_permission(
            FunctionName=name, StatementId="s", Action="lambda:InvokeFunction", Principal=role
        )
        assert not is_refused(someone.client("lambda").invoke, FunctionName=name)

    def test_creating_a_function_needs_to_pass_its_role(self, aws, someone):
        create = someone.client("lambda").create_function
        role = aws.role()
        settings = {"FunctionName": "mine", "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b"none"}}
        someone.may(allow("lambda:*"))
        code, message, status = refused(create, Role=role, **settings)
        assert (code, status) == ("AccessDeniedException", 403)
        assert message == sentence(someone.arn, "iam:PassRole", role)
        only_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        someone.may(allow("lambda:*"), allow("iam:PassRole", role, Condition=only_lambda))
        assert not is_refused(create, Role=role, **settings)


def test_who_may_assume_a_role(aws, someone):
    """A trust policy that names the caller is enough; one that names the account leaves it to the caller's policies."""
    iam = aws.client("iam")
    name = f"other-{someone.name}"
    assume_role = someone.client("sts").assume_role
    call = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "RoleSessionName": "another"}

    def trust(principal: str) -> str:
        return document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})

    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root"))
    assert is_refused(assume_role, **call)
    someone.may(allow("sts:AssumeRole", call["RoleArn"]))
    assert not is_refused(assume_role, **call)
    someone.may()
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:role/{someone.name}"))
    assert not is_refused(assume_role, **call)
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=trust("arn:aws:iam::210987654321:root"))
    assert is_refused(assume_role, **call)


def test_a_role_that_asks_for_an_external_id(aws):
    name = f"partner-{uuid.uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = document({**statement, "Condition": {"StringEquals": {"sts:ExternalId": "shop-7"}}})
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    call = {"RoleArn": role, "RoleSessionName": "session"}
    assume_role = aws.client("sts").assume_role
    assert is_refused(assume_role, **call)
    assert is_refused(assume_role, **call, ExternalId="shop-8")
    assert not is_refused(assume_role, **call, ExternalId="shop-7")


class TestAFunction:
    SOURCE = """
import boto3
dynamodb = boto3.client("dynamodb")
def handler(event, context):
    print("running")
    dynamodb.put_item(TableName=event, Item={"Id": {"S": "a"}})
"""

    @pytest.fixture
    def role(self, aws) -> str:
        name = f"role-{uuid.uuid4().hex[:8]}"
        trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trusted))
        return name

    def test_it_may_do_what_its_role_may(self, aws, role, table):
        iam = aws.client("iam")
        iam.attach_role_policy(RoleName=role, PolicyArn=LOGS)
        name = aws.function(self.SOURCE, Role=f"arn:aws:iam::{ACCOUNT}:role/{role}")
        error = aws.invoke(name, table)["Json"]
        who, here = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}", arn("dynamodb", f"table/{table}")
        assert error["errorType"] == "ClientError"
        assert error["errorMessage"] == (
            "An error occurred (AccessDeniedException) when calling the PutItem operation: "
            + sentence(who, "dynamodb:PutItem", here)
        )
        source = {"ArnLike": {"lambda:SourceFunctionArn": arn("lambda", f"function:{name}")}}
        statement = allow("dynamodb:PutItem", here, Condition=source)
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(statement))
        assert "FunctionError" not in aws.invoke(name, table)
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        assert "FunctionError" in aws.invoke(name, table)

    def test_without_permission_it_runs_and_leaves_no_log(self, aws, role):
        iam, logs = aws.client("iam"), aws.client("logs")
        name = aws.function("def handler(event, context): print(event)", Role=f"arn:aws:iam::{ACCOUNT}:role/{role}")
        group = f"/aws/lambda/{name}"

        def groups() -> list:
            return logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]

        assert "FunctionError" not in aws.invoke(name, "unseen")
        assert groups() == []
        streams = allow(["logs:CreateLogStream", "logs:PutLogEvents"], arn("logs", f"log-group:{group}:*"))
        iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=document(streams))
        aws.invoke(name, "no group")
        assert groups() == []
        logs.create_log_group(logGroupName=group)
        aws.invoke(name, "seen")
        iam.delete_role_policy(RoleName=role, PolicyName="p")
        aws.invoke(name, "unseen again")
        assert [line for line in aws.log(name) if "seen" in line] == ["seen\n"]


class TestMalformedPolicies:
    @pytest.mark.parametrize(
        ("policy", "message"),
        [
            ("no JSON", "Syntax errors in policy."),
            (document({"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."),
            (document({"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."),
            (document(allow("*", Principal="*")), "Policy document should not specify a principal."),
            (document(allow("PutItem")), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
            (document(allow("*", "my-table")), 'Resource my-table must be in ARN format or "*".'),
            (document(allow("*", Condition={"Equals": {"a:b": "c"}})), "Syntax errors in policy."),
        ],
    )
    def test_of_an_identity(self, someone, policy, message):
        calls = (
            (someone.iam.put_role_policy, {"RoleName": someone.name, "PolicyName": "bad"}),
            (someone.iam.create_policy, {"PolicyName": f"bad-{uuid.uuid4().hex[:8]}"}),
        )
        for call, arguments in calls:
            assert refused(call, PolicyDocument=policy, **arguments) == ("MalformedPolicyDocument", message, 400)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"Principal": None}, "Missing required field Principal"),
            ({"Resource": "*"}, "Has prohibited field Resource."),
            ({"Principal": {"AWS": []}}, "The passed in policy has a statement with no principals!"),
            ({"Action": "s3:*"}, "Trust Policy statement actions can only be sts:AssumeRole"),
        ],
    )
    def test_of_trust(self, someone, changes, message):
        statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole", **changes}
        policy = document({key: value for key, value in statement.items() if value is not None})
        for call, argument, name in (
            (someone.iam.create_role, "AssumeRolePolicyDocument", "never-made"),
            (someone.iam.update_assume_role_policy, "PolicyDocument", someone.name),
        ):
            code, said, status = refused(call, RoleName=name, **{argument: policy})
            assert (code, status) == ("MalformedPolicyDocument", 400)
            assert message in said
