"""What an account has answered is there after an orderly end and after a kill, whatever service it is of.

A walk calls every operation of a service with made-up input, or with what is written down in `calls_by_hand`, and then
compares the whole state of the process with that of the next one. An account that cannot keep something refuses it.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moto.backend_index as backend_index
import psutil
import pytest
from botocore.session import get_session

from helpers.local_aws import lifecycle
from helpers.local_aws.account.service_table import Effect, of_model
from helpers.paths import PROJECT
from tests.support.calls_by_hand import BY_HAND
from tests.support.embedded_aws import Aws, own_home, serve
from tests.support.every_operation import takes_away
from tests.support.polling import PATIENCE

#: Few, quick to walk, and each with another kind of state.
FEW = ("ssm", "kms", "acm", "s3", "sqs", "dynamodb", "secretsmanager")
#: Whose every operation is to be done, and not only tried.
WELL_KNOWN = tuple(BY_HAND)
#: Operations that a name says to change something, and that no walk does; with the reason.
NOT_DONE = {
    **dict.fromkeys(
        ("kms Decrypt", "kms ReEncrypt", "kms Verify", "kms VerifyMac", "acm ExportCertificate"),
        "changes nothing; needs what another call has answered in bytes",
    ),
    **dict.fromkeys(
        ("acm ImportCertificate", "iam UploadSigningCertificate", "iam UpdateSigningCertificate"),
        "needs a certificate of the caller's; kept as the text that it is",
    ),
    **dict.fromkeys(
        ("logs StartLiveTail", "s3 WriteGetObjectResponse", "stepfunctions StartSyncExecution"),
        "has another host in front of the service's name, which no loopback address has",
    ),
    **dict.fromkeys(
        ("sts AssumeRoleWithSAML", "sts AssumeRoleWithWebIdentity", "s3 SelectObjectContent"),
        "the account's signatures do not let it through",
    ),
    **dict.fromkeys(
        ("logs CreateDelivery", "logs PutDeliverySource", "logs PutDeliveryDestination",
         "logs PutDeliveryDestinationPolicy"),
        "needs a service of AWS's that delivers logs",
    ),
    "acm ResendValidationEmail": "changes nothing; there is no e-mail",
    "s3 PutBucketNotification": "the older name of PutBucketNotificationConfiguration, at the same address",
    "iam UpdateAssumeRolePolicy": "the same state as CreateRole's, with other text",
    "lambda UpdateEventSourceMapping": "the mapping is still being made then; tests of mappings do it",
    **dict.fromkeys(
        ("lambda CreateFunctionUrlConfig", "lambda UpdateFunctionUrlConfig", "lambda PutProvisionedConcurrencyConfig"),
        "refused: nobody would serve the address, or keep environments warm",
    ),
    "secretsmanager UpdateSecretVersionStage": "the same state as PutSecretValue's, with other labels",
}  # fmt: skip

ENDS = pytest.mark.parametrize("ends", [("kill", "stop"), ("stop", "kill")], ids=["kill-first", "stop-first"])


def walk(folder: Path, ends: tuple[str, str], services: tuple[str, ...]) -> dict[str, Any]:
    """Make, and then take away, all that can be in these services, with a look at it after each end."""
    made = _step(folder, "make", ends[0], services)
    _step(folder, "take-away", ends[1], services)
    _step(folder, "look", "kill", services)
    return made


def _step(folder: Path, step: str, end: str, services: tuple[str, ...]) -> dict[str, Any]:
    """Do a step in a process of its own. What it says is what is not as it was."""
    command = [sys.executable, "-m", "tests.support.account_walk", str(folder), step, end, *services]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    assert not run.stdout, f"before it was to {step}, this was not as it had been left (-):\n{run.stdout}"
    calls: dict[str, Any] = json.loads(Path(f"{folder}.calls.json").read_text(encoding="utf-8"))
    return calls


def undone(made: dict[str, Any]) -> set[str]:
    """Return the operations of a walk that were neither done nor refused with 501, although they change something."""
    found = set()
    for service, outcome in made.items():
        model = get_session().get_service_model(service)
        for name, answer in outcome["answers"].items():
            method = model.operation_model(name).http["method"]
            changes = of_model(service).effect(name, method) is not Effect.NOTHING
            if changes and answer not in ("ok", "501") and not takes_away(name):
                found.add(f"{service} {name}")
    return found


@ENDS
def test_a_few_services_come_back_as_they_were(tmp_path, ends):
    made = walk(tmp_path / "account", ends, FEW)
    assert all(not outcome["refused by hand"] for outcome in made.values()), made


@pytest.mark.deep
@ENDS
def test_the_services_of_the_lessons_come_back_as_they_were(tmp_path, ends):
    made = walk(tmp_path / "account", ends, WELL_KNOWN)
    assert not [line for outcome in made.values() for line in outcome["refused by hand"]]
    assert undone(made) <= NOT_DONE.keys()


@functools.cache
def others() -> tuple[str, ...]:
    """All services of botocore's with an address that moto has, but those that have tests of their own."""
    session, found = get_session(), []
    for name in session.get_available_services():
        prefix = session.get_service_model(name).endpoint_prefix
        hosts = (f"https://{prefix}.us-east-1.amazonaws.com", f"https://{prefix}.amazonaws.com")
        if any(pattern.match(host) for _, pattern in backend_index.backend_url_patterns for host in hosts):
            found.append(name)
    return tuple(name for name in found if name not in {*WELL_KNOWN, "cloudformation", "ec2"})


PARTS = 8


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
def test_all_other_services_come_back_as_they_were(tmp_path, part):
    services = others()[part::PARTS]
    made = walk(tmp_path / "account", ("kill", "stop"), services)
    assert sum(answer == "ok" for outcome in made.values() for answer in outcome["answers"].values()) > 50


@pytest.mark.deep
def test_ec2_comes_back_as_it_was(tmp_path):
    made = walk(tmp_path / "account", ("kill", "stop"), ("ec2",))
    assert sum(answer == "ok" for answer in made["ec2"]["answers"].values()) > 100


# In a server, by what it answers


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    with own_home(tmp_path / "home"):
        yield tmp_path / "home"
        lifecycle.stop()


def end_by_kill(aws: Aws) -> None:
    server = psutil.Process(aws.account.pid)
    server.kill()
    server.wait(PATIENCE)


def end_by_stop(_: Aws) -> None:
    assert lifecycle.stop()


@pytest.mark.parametrize("end", [end_by_kill, end_by_stop])
def test_what_could_not_be_kept_before_is_there_and_works(home, end):
    aws = Aws(lifecycle.start(), home)
    ssm, kms, acm, s3 = (aws.client(name) for name in ("ssm", "kms", "acm", "s3"))
    dynamodb = aws.client("dynamodb")
    for value in ("1", "2"):
        ssm.put_parameter(Name="/shop/price", Value=value, Type="String", Overwrite=True)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    secret = kms.encrypt(KeyId=key, Plaintext=b"plain")["CiphertextBlob"]
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    how = {"KeyId": signing, "Message": b"m", "SigningAlgorithm": "RSASSA_PKCS1_V1_5_SHA_256"}
    signature = kms.sign(**how)["Signature"]
    certificate = acm.request_certificate(DomainName="example.com")["CertificateArn"]
    pem = acm.get_certificate(CertificateArn=certificate)["Certificate"]
    versions = _three_versions(s3)
    table = aws.table()
    dynamodb.put_item(TableName=table, Item={"OrderId": {"S": "in the backup"}})
    backup = dynamodb.create_backup(TableName=table, BackupName="backup")["BackupDetails"]["BackupArn"]
    dynamodb.delete_table(TableName=table)
    end(aws)
    aws = Aws(lifecycle.start(), home)
    ssm, kms, acm, s3 = (aws.client(name) for name in ("ssm", "kms", "acm", "s3"))
    assert [each["Value"] for each in ssm.get_parameter_history(Name="/shop/price")["Parameters"]] == ["1", "2"]
    assert kms.decrypt(CiphertextBlob=secret)["Plaintext"] == b"plain"
    assert kms.verify(**how, Signature=signature)["SignatureValid"]
    assert acm.get_certificate(CertificateArn=certificate)["Certificate"] == pem
    for version, content in versions.items():
        assert s3.get_object(Bucket="bucket", Key="key", VersionId=version)["Body"].read() == content
    assert len(s3.list_object_versions(Bucket="bucket")["DeleteMarkers"]) == 1
    dynamodb = aws.client("dynamodb")
    dynamodb.restore_table_from_backup(TargetTableName="again", BackupArn=backup)
    assert dynamodb.scan(TableName="again")["Items"] == [{"OrderId": {"S": "in the backup"}}]


def _three_versions(s3: Any) -> dict[str, bytes]:
    s3.create_bucket(Bucket="bucket")
    s3.put_bucket_versioning(Bucket="bucket", VersioningConfiguration={"Status": "Enabled"})
    contents = (b"first", b"second", b"third")
    versions = {s3.put_object(Bucket="bucket", Key="key", Body=each)["VersionId"]: each for each in contents}
    s3.delete_object(Bucket="bucket", Key="key")
    return versions


def test_what_a_call_begins_in_another_service_is_kept_with_it(home):
    """S3's bucket behind a bucket for tables, and EC2's first network, which a question is enough to make."""
    aws = Aws(lifecycle.start(), home)
    ec2 = aws.client("ec2")
    (network,) = ec2.describe_vpcs()["Vpcs"]
    tables = aws.client("s3tables")
    tables.create_namespace(
        tableBucketARN=(bucket := tables.create_table_bucket(name="tables")["arn"]), namespace=["a"]
    )
    table = {"tableBucketARN": bucket, "namespace": "a", "name": "t"}
    token = tables.create_table(**table, format="ICEBERG")["versionToken"]
    place = tables.get_table_metadata_location(**table)["warehouseLocation"]
    end_by_kill(aws)
    aws = Aws(lifecycle.start(), home)
    assert aws.client("ec2").describe_vpcs()["Vpcs"] == [network]
    s3 = aws.client("s3")
    s3.put_object(Bucket=place.removeprefix("s3://"), Key="metadata.json", Body=b"{}")
    aws.client("s3tables").update_table_metadata_location(
        **table, versionToken=token, metadataLocation=f"{place}/metadata.json"
    )


def test_what_cannot_be_kept_is_refused_and_not_done(tmp_path):
    """The server's SES gets something that pickle does not know: what is asked of it then is as if nobody had asked."""
    process, access = serve("tests.support.unsaveable_aws", tmp_path / "home")
    try:
        ses = Aws(access).client("ses")
        ses.verify_email_identity(EmailAddress="kept@example.com")
        with pytest.raises(ses.exceptions.ClientError) as refused:
            ses.verify_email_identity(EmailAddress="unsaveable@example.com")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert "keep what VerifyEmailIdentity makes in ses. Nothing was changed." in str(refused.value)
        assert ses.list_identities()["Identities"] == ["kept@example.com"]
        ses.verify_email_identity(EmailAddress="again@example.com")
        assert ses.list_identities()["Identities"] == ["kept@example.com", "again@example.com"]
    finally:
        process.kill()
        process.wait()


def test_what_is_refused_for_good_is_refused_in_a_line(aws):
    kms = aws.client("kms")
    key = kms.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    with pytest.raises(kms.exceptions.ClientError, match="cannot do this yet: ReplicateKey of kms.") as refused:
        kms.replicate_key(KeyId=key, ReplicaRegion="eu-west-1")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


@pytest.mark.parametrize(
    ("service", "operation"), [("apigateway", "get_rest_apis"), ("xray", "get_groups")], ids=["apigateway", "xray"]
)
def test_a_service_of_which_a_package_is_missing_says_so(aws, service, operation):
    client = aws.client(service)
    with pytest.raises(client.exceptions.ClientError, match="needs the package") as refused:
        getattr(client, operation)()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
