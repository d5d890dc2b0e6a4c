"""The account after its server's death: as it was at the last answered call."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from helpers.errors import WorkbookError
from helpers.local_aws import lifecycle
from helpers.local_aws.account.account_owner import AccountOwner
from helpers.local_aws.storage import database, journal, store
from helpers.paths import PROJECT
from tests.support.account_answers import answers, differences
from tests.support.async_aws import FRAGILE
from tests.support.embedded_aws import Aws, Gate, own_home, zip_of
from tests.support.polling import PATIENCE, eventually
from tests.support.stacks import QUEUE, ROLE, table

STORING = """
import boto3, os, time
table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
def handler(event, context):
    time.sleep(float(event["detail"].get("Sleep", 0)))
    if event["detail"].get("Fail"):
        raise ValueError("as asked")
    table.put_item(Item={"OrderId": event["detail"]["OrderId"]})
"""


class Account:
    """An account whose server can be killed, and that has the tutorial's service."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.aws = Aws(lifecycle.start(), home)
        self._clients: dict[tuple[Aws, str], Any] = {}

    def kill(self) -> None:
        """End the server as a crash would."""
        server = psutil.Process(self.aws.account.pid)
        server.kill()
        server.wait(PATIENCE)

    def start(self) -> None:
        self.aws = Aws(lifecycle.start(), self.home)

    def restart(self) -> None:
        self.kill()
        self.start()

    def client(self, service: str):
        """A client of the server that runs: made once for each of them, as that takes long."""
        if (self.aws, service) not in self._clients:
            self._clients[self.aws, service] = self.aws.client(service)
        return self._clients[self.aws, service]

    def make_table(self, name: str = "orders") -> None:
        self.aws.table(name)

    def make_service(self, source: str = STORING, **settings: object) -> str:
        """Table, function, rule, target and permission; returns the function's name."""
        self.make_table()
        name = self.aws.function(source, Environment={"Variables": {"TABLE": "orders"}}, **settings)
        self.aws.subscribe(name, "orders", {"source": ["shop"]})
        return name

    def put_orders(self, ids: list[str], **detail: object) -> None:
        for start in range(0, len(ids), 10):
            entries = [
                {"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"OrderId": each} | detail)}
                for each in ids[start : start + 10]
            ]
            answer = self.client("events").put_events(Entries=entries)
            assert answer["FailedEntryCount"] == 0

    def stored(self) -> set[str]:
        pages = self.client("dynamodb").get_paginator("scan").paginate(TableName="orders")
        return {item["OrderId"]["S"] for page in pages for item in page["Items"]}

    def queue(self, name: str, **attributes: str) -> str:
        return self.client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receive(self, url: str, **settings: object) -> list[dict]:
        given = {"MaxNumberOfMessages": 10, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]} | settings
        return self.client("sqs").receive_message(QueueUrl=url, **given).get("Messages", [])


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with own_home(tmp_path / "home"):
        yield Account(tmp_path / "home")
        lifecycle.stop()


@pytest.fixture
def patient_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Its first retries come after seconds, so that a server can die before."""
    monkeypatch.setenv("LOCAL_AWS_TIME_SCALE", "0.05")  # a minute is three seconds
    with own_home(tmp_path / "home"):
        yield Account(tmp_path / "home")
        lifecycle.stop()


# Resources


@pytest.mark.deep
def test_everything_that_the_workbook_builds_comes_back(account):
    script = "from pathlib import Path; from helpers.lessons.catch_up import catch_up; catch_up('99', Path('.'), print)"
    environment = {**os.environ, **account.aws.account.environment(), "PYTHONPATH": str(PROJECT)}
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT / "notebooks", env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    before = answers(account.aws)
    assert len(before) > 100
    account.restart()
    assert not (found := differences(before, answers(account.aws))), "\n".join(found)
    account.restart()
    assert not (found := differences(before, answers(account.aws))), "\n".join(found)


@pytest.mark.deep
def test_what_the_workbook_does_not_build_comes_back_too(account):
    _build_the_rest(account)
    before = answers(account.aws)
    account.restart()
    assert not (found := differences(before, answers(account.aws))), "\n".join(found)
    assert lifecycle.stop()
    account.start()
    assert not (found := differences(before, answers(account.aws))), "\n".join(found)


def _build_the_rest(account: Account) -> None:
    aws = account.aws
    name = account.make_service()
    lambda_ = aws.client("lambda")
    lambda_.publish_version(FunctionName=name)
    lambda_.update_function_code(FunctionName=name, ZipFile=zip_of({"main.py": STORING + "\nsecond = True"}))
    second = lambda_.publish_version(FunctionName=name)["Version"]
    lambda_.create_alias(FunctionName=name, Name="live", FunctionVersion=second)
    lambda_.add_permission(
        FunctionName=name, Qualifier="live", StatementId="s", Action="lambda:InvokeFunction", Principal="123456789012"
    )
    lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    lambda_.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    arn = lambda_.get_function(FunctionName=name)["Configuration"]["FunctionArn"]
    lambda_.tag_resource(Resource=arn, Tags={"course": "serverless"})
    sqs = aws.client("sqs")
    queue = account.queue("queue", VisibilityTimeout="77")
    sqs.tag_queue(QueueUrl=queue, Tags={"a": "b"})
    topic = aws.client("sns").create_topic(Name="topic")["TopicArn"]
    queue_arn = "arn:aws:sqs:us-east-1:123456789012:queue"
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.put_object(Bucket="bucket", Key="Action=Get&key", Body=b"&Action=GetObject&" * 1000, Metadata={"a": "b"})
    events = aws.client("events")
    events.create_event_bus(Name="shop", Description="of its own")
    events.put_rule(Name="on-shop", EventBusName="shop", EventPattern=json.dumps({"source": [{"prefix": "sh"}]}))
    events.put_rule(Name="off", ScheduleExpression="rate(1 day)", State="DISABLED")
    events.create_archive(ArchiveName="archive", EventSourceArn="arn:aws:events:us-east-1:123456789012:event-bus/shop")
    events.create_connection(
        Name="key", AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}},
    )  # fmt: skip
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName="alarm", MetricName="Errors", Namespace="AWS/Lambda", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    logs = aws.client("logs")
    logs.create_log_group(logGroupName="mine", tags={"a": "b"})
    logs.put_retention_policy(logGroupName="mine", retentionInDays=7)
    iam = aws.client("iam")
    iam.create_user(UserName="learner")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    policy = iam.create_policy(PolicyName="own", PolicyDocument=json.dumps(document))["Policy"]["Arn"]
    iam.attach_user_policy(UserName="learner", PolicyArn=policy)
    iam.attach_user_policy(UserName="learner", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    template = {"Resources": {"Role": ROLE, "Queue": QUEUE, "Table": table()}}
    cloudformation = aws.client("cloudformation")
    cloudformation.create_stack(
        StackName="stack", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="stack", WaiterConfig={"Delay": 0.1, "MaxAttempts": 1200}
    )
    aws.client("kinesis").create_stream(StreamName="stream", ShardCount=1)


@pytest.mark.deep
def test_a_session_goes_on_and_still_ends_with_its_role(account):
    trust = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}
    role = {
        "RoleName": "reader",
        "AssumeRolePolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    }
    arn = account.client("iam").create_role(**role)["Role"]["Arn"]
    keys = account.client("sts").assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]

    def who() -> str:
        given = (keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
        sts = boto3.Session(*given, "us-east-1").client("sts", endpoint_url=account.aws.account.endpoint_url)
        return sts.get_caller_identity()["Arn"]

    account.restart()
    assert who().endswith("assumed-role/reader/session")
    account.client("iam").delete_role(RoleName="reader")
    account.client("iam").create_role(**role)
    account.restart()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        who()


@pytest.mark.deep
def test_a_function_runs_as_before_with_all_its_versions(account):
    name = account.aws.function("def handler(event, context):\n    return 1")
    lambda_ = account.client("lambda")
    lambda_.publish_version(FunctionName=name)
    lambda_.update_function_code(
        FunctionName=name, ZipFile=zip_of({"main.py": "def handler(event, context):\n    return 2"})
    )
    account.restart()
    assert account.aws.invoke(name, Qualifier="1")["Json"] == 1
    assert account.aws.invoke(name)["Json"] == 2
    account.client("lambda").delete_function(FunctionName=name)
    assert list((account.home / "functions").iterdir()) == []
    account.restart()
    assert account.client("lambda").list_functions()["Functions"] == []


def test_who_has_the_old_variables_goes_on_with_the_new_server(account):
    account.make_table()
    old = account.client("dynamodb")
    account.restart()
    assert old.list_tables()["TableNames"] == ["orders"]


@pytest.mark.deep
def test_an_iam_users_key_opens_the_account_as_before(account):
    iam = account.client("iam")
    iam.create_user(UserName="learner")
    key = iam.create_access_key(UserName="learner")["AccessKey"]
    account.restart()
    sts = boto3.client(
        "sts",
        endpoint_url=account.aws.account.endpoint_url,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        region_name="us-east-1",
    )
    assert sts.get_caller_identity()["Arn"].endswith("user/learner")


# Items


@pytest.mark.deep
def test_items_of_every_type_and_after_every_kind_of_change(account):
    dynamodb = account.client("dynamodb")
    account.aws.table("things", {"Kind": "S", "Number": "N"})

    def key(number: str) -> dict:
        return {"Kind": {"S": "a\nb"}, "Number": {"N": number}}

    every_type = {
        "S": {"S": "ü\u0000"}, "N": {"N": "65.50"}, "B": {"B": b"\x00\xff"}, "SS": {"SS": ["x", "y"]},
        "NS": {"NS": ["1", "2.5"]}, "BS": {"BS": [b"\x01"]}, "NULL": {"NULL": True}, "BOOL": {"BOOL": False},
        "L": {"L": [{"S": "x"}, {"L": [{"N": "1"}]}]}, "M": {"M": {"m": {"M": {"n": {"B": b"\x02"}}}}},
    }  # fmt: skip
    dynamodb.put_item(TableName="things", Item=key("1") | every_type)
    dynamodb.put_item(TableName="things", Item=key("2") | {"Old": {"S": "replaced"}})
    dynamodb.put_item(TableName="things", Item=key("2.0") | {"New": {"S": "in its place"}})
    dynamodb.put_item(TableName="things", Item=key("3"))
    dynamodb.update_item(
        TableName="things", Key=key("3"), UpdateExpression="SET A = :a, L = :l ADD S :s",
        ExpressionAttributeValues={":a": {"N": "1"}, ":l": {"L": [{"B": b"\x03"}]}, ":s": {"SS": ["new"]}},
    )  # fmt: skip
    dynamodb.put_item(TableName="things", Item=key("4"))
    dynamodb.delete_item(TableName="things", Key=key("4"))
    puts = [{"PutRequest": {"Item": key(str(number))}} for number in range(10, 30)]
    dynamodb.batch_write_item(RequestItems={"things": puts})
    dynamodb.batch_write_item(RequestItems={"things": [{"DeleteRequest": {"Key": key("10")}}]})
    dynamodb.transact_write_items(TransactItems=[{"Put": {"TableName": "things", "Item": key("40")}}])
    refused = [
        {"Put": {"TableName": "things", "Item": key("41")}},
        {"Delete": {"TableName": "things", "Key": key("40")}},
        {"ConditionCheck": {"TableName": "things", "Key": key("1"), "ConditionExpression": "attribute_exists(Nope)"}},
    ]
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException):
        dynamodb.transact_write_items(TransactItems=refused)
    dynamodb.execute_statement(Statement="INSERT INTO things VALUE {'Kind': 'c', 'Number': 1}")
    before = dynamodb.scan(TableName="things")["Items"]
    assert len(before) == 24
    account.restart()
    after = account.client("dynamodb").scan(TableName="things")["Items"]
    assert _sorted(after) == _sorted(before)
    account.client("dynamodb").delete_table(TableName="things")
    account.make_table("things")
    account.restart()
    assert account.client("dynamodb").scan(TableName="things")["Items"] == []


def _sorted(items: list[dict]) -> list[dict]:
    return sorted(items, key=lambda item: (item["Kind"]["S"], float(item["Number"]["N"])))


@pytest.mark.parametrize("end", [Account.kill, lambda account: lifecycle.stop()], ids=["kill", "stop"])
def test_a_stream_and_its_readers_go_on(account, end):
    account.aws.table("things", StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    arn = account.client("dynamodb").describe_table(TableName="things")["Table"]["LatestStreamArn"]
    streams = account.client("dynamodbstreams")
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    place = {"StreamArn": arn, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
    oldest = streams.get_shard_iterator(**place)["ShardIterator"]
    puts = [{"Put": {"TableName": "things", "Item": {"OrderId": {"S": name}}}} for name in "bc"]
    account.client("dynamodb").put_item(
        TableName="things", Item={"OrderId": {"S": "a"}, "B": {"M": {"b": {"B": b"1"}}}}
    )
    account.client("dynamodb").transact_write_items(TransactItems=puts)
    account.client("dynamodb").delete_item(TableName="things", Key={"OrderId": {"S": "b"}})
    before = streams.get_records(ShardIterator=oldest)
    assert [record["eventName"] for record in before["Records"]] == ["INSERT", "INSERT", "INSERT", "REMOVE"]
    end(account)
    account.start()
    streams = account.client("dynamodbstreams")
    assert streams.get_records(ShardIterator=oldest)["Records"] == before["Records"]
    account.client("dynamodb").put_item(TableName="things", Item={"OrderId": {"S": "d"}})
    (record,) = streams.get_records(ShardIterator=before["NextShardIterator"])["Records"]
    assert record["dynamodb"]["Keys"] == {"OrderId": {"S": "d"}}
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in (*before["Records"], record)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))


def test_services_that_moto_gives_the_same_name_keep_their_own(account):
    """Both say that they are Redshift; and of what says that it is API Gateway no other server finds anything."""
    cluster = {"ClusterIdentifier": "cluster", "NodeType": "ra3.large", "MasterUsername": "reader"}
    account.client("redshift").create_cluster(**cluster, ManageMasterPassword=True)
    statement = {"ClusterIdentifier": "cluster", "Database": "dev", "Sql": "select 1"}
    done = account.client("redshift-data").execute_statement(**statement)["Id"]
    account.client("apigatewaymanagementapi").get_connection(ConnectionId="one")
    lifecycle.stop()
    account.start()
    (found,) = account.client("redshift").describe_clusters()["Clusters"]
    assert found["ClusterIdentifier"] == "cluster"
    assert account.client("redshift-data").describe_statement(Id=done)["QueryString"] == "select 1"


def test_a_function_gets_the_records_that_it_has_not_had(account, tmp_path):
    """Without another change in the table."""
    gate = Gate(tmp_path / "gate")
    source = f"{Gate.SOURCE}def handler(event, context):\n    pass_gate({gate.folder!r})\n    print('has', event)\n"
    name = account.aws.function(source)
    account.aws.table("things", StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    arn = account.client("dynamodb").describe_table(TableName="things")["Table"]["LatestStreamArn"]
    account.client("lambda").create_event_source_mapping(
        EventSourceArn=arn, FunctionName=name, StartingPosition="LATEST"
    )
    for order in ("first", "second"):
        account.client("dynamodb").put_item(TableName="things", Item={"OrderId": {"S": order}})
    gate.wait_for()
    account.kill()
    gate.open()
    account.start()
    eventually(lambda: "second" in "".join(account.aws.log(name)), "the records of before")


def test_a_backup_still_has_its_items(account):
    account.make_table()
    dynamodb = account.client("dynamodb")
    dynamodb.put_item(TableName="orders", Item={"OrderId": {"S": "a"}})
    backup = dynamodb.create_backup(TableName="orders", BackupName="copy")["BackupDetails"]["BackupArn"]
    dynamodb.delete_item(TableName="orders", Key={"OrderId": {"S": "a"}})
    account.restart()
    account.client("dynamodb").restore_table_from_backup(TargetTableName="again", BackupArn=backup)
    account.restart()
    scan = account.client("dynamodb").scan
    assert [len(scan(TableName=name)["Items"]) for name in ("orders", "again")] == [0, 1]


# Messages


@pytest.mark.deep
def test_messages_are_where_they_were(account):
    sqs, url = account.client("sqs"), account.queue("queue")
    for body in ("deleted", "in flight", "waiting"):
        attributes = {"A": {"DataType": "String", "StringValue": body}}
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    received = [account.receive(url, MaxNumberOfMessages=1, VisibilityTimeout=600)[0] for _ in range(2)]
    assert [message["Body"] for message in received] == ["deleted", "in flight"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received[0]["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=600)
    account.restart()
    sqs = account.client("sqs")
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    names = ("", "NotVisible", "Delayed")
    assert [counted[f"ApproximateNumberOfMessages{name}"] for name in names] == ["1", "1", "1"]
    waiting = account.receive(url)
    assert [message["Body"] for message in waiting] == ["waiting"]
    assert waiting[0]["MessageAttributes"]["A"]["StringValue"] == "waiting"
    # The handle from before the death is as good as it was.
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=received[1]["ReceiptHandle"], VisibilityTimeout=0)
    (again,) = account.receive(url)
    assert (again["Body"], again["Attributes"]["ApproximateReceiveCount"]) == ("in flight", "2")


@pytest.mark.deep
def test_a_fifo_queue_keeps_order_groups_and_deduplication(account):
    sqs, url = account.client("sqs"), account.queue("queue.fifo", FifoQueue="true")
    for number in range(4):
        sqs.send_message(
            QueueUrl=url, MessageBody=str(number), MessageGroupId="abab"[number], MessageDeduplicationId=f"d{number}"
        )
    (first,) = account.receive(url, MaxNumberOfMessages=1, VisibilityTimeout=600)
    account.restart()
    sqs = account.client("sqs")
    sqs.send_message(QueueUrl=url, MessageBody="twice", MessageGroupId="b", MessageDeduplicationId="d3")
    assert [message["Body"] for message in account.receive(url)] == ["1", "3"]  # the other group is in flight
    sqs.delete_message(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in account.receive(url)] == ["2"]


@pytest.mark.deep
def test_a_message_that_was_received_too_often_is_in_the_dead_letter_queue(account):
    dead = account.queue("dead")
    redrive = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 1}
    url = account.queue("queue", RedrivePolicy=json.dumps(redrive))
    account.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
    assert account.receive(url, VisibilityTimeout=0)
    account.restart()
    assert account.receive(url) == []
    account.restart()
    assert [message["Body"] for message in account.receive(dead)] == ["poison"]
    assert account.receive(url) == []


# Events


@pytest.mark.deep
def test_every_accepted_event_arrives_although_its_function_was_slow(account):
    account.make_service()
    ids = [f"o{number}" for number in range(30)]
    account.put_orders(ids, Sleep=0.3)
    account.restart()
    eventually(lambda: account.stored() == set(ids), "an accepted event was lost")


@pytest.mark.deep
def test_a_burst_in_the_middle_of_which_the_server_dies(account):
    account.make_service()
    accepted: list[str] = []
    enough = threading.Event()

    def put(client_number: int) -> None:
        events = account.client("events")
        try:
            for batch in range(1000):
                ids = [f"{client_number}-{batch}-{number}" for number in range(5)]
                entries = [
                    {"Source": "shop", "DetailType": "Order", "Detail": json.dumps({"OrderId": each})} for each in ids
                ]
                events.put_events(Entries=entries)
                accepted.extend(ids)
                if len(accepted) > 200:
                    enough.set()
        except (BotoCoreError, ClientError):
            return  # the server is dead

    threads = [threading.Thread(target=put, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    assert enough.wait(PATIENCE)
    account.kill()
    for thread in threads:
        thread.join(PATIENCE)
    account.start()
    eventually(lambda: set(accepted) <= account.stored(), "an answered PutEvents was lost")


@pytest.mark.deep
def test_a_retry_that_waits_is_made_by_the_next_server(patient_account):
    account = patient_account
    name = account.aws.function(FRAGILE)
    dead = account.queue("dead")
    _allow(account, name, "sqs:*")
    account.client("lambda").put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:sqs:us-east-1:123456789012:dead"}},
    )
    account.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=b'{"fail": "now"}')
    eventually(lambda: f"{name}: " in account.aws.server_log(), "the first attempt has not failed")
    account.restart()
    (message,) = _within(lambda: account.receive(dead))
    record = json.loads(message["Body"])
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2


@pytest.mark.deep
def test_an_undelivered_event_is_tried_again_and_then_parked(patient_account):
    account = patient_account
    dead, full = account.queue("dead"), "arn:aws:sqs:us-east-1:123456789012:dead"
    _open(account, dead)
    account.client("events").create_connection(
        Name="key", AuthorizationType="API_KEY",
        AuthParameters={"ApiKeyAuthParameters": {"ApiKeyName": "n", "ApiKeyValue": "v"}},
    )  # fmt: skip
    connection = account.client("events").describe_connection(Name="key")["ConnectionArn"]
    destination = account.client("events").create_api_destination(
        Name="nobody", ConnectionArn=connection, HttpMethod="POST", InvocationEndpoint="http://127.0.0.1:9/"
    )["ApiDestinationArn"]
    trust = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = account.client("iam")
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=trust)
    may = {"Effect": "Allow", "Action": "events:InvokeApiDestination", "Resource": "*"}
    iam.put_role_policy(
        RoleName="r", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]})
    )
    account.client("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["shop"]}))
    account.client("events").put_targets(
        Rule="rule",
        Targets=[
            {
                "Id": "t", "Arn": destination, "RoleArn": role["Role"]["Arn"], "DeadLetterConfig": {"Arn": full},
                "RetryPolicy": {"MaximumRetryAttempts": 6, "MaximumEventAgeInSeconds": 86400},
            }
        ],
    )  # fmt: skip
    account.put_orders(["one"])
    eventually(lambda: "not delivered yet" in account.aws.server_log(), "the first attempt was not made")
    account.restart()
    (message,) = _within(lambda: account.receive(dead))
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["RETRY_ATTEMPTS"] == "6"
    assert attributes["EXHAUSTED_RETRY_CONDITION"] == "MaximumRetryAttempts"
    assert json.loads(message["Body"])["detail"] == {"OrderId": "one"}


@pytest.mark.deep
def test_a_parked_event_keeps_what_went_wrong(account):
    dead, arn = account.queue("dead"), "arn:aws:sqs:us-east-1:123456789012:dead"
    _open(account, dead)
    account.client("events").put_rule(Name="rule", EventPattern=json.dumps({"source": ["shop"]}))
    gone = "arn:aws:lambda:us-east-1:123456789012:function:gone"
    account.client("events").put_targets(
        Rule="rule", Targets=[{"Id": "t", "Arn": gone, "DeadLetterConfig": {"Arn": arn}}]
    )
    account.put_orders(["one"])
    (before,) = _within(lambda: account.receive(dead, VisibilityTimeout=0))
    account.restart()
    # It may be there twice: when the server died, perhaps it was not written yet that the event was done with.
    (after,) = [each for each in account.receive(dead) if each["MessageId"] == before["MessageId"]]
    assert (after["Body"], after["MessageAttributes"]) == (before["Body"], before["MessageAttributes"])


@pytest.mark.deep
def test_an_archive_and_a_replay_that_was_running(patient_account):
    account = patient_account
    account.make_service()
    events = account.client("events")
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    events.create_archive(ArchiveName="all", EventSourceArn=bus)
    ids = [f"o{number}" for number in range(250)]
    account.put_orders(ids)
    eventually(lambda: events.describe_archive(ArchiveName="all")["EventCount"] == 250, "the archive has not all")
    eventually(lambda: account.stored() == set(ids), "an event was lost")
    size = events.describe_archive(ArchiveName="all")["SizeBytes"]
    account.client("dynamodb").delete_table(TableName="orders")
    account.make_table()
    archive = "arn:aws:events:us-east-1:123456789012:archive/all"
    events.start_replay(
        ReplayName="again", EventSourceArn=archive, EventStartTime=time.time() - 3600, EventEndTime=time.time() + 1,
        Destination={"Arn": bus},
    )  # fmt: skip
    account.restart()
    events = account.client("events")
    described = events.describe_archive(ArchiveName="all")
    assert (described["EventCount"], described["SizeBytes"]) == (250, size)
    eventually(lambda: events.describe_replay(ReplayName="again")["State"] == "COMPLETED", "the replay has not ended")
    eventually(lambda: account.stored() == set(ids), "an archived event was not replayed")


def _within(receive: Callable[[], list[dict]]) -> list[dict]:
    found: list[dict] = []
    eventually(lambda: found.extend(receive()) or found, "no message came")
    return found


def _allow(account: Account, function: str, action: str) -> None:
    role = account.client("lambda").get_function(FunctionName=function)["Configuration"]["Role"].split("/")[-1]
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    account.client("iam").put_role_policy(RoleName=role, PolicyName="more", PolicyDocument=json.dumps(document))


def _open(account: Account, url: str) -> None:
    """Let EventBridge send to a queue."""
    statement = {
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage",
        "Resource": "*",
    }  # fmt: skip
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


# Stopping, and what can be wrong with a store


@pytest.mark.deep
def test_an_orderly_stop_keeps_metrics_too(account):
    name = account.aws.function("def handler(event, context):\n    return 1")
    account.aws.invoke(name)
    assert lifecycle.stop()
    account.start()
    answer = account.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda", MetricName="Invocations", Dimensions=[{"Name": "FunctionName", "Value": name}],
        StartTime=time.time() - 600, EndTime=time.time() + 60, Period=3600, Statistics=["Sum"],
    )  # fmt: skip
    assert sum(point["Sum"] for point in answer["Datapoints"]) == 1


@pytest.mark.deep
@pytest.mark.parametrize("running", [True, False])
def test_stop_and_forget_begins_anew(account, running):
    account.aws.function("def handler(event, context):\n    return 1")
    account.make_table()
    if not running:
        lifecycle.stop()
    old = account.aws.account
    assert lifecycle.stop(forget=True) is running
    assert not (account.home / "account.sqlite").exists() and not (account.home / "functions").exists()
    account.start()
    assert account.client("dynamodb").list_tables()["TableNames"] == []
    assert account.aws.account.access_key_id != old.access_key_id


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_only_the_user_can_read_the_store(account):
    account.make_table()
    files = list(account.home.glob("account.sqlite*"))
    assert files and all(path.stat().st_mode & 0o077 == 0 for path in files)


def _damaged(path: Path) -> None:
    path.write_bytes(b"this is no database" * 1000)


def _of_another_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("update rows set value = ? where kind = 'made by'", (b"moto 1.0, format 0",))
    connection.commit()
    connection.close()


def _cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _of_somebody_else(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("create table recipes (name)")
    connection.commit()
    connection.close()


@pytest.mark.deep
@pytest.mark.parametrize("spoil", [_damaged, _of_another_version, _cut_off, _of_somebody_else])
def test_a_store_that_cannot_be_read_is_left_alone_and_said(account, spoil):
    account.make_table()
    lifecycle.stop()
    path = account.home / "account.sqlite"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(WorkbookError) as refused:
        lifecycle.start()
    message = str(refused.value)
    assert str(path) in message and "stop --forget" in message and "\n" not in message
    assert path.read_bytes() == before
    lifecycle.stop(forget=True)
    account.start()
    assert account.client("dynamodb").list_tables()["TableNames"] == []


def spoil_row(home: Path, kind: str, value: bytes, key: str = "%") -> None:
    connection = sqlite3.connect(home / "account.sqlite")
    changed = connection.execute("update rows set value = ? where kind = ? and key like ?", (value, kind, key))
    assert changed.rowcount
    connection.commit()
    connection.close()


def one_line(account) -> str:
    with pytest.raises(WorkbookError) as refused:
        lifecycle.start()
    said = str(refused.value)
    assert said.startswith(f"The account in {account.home / 'account.sqlite'} cannot be opened: ") and "\n" not in said
    assert "It was left as it is" in said and "stop --forget" in said
    return said


@pytest.mark.parametrize(("kind", "what"), [
    ("state", "the state of "), ("our state", "its metrics and stacks"), ("item", "the items of dynamodb"),
    ("message", "the messages of sqs"), ("log events", "the log events of logs"),
    ("administrator", "its credentials"), ("uptime", "how long it was up"),
])  # fmt: skip
def test_a_row_that_cannot_be_read_is_one_line(account, kind, what):
    account.make_table()
    account.client("dynamodb").put_item(TableName="orders", Item={"OrderId": {"S": "1"}})
    queue = account.client("sqs").create_queue(QueueName="parked")["QueueUrl"]
    account.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    logs = account.client("logs")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")
    event = {"timestamp": int(time.time() * 1000), "message": "line"}
    logs.put_log_events(logGroupName="group", logStreamName="stream", logEvents=[event])
    lifecycle.stop()
    spoil_row(account.home, kind, b"\x80nonsense")
    assert f"{what}" in one_line(account) and "cannot be read" in one_line(account)
    lifecycle.stop(forget=True)


def test_a_service_whose_package_is_gone_is_one_line(account):
    """As after a move to an environment that has less: what it is about, and what would help."""
    account.make_table()
    lifecycle.stop()
    spoil_row(account.home, "state", b"cnowhere.to.be.found\nThing\n.", "dynamodb")
    said = one_line(account)
    assert "for the state of dynamodb in us-east-1 the package nowhere is needed" in said and "Install it" in said
    lifecycle.stop(forget=True)


def test_two_servers_never_have_one_store(account, monkeypatch):
    account.make_table()
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.2)
    with pytest.raises(store.StoreError, match="is in use by another process"):
        AccountOwner.of(account.home)
    assert account.client("dynamodb").list_tables()["TableNames"] == ["orders"]


# Writing fails


@pytest.mark.deep
@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="Linux can limit a running process's files")
def test_a_disk_that_takes_no_more(account):
    """Changes are refused in one clear line, reading goes on, and with room again so does everything."""
    account.make_table()
    dynamodb = account.client("dynamodb")
    server = psutil.Process(account.aws.account.pid)
    endless = server.rlimit(psutil.RLIMIT_FSIZE)
    server.rlimit(psutil.RLIMIT_FSIZE, (100_000, endless[1]))
    written, refused = [], None
    for number in range(1000):
        try:
            dynamodb.put_item(TableName="orders", Item={"OrderId": {"S": str(number)}, "Text": {"S": "x" * 1000}})
        except ClientError as error:
            refused = error
            break
        written.append(str(number))
    assert refused is not None and written
    error = refused.response
    assert (error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == ("InternalFailure", 507)
    message = error["Error"]["Message"]
    assert str(account.home / "account.sqlite") in message and "call again" in message and "\n" not in message
    with pytest.raises(ClientError, match="cannot write to"):
        account.client("sqs").create_queue(QueueName="refused")
    assert account.client("sqs").list_queues().get("QueueUrls") is None  # refused before it was done
    assert account.stored() >= set(written)
    server.rlimit(psutil.RLIMIT_FSIZE, endless)
    account.queue("taken")
    account.put_orders([])
    account.restart()
    assert account.stored() >= set(written)
    assert len(account.client("sqs").list_queues()["QueueUrls"]) == 1


@pytest.mark.deep
@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_FSIZE"), reason="Linux can limit a running process's files")
def test_a_death_while_the_disk_takes_no_more_leaves_what_was_answered(account):
    account.make_table()
    server = psutil.Process(account.aws.account.pid)
    server.rlimit(psutil.RLIMIT_FSIZE, (100_000, server.rlimit(psutil.RLIMIT_FSIZE)[1]))
    written = set()
    with pytest.raises(ClientError, match="cannot write to"):
        for number in range(1000):
            item = {"OrderId": {"S": str(number)}, "Text": {"S": "x" * 1000}}
            account.client("dynamodb").put_item(TableName="orders", Item=item)
            written.add(str(number))
    account.restart()
    assert account.stored() == written


@pytest.fixture
def small(tmp_path: Path) -> Iterator[store.Store]:
    opened = store.Store(tmp_path / "store.sqlite", "test")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("hinder", "free", "reason"),
    [
        ("pragma max_page_count = 5", "pragma max_page_count = 100000", "the disk is full. Make room"),
        ("pragma query_only = 1", "pragma query_only = 0", "it is read-only. Make it writable"),
    ],
)
def test_what_could_not_be_written_is_written_when_it_can_be(small, hinder, free, reason):
    small.put("kind", "owner", "before", b"1")
    small.put("kind", "owner", "deleted", b"1")
    small.put("gone", "owner", "all of them", b"1")
    small.commit()
    small.fold()  # reading does so, too, and must write for it
    small._connection.execute(hinder)
    small.put("kind", "owner", "large", b"x" * 100_000, new=True)
    small.delete("kind", "owner", "deleted")
    small.delete_all("gone", "owner")
    with pytest.raises(store.StoreError, match=reason):
        small.commit()
    assert small.trouble and [key for _, key, _ in small.rows("kind")] == ["before", "deleted"]
    small.put("kind", "owner", "before", b"2")
    small.put("gone", "owner", "new", b"1", new=True)
    small.put("kind", "owner", "short-lived", b"1", new=True)
    small.delete("kind", "owner", "short-lived")
    with pytest.raises(store.StoreError):
        small.commit()
    small._connection.execute(free)
    small.commit()
    assert small.trouble is None
    assert {key: value[:1] for _, key, value in small.rows("kind")} == {"before": b"2", "large": b"x"}
    assert [key for _, key, _ in small.rows("gone")] == ["new"]


@pytest.mark.parametrize("often", [True, False], ids=["folded after each commit", "folded once"])
def test_the_log_says_what_the_rows_would(small, tmp_path, often):
    """The same changes, one by one: as rows at once, or as a log that becomes rows when the store is opened again."""
    chance, expected = random.Random(7), {}
    for number in range(500):
        owner, key, what = chance.choice("ab"), chance.randrange(20), chance.random()
        if what < 0.02:
            small.delete_all("kind", owner)
            expected = {name: value for name, value in expected.items() if name[0] != owner}
        elif what < 0.3:
            small.delete("kind", owner, key)
            expected.pop((owner, key), None)
        else:
            small.put("kind", owner, key, str(number).encode())
            expected[owner, key] = str(number).encode()
        small.commit()
        if often:
            small.fold()
    path = small.path
    small._connection.close()  # as a killed process does: without folding
    again = store.Store(path, "test")
    assert [((owner, key), value) for owner, key, value in again.rows("kind")] == list(expected.items())
    again.close()
    small._connection = sqlite3.connect(":memory:")  # for the fixture to close


def test_a_long_log_is_folded_in_slices(small):
    """Whoever commits meanwhile waits for one slice, and finds all that is in the log."""
    for number in range(40):
        small.put("kind", "owner", number, bytes(50_000))
        small.delete("kind", "owner", number - 1)
        small.commit()
    whole = small.log_size
    small.fold_some()
    assert 0 < small.log_size < whole, "a slice was folded, and not all"
    small.put("kind", "owner", "meanwhile", b"1")
    small.commit()
    assert [key for _, key, _ in small.rows("kind")] == [39, "meanwhile"]
    assert small.log_size == 0


def test_the_log_is_folded_when_nobody_changes_anything(small, monkeypatch):
    monkeypatch.setattr(journal, "QUIET", 0.05)
    monkeypatch.setattr(journal, "store", None)
    folded, fold = threading.Event(), small.fold_some
    monkeypatch.setattr(small, "fold_some", lambda: (fold(), folded.set()))
    journal.open_with(small, lambda service, region: None, lambda: None)
    journal.put("kind", "owner", "a", b"1")
    journal.commit()
    assert folded.wait(PATIENCE) and small.log_size == 0
    journal.close()


def test_a_fold_that_fails_in_the_middle_loses_nothing(small, tmp_path):
    for number in range(40):
        small.put("kind", "owner", number, bytes(50_000))
        small.commit()
    small.fold_some()
    small._connection.execute("pragma query_only = 1")
    with pytest.raises(store.StoreError, match="read-only"):
        small.fold()
    small._connection.execute("pragma query_only = 0")
    assert [key for _, key, _ in small.rows("kind")] == list(range(40))


def test_what_a_failed_commit_put_can_still_be_deleted(small):
    small._connection.execute("pragma query_only = 1")
    small.put("kind", "owner", "a", b"1", new=True)
    with pytest.raises(store.StoreError):
        small.commit()
    small.delete("kind", "owner", "a")
    small.put("kind", "owner", "b", b"1", new=True)
    small._connection.execute("pragma query_only = 0")
    small.commit()
    assert [key for _, key, _ in small.rows("kind")] == ["b"]


def test_rows_come_back_in_the_order_in_which_they_came(small):
    for number in (5, 3, 9, 1):
        small.put("kind", "owner", number, b"1")
        small.commit()
    small.put("kind", "owner", 9, b"2")
    small.commit()
    assert [(key, value) for _, key, value in small.rows("kind")] == [(5, b"1"), (3, b"1"), (9, b"2"), (1, b"1")]
    assert small.number() < small.number()


def test_a_commit_waits_for_one_that_is_under_way(small, monkeypatch):
    """Nobody may answer while what they have changed is still being written by another."""
    writing, go_on, write = threading.Event(), threading.Event(), small._write

    def slow(*changes):
        writing.set()
        assert go_on.wait(PATIENCE)
        write(*changes)

    monkeypatch.setattr(small, "_write", slow)
    small.put("kind", "owner", "a", b"1")
    first = threading.Thread(target=small.commit)
    first.start()
    assert writing.wait(PATIENCE)
    second = threading.Thread(target=small.commit)
    second.start()
    second.join(0.2)
    assert second.is_alive()
    go_on.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert [key for _, key, _ in small.rows("kind")] == ["a"]
