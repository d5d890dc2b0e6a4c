"""What archives functions are made of: black box through boto3, and the unpacking itself."""

from __future__ import annotations

import base64
import io
import os
import re
import stat
import struct
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from helpers.local_aws.awslambda import code_download, function_code
from helpers.local_aws.execution.lambda_errors import LambdaError
from tests.support.embedded_aws import zip_of
from tests.support.lambda_requests import ECHO, refused
from tests.support.polling import eventually

UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


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
        (zip_of({"main.py": ECHO})[:-10], UNZIP),
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
    (tmp_path / "code-old-1234.zip").touch()
    (tmp_path / "code-used-5678").mkdir()
    (tmp_path / "code-used-5678.zip").touch()
    (tmp_path / "mine").mkdir()
    function_code.set_root(tmp_path)
    function_code.remove_leftovers({"code-used-5678"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["code-used-5678", "code-used-5678.zip", "mine"]


# The link in GetFunction's answer.


def download(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_the_location_leads_to_the_very_archive(aws, create):
    package = zip_of({"main.py": ECHO})
    name = create(Code={"ZipFile": package})["FunctionName"]
    answer = aws.client("lambda").get_function(FunctionName=name)
    assert download(answer["Code"]["Location"]) == (200, package)


@pytest.mark.parametrize("change", [
    lambda url: url.rpartition("&")[0],
    lambda url: url.replace("Expires=1", "Expires=2"),
    lambda url: url.replace("/code-", "/../functions/code-"),
    lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
    lambda url: url.replace("Expires=", "Expires=x"),
    lambda url: url.partition("?")[0],
])  # fmt: skip
def test_a_link_that_was_changed_leads_nowhere(aws, create, change):
    name = create(Code={"ZipFile": zip_of({"main.py": ECHO})})["FunctionName"]
    url = aws.client("lambda").get_function(FunctionName=name)["Code"]["Location"]
    assert download(change(url))[0] == 403


def test_a_link_ends_with_its_code_and_after_ten_minutes(aws, create, monkeypatch):
    lambda_ = aws.client("lambda")
    name = create(Code={"ZipFile": zip_of({"main.py": ECHO})})["FunctionName"]
    url = lambda_.get_function(FunctionName=name)["Code"]["Location"]
    expires = int(re.search(r"Expires=(\d+)", url)[1])
    assert 590 < expires - time.time() <= 600
    request = SimpleNamespace(method="GET", path=url.partition("?")[0], query=url.partition("?")[2])
    monkeypatch.setattr(code_download, "_signature", lambda name, expires: url.rpartition("=")[2])
    with monkeypatch.context() as later:
        later.setattr(code_download.clock, "now", lambda: expires + 1.0)
        assert code_download.answer(request)[0] == 403, "its time is over"
    lambda_.delete_function(FunctionName=name)
    eventually(lambda: download(url)[0] == 404, "the code to go")


# Code from a bucket, and changes.


def test_code_from_a_bucket(aws, create):
    s3 = aws.client("s3")
    bucket = f"bucket-{uuid.uuid4().hex[:8]}"
    code = {"S3Bucket": bucket, "S3Key": "code.zip"}
    failed = "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: The specified {} does not exist"
    assert refused(create, Code=code)[1].startswith(failed.format("NoSuchBucket", "bucket"))
    s3.create_bucket(Bucket=bucket)
    assert refused(create, Code=code)[1].startswith(failed.format("NoSuchKey", "key"))
    s3.put_object(Bucket=bucket, Key="code.zip", Body=zip_of({"main.py": ECHO}))
    name = create(Code=code)["FunctionName"]
    assert aws.invoke(name, {"from": "a bucket"})["Json"] == {"from": "a bucket"}


def test_refused_code_leaves_the_former_code_in_place(aws, create):
    lambda_ = aws.client("lambda")
    name = create()["FunctionName"]
    assert refused(lambda_.update_function_code, FunctionName=name, ZipFile=b"no")[1] == UNZIP
    assert refused(lambda_.update_function_code, FunctionName=name, ZipFile=b"no", DryRun=True)[1] == UNZIP
    assert aws.invoke(name, "still there")["Json"] == "still there"


#: Says that it is there, waits for the gate to be opened, and only then imports the rest of its code.
GATE = """
import os, pathlib, time

def answer():
    place = pathlib.Path(os.environ["PLACE"])
    (place / "arrived").touch()
    while not (place / "open").exists():
        time.sleep(0.01)
    import rest
    return rest.ANSWER
"""


@pytest.mark.parametrize("source, expected", [
    ("import gate\ndef handler(event, context): return gate.answer()", "the former code's"),
    ("import gate\ngate.answer()\ndef handler(event, context): return 'never asked'", "the new code's"),
], ids=["while it runs", "while it starts"])  # fmt: skip
def test_code_stays_until_the_last_environment_that_runs_it_has_ended(aws, create, tmp_path, source, expected):
    lambda_ = aws.client("lambda")
    code = {"ZipFile": zip_of({"main.py": source, "gate.py": GATE, "rest.py": 'ANSWER = "the former code\'s"'})}
    name = create(Code=code, Environment={"Variables": {"PLACE": str(tmp_path)}}, Timeout=60)["FunctionName"]
    with ThreadPoolExecutor() as callers:
        answer = callers.submit(aws.invoke, name, "the new code's")
        eventually((tmp_path / "arrived").exists)
        for number in range(3):
            newer = zip_of({"main.py": ECHO, "number.py": str(number)})
            lambda_.update_function_code(FunctionName=name, ZipFile=newer)
        (tmp_path / "open").touch()
        assert answer.result()["Json"] == expected
    assert "Error" not in "".join(aws.log(name))
