"""What moto's S3 does not know is not taken for something else."""

from __future__ import annotations

import inspect
import re
import uuid

import pytest
from botocore.exceptions import ClientError
from moto.s3.responses import S3Response

from helpers.local_aws.s3 import operations


@pytest.fixture
def bucket(aws):
    name = f"bucket-{uuid.uuid4().hex[:8]}"
    aws.client("s3").create_bucket(Bucket=name)
    aws.client("s3").put_object(Bucket=name, Key="key", Body=b"text")
    return name


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("delete_bucket_analytics_configuration", {"Id": "x"}),
        ("delete_bucket_metrics_configuration", {"Id": "x"}),
        ("delete_bucket_inventory_configuration", {"Id": "x"}),
        ("get_bucket_request_payment", {}),
        ("put_bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
        ("get_object_torrent", {"Key": "key"}),
        ("get_object_retention", {"Key": "key"}),
        ("rename_object", {"Key": "new", "RenameSource": "key"}),
    ],
)
def test_it_is_refused_and_changes_nothing(aws, bucket, operation, given):
    s3 = aws.client("s3")
    if operation == "delete_bucket_analytics_configuration":
        s3.delete_object(Bucket=bucket, Key="key")
    with pytest.raises(ClientError) as refusal:
        getattr(s3, operation)(Bucket=bucket, **given)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    s3.head_bucket(Bucket=bucket)


@pytest.mark.parametrize(("kind", "method"), sorted(operations.KNOWN))
def test_the_table_says_what_moto_looks_for(kind, method):
    name = f"_{'bucket' if kind == 'BUCKET' else 'key'}_response_{method.lower()}"
    if not hasattr(S3Response, name):  # HEAD of a bucket, which has no parameters
        return
    source = inspect.getsource(getattr(S3Response, name))
    asked = re.findall(r'"([\w-]+)" in query|query(?:string)?\.get\("([\w-]+)"', source)
    found = {each for pair in asked for each in pair if each}
    known = operations.KNOWN[kind, method]
    assert known - {"select-type"} <= found
