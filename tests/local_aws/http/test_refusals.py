"""What the account does not have is refused in one line that says so, and never with a failure of the server's."""

from __future__ import annotations

from importlib.util import find_spec

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.raw_requests import address_of_aws, send  # noqa: F401


def client(aws, service: str, region: str = "us-east-1", **settings: object):
    once = Config(retries={"total_max_attempts": 1}, **settings)
    return aws.session.client(service, region, endpoint_url=aws.account.endpoint_url, config=once)


def refusal(call) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call()
    answer = refused.value.response
    message = answer["Error"]["Message"]
    assert "\n" not in message
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], message


@pytest.mark.parametrize(("service", "operation"), [
    ("dynamodb", "list_tables"), ("events", "list_rules"), ("lambda", "list_functions"), ("sqs", "list_queues"),
    ("logs", "describe_log_groups"), ("cloudwatch", "list_metrics"), ("cloudformation", "list_stacks"),
    ("iam", "list_roles"), ("sts", "get_caller_identity"), ("s3", "list_buckets"), ("sns", "list_topics"),
])  # fmt: skip
@pytest.mark.parametrize("region", ["us-esat-1", "nowhere"])
def test_a_region_that_does_not_exist(aws, service, operation, region):
    status, code, message = refusal(getattr(client(aws, service, region), operation))
    assert (status, code in ("InvalidSignatureException", "SignatureDoesNotMatch")) == (400, True)
    assert message.startswith(f"Credential should be scoped to a valid region, not '{region}'.")


@pytest.mark.parametrize("region", ["eu-central-1", "cn-north-1", "us-gov-west-1"])
def test_a_region_that_exists(aws, region):
    assert client(aws, "dynamodb", region).list_tables()["TableNames"] == []


def test_a_region_in_which_there_is_no_such_service(aws):
    there = set(boto3.Session().get_available_regions("ivs"))
    region = next(name for name in boto3.Session().get_available_regions("sqs") if name not in there)
    status, code, message = refusal(client(aws, "ivs", region).list_channels)
    assert (status, code) == (501, "NotImplemented") and message == f"There is no ivs in {region}."


#: Services for which moto needs a package of which the workbook has no need.
NEEDING = {
    "joserfc": ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
    "aws_xray_sdk": ("xray", "get_groups", {}),
    "openapi_spec_validator": ("apigateway", "get_rest_apis", {}),
}


@pytest.mark.parametrize("package", NEEDING)
def test_a_service_whose_package_is_not_installed(aws, package):
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    service, operation, parameters = NEEDING[package]
    status, code, message = refusal(lambda: getattr(client(aws, service), operation)(**parameters))
    assert (status, code) == (501, "NotImplemented")
    assert message.startswith(f"For {service} the embedded AWS needs the package {package}, which")


@pytest.mark.parametrize("version", ["s3", "s3v4"])
def test_a_presigned_url_says_what_to_do_instead(aws, address, version):
    s3 = client(aws, "s3", signature_version=version)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "bucket", "Key": "key"})
    status, _, answer = send(address, {}, "", "GET", url.removeprefix(aws.account.endpoint_url))
    assert status == 403 and b"answers no presigned URL. Send the request itself, with boto3" in answer
