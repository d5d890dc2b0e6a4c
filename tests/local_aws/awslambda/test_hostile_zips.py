"""Archives made to do harm: none is unpacked outside its folder, none takes memory, time or disk without end."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import psutil
import pytest

from helpers.local_aws.awslambda import function_code
from helpers.local_aws.execution.lambda_errors import LambdaError
from helpers.paths import PROJECT
from tests.support.embedded_aws import zip_of
from tests.support.lambda_requests import ECHO, refused

UNZIP = "Could not unzip uploaded file. Please check your file, then try to upload again."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where functions are unpacked; what lies beside it must stay as it is."""
    folder = tmp_path / "outer" / "functions"
    folder.mkdir(parents=True)
    monkeypatch.setattr(function_code, "_root", folder)
    return folder


def raw_zip(*members: tuple[bytes, bytes], flags: int = 0, method: int = 0, size: int | None = None) -> bytes:
    """An archive written byte by byte, with names that the zipfile module would not write."""
    body, directory, start = [], [], 0
    for name, content in members:
        data = zlib.compress(content)[2:-4] if method else content
        fields = (zlib.crc32(content), len(data), len(content) if size is None else size, len(name), 0)
        mode = (stat.S_IFREG | 0o644) << 16
        entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x31E, 20, flags, method, 0, 33, *fields, 0, 0, 0, mode, start)
        directory.append(entry + name)
        body.append(struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, *fields) + name + data)
        start += len(body[-1])
    count, length = min(len(members), 0xFFFF), sum(map(len, directory))
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, start, 0)
    return b"".join([*body, *directory, end])


def refusal_of(archive: bytes) -> str:
    with pytest.raises(LambdaError) as error:
        function_code.FunctionCode(archive, "hostile")
    assert error.value.error_type == "InvalidParameterValueException"
    return error.value.message


def nothing_but(root: Path, *names: str) -> bool:
    outer = root.parent
    return sorted(path.name for path in outer.rglob("*")) == sorted(("functions", *names))


@pytest.mark.parametrize(
    "name",
    [
        "../x.py", "a/../../x.py", "/x.py", "//x.py", "..", "../", "a/../../../x", "..\\x.py", "\\x.py", "C:\\x.py",
        "\\\\server\\share\\x.py", "a\\..\\..\\x.py",
    ],
)  # fmt: skip
def test_no_name_leaves_the_folder(root, name):
    archive = raw_zip((b"main.py", b""), (name.encode(), b"out"))
    assert refusal_of(archive).startswith(UNZIP)
    assert nothing_but(root)


def test_a_zero_byte_in_a_name(root):
    assert "a zero byte" in refusal_of(raw_zip((b"main.py\0.txt", b"")))
    assert nothing_but(root)


def test_names_that_are_not_utf_8(root):
    assert refusal_of(raw_zip((b"\xff\xfe.py", b""), flags=0x800)) == UNZIP
    code = function_code.FunctionCode(raw_zip((b"\x81.py", b"x")), "cp437")  # without the flag: code page 437
    assert [path.name for path in code.path.iterdir()] == ["ü.py"]
    code.release()


def test_a_long_name_and_a_deep_one(root):
    assert refusal_of(raw_zip((b"x" * 300, b""))).startswith(UNZIP)
    deep = refusal_of(raw_zip((b"a/" * 5000 + b"main.py", b"")))
    assert "more than 100 folders" in deep
    assert len(deep) < 500
    assert nothing_but(root)


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK], ids=oct
)  # hard links: the format has none
def test_links_and_devices(root, kind):
    member = zipfile.ZipInfo("link")
    member.external_attr = (kind | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(member, "/etc/passwd")
        file.writestr("link/inside.py", "")
    assert "a link or a device" in refusal_of(buffer.getvalue())
    assert nothing_but(root)


def test_dangerous_modes_are_not_kept(root):
    member = zipfile.ZipInfo("tool")
    member.external_attr = (stat.S_IFREG | 0o6777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(member, "#!/bin/sh")
    code = function_code.FunctionCode(buffer.getvalue(), "modes")
    assert (code.path / "tool").stat().st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWOTH) == 0
    code.release()


def test_sizes_that_lie(root):
    for size in (0, 1, 10**6 + 1, 200 * 2**20):
        assert refusal_of(raw_zip((b"main.py", b"#" * 10**6), method=8, size=size)).startswith(UNZIP)
        assert nothing_but(root)


def test_an_encrypted_member(root):
    assert "encrypted" in refusal_of(raw_zip((b"main.py", b"x"), flags=1))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_differ_in_case_only(root, monkeypatch):
    archive = zip_of({"main.py": "1", "Main.py": "2"})
    monkeypatch.setattr(function_code, "_ignores_case", lambda folder: False)
    if not _case_matters(root):
        pytest.skip("this file system cannot hold both")
    code = function_code.FunctionCode(archive, "case")
    assert sorted(path.name for path in code.path.iterdir()) == ["Main.py", "main.py"]
    code.release()
    monkeypatch.setattr(function_code, "_ignores_case", lambda folder: True)
    assert "'main.py' and 'Main.py' are one file on this machine" in refusal_of(archive)
    monkeypatch.undo()


def _case_matters(folder: Path) -> bool:
    (folder / "a").touch()
    found = (folder / "A").exists()
    (folder / "a").unlink()
    return not found


def test_whether_case_matters_is_found_out(root):
    assert function_code._ignores_case(root) is not _case_matters(root)
    assert list(root.iterdir()) == []


BUDGET = """
import io, resource, sys, time, zipfile
sys.path.insert(0, {path!r})
from tests.local_aws.awslambda import test_hostile_zips as zips
from helpers.local_aws.awslambda import function_code
from helpers.local_aws.execution.lambda_errors import LambdaError
from pathlib import Path
function_code.set_root(Path({root!r}))
archive = {archive}
before, begin = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    function_code.FunctionCode(archive, "hostile")
    print("unpacked")
except LambdaError as error:
    print(error.message)
scale = 1 if sys.platform == "darwin" else 1024
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * scale, time.process_time() - begin)
"""


def bomb(megabytes: int) -> bytes:
    """One file of zeros; the ratio is a thousand to one."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(megabytes):
            member.write(bytes(2**20))
    return buffer.getvalue()


def overlapping(copies: int) -> bytes:
    """A directory of so many members that all have the same content: one megabyte, stored once."""
    single = raw_zip((b"0000000", b"#" * 2**20), method=8)
    start, size = single.index(b"PK\1\2"), 46 + 7
    entry = single[start : start + size]
    directory = b"".join(entry[:46] + b"%07d" % number for number in range(copies))
    count = min(copies, 0xFFFF)
    return single[:start] + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), start, 0)


def many_folders(files: int) -> bytes:
    return raw_zip(*((b"/".join([b"%d" % number] * 90) + b"/f", b"") for number in range(files)))


@pytest.mark.skipif(os.name != "posix", reason="measures with the resource module")
@pytest.mark.parametrize(
    ("archive", "message"),
    [
        ("zips.bomb(400)", "Unzipped size must be smaller than 262144000 bytes"),
        ("zips.overlapping(10_000)", "Unzipped size must be smaller than 262144000 bytes"),
        pytest.param("zips.overlapping(200)", UNZIP, marks=pytest.mark.deep),
        ("zips.overlapping(400_000)", f"{UNZIP} (The archive was refused because it holds more than 50000 files.)"),
        pytest.param(
            "zips.raw_zip(*((b'%d' % n, b'') for n in range(60_000)))",
            "holds more than 50000 files",
            marks=pytest.mark.deep,
        ),
        pytest.param("zips.many_folders(2000)", "holds more than 50000 folders", marks=pytest.mark.deep),
    ],
    ids=["ratio", "overlapping", "a few overlapping", "members without end", "too many files", "too many folders"],
)
def test_bombs_cost_little(tmp_path, archive, message):
    """Measured in a process of its own: memory beyond that of the archive itself, and CPU time."""
    root = tmp_path / "functions"
    program = BUDGET.format(path=str(PROJECT), root=str(root), archive=archive)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    *found, figures = done.stdout.splitlines()
    memory, seconds = map(float, figures.split())
    assert message in "\n".join(found)
    assert memory < 200 * 2**20
    assert seconds < 20
    assert list(root.iterdir()) == []


@pytest.mark.deep
def test_tens_of_thousands_of_files_are_fine(root):
    code = function_code.FunctionCode(raw_zip(*((b"%d.py" % number, b"") for number in range(20_000))), "many")
    assert sum(1 for _ in code.path.iterdir()) == 20_000
    code.release()
    assert nothing_but(root)


PARTS = ["..", ".", "", "a", "b", "C:", "con", "é", "x" * 300, "\\", "/", "\0", " ", "A"]


@pytest.mark.parametrize("seed", range(200))
def test_whatever_an_archive_holds_it_is_unpacked_inside_or_refused(root, seed):
    """Names put together at random, and bits that were changed; the same ones in each run."""
    chance = random.Random(seed)
    names = ["/".join(chance.choices(PARTS, k=chance.randint(1, 5))).encode() for _ in range(chance.randint(1, 4))]
    names.append(chance.randbytes(chance.randint(1, 20)))
    archive = bytearray(raw_zip(*((name, b"content") for name in chance.sample(names, 2)), method=8))
    if seed % 2:
        archive[chance.randrange(len(archive))] ^= 1 << chance.randrange(8)
    if seed % 8 == 7:
        del archive[chance.randrange(len(archive)) :]
    try:
        code = function_code.FunctionCode(bytes(archive), "any")
    except LambdaError as error:
        assert "\n" not in error.message
    else:
        folder = code.path.resolve()
        assert all(path.resolve().is_relative_to(folder) for path in folder.rglob("*"))
        code.release()
    assert nothing_but(root)


def test_the_server_survives_them_all(aws, create):
    innocent = aws.function(ECHO)
    for archive in (
        raw_zip((b"../x", b"")),
        bomb(300),
        overlapping(150_000),
        raw_zip((b"a" * 300, b"")),
        b"PK\3\4" * 1000,
    ):
        assert refused(create, Code={"ZipFile": archive})[0] == "InvalidParameterValueException"
        assert aws.invoke(innocent, "fine")["Json"] == "fine"
    assert psutil.pid_exists(aws.account.pid)
