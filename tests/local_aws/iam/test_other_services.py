"""IAM holds for services outside the lessons, too: a Deny on one thing, an Allow on one thing, or nobody at all."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from tests.local_aws.test_attacks import Session
from tests.support.embedded_aws import Aws
from tests.support.raw_requests import address_of_aws  # noqa: F401

ACCOUNT = "123456789012"


@pytest.fixture
def name() -> str:
    return f"thing-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def session(aws) -> Session:
    return Session(aws)


def says(aws: Aws, session: Session, *statements: tuple[str, object, object]) -> None:
    """From now on the session's only policy has these statements: effect, actions, resources."""
    listed = [{"Effect": effect, "Action": action, "Resource": resource} for effect, action, resource in statements]
    document = json.dumps({"Version": "2012-10-17", "Statement": listed})
    aws.client("iam").put_role_policy(RoleName=session.role, PolicyName="own", PolicyDocument=document)


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:us-east-1:{ACCOUNT}:{resource}"


def denied(call: Callable, **given: object) -> bool:
    """Whether IAM refuses; what comes after IAM does not matter."""
    try:
        call(**given)
    except ClientError as error:
        return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "403")
    return False


class TestS3:
    @pytest.fixture
    def bucket(self, aws, name) -> Iterator[str]:
        s3 = aws.client("s3")
        s3.create_bucket(Bucket=name)
        s3.put_object(Bucket=name, Key="a/b", Body=b"text")
        yield name

    def test_a_deny_on_a_bucket_holds(self, aws, session, bucket):
        says(
            aws,
            session,
            ("Allow", "s3:*", "*"),
            ("Deny", "s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),
        )
        s3 = session.client("s3")
        assert denied(s3.get_object, Bucket=bucket, Key="a/b") and denied(s3.head_object, Bucket=bucket, Key="a/b")
        assert denied(s3.put_object, Bucket=bucket, Key="c", Body=b"") and denied(s3.delete_bucket, Bucket=bucket)
        assert denied(s3.list_objects_v2, Bucket=bucket) and denied(s3.list_object_versions, Bucket=bucket)
        assert denied(s3.delete_objects, Bucket=bucket, Delete={"Objects": [{"Key": "a/b"}]})
        assert denied(s3.put_bucket_policy, Bucket=bucket, Policy="{}")
        s3.create_bucket(Bucket=f"{bucket}-other")
        assert denied(s3.copy_object, Bucket=f"{bucket}-other", Key="x", CopySource={"Bucket": bucket, "Key": "a/b"})
        assert aws.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1

    @pytest.mark.parametrize("path", ["/{}/a/b?acl", "/{}/a/b", "//{}/a/b", "/%{:02x}{}/a/b"])
    def test_however_the_path_is_written(self, aws, session, bucket, path):
        says(aws, session, ("Allow", "s3:*", "*"), ("Deny", "s3:*", f"arn:aws:s3:::{bucket}/*"))
        path = path.format(ord(bucket[0]), bucket[1:]) if "%" in path else path.format(bucket)
        status, answer = session.send("s3", "", "GET", path, X_Amz_Content_SHA256="UNSIGNED-PAYLOAD")
        assert status in (400, 403, 404) and answer != "text"

    def test_an_allow_on_objects_is_one(self, aws, session, bucket):
        says(aws, session, ("Allow", "s3:*Object", f"arn:aws:s3:::{bucket}/*"))
        s3 = session.client("s3")
        assert s3.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"text"
        s3.head_object(Bucket=bucket, Key="a/b")
        upload = s3.create_multipart_upload(Bucket=bucket, Key="big")["UploadId"]
        tag = s3.upload_part(Bucket=bucket, Key="big", UploadId=upload, PartNumber=1, Body=b"x")["ETag"]
        s3.complete_multipart_upload(
            Bucket=bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": [{"ETag": tag, "PartNumber": 1}]}
        )
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/b"})
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "big"}]})
        assert denied(s3.list_objects_v2, Bucket=bucket) and denied(s3.get_object_tagging, Bucket=bucket, Key="a/b")
        assert denied(s3.put_object, Bucket=bucket, Key="public", Body=b"", ACL="public-read")

    def test_a_bucket_is_listed_by_who_may_list_it(self, aws, session, bucket):
        says(aws, session, ("Allow", "s3:ListBucket", f"arn:aws:s3:::{bucket}"))
        assert session.client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1
        session.client("s3").head_bucket(Bucket=bucket)
        assert denied(session.client("s3").get_object, Bucket=bucket, Key="a/b")

    def test_each_object_that_is_deleted_counts(self, aws, session, bucket):
        says(aws, session, ("Allow", "s3:DeleteObject", f"arn:aws:s3:::{bucket}/mine/*"))
        both = {"Objects": [{"Key": "mine/x"}, {"Key": "a/b"}]}
        assert denied(session.client("s3").delete_objects, Bucket=bucket, Delete=both)

    def test_the_buckets_own_policy_denies(self, aws, session, bucket):
        says(aws, session, ("Allow", "s3:*", "*"))
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{bucket}/a/*",
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        aws.client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
        assert denied(session.client("s3").get_object, Bucket=bucket, Key="a/b")
        session.client("s3").put_object(Bucket=bucket, Key="a/b", Body=b"new")


#: A service, an operation with its input, the action, and the resource that it is on: {} is a name.
ON_ONE_THING = [
    ("sns", "create_topic", {"Name": "{}"}, "sns:CreateTopic", arn("sns", "{}")),
    ("sns", "publish", {"TopicArn": arn("sns", "{}"), "Message": "m"}, "sns:Publish", arn("sns", "{}")),
    ("kinesis", "describe_stream", {"StreamName": "{}"}, "kinesis:DescribeStream", arn("kinesis", "stream/{}")),
    ("firehose", "describe_delivery_stream", {"DeliveryStreamName": "{}"}, "firehose:DescribeDeliveryStream",
     arn("firehose", "deliverystream/{}")),
    ("ssm", "put_parameter", {"Name": "/{}", "Value": "v", "Type": "String"}, "ssm:PutParameter",
     arn("ssm", "parameter/{}")),
    ("ssm", "get_parameters", {"Names": ["{}:1"]}, "ssm:GetParameters", arn("ssm", "parameter/{}")),
    ("secretsmanager", "create_secret", {"Name": "{}", "SecretString": "s"}, "secretsmanager:CreateSecret",
     arn("secretsmanager", "secret:{}-??????")),
    ("ecr", "create_repository", {"repositoryName": "{}"}, "ecr:CreateRepository", arn("ecr", "repository/{}")),
    ("scheduler", "get_schedule", {"Name": "{}"}, "scheduler:GetSchedule", arn("scheduler", "schedule/default/{}")),
    ("cloudwatch", "describe_alarms", {"AlarmNames": ["{}"]}, "cloudwatch:DescribeAlarms",
     arn("cloudwatch", "alarm:{}")),
    ("cloudformation", "describe_stack_events", {"StackName": "{}"}, "cloudformation:DescribeStackEvents",
     arn("cloudformation", "stack/{}/*")),
    ("stepfunctions", "describe_state_machine", {"stateMachineArn": arn("states", "stateMachine:{}")},
     "states:DescribeStateMachine", arn("states", "stateMachine:{}")),
    ("kms", "describe_key", {"KeyId": "{}"}, "kms:DescribeKey", arn("kms", "key/{}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "given", "action", "resource"), ON_ONE_THING, ids=[each[1] for each in ON_ONE_THING]
)
def test_a_policy_for_one_thing(aws, session, name, service, operation, given, action, resource):
    def asked(name: str) -> dict:
        return json.loads(json.dumps(given).replace("{}", name))

    call = getattr(session.client(service), operation)
    says(aws, session, ("Allow", action, resource.replace("{}", name)))
    assert denied(call, **asked(f"{name}-other")) and not denied(call, **asked(name))
    says(aws, session, ("Allow", "*", "*"), ("Deny", action, resource.replace("{}", name)))
    assert denied(call, **asked(name)) and not denied(call, **asked(f"{name}-other"))


def test_a_key_by_its_alias(aws, session, name):
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    secret = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"text")["CiphertextBlob"]
    says(aws, session, ("Allow", "*", "*"), ("Deny", "kms:*crypt", key["Arn"]))
    mine = session.client("kms")
    assert denied(mine.encrypt, KeyId=f"alias/{name}", Plaintext=b"x") and denied(mine.decrypt, CiphertextBlob=secret)
    says(aws, session, ("Allow", "kms:*crypt", key["Arn"]))
    assert mine.decrypt(CiphertextBlob=secret)["Plaintext"] == b"text"


def test_a_secret_by_its_name_and_by_parts_of_its_arn(aws, session, name):
    made = aws.client("secretsmanager").create_secret(Name=name, SecretString="s")["ARN"]
    says(aws, session, ("Allow", "*", "*"), ("Deny", "secretsmanager:*", made))
    mine = session.client("secretsmanager")
    assert all(denied(mine.get_secret_value, SecretId=each) for each in (name, made, made[:-7]))
    assert denied(mine.batch_get_secret_value, SecretIdList=[name])
    assert denied(session.client("ssm").get_parameter, Name=f"/aws/reference/secretsmanager/{name}")


def test_records_are_of_a_stream(aws, session, name):
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName=name, ShardCount=1)
    shard = kinesis.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    given = {"StreamName": name, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = kinesis.get_shard_iterator(**given)["ShardIterator"]
    says(aws, session, ("Allow", "*", "*"), ("Deny", "kinesis:GetRecords", arn("kinesis", f"stream/{name}")))
    assert denied(session.client("kinesis").get_records, ShardIterator=iterator)
    says(aws, session, ("Allow", "kinesis:GetRecords", arn("kinesis", f"stream/{name}")))
    assert session.client("kinesis").get_records(ShardIterator=iterator)["Records"] == []


def test_records_of_a_table_are_of_its_stream(aws, session):
    table = aws.table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    streams = aws.client("dynamodbstreams")
    stream = streams.list_streams(TableName=table)["Streams"][0]["StreamArn"]
    shard = streams.describe_stream(StreamArn=stream)["StreamDescription"]["Shards"][0]["ShardId"]
    given = {"StreamArn": stream, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = streams.get_shard_iterator(**given)["ShardIterator"]
    says(aws, session, ("Allow", "*", "*"), ("Deny", "dynamodb:GetRecords", stream))
    assert denied(session.client("dynamodbstreams").get_records, ShardIterator=iterator)
    says(aws, session, ("Allow", "dynamodb:GetRecords", stream))
    assert session.client("dynamodbstreams").get_records(ShardIterator=iterator)["Records"] == []


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [("rds", "describe_db_instances", {}), ("ec2", "describe_vpcs", {}), ("apigateway", "get_rest_apis", {}),
     ("ssm", "list_documents", {}), ("s3", "rename_object", {"Bucket": "b", "Key": "k", "RenameSource": "s"})],
)  # fmt: skip
def test_of_what_nobody_can_say_the_resource_only_the_administrator_may(aws, session, service, operation, given):
    says(aws, session, ("Allow", "*", "*"))
    with pytest.raises(ClientError) as refusal:
        getattr(session.client(service), operation)(**given)
    error = refusal.value.response["Error"]
    assert error["Code"] in ("AccessDenied", "AccessDeniedException")
    assert "does not know on which resource" in error["Message"] and "the account's own credentials" in error["Message"]
    assert not denied(getattr(aws.client(service), operation), **given)
