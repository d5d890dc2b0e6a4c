"""What Lambda refuses when functions are created and changed: black box, through boto3."""

from __future__ import annotations

import base64
import io
import json
import os
import stat
import struct
import uuid
import zipfile

import pytest
from botocore.exceptions import ClientError
from embedded_aws import zip_of

from helpers.local_aws import function_code
from helpers.local_aws.lambda_errors import LambdaError

HANDLER = {"main.py": "def handler(event, context):\n    return event\n"}
UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


@pytest.fixture(scope="module")
def role(aws) -> str:
    return aws.role()


@pytest.fixture
def create(aws, role):
    """create(**changes): CreateFunction, valid except for the changes; a value of None leaves one out."""

    def create(**changes: object) -> dict:
        request = {
            "FunctionName": f"function-{uuid.uuid4().hex[:8]}",
            "Runtime": "python3.13",
            "Role": role,
            "Handler": "main.handler",
            "Code": {"ZipFile": zip_of(HANDLER)},
            **changes,
        }
        return aws.client("lambda", parameter_validation=False).create_function(
            **{key: value for key, value in request.items() if value is not None}
        )

    return create


def refused(call, **parameters: object) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert 400 <= error.value.response["ResponseMetadata"]["HTTPStatusCode"] < 500
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def constraint(name: str, value: object, rule: str) -> str:
    return f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: {rule}"


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("Timeout", 901, constraint("timeout", 901, "Member must have value less than or equal to 900")),
        ("Timeout", 0, constraint("timeout", 0, "Member must have value greater than or equal to 1")),
        (
            "MemorySize",
            127,
            constraint("memorySize", 127, "Member must have value greater than or equal to 128"),
        ),
        (
            "MemorySize",
            10241,
            constraint("memorySize", 10241, "Member must have value less than or equal to 10240"),
        ),
        (
            "Handler",
            "h" * 129,
            constraint("handler", "h" * 129, "Member must have length less than or equal to 128"),
        ),
        (
            "Handler",
            "main handler",
            constraint("handler", "main handler", r"Member must satisfy regular expression pattern: [^\s]+"),
        ),
        (
            "Description",
            "d" * 257,
            constraint("description", "d" * 257, "Member must have length less than or equal to 256"),
        ),
        (
            "EphemeralStorage",
            {"Size": 10241},
            constraint("ephemeralStorage.size", 10241, "Member must have value less than or equal to 10240"),
        ),
        (
            "Role",
            "microservice-role",
            constraint(
                "role",
                "microservice-role",
                r"Member must satisfy regular expression pattern: "
                r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
            ),
        ),
        (
            "Architectures",
            ["x86_64", "arm64"],
            constraint("architectures", "[x86_64, arm64]", "Member must have length less than or equal to 1"),
        ),
    ],
)
def test_a_parameter_that_breaks_its_constraint(create, parameter, value, message):
    assert refused(create, **{parameter: value}) == ("ValidationException", message)


def test_broken_constraints_are_reported_together(create):
    code, message = refused(create, Timeout=901, MemorySize=1)
    assert code == "ValidationException"
    assert message.startswith("2 validation errors detected: Value '901' at 'timeout'")
    assert "; Value '1' at 'memorySize'" in message


@pytest.mark.parametrize(
    "changes", [{"Timeout": 1}, {"Timeout": 900}, {"MemorySize": 10240}, {"MemorySize": 128}]
)
def test_limits_themselves_are_fine(create, changes):
    assert create(**changes).items() >= changes.items()


@pytest.mark.parametrize("name", ["a b", "a.b", "naïve", "a/b", "x:y:z", ""])
def test_a_malformed_name(create, name):
    code, message = refused(create, FunctionName=name)
    assert code == "ValidationException"
    assert message.startswith(
        constraint("functionName", name, "Member must satisfy regular expression pattern: ")
    )


def test_the_length_of_a_name(create):
    assert create(FunctionName="n" * 64)["FunctionName"] == "n" * 64
    assert refused(create, FunctionName="n" * 65) == (
        "InvalidParameterValueException",
        constraint("functionName", "n" * 65, "Member must have length less than or equal to 64"),
    )


def test_a_name_may_be_an_arn(create):
    name = f"function-{uuid.uuid4().hex[:8]}"
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    assert create(FunctionName=arn)["FunctionArn"] == arn
    assert refused(create, FunctionName=name) == (
        "ResourceConflictException",
        f"Function already exist: {name}",
    )
    code, message = refused(create, FunctionName=arn.replace("us-east-1", "eu-west-1"))
    assert code == "ResourceNotFoundException"
    assert message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"


# Roles.


@pytest.mark.parametrize(
    "trust",
    [
        None,
        {"Statement": []},
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:TagSession"},
        {"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
    ids=["missing", "empty", "of another service", "for another action", "denied"],
)
def test_a_role_that_lambda_cannot_assume(aws, create, trust):
    name = f"role-{uuid.uuid4().hex[:8]}"
    if trust is not None:
        document = {"Version": "2012-10-17", "Statement": [trust] if "Effect" in trust else []}
        iam = aws.client("iam")
        if document["Statement"]:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(document))
        else:
            iam.create_role(
                RoleName=name, AssumeRolePolicyDocument=json.dumps({**document, "Statement": [_ANY]})
            )
            iam.update_assume_role_policy(
                RoleName=name, PolicyDocument=json.dumps({**document, "Statement": [_OTHER]})
            )
    assert refused(create, Role=f"arn:aws:iam::123456789012:role/{name}") == (
        "InvalidParameterValueException",
        "The role defined for the function cannot be assumed by Lambda.",
    )


_ANY = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
_OTHER = {**_ANY, "Principal": {"Service": "states.amazonaws.com"}}


def test_roles_that_lambda_can_assume(aws, create):
    iam = aws.client("iam")
    for principal in (
        {"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]},
        {"Service": "lambda.amazonaws.com"},
    ):
        name = f"role-{uuid.uuid4().hex[:8]}"
        document = {"Version": "2012-10-17", "Statement": {**_ANY, "Principal": principal, "Action": "sts:*"}}
        arn = iam.create_role(RoleName=name, Path="/service/", AssumeRolePolicyDocument=json.dumps(document))[
            "Role"
        ]["Arn"]
        assert create(Role=arn)["Role"] == arn


def test_a_role_of_another_account(create):
    assert refused(create, Role="arn:aws:iam::999999999999:role/theirs") == (
        "AccessDeniedException",
        "Cross-account pass role is not allowed.",
    )


# Runtimes.


@pytest.mark.parametrize("runtime", ["python2.7", "python3.6", "python3.7", "nodejs14.x", "java8", "go1.x"])
def test_a_runtime_that_aws_no_longer_creates_functions_for(create, runtime):
    assert refused(create, Runtime=runtime) == (
        "InvalidParameterValueException",
        f"The runtime parameter of {runtime} is no longer supported for creating or updating AWS Lambda "
        "functions. We recommend you use a supported runtime while creating or updating functions.",
    )


@pytest.mark.parametrize("runtime", ["python", "python3", "python3.99", "PYTHON3.13", "cobol", "python3.13 "])
def test_an_unknown_runtime(create, runtime):
    code, message = refused(create, Runtime=runtime)
    assert code == "InvalidParameterValueException"
    assert message.startswith(
        f"Value {runtime} at 'runtime' failed to satisfy constraint: Member must satisfy enum"
    )
    assert "python3.13" in message
    assert message.endswith("] or be a valid ARN")


@pytest.mark.parametrize("runtime", ["nodejs22.x", "java21", "ruby3.4", "dotnet8", "provided.al2023"])
def test_a_runtime_that_cannot_run_here_says_so(create, runtime):
    code, message = refused(create, Runtime=runtime)
    assert code == "InvalidParameterValueException"
    assert message.startswith(f"The embedded AWS runs Python functions only, not {runtime}")
    assert "\n" not in message


@pytest.mark.parametrize("runtime", ["python3.9", "python3.11", "python3.14"])
def test_python_runtimes_that_aws_still_accepts(create, runtime):
    assert create(Runtime=runtime)["Runtime"] == runtime


def test_runtime_and_handler_are_mandatory(create):
    expected = "Runtime and Handler are mandatory parameters for functions created with deployment packages."
    assert refused(create, Runtime=None) == ("InvalidParameterValueException", expected)
    assert refused(create, Handler=None) == ("InvalidParameterValueException", expected)


@pytest.mark.parametrize(
    ("changes", "advice"),
    [
        (
            {"PackageType": "Image", "Code": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/x:1"}},
            ".zip archive",
        ),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:pandas:1"]}, ".zip archive"),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, "leave LogFormat out"),
    ],
    ids=["image", "layers", "JSON logs"],
)
def test_what_only_real_aws_can_do_is_refused_with_advice(create, changes, advice):
    code, message = refused(create, **changes)
    assert code == "InvalidParameterValueException"
    assert message.startswith("The embedded AWS ")
    assert advice in message


# Environment variables.


@pytest.mark.parametrize(
    "name", ["AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "AWS_SESSION_TOKEN"]
)
def test_reserved_variables(create, name):
    assert refused(create, Environment={"Variables": {"TABLE_NAME": "t", name: "x"}}) == (
        "InvalidParameterValueException",
        "Lambda was unable to configure your environment variables because the environment variables you "
        "have provided contains reserved keys that are currently not supported for modification. "
        f"Reserved keys used in this request: {name}",
    )


def test_several_reserved_variables_are_all_named(create):
    variables = {"AWS_REGION": "x", "OK": "y", "AWS_ACCESS_KEY_ID": "z"}
    assert refused(create, Environment={"Variables": variables})[1].endswith(
        "request: AWS_REGION, AWS_ACCESS_KEY_ID"
    )


@pytest.mark.parametrize("name", ["a", "1st", "with-dash", "with space", "_HANDLER", ""])
def test_malformed_variable_names(create, name):
    assert refused(create, Environment={"Variables": {name: "secret"}}) == (
        "ValidationException",
        "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map "
        "keys must satisfy constraint: "
        "[Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
    )


def test_the_environment_has_four_kilobytes_as_json(create):
    room = 4096 - len('{"BIG":""}')
    assert create(Environment={"Variables": {"BIG": "x" * room}})["Environment"]["Variables"]["BIG"]
    code, message = refused(create, Environment={"Variables": {"BIG": "x" * (room + 1)}})
    assert code == "InvalidParameterValueException"
    assert message.endswith('exceeded the 4KB limit. String measured: {"BIG":"' + "x" * (room + 1) + '"}')
    code, _ = refused(create, Environment={"Variables": {"BIG": "é" * (room // 2 + 1)}})
    assert code == "InvalidParameterValueException"


# Archives.


def archive(*members: tuple[zipfile.ZipInfo | str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for member, content in members:
            file.writestr(member, content)
    return buffer.getvalue()


def special(name: str, kind: int) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (kind | 0o777) << 16
    return member


def damaged() -> bytes:
    content = bytearray(archive(("main.py", b"print('once upon a time')")))
    content[content.index(b"once")] ^= 0xFF
    return bytes(content)


def lying() -> bytes:
    """An archive whose directory announces one byte for a member that has a megabyte."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("main.py", b"#" * 2**20)
    content = bytearray(buffer.getvalue())
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = struct.pack("<I", 1)
    return bytes(content)


def packed(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        file.writestr("main.py", "#" * 100)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a zip", UNZIP),
        (zip_of(HANDLER)[:-10], UNZIP),
        (archive(), "Uploaded file must be a non-empty zip"),
        (damaged(), UNZIP),
        (lying(), UNZIP),
        (archive(("../main.py", b"")), UNZIP),
        (archive(("a/../../main.py", b"")), UNZIP),
        (archive(("/etc/cron.d/main", b"")), UNZIP),
        (archive(("a\\..\\main.py", b"")), UNZIP),
        (archive((special("link", stat.S_IFLNK), b"/etc/passwd")), UNZIP),
        (archive((special("pipe", stat.S_IFIFO), b"")), UNZIP),
        (archive(("main.py", b""), ("main.py/inside.py", b"")), UNZIP),
        (packed(zipfile.ZIP_LZMA), UNZIP),
    ],
    ids=[
        *("text", "cut off", "empty", "damaged", "wrong size", "parent", "hidden parent", "absolute"),
        *("backslashes", "symbolic link", "pipe", "a file as a folder", "LZMA"),
    ],
)
def test_an_archive_that_cannot_be_unpacked(create, content, message):
    code, found = refused(create, Code={"ZipFile": content})
    assert code == "InvalidParameterValueException"
    assert found.startswith(message)
    assert "\n" not in found


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(function_code, "_root", tmp_path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(26):
            file.writestr(f"{number}.bin", bytes(10 * 2**20))
    with pytest.raises(LambdaError) as error:
        function_code.FunctionCode(buffer.getvalue(), "bomb")
    assert error.value.message == "Unzipped size must be smaller than 262144000 bytes"
    assert list(tmp_path.iterdir()) == []


def test_an_upload_has_a_largest_size(monkeypatch):
    monkeypatch.setattr(function_code, "MAX_UPLOAD", 9)
    assert function_code.decoded(base64.b64encode(b"123456789")) == b"123456789"
    with pytest.raises(LambdaError) as error:
        function_code.decoded(base64.b64encode(b"1234567890").decode())
    assert (error.value.code, error.value.message) == (413, "Zipped size must be smaller than 9 bytes")


def test_too_many_files(tmp_path, monkeypatch):
    monkeypatch.setattr(function_code, "_root", tmp_path)
    monkeypatch.setattr(function_code, "MAX_FILES", 2)
    with pytest.raises(LambdaError, match="more than 2 files"):
        function_code.FunctionCode(zip_of({"a.py": "", "b.py": "", "c.py": ""}), "many")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_an_archive_holds_arrives_with_its_folders_and_modes(tmp_path, monkeypatch):
    monkeypatch.setattr(function_code, "_root", tmp_path)
    content = archive(
        ("main.py", b"x = 1"),
        ("empty/", b""),
        ("package/deep/data.bin", bytes(range(256))),
        (special("bin/tool", stat.S_IFREG), b"#!/bin/sh"),
        ("main.py", b"x = 2"),
    )
    code = function_code.FunctionCode(content, "whole")
    assert (code.path / "main.py").read_bytes() == b"x = 2"
    assert (code.path / "empty").is_dir()
    assert (code.path / "package/deep/data.bin").read_bytes() == bytes(range(256))
    assert os.name == "nt" or (code.path / "bin/tool").stat().st_mode & stat.S_IXUSR
    code.share().release()
    assert code.path.exists()
    code.release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "windows", "fine"),
    [
        ("main.py", True, True),
        ("con.py", True, False),
        ("con.py", False, True),
        ("folder/NUL", True, False),
        ("lpt1.txt", True, False),
        ("data:stream", True, False),
        ("data:stream", False, True),
        ("ends.", True, False),
        ("ends ", True, False),
        ("what?", True, False),
        ("C:/x", True, False),
        ("console.py", True, True),
        ("..", False, False),
        ("..hidden", False, True),
    ],
)
def test_names_that_a_file_system_can_have(name, windows, fine):
    assert (function_code.trouble_with(zipfile.ZipInfo(name), windows) is None) is fine


def test_leftovers_of_an_earlier_server_are_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(function_code, "_root", None)
    (tmp_path / "code-old-1234").mkdir()
    (tmp_path / "code-old-1234" / "main.py").touch()
    (tmp_path / "mine").mkdir()
    function_code.set_root(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


# Code from a bucket, and changes.


def test_code_from_a_bucket(aws, create):
    s3 = aws.client("s3")
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    code = {"S3Bucket": bucket, "S3Key": "code.zip"}
    failed = (
        "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: The specified {} does not exist"
    )
    assert refused(create, Code=code)[1].startswith(failed.format("NoSuchBucket", "bucket"))
    s3.create_bucket(Bucket=bucket)
    assert refused(create, Code=code)[1].startswith(failed.format("NoSuchKey", "key"))
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zip_of(HANDLER))
    name = create(Code=code)["FunctionName"]
    assert aws.invoke(name, {"from": "a bucket"})["Json"] == {"from": "a bucket"}


def test_no_code_at_all(create):
    assert refused(create, Code={}) == (
        "InvalidParameterValueException",
        "Please provide a source for function code.",
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Timeout": 901}, "ValidationException"),
        ({"Runtime": "python2.7"}, "InvalidParameterValueException"),
        ({"Role": "arn:aws:iam::123456789012:role/missing"}, "InvalidParameterValueException"),
        ({"Environment": {"Variables": {"AWS_REGION": "x"}}}, "InvalidParameterValueException"),
        ({"Layers": ["arn:aws:lambda:us-east-1:123456789012:layer:x:1"]}, "InvalidParameterValueException"),
    ],
)
def test_a_refused_change_changes_nothing(aws, create, changes, code):
    lambda_ = aws.client("lambda")
    name = create(Timeout=5)["FunctionName"]
    before = lambda_.get_function_configuration(FunctionName=name)
    assert (
        refused(lambda_.update_function_configuration, FunctionName=name, Description="new", **changes)[0]
        == code
    )
    after = lambda_.get_function_configuration(FunctionName=name)
    assert {**before, "ResponseMetadata": None} == {**after, "ResponseMetadata": None}


def test_refused_code_leaves_the_former_code_in_place(aws, create):
    lambda_ = aws.client("lambda")
    name = create()["FunctionName"]
    assert refused(lambda_.update_function_code, FunctionName=name, ZipFile=b"no")[1] == UNZIP
    assert refused(lambda_.update_function_code, FunctionName=name, ZipFile=b"no", DryRun=True)[1] == UNZIP
    assert aws.invoke(name, "still there")["Json"] == "still there"


# What AWS answered.


def as_here(text: str) -> str:
    """A recorded message with this account's values."""
    return (
        text.replace("<partition>", "aws")
        .replace("<region>", "us-east-1")
        .replace("111111111111", "123456789012")
    )


def test_as_aws_recorded_refused_functions(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    answers = recorded["TestLambdaFunction::test_create_lambda_exceptions"]
    for name, changes in {
        "invalid_role_arn_exc": {"Role": "r1"},
        "multiple_architectures": {"Architectures": ["x86_64", "arm64"]},
        "uppercase_architecture": {"Architectures": ["X86_64"]},
        "invalid_zip_exc": {"Code": {"ZipFile": b"this is not a zip file, just a random string"}},
    }.items():
        expected = answers[name]["Error"]
        assert refused(create, **changes) == (expected["Code"], expected["Message"])
    for name, runtime in {
        "invalid_runtime_exc": "non-existent-runtime",
        "uppercase_runtime_exc": "PYTHON3.9",
    }.items():
        code, message = refused(create, Runtime=runtime)
        assert code == answers[name]["Error"]["Code"]
        # AWS lists the runtimes in no order, and more of them by now.
        assert message.split("[")[0] == answers[name]["Error"]["Message"].split("[")[0]
        assert runtimes_in(message) >= runtimes_in(answers[name]["Error"]["Message"])


def runtimes_in(message: str) -> set[str]:
    return set(message.split("[")[1].split("]")[0].split(", "))


def test_as_aws_recorded_blocked_runtimes(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    names = [name for name in recorded if "test_create_deprecated_function_runtime" in name]
    assert len(names) >= 8
    for name in names:
        expected = recorded[name]["deprecation_error"]["Error"]
        runtime = name.split("[")[1].rstrip("]")
        assert refused(create, Runtime=runtime) == (expected["Code"], expected["Message"])


def test_as_aws_recorded_large_environments(create, conformance):
    recorded = conformance("lambda_/test_lambda_api.snapshot.json")
    for test, answer in (
        ("test_large_environment_variables_fails", "failed_create_fn_result"),
        ("test_large_environment_fails_multiple_keys", "failured_create_fn_result_multi_key"),
    ):
        expected = recorded[f"TestLambdaSizeLimits::{test}"][answer]["Error"]
        variables = json.loads(expected["Message"].partition("String measured: ")[2])
        assert refused(create, Environment={"Variables": variables}) == (
            expected["Code"],
            expected["Message"],
        )
